// From files to numbers: folders that transformers and PEFT wrote, read by our readers and run by our transformer, against
// what PyTorch computed on them (tests/golden/make-llama-folder.py) and what TRL saw (make-dpo.py).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { clipByGlobalNorm } from '../../../src-main/engine/clip.ts'
import { mergedWeights } from '../../../src-main/models/adapters.ts'
import { readModelFolder } from '../../../src-main/models/files/folder.ts'
import { readAdapterFolder } from '../../../src-main/models/files/peft.ts'
import { openSafetensors } from '../../../src-main/models/files/safetensors.ts'
import { type Batch, createTransformer, type Transformer } from '../../../src-main/models/transformer.ts'

interface Curve {
  learning_rate: number
  weight_decay: number
  beta1: number
  beta2: number
  epsilon: number
  clip: number
  losses: number[]
  gradient_norms: number[]
}
interface Golden {
  rows: number[][]
  masks: number[][]
  logprobs: Record<string, (number | null)[][]>
  entropy: Record<string, (number | null)[][]>
  full: Curve
  lora: Curve
}
interface GoldenDpo {
  rows: { prompt_ids: number[]; chosen_ids: number[]; rejected_ids: number[] }[]
  pairs: { chosen: number; rejected: number; reference_chosen: number; reference_rejected: number }[]
}
const at = (name: string): string => join(import.meta.dirname, '../../golden', name)
const golden = JSON.parse(readFileSync(at('llama-folder.json'), 'utf8')) as Golden
const dpo = JSON.parse(readFileSync(at('dpo.json'), 'utf8')) as GoldenDpo

const tied = readModelFolder(at('llama-tied'), { numbers: true })
const untied = readModelFolder(at('llama-untied'), { numbers: true })
const adapter = readAdapterFolder(at('llama-adapter'), tied.config)
const backend = createReference()
afterAll(() => [tied, untied, backend].forEach((one) => one.close()))

const lora = { ...adapter, seed: 0 }
const models: Record<string, () => Transformer> = {
  untied: () => createTransformer(backend, untied.config, untied.weights, { tune: 'full' }),
  tied: () => createTransformer(backend, tied.config, tied.weights, { tune: 'full' }),
  adapter: () => createTransformer(backend, tied.config, tied.weights, { tune: 'lora', lora }),
  merged: () =>
    createTransformer(backend, tied.config, mergedWeights(tied.config, tied.weights, lora, adapter.weights), {
      tune: 'frozen',
    }),
}

function batchOf(rows: number[][], scored: number[][]): Batch {
  const offsets = [0]
  for (const row of rows) offsets.push(offsets.at(-1)! + row.length)
  return {
    tokens: Int32Array.from(rows.flat()),
    offsets: Int32Array.from(offsets),
    scored: Uint8Array.from(scored.flat()),
  }
}
const everyToken = batchOf(
  golden.rows,
  golden.rows.map((row) => row.map((_, i) => (i === 0 ? 0 : 1))),
)
const learned = batchOf(golden.rows, golden.masks)
const weight = golden.masks.flat().reduce((a, b) => a + b, 0)

/** -sum of log p over the masked tokens / their number, and its derivative. */
async function lossAndGradients(model: Transformer): Promise<number> {
  model.zeroGradients()
  const { logprobs } = await model.forward(learned, { keep: true })
  model.backward(Float32Array.from(learned.scored, (one) => -one / weight))
  return logprobs.reduce((sum, logprob, n) => sum - logprob * learned.scored[n]!, 0) / weight
}

test.each(Object.keys(models))('%s: log-probabilities within 1e-4 of transformers, entropies too', async (name) => {
  const model = models[name]!()
  const { logprobs, entropy } = await model.forward(everyToken, { keep: false, entropy: true })
  const source = name === 'merged' ? 'adapter' : name
  const expectedEntropy = golden.entropy[source]!.flat()
  golden.logprobs[source]!.flat().forEach((expected, n) => {
    if (expected === null) return
    expect(Math.abs(logprobs[n]! - expected), `token ${n}`).toBeLessThan(1e-4)
    expect(Math.abs(entropy![n]! - expectedEntropy[n]!), `entropy ${n}`).toBeLessThan(1e-4)
  })
  model.close()
})

