import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Example, Message } from '../../../src-main/contract/records.ts'
import { countLengths, type LengthStatistics } from '../../../src-main/data/encode.ts'
import { renderExample, type TextModel } from '../../../src-main/text/render.ts'
import { openTokenizer } from '../../../src-main/text/tokenizer.ts'

const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/bpe.json'), 'utf8')) as {
  tokenizer: unknown
}
const template =
  '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}'
const model: TextModel = { tokenizer: openTokenizer(golden.tokenizer, {}), template, bos: '', eos: '' }
const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })
const counted = (examples: Example[], maxTokens: number): LengthStatistics => {
  const lengths = countLengths(model, { trainOn: 'answers', maxTokens })
  for (const example of examples) lengths.add(example)
  return lengths.statistics()
}
const chat: Example = {
  kind: 'conversation',
  messages: [user('Who are you?'), assistant('A small model that likes long answers.')],
}
const pair: Example = {
  kind: 'preference',
  prompt: [user('Which one?')],
  chosen: [assistant('This one, I think.')],
  rejected: [assistant('No.')],
}

test.each([10_000, 24, 12, 8, 1])('agrees with what the renderer cuts at %i tokens', (maxTokens) => {
  const options = { trainOn: 'answers', maxTokens } as const
  const cut = renderExample(chat, model, options)
  if (cut.kind !== 'sequence') throw new Error('a conversation is one sequence')
  expect(counted([chat], maxTokens)).toMatchObject({
    rows: 1,
    tokens: cut.tokens.length,
    trained: cut.trained,
    truncated: cut.truncated ? 1 : 0,
    untrained: cut.trained === 0 ? 1 : 0,
  })
  const both = renderExample(pair, model, options)
  if (both.kind !== 'preference') throw new Error('a preference is two sequences')
  const tokens = 2 * both.prompt.length + both.chosen.length + both.rejected.length
  expect(counted([pair], maxTokens)).toMatchObject({
    tokens,
    truncated: both.truncated ? 1 : 0,
    untrained: both.trained === 0 ? 1 : 0,
  })
})

test('the longest row is told before the cut, and every row stands in one bin of the histogram', () => {
  const long: Example = { kind: 'text', text: 'word '.repeat(300) }
  const length = (renderExample(long, model, { trainOn: 'answers', maxTokens: 1e9 }) as { tokens: Int32Array }).tokens
    .length
  const found = counted([chat, long, long], 10)
  expect(found.longest).toBe(length)
  expect(found.histogram.reduce((sum, bin) => sum + bin.rows, 0)).toBe(3)
  expect(found.histogram.at(-1)).toEqual({ below: 2 ** Math.ceil(Math.log2(length + 1)), rows: 2 })
})

test('rows that cannot be rendered are counted with their reason', () => {
  const strict: TextModel = { ...model, template: "{{ raise_exception('Only users here') }}" }
  const lengths = countLengths(strict, { trainOn: 'answers', maxTokens: 10 })
  lengths.add(chat)
  lengths.add(chat)
  expect(lengths.statistics()).toMatchObject({
    rows: 2,
    tokens: 0,
    unusable: [{ reason: expect.stringContaining('Only users here'), count: 2 }],
  })
})
