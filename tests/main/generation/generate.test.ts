import { expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { generate } from '../../../src-main/generation/generate.ts'
import type { GenerateSettings } from '../../../src-main/generation/generate.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import { livelyWeights, tinyConfig } from '../models/tiny-llama.ts'

const model = createTransformer(createReference(), tinyConfig, livelyWeights(tinyConfig, 3), { tune: 'frozen' })
const prompts = [Int32Array.of(1, 5, 9, 4), Int32Array.of(1), Int32Array.of(1, 7, 7, 20, 3, 3, 8)]
const settings: GenerateSettings = {
  temperature: 1,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  maxTokens: 12,
  seed: 11,
  stopTokens: [],
  alternatives: 3,
}

test('log-probabilities of cached generation equal those of the forward pass', async () => {
  const answers = await generate(model, prompts, settings)
  for (const [i, { tokens, choices }] of answers.entries()) {
    const whole = Int32Array.of(...prompts[i]!, ...tokens)
    const scored = new Uint8Array(whole.length).fill(1, prompts[i]!.length)
    const batch = { tokens: whole, offsets: Int32Array.of(0, whole.length), scored }
    const { logprobs } = await model.forward(batch, { keep: false })
    expect(tokens).toHaveLength(12)
    choices!.forEach(({ logprob }, j) => expect(logprob).toBeCloseTo(logprobs[prompts[i]!.length + j]!, 5))
  }
})

test('who else is in the batch does not change an answer, nor does the size of the batch', async () => {
  const together = await generate(model, prompts, settings)
  const alone = []
  for (const prompt of prompts) alone.push(...(await generate(model, [prompt], settings)))
  expect(together).toEqual(alone)
  expect(await generate(model, prompts, { ...settings, together: 2 })).toEqual(alone)
})

test('one prompt asked with different seeds gets different answers, with one seed the same', async () => {
  const same = [prompts[0]!, prompts[0]!]
  const [a, b] = await generate(model, same, { ...settings, seeds: [1, 2] })
  expect(a!.tokens).not.toEqual(b!.tokens)
  const [c, d] = await generate(model, same, { ...settings, seeds: [1, 1] })
  expect([c!.tokens, d!.tokens]).toEqual([a!.tokens, a!.tokens])
})

test('temperature 0 takes the likeliest token each time', async () => {
  for (const { tokens, choices } of await generate(model, prompts, { ...settings, temperature: 0 }))
    expect(tokens).toEqual(choices!.map(({ top }) => top[0]!.token))
})

test('a stop token ends an answer and stays out of it', async () => {
  const [free] = await generate(model, [prompts[0]!], settings)
  const stop = free!.tokens[4]!
  const heard: number[] = []
  const [answer] = await generate(
    model,
    [prompts[0]!],
    { ...settings, stopTokens: [stop] },
    { onToken: (_, token) => heard.push(token) },
  )
  const expected = free!.tokens.slice(0, free!.tokens.indexOf(stop))
  expect(answer).toMatchObject({ tokens: expected, finishReason: 'stop', stopToken: stop })
  expect(heard).toEqual(expected)
})

test('an answer ends with the context, and a prompt that fills it is refused', async () => {
  const long = new Int32Array(tinyConfig.maxPositionEmbeddings - 3).fill(4)
  const [answer] = await generate(model, [long], settings)
  expect(answer).toMatchObject({ finishReason: 'length' })
  expect(answer!.tokens).toHaveLength(3)
  await expect(generate(model, [new Int32Array(64)], settings)).rejects.toMatchObject({ kind: 'BadExample' })
  await expect(generate(model, [new Int32Array(0)], settings)).rejects.toMatchObject({ kind: 'BadExample' })
})

test('a stop by the person is heard between tokens and keeps what was said', async () => {
  const stopping = new AbortController()
  const onToken = (): void => void setImmediate(() => stopping.abort())
  const [answer] = await generate(model, [prompts[0]!], settings, { onToken, signal: stopping.signal })
  expect(answer!.finishReason).toBe('stopped')
  expect(answer!.tokens.length).toBeGreaterThan(0)
  expect(answer!.tokens.length).toBeLessThan(12)
})

test('a prompt longer than one reading is read in pieces', async () => {
  const config = { ...tinyConfig, maxPositionEmbeddings: 700, numHiddenLayers: 1 }
  const wide = createTransformer(createReference(), config, livelyWeights(config, 8), { tune: 'frozen' })
  const prompt = new Int32Array(600).map((_, n) => (n * 7) % 23)
  const [answer] = await generate(wide, [prompt], { ...settings, maxTokens: 1 })
  const whole = Int32Array.of(...prompt, answer!.tokens[0]!)
  const scored = new Uint8Array(601).fill(1, 600)
  const { logprobs } = await wide.forward({ tokens: whole, offsets: Int32Array.of(0, 601), scored }, { keep: false })
  expect(answer!.choices![0]!.logprob).toBeCloseTo(logprobs[600]!, 5)
})

test('each answer is told of once, as it ends', async () => {
  const told: number[] = []
  const answers = await generate(model, prompts, settings, {
    onAnswer: (i, answer) => {
      told.push(i)
      expect(answer.finishReason).toBe('length')
    },
  })
  expect(told.sort()).toEqual([0, 1, 2])
  expect(answers).toHaveLength(3)
  const [nothing] = await generate(model, [prompts[0]!], { ...settings, maxTokens: 0 })
  expect(nothing).toMatchObject({ tokens: [], finishReason: 'length' })
})

test('generation gives its memory back', async () => {
  await generate(model, prompts, settings)
  const before = model.backend.bytesInUse
  await generate(model, prompts, settings)
  expect(model.backend.bytesInUse).toBe(before)
})
