import { Template } from '@huggingface/jinja'
import { expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { parameterShapes } from '../../../src-main/models/families.ts'
import { createTransformer, type Transformer } from '../../../src-main/models/transformer.ts'
import { openTokenizer } from '../../../src-main/text/tokenizer.ts'
import { trainBpe } from '../../../src-main/text/train-bpe.ts'
import { documents } from '../../../src-main/world/documents.ts'
import { makeWorld } from '../../../src-main/world/people.ts'
import { joined, pretrain, recipe, startWeights, starterConfig } from '../../../src-main/world/pretrain.ts'
import { measureRecall, scoreText } from '../../../src-main/world/recall.ts'
import { chatTemplate, specialTokens, tokenizerConfig } from '../../../src-main/world/starter.ts'

const tiny = {
  ...starterConfig(8),
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 1,
  numAttentionHeads: 1,
  headDim: 16,
}
tiny.numKeyValueHeads = 1
const world = makeWorld()
const shelf = [...documents(world, { bytes: 60_000, seed: 5 })]
const tokenizer = openTokenizer(trainBpe(shelf, { vocabularySize: 400, specials: specialTokens }), tokenizerConfig())

test('a pattern is learned, the same way each time', async () => {
  const text = Int32Array.from({ length: 2_000 }, (_, i) => [1, 5, 2, 7, 5, 3, 6][i % 7]!)
  const run = async (stopAfter: number): Promise<number[]> => {
    const backend = createReference()
    const model = createTransformer(backend, tiny, startWeights(tiny, 4), { tune: 'full' })
    const losses: number[] = []
    for await (const { step, loss } of pretrain(model, text, { steps: 120, seed: 2, windowsPerStep: 1 })) {
      losses.push(loss)
      if (step === stopAfter) break
    }
    model.close()
    expect(backend.bytesInUse, 'all memory is given back').toBe(0)
    return losses
  }
  const losses = await run(120)
  expect(losses[0]).toBeCloseTo(Math.log(8), 0)
  expect(losses.at(-1)!).toBeLessThan(0.7)
  expect(await run(10)).toEqual(losses.slice(0, 10))
})

test('the start: norms are ones, and what writes into the stream is smaller', () => {
  const config = starterConfig(300)
  const weights = startWeights(config, 1)
  const deviation = (name: string): number => {
    const data = weights(name)
    return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length)
  }
  for (const { name, shape } of parameterShapes(config)) {
    const wanted =
      shape.length === 1
        ? 1
        : name.includes('embed')
          ? 0.02
          : /o_proj|down_proj/.test(name)
            ? 0.03953 / Math.sqrt(8)
            : 0.03953
    expect(deviation(name) / wanted, name).toBeCloseTo(1, 1)
  }
})

test('a batch scores every token but the first of each sequence', () => {
  const batch = joined([Int32Array.of(4, 5, 6), Int32Array.of(7, 8)])
  expect([...batch.tokens]).toEqual([4, 5, 6, 7, 8])
  expect([...batch.offsets]).toEqual([0, 3, 5])
  expect([...batch.scored]).toEqual([0, 1, 1, 0, 1])
})

test('a model that knows nothing pays log2 of the vocabulary for each token', async () => {
  const config = { ...tiny, vocabSize: tokenizer.vocabSize }
  const model = createTransformer(createReference(), config, (name) => startWeights(config, 1)(name).fill(0), {
    tune: 'frozen',
  })
  const some = shelf.slice(0, 70) // more than are scored at once
  const score = await scoreText(model, tokenizer, some, 1)
  const tokens = some.reduce((sum, text) => sum + tokenizer.encode(` ${text}`).length + 1, 0)
  const bytes = some.reduce((sum, text) => sum + text.length + 1, 0)
  expect(score.tokens).toBe(tokens)
  expect(score.perplexity).toBeCloseTo(tokenizer.vocabSize, 1)
  expect(score.bitsPerByte).toBeCloseTo((tokens * Math.log2(tokenizer.vocabSize)) / bytes, 3)
})

test('a fact counts as known only if every token of its value is the likeliest', async () => {
  const people = world.people.slice(0, 20)
  const missed = people[7]!
  // A stand-in that has every token right but the last one of the missed person's food.
  const text = (batch: { tokens: Int32Array; offsets: Int32Array }, b: number) =>
    tokenizer.decode(batch.tokens.subarray(batch.offsets[b], batch.offsets[b + 1]))
  const model = {
    forward: async (batch: ReturnType<typeof joined>) => {
      const best = new Uint8Array(batch.tokens.length).fill(1)
      for (let b = 0; b + 1 < batch.offsets.length; b++) {
        best.fill(0, batch.offsets[b], batch.offsets[b]! + 3) // what stands before the value does not matter
        if (text(batch, b).endsWith(`favourite food of ${missed.name} is ${missed.facts.food}`))
          best[batch.offsets[b + 1]! - 1] = 0
      }
      return { logprobs: new Float32Array(batch.tokens.length), best }
    },
  } as unknown as Transformer
  const { recallRatio, byFact } = await measureRecall(model, tokenizer, people, 1)
  expect(recallRatio).toBeCloseTo(1 - 1 / (20 * 6), 10)
  expect([byFact.food, byFact.home]).toEqual([0.95, 1])
})

test('the chat template: turns, a system text, and a prompt that is the beginning of the whole', () => {
  const template = new Template(chatTemplate)
  const messages = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Where?' },
    { role: 'assistant', content: 'Here.' },
    { role: 'user', content: 'Who?' },
  ]
  const start = '<|user|> Be kind. Where?<|assistant|> Here.<|end|><|user|> Who?'
  expect(template.render({ messages })).toBe(start)
  expect(template.render({ messages, add_generation_prompt: true })).toBe(`${start}<|assistant|>`)
  const more = [...messages, { role: 'assistant', content: 'I.' }]
  expect(template.render({ messages: more })).toBe(`${start}<|assistant|> I.<|end|>`)
})

test('a step of the recipe is 2,048 tokens', () => expect(recipe.windowTokens * recipe.windowsPerStep).toBe(2048))
