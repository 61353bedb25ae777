// The whole model's derivative against finite differences, tensor by tensor, and what is left out when less is trained.
import { expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { createRandom } from '../../../src-main/engine/random.ts'
import { adapterShapes } from '../../../src-main/models/adapters.ts'
import type { LoraSettings } from '../../../src-main/models/adapters.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import type { Batch, Transformer, TransformerSettings } from '../../../src-main/models/transformer.ts'
import { livelyWeights, randomBatch, tinyConfig } from './tiny-llama.ts'

const batch = randomBatch(tinyConfig, [7, 1, 4], 5)
const random = createRandom(9)
/** The loss sum_n c_n logprob_n with any numbers c: what every method's loss looks like from here. */
const coefficients = new Float32Array(batch.tokens.length).map(() => random.normal())

async function loss(model: Transformer): Promise<number> {
  const { logprobs } = await model.forward(batch, { keep: false })
  return logprobs.reduce((sum, logprob, n) => sum + logprob * coefficients[n]!, 0)
}

async function gradients(model: Transformer, of: Batch = batch): Promise<Map<string, Float32Array>> {
  model.zeroGradients()
  await model.forward(of, { keep: true })
  model.backward(coefficients)
  const found = new Map<string, Float32Array>()
  for (const { name, grad } of model.parameters) found.set(name, await model.backend.read(grad!))
  return found
}

/** d loss / d step along `direction` (a unit vector) in one tensor; Richardson's extrapolation removes the h^2 term. */
async function slope(model: Transformer, name: string, direction: Float32Array): Promise<number> {
  const start = await model.read(name)
  const central = async (h: number): Promise<number> => {
    const at = async (side: number): Promise<number> => {
      model.write(
        name,
        start.map((w, i) => w + side * h * direction[i]!),
      )
      return loss(model)
    }
    return ((await at(1)) - (await at(-1))) / (2 * h)
  }
  const [wide, narrow] = [await central(0.01), await central(0.005)]
  model.write(name, start)
  return (4 * narrow - wide) / 3
}

async function compare(model: Transformer): Promise<void> {
  const along = createRandom(31)
  for (const [name, gradient] of await gradients(model)) {
    const norm = Math.hypot(...gradient)
    expect(norm, `${name} has a gradient`).toBeGreaterThan(1e-3)
    const steepest = gradient.map((g) => g / norm)
    const uneven = gradient.map(() => along.normal())
    const length = Math.hypot(...uneven)
    const other = uneven.map((u) => u / length)
    const dot = gradient.reduce((sum, g, i) => sum + g * other[i]!, 0)
    expect(Math.abs((await slope(model, name, steepest)) - norm) / norm, `${name}, steepest`).toBeLessThan(1e-3)
    expect(Math.abs((await slope(model, name, other)) - dot) / norm, `${name}, another way`).toBeLessThan(1e-3)
  }
}

function model(settings: TransformerSettings, change: Partial<typeof tinyConfig> = {}): Transformer {
  const config = { ...tinyConfig, ...change }
  return createTransformer(createReference(), config, livelyWeights(config, 3), settings)
}

const lora = (targets: LoraSettings['targets']) => {
  const settings: LoraSettings = { rank: 3, alpha: 6, targets, seed: 4 }
  const shapes = adapterShapes(tinyConfig, settings)
  const weights = (name: string): Float32Array => {
    const index = shapes.findIndex((one) => one.name === name)
    const draw = createRandom(17, index)
    return new Float32Array(shapes[index]!.shape[0]! * shapes[index]!.shape[1]!).map(() => 0.3 * draw.normal())
  }
  return { ...settings, weights }
}

test('every tensor of a fully trained model has the right gradient', () => compare(model({ tune: 'full' })))
test('and with the embedding tied to the output', () => compare(model({ tune: 'full' }, { tieWordEmbeddings: true })))
test('and with more query heads than key heads', () => compare(model({ tune: 'full' }, { numKeyValueHeads: 1 })))
test('and with a single layer', () => compare(model({ tune: 'full' }, { numHiddenLayers: 1 })))
test('every adapter on all linear layers has the right gradient', () =>
  compare(model({ tune: 'lora', lora: lora('all-linear') })))
for (const targets of [['q_proj', 'v_proj'], ['o_proj'], ['down_proj'], ['gate_proj', 'up_proj']] as const)
  test(`and with adapters only on ${targets.join(', ')}`, () => compare(model({ tune: 'lora', lora: lora(targets) })))

test('scores made again in pieces on the way back give the same gradients', async () => {
  const [whole, pieces] = [
    model({ tune: 'full' }),
    model({ tune: 'full', scoresBudgetBytes: 2 * 4 * tinyConfig.vocabSize }),
  ]
  const expected = await gradients(whole)
  for (const [name, gradient] of await gradients(pieces))
    gradient.forEach((g, i) => expect(g, name).toBeCloseTo(expected.get(name)![i]!, 5))
})

test('a passing forward between a kept one and its backward changes nothing', async () => {
  const one = model({ tune: 'lora', lora: lora('all-linear') })
  const expected = await gradients(one)
  one.zeroGradients()
  await one.forward(batch, { keep: true })
  await one.forward(randomBatch(tinyConfig, [9, 5], 77), { keep: false, adapter: false })
  one.backward(coefficients)
  for (const { name, grad } of one.parameters) expect(await one.backend.read(grad!)).toEqual(expected.get(name))
})

test('gradients of two batches add up to those of both in one', async () => {
  const one = model({ tune: 'full' })
  const together = await gradients(one)
  const cut = (from: number, to: number): Batch => {
    const [start, end] = [batch.offsets[from]!, batch.offsets[to]!]
    const offsets = batch.offsets.slice(from, to + 1).map((offset) => offset - start)
    return { tokens: batch.tokens.slice(start, end), offsets, scored: batch.scored.slice(start, end) }
  }
  one.zeroGradients()
  for (const [from, to] of [
    [0, 1],
    [1, 3],
  ] as const) {
    await one.forward(cut(from, to), { keep: true })
    one.backward(coefficients.slice(batch.offsets[from], batch.offsets[to]))
  }
  for (const { name, grad } of one.parameters)
    (await one.backend.read(grad!)).forEach((g, i) => expect(g, name).toBeCloseTo(together.get(name)![i]!, 4))
})
