import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { file, imported, read } from './files.ts'

test('rows of all row groups, with integers, booleans and missing values', async () => {
  const rows = Array.from({ length: 250 }, (_, i) => i)
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'prompt', data: rows.map((i) => `Question ${i}?`), type: 'STRING' },
      { name: 'completion', data: rows.map((i) => (i === 3 ? null : `Answer ${i}.`)), type: 'STRING' },
      { name: 'label', data: rows.map((i) => i % 2 === 0), type: 'BOOLEAN' },
      { name: 'n', data: rows.map((i) => BigInt(i)), type: 'INT64' },
    ],
    rowGroupSize: 100,
  })
  const { records, lines } = await read(file('a.parquet', new Uint8Array(bytes)))
  expect(records).toHaveLength(250)
  expect(records[249]).toEqual({ prompt: 'Question 249?', completion: 'Answer 249.', label: false, n: 249 })
  expect(lines.at(-1)).toBe(250)
  const { rows: kept, refusals, mapping } = await imported(file('b.parquet', new Uint8Array(bytes)))
  expect(mapping.form).toBe('trl-unpaired')
  expect(kept).toHaveLength(249)
  expect(refusals).toMatchObject([{ line: 4, reason: 'The answer is empty.' }])
})

test('lists of messages', async () => {
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello.' },
  ]
  const bytes = parquetWriteBuffer({ columnData: [{ name: 'messages', data: [messages, messages], type: 'JSON' }] })
  const { rows } = await imported(file('a.parquet', new Uint8Array(bytes)))
  expect(rows.map((row) => row.example)).toEqual([
    { kind: 'conversation', messages },
    { kind: 'conversation', messages },
  ])
})

test('a file that is cut off is refused with what to do', async () => {
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'text', data: ['a', 'b'], type: 'STRING' }] }))
  await expect(read(file('a.parquet', bytes.subarray(0, bytes.length - 9)))).rejects.toMatchObject({
    kind: 'BadFile',
    message: expect.stringContaining('damaged or cut off'),
    next: 'Copy or download it again.',
  })
})

test('a row group that cannot be read is named, and the others are kept', async () => {
  const bytes = new Uint8Array(
    parquetWriteBuffer({
      columnData: [{ name: 'text', data: Array.from({ length: 20 }, (_, i) => `a text ${i}`), type: 'STRING' }],
      rowGroupSize: 10,
    }),
  )
  bytes.fill(0xff, 4, 30)
  const { records, refusals } = await read(file('a.parquet', bytes))
  expect(records).toHaveLength(10)
  expect(refusals).toMatchObject([{ line: 1, reason: expect.stringMatching(/^Rows 1 to 10 cannot be read/) }])
})
