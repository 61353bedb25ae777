import { expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { answerQuestions, questionTokens } from '../../../src-main/generation/answer.ts'
import type { Question } from '../../../src-main/generation/answer.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import type { TextModel } from '../../../src-main/text/render.ts'
import { openTokenizer } from '../../../src-main/text/tokenizer.ts'
import { trainBpe } from '../../../src-main/text/train-bpe.ts'
import { livelyWeights, tinyConfig } from '../models/tiny-llama.ts'

const specials = ['<|end|>', '<|user|>', '<|answer|>', '<|turn|>']
const json = trainBpe(['the cat sat on the mat, the dog sat on the cat – ça va'], { vocabularySize: 300, specials })
const text: TextModel = {
  tokenizer: openTokenizer(json, { eos_token: '<|end|>' }),
  template:
    "{% for m in messages %}{{ '<|user|>' if m.role == 'user' else '<|answer|>' }}{{ m.content }}<|turn|>{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|answer|>' }}{% endif %}",
  bos: '',
  eos: '<|end|>',
}
const config = { ...tinyConfig, vocabSize: text.tokenizer.vocabSize, eosTokenIds: [7] }
const model = createTransformer(createReference(), config, livelyWeights(config, 2), { tune: 'frozen' })
const settings = {
  temperature: 1,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  maxTokens: 10,
  seed: 0,
  stopTokens: [2],
  alternatives: 2,
}
const ask = (content: string, seed: number, plain = false): Question => ({
  messages: [{ role: 'user', content }],
  plain,
  seed,
})

test('a question is rendered by the template, a plain one as it stands', () => {
  const { tokenizer } = text
  expect(tokenizer.decode(questionTokens(ask('the cat', 1), text))).toBe('<|user|>the cat<|turn|><|answer|>')
  expect(tokenizer.decode(questionTokens(ask('the cat', 1, true), text))).toBe('the cat')
})

test('text grows as it comes, and what was streamed is what is answered', async () => {
  const questions = [ask('the cat', 1), ask('the dog', 2), ask('the mat', 3, true)]
  const heard = ['', '', '']
  const told: number[] = []
  const answers = await answerQuestions(model, text, questions, settings, {
    onText: (i, soFar) => {
      expect(soFar.startsWith(heard[i]!)).toBe(true)
      heard[i] = soFar
    },
    onAnswer: (i) => told.push(i),
  })
  expect(told.sort()).toEqual([0, 1, 2])
  answers.forEach((answer, i) => {
    expect(answer.text.startsWith(heard[i]!)).toBe(true) // a half character at the very end is not streamed
    expect(answer.choices.map(({ token }) => token)).toEqual(answer.tokens)
    for (const { top, text: own } of answer.choices) expect([top.length, typeof own]).toEqual([2, 'string'])
  })
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(3)
})

test('the same seed gives the same answer again, beside others or alone', async () => {
  const [first] = await answerQuestions(model, text, [ask('the cat', 4), ask('the dog', 5)], settings)
  const [again] = await answerQuestions(model, text, [ask('the cat', 4)], { ...settings, alternatives: 0 })
  expect(again!.text).toBe(first!.text)
  expect(again!.choices).toEqual([])
})
