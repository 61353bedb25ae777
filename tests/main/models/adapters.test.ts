import { expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { createRandom } from '../../../src-main/engine/random.ts'
import { adapterShapes, adapterTargets, freshAdapter, mergedWeights } from '../../../src-main/models/adapters.ts'
import type { LoraSettings } from '../../../src-main/models/adapters.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import { livelyWeights, randomBatch, tinyConfig } from './tiny-llama.ts'

const lora: LoraSettings = { rank: 3, alpha: 12, targets: ['v_proj', 'q_proj', 'down_proj'], seed: 1 }

test('arrays carry the names and shapes that PEFT writes, in the order of the network', () => {
  expect(adapterShapes(tinyConfig, lora).slice(0, 6)).toEqual([
    { name: 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight', shape: [3, 12] },
    { name: 'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight', shape: [16, 3] },
    { name: 'base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight', shape: [3, 12] },
    { name: 'base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight', shape: [8, 3] },
    { name: 'base_model.model.model.layers.0.mlp.down_proj.lora_A.weight', shape: [3, 20] },
    { name: 'base_model.model.model.layers.0.mlp.down_proj.lora_B.weight', shape: [12, 3] },
  ])
  expect(adapterShapes(tinyConfig, { ...lora, targets: 'all-linear' })).toHaveLength(2 * 7 * 2)
})

test('a fresh adapter is uniform within 1/sqrt(in) on one side and zero on the other', () => {
  const fresh = freshAdapter({ ...tinyConfig, hiddenSize: 400 }, { ...lora, rank: 32 })
  const a = fresh('base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight')
  expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(1 / 20)
  const deviation = Math.sqrt(a.reduce((sum, x) => sum + x * x, 0) / a.length)
  expect(deviation * 20).toBeCloseTo(1 / Math.sqrt(3), 1)
  expect(fresh('base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight').every((x) => x === 0)).toBe(true)
})

test('the same seed gives the same start whatever the targets, another seed another', () => {
  const name = 'base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight'
  const start = freshAdapter(tinyConfig, lora)(name)
  expect(freshAdapter(tinyConfig, { ...lora, targets: 'all-linear' })(name)).toEqual(start)
  expect(freshAdapter(tinyConfig, { ...lora, seed: 2 })(name)).not.toEqual(start)
})

test('merged into the weights, the adapter gives the same answers', async () => {
  const base = livelyWeights(tinyConfig, 3)
  const shapes = adapterShapes(tinyConfig, lora)
  const weights = (name: string): Float32Array => {
    const index = shapes.findIndex((one) => one.name === name)
    const random = createRandom(6, index)
    return new Float32Array(shapes[index]!.shape[0]! * shapes[index]!.shape[1]!).map(() => 0.3 * random.normal())
  }
  const batch = randomBatch(tinyConfig, [6, 5], 2, 1)
  const beside = createTransformer(createReference(), tinyConfig, base, { tune: 'frozen', lora: { ...lora, weights } })
  const folded = mergedWeights(tinyConfig, base, lora, weights)
  const merged = createTransformer(createReference(), tinyConfig, folded, { tune: 'frozen' })
  const [a, b] = [await beside.forward(batch, { keep: false }), await merged.forward(batch, { keep: false })]
  a.logprobs.forEach((logprob, n) => expect(logprob).toBeCloseTo(b.logprobs[n]!, 4))
  const plain = await beside.forward(batch, { keep: false, adapter: false })
  expect(Math.abs(plain.logprobs[1]! - a.logprobs[1]!)).toBeGreaterThan(1e-3)
})

test('other targets are refused with the list of what there is', () => {
  expect(() => adapterTargets(['q_proj', 'lm_head'])).toThrow(expect.objectContaining({ kind: 'BadOption' }))
  expect(() => adapterTargets([])).toThrow(expect.objectContaining({ kind: 'BadOption' }))
})
