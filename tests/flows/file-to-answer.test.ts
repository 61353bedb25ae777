// The whole of Temper in one page: a line of a file becomes an example, tokens, log-probabilities, a loss, its gradient,
// changed weights, and at last the words of an answer. Read this first. The model is tiny and begins at random; the
// kernels, the tokenizer, the renderer, the loop and the sampler are the real ones.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { resolveOptions, valuesOf } from '../../src-main/contract/options.ts'
import type { Example } from '../../src-main/contract/records.ts'
import { batchOf, type TrainingRow } from '../../src-main/data/batch.ts'
import { importFile } from '../../src-main/data/import/import-file.ts'
import { likeliestMapping } from '../../src-main/data/import/preview.ts'
import { createWasm } from '../../src-main/engine/backends/wasm.ts'
import { answerQuestions } from '../../src-main/generation/answer.ts'
import { allMethods } from '../../src-main/methods/all.ts'
import { randomWeights } from '../../src-main/models/families.ts'
import { readModelFolder } from '../../src-main/models/files/folder.ts'
import { createTransformer } from '../../src-main/models/transformer.ts'
import { renderExample } from '../../src-main/text/render.ts'
import { freshState, train, type LoopParts } from '../../src-main/training/loop.ts'
import { createOptimizer } from '../../src-main/training/optimizer.ts'
import { optionsFor } from '../../src-main/training/options.ts'

const folder = mkdtempSync(join(tmpdir(), 'temper-flow-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The starter's words and template; its weights are not used here. */
const { text, config, stopTokens } = readModelFolder(resolve(import.meta.dirname, '../../resources/starter/model'))

test('a line of a file becomes the words of an answer', async () => {
  // Room 1, data/import: a line becomes an Example; a broken one becomes a refusal with its reason.
  const file = join(folder, 'chats.jsonl')
  const lines = [
    ['Where does Ada live?', 'She lives in Oakfield.'],
    ['What does Ada do for a living?', 'She is a baker.'],
    ['What pet does Ada have?', 'She has a pet goat.'],
    ['What is 2 + 3?', '5.'],
  ].map(([question, answer]) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
      ],
    }),
  )
  writeFileSync(file, [...lines, '{"messages": [{"role": "user", "content": "Who?"}]}'].join('\n'))
  const { mapping, title } = await likeliestMapping(file)
  const examples: Example[] = []
  const refusals: string[] = []
  await importFile(file, mapping, {
    onRows: async (rows) => void examples.push(...rows.map((row) => row.example)),
    onRefused: async (refused) => void refusals.push(...refused.map((one) => `${one.line}: ${one.reason}`)),
  })
  expect(title).toBe('Chat messages, as OpenAI writes them')
  expect(examples[0]).toEqual({
    kind: 'conversation',
    messages: [
      { role: 'user', content: 'Where does Ada live?' },
      { role: 'assistant', content: 'She lives in Oakfield.' },
    ],
  })
  expect(refusals).toHaveLength(1)
  expect(refusals[0]).toMatch(/^5: /)

  // Room 2, text/render: an Example becomes tokens and a mask of those that are learned: the answer and its end.
  const rows = examples.map((example, i): TrainingRow => {
    const rendered = renderExample(example, text, { trainOn: 'answers', maxTokens: 128 })
    if (rendered.kind !== 'sequence') throw new Error('a conversation is one sequence')
    return { row: i + 1, sequences: [{ tokens: rendered.tokens, lossMask: rendered.lossMask }] }
  })
  const [first] = rows[0]!.sequences
  const shown = (wanted: 0 | 1): string =>
    text.tokenizer.decode(first!.tokens.filter((_, i) => first!.lossMask[i] === wanted))
  expect(shown(0)).toBe('<|user|> Where does Ada live?<|assistant|>')
  expect(shown(1)).toBe(' She lives in Oakfield.<|end|>')

  // Room 3, methods/sft: the model gives a log-probability for every learned token; the method turns them into a loss
  // and its derivative by each of them, in plain numbers.
  const backend = createWasm()
  const small = {
    ...config,
    hiddenSize: 32,
    intermediateSize: 64,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    numKeyValueHeads: 2,
    headDim: 16,
  }
  const model = createTransformer(backend, small, randomWeights(small, 1), { tune: 'full' })
  const method = allMethods.sft
  const values = valuesOf(
    resolveOptions(optionsFor('sft', 'full'), {
      learningRate: 0.01,
      maxSteps: 60,
      rowsPerStep: 4,
      schedule: 'constant',
    }),
  ) as LoopParts['values']
  const batch = batchOf(rows, [0, 1, 2, 3])
  const { logprobs } = await model.forward(batch, { keep: true })
  const loss = method.loss({ ...batch, logprobs, reference: null }, values)
  expect(loss.sum / loss.weight).toBeGreaterThan(5) // ln 1408 = 7.2: it knows nothing yet
  model.backward(loss.dLogprobs)

  // Room 4, training/loop: backward, divide, clip, AdamW, again and again. The weights change.
  const optimizer = createOptimizer(backend, model.parameters)
  const state = freshState()
  const parts: LoopParts = {
    ...{ backend, policy: model, optimizer, method, values, seed: 1, rows, heldOut: [], reference: null, state },
    clock: () => 0,
  }
  for await (const progress of train(parts)) if (progress.kind === 'step' && progress.step === 60) break
  expect(state.lastLoss).toBeLessThan(0.05)

  // Room 5, generation: a question later, rendered by the same words, is answered.
  const settings = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, maxTokens: 24, seed: 0 }
  const questions = ['What pet does Ada have?', 'What is 2 + 3?'].map((content) => ({
    messages: [{ role: 'user' as const, content }],
    plain: false,
    seed: 0,
  }))
  const answers = new Map<number, string>()
  await answerQuestions(
    model,
    text,
    questions,
    { ...settings, stopTokens, alternatives: 0 },
    {
      onAnswer: (i, answer) => answers.set(i, answer.text),
    },
  )
  expect(answers.get(0)).toBe('She has a pet goat.')
  expect(answers.get(1)).toBe('5.')
  backend.close()
})
