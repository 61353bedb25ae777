// The same rows through TRL's own functions and pyarrow's own writer, and through ours.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Message } from '../../../../src-main/contract/records.ts'
import { convert } from '../../../../src-main/data/import/convert.ts'
import { recognise } from '../../../../src-main/data/import/recognise.ts'
import { imported, read } from './files.ts'

interface Pair<T> {
  row: { chosen: T; rejected: T }
  wanted: { prompt: T; chosen: T; rejected: T }
}
const folder = join(import.meta.dirname, '../../../golden')
const golden = JSON.parse(readFileSync(join(folder, 'datasets.json'), 'utf8')) as {
  strings: Pair<string>[]
  turns: Pair<Message[]>[]
}

test('the question implied by two texts is cut where TRL cuts it', () => {
  const mapping = { ...recognise(golden.strings.map((one) => one.row))[0].mapping, asChat: false }
  expect(mapping.form).toBe('trl-preference-implicit')
  let compared = 0
  for (const { row, wanted } of golden.strings) {
    const example = convert(row, mapping)
    // We refuse what is only blanks; TRL keeps it.
    if ([wanted.prompt, wanted.chosen, wanted.rejected].some((text) => text.trim() === '')) {
      expect(example).toHaveProperty('reason')
      continue
    }
    compared++
    expect(example).toEqual({
      kind: 'preference',
      prompt: [{ role: 'user', content: wanted.prompt }],
      chosen: [{ role: 'assistant', content: wanted.chosen }],
      rejected: [{ role: 'assistant', content: wanted.rejected }],
      plain: true,
    })
  }
  expect(compared).toBeGreaterThan(40)
})

test('the question implied by two conversations is cut where TRL cuts it', () => {
  const [{ mapping }] = recognise(golden.turns.map((one) => one.row))
  for (const { row, wanted } of golden.turns) expect(convert(row, mapping)).toEqual({ kind: 'preference', ...wanted })
})

test('conversations that pyarrow wrote: lists of structures, Zstandard, several row groups', async () => {
  const path = join(folder, 'messages.parquet')
  const { records } = await read(path)
  expect(records).toHaveLength(40)
  expect(records[33]).toEqual({
    messages: [
      { role: 'user', content: 'Question 33, “é”?' },
      { role: 'assistant', content: '' },
    ],
    score: 16.5,
    n: 33,
    tags: ['a'],
  })
  const { rows, refusals, mapping } = await imported(path)
  expect(mapping.form).toBe('openai-messages')
  expect(rows).toHaveLength(26) // every third answer is empty
  expect(refusals.map((one) => one.line)).toEqual(Array.from({ length: 14 }, (_, i) => 3 * i + 1))
  expect(refusals[0].reason).toBe('The answer in message 2 is empty.')
})
