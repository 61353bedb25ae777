// What the model as a function promises: the same numbers however the batch is cut, memory as predicted, refusals that
// help, and that it can learn.
import { describe, expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { generate } from '../../../src-main/generation/generate.ts'
import { adapterShapes } from '../../../src-main/models/adapters.ts'
import { estimateBytes } from '../../../src-main/models/estimate.ts'
import { randomWeights } from '../../../src-main/models/families.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import type { Batch, Transformer, TransformerSettings } from '../../../src-main/models/transformer.ts'
import { livelyWeights, randomBatch, tinyConfig } from './tiny-llama.ts'

const tiny = (settings: TransformerSettings): Transformer =>
  createTransformer(createReference(), tinyConfig, livelyWeights(tinyConfig, 3), settings)
const batch = randomBatch(tinyConfig, [7, 1, 4], 5)

test('a sequence has the same log-probabilities alone as among others', async () => {
  const model = tiny({ tune: 'frozen' })
  const { logprobs } = await model.forward(batch, { keep: false })
  const alone = { tokens: batch.tokens.slice(8), offsets: Int32Array.of(0, 4), scored: batch.scored.slice(8) }
  expect((await model.forward(alone, { keep: false })).logprobs).toEqual(logprobs.slice(8))
})

test('log-probabilities of all continuations of a token sum to one, and entropy and best agree with them', async () => {
  const model = tiny({ tune: 'frozen' })
  const V = tinyConfig.vocabSize
  const every = Int32Array.from({ length: 2 * V }, (_, n) => (n % 2 === 0 ? 5 : (n - 1) / 2))
  const offsets = Int32Array.from({ length: V + 1 }, (_, b) => 2 * b)
  const scored = new Uint8Array(2 * V).map((_, n) => n % 2)
  const answer = await model.forward({ tokens: every, offsets, scored }, { keep: false, entropy: true, best: true })
  const logprobs = [...answer.logprobs].filter((_, n) => n % 2 === 1)
  expect(logprobs.reduce((sum, x) => sum + Math.exp(x), 0)).toBeCloseTo(1, 5)
  expect(answer.entropy![1]).toBeCloseTo(-logprobs.reduce((sum, x) => sum + Math.exp(x) * x, 0), 4)
  expect(answer.best!.reduce((a, b) => a + b, 0)).toBe(1)
  expect(answer.best![2 * logprobs.indexOf(Math.max(...logprobs)) + 1]).toBe(1)
})

describe('an adapter', () => {
  const lora = { rank: 2, alpha: 4, targets: 'all-linear', seed: 1 } as const

  test('that is fresh changes nothing', async () => {
    const base = await tiny({ tune: 'frozen' }).forward(batch, { keep: false })
    expect((await tiny({ tune: 'lora', lora }).forward(batch, { keep: false })).logprobs).toEqual(base.logprobs)
  })

  test('that was changed changes the model, and switched off leaves the base', async () => {
    const base = await tiny({ tune: 'frozen' }).forward(batch, { keep: false })
    const shapes = adapterShapes(tinyConfig, lora)
    const weights = (name: string): Float32Array =>
      new Float32Array(shapes.find((one) => one.name === name)!.shape.reduce((a, b) => a * b, 1)).fill(0.1)
    const model = tiny({ tune: 'lora', lora: { ...lora, weights } })
    expect((await model.forward(batch, { keep: false })).logprobs).not.toEqual(base.logprobs)
    expect((await model.forward(batch, { keep: false, adapter: false })).logprobs).toEqual(base.logprobs)
  })

  test('gives gradients to nothing else', () => {
    const model = tiny({ tune: 'lora', lora })
    expect(model.parameters.map(({ name }) => name)).toEqual(adapterShapes(tinyConfig, lora).map(({ name }) => name))
  })
})

test('a batch in which nothing is scored costs nothing and teaches nothing', async () => {
  const model = tiny({ tune: 'full' })
  const silent = { ...batch, scored: new Uint8Array(batch.tokens.length) }
  const { logprobs } = await model.forward(silent, { keep: true })
  model.backward(new Float32Array(batch.tokens.length).fill(1))
  expect([...logprobs]).toEqual(new Array(batch.tokens.length).fill(0))
  expect(await model.backend.sumSquares(model.parameters.map(({ grad }) => grad!))).toBe(0)
})

test('steps after the largest batch allocate nothing, and closing gives everything back', async () => {
  const model = tiny({ tune: 'full' })
  const step = async (lengths: number[]): Promise<void> => {
    const one = randomBatch(tinyConfig, lengths, 1, 1)
    await model.forward(one, { keep: true, entropy: true, best: true })
    model.backward(new Float32Array(one.tokens.length).fill(1))
  }
  await step([15])
  const before = model.backend.bytesInUse
  for (const lengths of [[3], [9, 6], [2, 2, 2], [1, 14]]) await step(lengths)
  expect(model.backend.bytesInUse).toBe(before)
  model.close()
  expect(model.backend.bytesInUse).toBe(0)
})

const wide = {
  ...tinyConfig,
  vocabSize: 90,
  hiddenSize: 24,
  intermediateSize: 60,
  numHiddenLayers: 3,
  maxPositionEmbeddings: 128,
}
for (const [name, settings, passing] of [
  ['full', { tune: 'full' }, false],
  [
    'an adapter with its reference',
    { tune: 'lora', lora: { rank: 4, alpha: 8, targets: 'all-linear', seed: 1 } },
    true,
  ],
  [
    'an adapter on two layers',
    { tune: 'lora', lora: { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj'], seed: 1 } },
    false,
  ],
  ['a frozen model', { tune: 'frozen' }, false],
  ['scores in pieces', { tune: 'full', scoresBudgetBytes: 4 * 90 * 20 }, false],
] as [string, TransformerSettings, boolean][])
  test(`memory is predicted within a twentieth: ${name}`, async () => {
    const model = createTransformer(createReference(), wide, randomWeights(wide, 1), settings)
    const one = randomBatch(wide, [50, 40, 30], 2, 0.5)
    if (passing) await model.forward(one, { keep: false, adapter: false })
    await model.forward(one, { keep: settings.tune !== 'frozen' })
    if (settings.tune !== 'frozen') model.backward(new Float32Array(one.tokens.length).fill(1))
    for (const { value } of model.parameters) [model.backend.alloc(value.shape), model.backend.alloc(value.shape)]
    const scored = one.scored.reduce((a, b) => a + b, 0)
    const { totalBytes } = estimateBytes(wide, { ...settings, tokens: 120, scored, longest: 50, passing })
    expect(totalBytes / model.backend.peakBytes).toBeGreaterThan(0.95)
    expect(totalBytes / model.backend.peakBytes).toBeLessThan(1.05)
  })

test('what cannot be read is refused with what to do next', async () => {
  const model = tiny({ tune: 'frozen' })
  const whole = (tokens: Int32Array): Batch => ({
    tokens,
    offsets: Int32Array.of(0, tokens.length),
    scored: new Uint8Array(tokens.length),
  })
  await expect(model.forward(whole(new Int32Array(65)), { keep: false })).rejects.toMatchObject({ kind: 'BadExample' })
  await expect(model.forward(whole(Int32Array.of(3, 23)), { keep: false })).rejects.toMatchObject({
    kind: 'ModelMismatch',
  })
  const first = { ...whole(Int32Array.of(3, 4)), scored: Uint8Array.of(1, 0) }
  await expect(model.forward(first, { keep: false })).rejects.toMatchObject({ kind: 'Bug' })
  const short = (name: string): Float32Array => livelyWeights(tinyConfig, 3)(name).slice(1)
  expect(() => createTransformer(createReference(), tinyConfig, short, { tune: 'full' })).toThrow(
    expect.objectContaining({ kind: 'ModelMismatch' }),
  )
})

test('a model that does not fit together leaves nothing on the device', () => {
  const backend = createReference()
  const torn = (name: string): Float32Array =>
    livelyWeights(tinyConfig, 3)(name).slice(name === 'model.norm.weight' ? 1 : 0)
  expect(() => createTransformer(backend, tinyConfig, torn, { tune: 'full' })).toThrow(
    /model.norm.weight has 11 numbers/,
  )
  expect(backend.bytesInUse).toBe(0)
})

/** Eight sequences, each begun by its own token, and learned to the letter: with all weights, and with an adapter alone. */
for (const [name, settings, learningRate] of [
  ['all weights', { tune: 'full' }, 0.01],
  ['an adapter', { tune: 'lora', lora: { rank: 8, alpha: 16, targets: 'all-linear', seed: 1 } }, 0.02],
] as [string, TransformerSettings, number][])
  test(`eight sequences are learned by heart and said again, with ${name}`, async () => {
    const config = { ...tinyConfig, hiddenSize: 40 } // wide enough that frozen output rows hardly overlap
    const model = createTransformer(createReference(), config, livelyWeights(config, 3), settings)
    const { backend } = model
    const lessons = randomBatch(tinyConfig, new Array<number>(8).fill(7), 12, 1)
    lessons.offsets.slice(0, 8).forEach((start, b) => (lessons.tokens[start] = b + 10))
    const moments = model.parameters.map(
      ({ value }) => [backend.alloc(value.shape), backend.alloc(value.shape)] as const,
    )
    const how = { learningRate, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, gradientScale: 1 / 48 }
    let mean = 0
    for (let step = 1; step <= 120; step++) {
      const { logprobs } = await model.forward(lessons, { keep: true })
      mean = -logprobs.reduce((a, b) => a + b, 0) / 48
      model.zeroGradients()
      model.backward(new Float32Array(56).fill(-1))
      model.parameters.forEach(({ value, grad }, i) => backend.adamW(value, grad!, ...moments[i]!, { ...how, step }))
    }
    expect(mean).toBeLessThan(0.1)
    const sampling = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, maxTokens: 6, seed: 1, stopTokens: [] }
    const prompts = Array.from({ length: 8 }, (_, b) => lessons.tokens.slice(7 * b, 7 * b + 1))
    const answers = await generate(model, prompts, sampling)
    answers.forEach(({ tokens }, b) => expect(tokens).toEqual([...lessons.tokens.slice(7 * b + 1, 7 * b + 7)]))
  })