test.each([
  ['untied', 'llama-gradients-full.safetensors'],
  ['tied', 'llama-gradients-tied.safetensors'],
  ['adapter', 'llama-gradients-lora.safetensors'],
])('%s: the gradient of every tensor within a relative 1e-3 of PyTorch’s', async (name, file) => {
  const model = models[name]!()
  await lossAndGradients(model)
  const expected = openSafetensors(at(file))
  expect(model.parameters.map((one) => one.name).sort()).toEqual([...expected.tensors.keys()].sort())
  for (const { name: tensor, grad } of model.parameters) {
    const wanted = expected.read(tensor)
    const found = await backend.read(grad!)
    expect(Math.hypot(...wanted.map((g, i) => g - found[i]!)) / Math.hypot(...wanted), tensor).toBeLessThan(1e-3)
  }
  expected.close()
  model.close()
})

describe('five AdamW steps follow PyTorch’s curve', () => {
  test.each(['full', 'lora'] as const)('%s', async (tune) => {
    const curve = golden[tune]
    const model = models[tune === 'full' ? 'tied' : 'adapter']!()
    const moments = model.parameters.map(
      ({ value }) => [backend.alloc(value.shape), backend.alloc(value.shape)] as const,
    )
    for (let step = 1; step <= 5; step++) {
      const loss = await lossAndGradients(model)
      expect(Math.abs(loss / curve.losses[step - 1]! - 1), `loss before step ${step}`).toBeLessThan(1e-4)
      const { gradientNorm, gradientScale } = clipByGlobalNorm(
        await backend.sumSquares(model.parameters.map(({ grad }) => grad!)),
        1,
        curve.clip,
      )
      expect(Math.abs(gradientNorm / curve.gradient_norms[step - 1]! - 1), `gradient norm ${step}`).toBeLessThan(1e-3)
      model.parameters.forEach(({ value, grad }, i) =>
        backend.adamW(value, grad!, ...moments[i]!, {
          learningRate: curve.learning_rate,
          beta1: curve.beta1,
          beta2: curve.beta2,
          epsilon: curve.epsilon,
          weightDecay: curve.weight_decay,
          step,
          gradientScale,
        }),
      )
    }
    expect(Math.abs((await lossAndGradients(model)) / curve.losses[5]! - 1), 'loss after').toBeLessThan(1e-4)
    model.close()
  })
})

test('policy and reference give TRL’s rows the log-probabilities that it trained on', async () => {
  const model = models['adapter']!()
  const rows = dpo.rows.flatMap(({ prompt_ids, chosen_ids, rejected_ids }) => [
    prompt_ids.concat(chosen_ids),
    prompt_ids.concat(rejected_ids),
  ])
  const answers = rows.map((row, i) => row.map((_, t) => (t >= dpo.rows[i >> 1]!.prompt_ids.length ? 1 : 0)))
  const batch = batchOf(rows, answers)
  const sums = async (on: boolean): Promise<number[]> => {
    const { logprobs } = await model.forward(batch, { keep: false, adapter: on })
    return rows.map((_, i) => logprobs.slice(batch.offsets[i]!, batch.offsets[i + 1]!).reduce((a, b) => a + b, 0))
  }
  const [policy, reference] = [await sums(true), await sums(false)]
  dpo.pairs.forEach((pair, i) => {
    expect(Math.abs(policy[2 * i]! - pair.chosen)).toBeLessThan(1e-3)
    expect(Math.abs(policy[2 * i + 1]! - pair.rejected)).toBeLessThan(1e-3)
    expect(Math.abs(reference[2 * i]! - pair.reference_chosen)).toBeLessThan(1e-3)
    expect(Math.abs(reference[2 * i + 1]! - pair.reference_rejected)).toBeLessThan(1e-3)
  })
  model.close()
})
