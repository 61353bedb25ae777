// What TRL makes of rows, token by token and mask by mask (tests/golden/make-trl-rows.py), and what we make of them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Example, Message } from '../../../src-main/contract/records.ts'
import { renderExample, type TextModel } from '../../../src-main/text/render.ts'
import { openTokenizer } from '../../../src-main/text/tokenizer.ts'

type Part = string | Message[]
interface SftRow {
  row: { text?: string; messages?: Message[]; prompt?: Part; completion?: Part }
  input_ids: number[]
  learned: number[]
}
interface DpoRow {
  row: { prompt: Part; chosen: Part; rejected: Part }
  prompt_ids: number[]
  chosen_ids: number[]
  rejected_ids: number[]
}
const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../golden', name), 'utf8')) as unknown
const golden = read('trl-rows.json') as {
  template: string
  sft: Record<string, { max_length: number; rows: SftRow[] }>
  dpo: Record<string, DpoRow[]>
}
const model: TextModel = {
  tokenizer: openTokenizer((read('bpe.json') as { tokenizer: unknown }).tokenizer, { eos_token: '<|end|>' }),
  template: golden.template,
  bos: '',
  eos: '<|end|>',
}
const asMessages = (part: Part, role: 'user' | 'assistant'): Message[] =>
  typeof part === 'string' ? [{ role, content: part }] : part
const plainIf = (part: Part): { plain?: true } => (typeof part === 'string' ? { plain: true } : {})

function exampleOf({ text, messages, prompt, completion }: SftRow['row']): Exclude<Example, { kind: 'preference' }> {
  if (text !== undefined) return { kind: 'text', text }
  if (messages !== undefined) return { kind: 'conversation', messages }
  return {
    kind: 'completion',
    prompt: asMessages(prompt!, 'user'),
    response: asMessages(completion!, 'assistant'),
    ...plainIf(prompt!),
  }
}

test.each(Object.entries(golden.sft))('SFT on %s: the tokens and the mask of TRL', (name, { max_length, rows }) => {
  // TRL learns all of a conversation unless it is told otherwise; a completion's answer only.
  const trainOn = name === 'conversation' ? 'all' : 'answers'
  for (const { row, input_ids, learned } of rows) {
    const { tokens, lossMask } = renderExample(exampleOf(row), model, { trainOn, maxTokens: max_length })
    expect([...tokens]).toEqual(input_ids)
    expect([...lossMask]).toEqual([0, ...learned.slice(1)]) // its shift drops the first token, our mask says so
  }
})

test.each(Object.entries(golden.dpo))('DPO on %s rows: the prompt and answers of TRL', (_, rows) => {
  for (const { row, prompt_ids, chosen_ids, rejected_ids } of rows) {
    const example: Extract<Example, { kind: 'preference' }> = {
      kind: 'preference',
      prompt: asMessages(row.prompt, 'user'),
      chosen: asMessages(row.chosen, 'assistant'),
      rejected: asMessages(row.rejected, 'assistant'),
      ...plainIf(row.prompt),
    }
    const { prompt, chosen, rejected } = renderExample(example, model, { trainOn: 'answers', maxTokens: 256 })
    expect([[...prompt], [...chosen], [...rejected]]).toEqual([prompt_ids, chosen_ids, rejected_ids])
  }
})
