// Against the world, on every backend that runs here: log-probabilities of transformers, gradients of PyTorch and PEFT
// (tests/golden/make-llama.py).
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openBackend, probeBackends } from '../../../src-main/engine/backends/choose.ts'
import { readConfig } from '../../../src-main/models/config.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import type { TransformerSettings } from '../../../src-main/models/transformer.ts'

interface Case {
  name: string
  tied: boolean
  weights: Record<string, string>
  logprobs: string
  gradients: Record<string, string>
  adapter?: Record<string, string>
  rope_parameters?: Record<string, unknown>
}
interface Golden {
  config: Record<string, unknown>
  tokens: number[]
  lengths: number[]
  scored: number[]
  coefficients: string
  cases: Case[]
}
const golden = JSON.parse(readFileSync(new URL('../../golden/llama.json', import.meta.url), 'utf8')) as Golden
const numbers = (packed: string): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(packed, 'base64')).buffer)

const offsets = new Int32Array(golden.lengths.length + 1)
golden.lengths.forEach((length, b) => (offsets[b + 1] = offsets[b]! + length))
const batch = { tokens: Int32Array.from(golden.tokens), offsets, scored: Uint8Array.from(golden.scored) }

const names = (await probeBackends()).filter(({ ok }) => ok).map(({ name }) => name)

test('the reference runs everywhere', () => expect(names).toContain('reference'))
for (const [name, one] of names.flatMap((backend) => golden.cases.map((one) => [backend, one] as const)))
  test(`${name}, ${one.name}: log-probabilities within 1e-4 of transformers and every gradient within a relative 1e-4 of PyTorch's`, async () => {
    const json = { ...golden.config, tie_word_embeddings: one.tied }
    const config = readConfig(
      one.rope_parameters ? { ...json, rope_parameters: one.rope_parameters } : json,
      'tests/golden/llama.json',
    )
    const adapter = one.adapter
    const settings: TransformerSettings = adapter
      ? {
          tune: 'lora',
          lora: { rank: 3, alpha: 6, targets: 'all-linear', seed: 0, weights: (array) => numbers(adapter[array]!) },
        }
      : { tune: 'full' }
    const backend = await openBackend(name)
    const model = createTransformer(backend, config, (tensor) => numbers(one.weights[tensor]!), settings)
    const { logprobs } = await model.forward(batch, { keep: true })
    numbers(one.logprobs).forEach((expected, n) =>
      expect(Math.abs(logprobs[n]! - expected), `token ${n}`).toBeLessThan(1e-4),
    )

    model.backward(numbers(golden.coefficients))
    const trained = new Map(model.parameters.map((parameter) => [parameter.name, parameter]))
    if (!one.rope_parameters) expect([...trained.keys()].sort()).toEqual(Object.keys(one.gradients).sort())
    for (const name of Object.keys(one.gradients)) {
      const expected = numbers(one.gradients[name]!)
      const found = await model.backend.read(trained.get(name)!.grad!)
      const apart = Math.hypot(...expected.map((g, i) => g - found[i]!)) / Math.hypot(...expected)
      expect(apart, name).toBeLessThan(1e-4)
    }
    backend.close()
  })
