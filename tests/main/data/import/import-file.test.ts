import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Mapping } from '../../../../src-main/contract/records.ts'
import { importFile, type ImportProgress } from '../../../../src-main/data/import/import-file.ts'
import { preview } from '../../../../src-main/data/import/preview.ts'
import { file, imported, jsonl } from './files.ts'

const mapping: Mapping = { form: 'trl-text', kind: 'text', parts: { text: 'text' }, roles: {}, asChat: true }
const many = (n: number): string => jsonl(...Array.from({ length: n }, (_, i) => ({ text: `Row ${i}.` })))

test('the summary counts rows, refusals and exact duplicates, and names the file by its hash', async () => {
  const text = jsonl({ text: 'a' }, { text: 'b' }, { text: 'a' }, { text: '' }, { text: 'a' })
  const summary = await importFile(file('a.jsonl', text), mapping, { onRows: () => {}, onRefused: () => {} })
  const sha256 = createHash('sha256').update(text).digest('hex')
  expect(summary).toEqual({ rows: 4, refused: 1, duplicates: 2, bytes: text.length, sha256 })
})

test('the next batch waits until the last one is taken', async () => {
  let taking = 0
  let most = 0
  let rows = 0
  await importFile(file('a.jsonl', many(5_000)), mapping, {
    onRows: async (batch) => {
      most = Math.max(most, ++taking)
      await new Promise((resolve) => setTimeout(resolve, 1))
      rows += batch.length
      expect(batch.length).toBeLessThanOrEqual(500)
      taking--
    },
    onRefused: () => {},
  })
  expect({ most, rows }).toEqual({ most: 1, rows: 5_000 })
})

test('progress goes up to the whole file', async () => {
  const seen: ImportProgress[] = []
  const text = many(60_000)
  await importFile(file('a.jsonl', text), mapping, {
    onRows: () => {},
    onRefused: () => {},
    onProgress: (one) => seen.push(one),
  })
  expect(seen.length).toBeGreaterThan(10)
  expect(seen.map((one) => one.bytes)).toEqual(seen.map((one) => one.bytes).sort((a, b) => a - b))
  expect(seen[0].bytes).toBeLessThan(text.length)
  expect(seen.at(-1)).toEqual({ bytes: text.length, totalBytes: text.length, rows: 60_000, refused: 0 })
})

test('stopping ends it as Stopped, soon', async () => {
  const stop = new AbortController()
  let rows = 0
  const importing = importFile(
    file('a.jsonl', many(20_000)),
    mapping,
    {
      onRows: (batch) => {
        rows += batch.length
        if (rows >= 1_000) stop.abort()
      },
      onRefused: () => {},
    },
    stop.signal,
  )
  await expect(importing).rejects.toMatchObject({ kind: 'Stopped' })
  expect(rows).toBe(1_000)
})

test('what a handler throws ends the import with that', async () => {
  const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
  const importing = importFile(file('a.jsonl', many(10)), mapping, {
    onRows: () => Promise.reject(full),
    onRefused: () => {},
  })
  await expect(importing).rejects.toBe(full)
})

test('a preview shows 50 rows and guesses how many there are', async () => {
  const found = await preview(file('a.jsonl', many(60_000)))
  expect(found.rows).toHaveLength(50)
  expect(found.rows[49]).toMatchObject({ row: 50, line: 50 })
  expect(found.estimatedRows).toBeGreaterThan(50_000)
  expect(found.estimatedRows).toBeLessThan(75_000)
  expect((await preview(file('a.jsonl', many(7)))).estimatedRows).toBe(7)
})

test('a preview shows the first refusals in the order of their lines, from reading and from the mapping', async () => {
  const { refusals } = await preview(
    file('a.jsonl', '{"text":"a"}\n{"text":""}\n{"text":\n{"text":"b"}\n{"text":[]}\n'),
  )
  expect(refusals.map((one) => one.line)).toEqual([2, 3, 5])
})

test('a mapping that says nothing is refused before anything is read: with the forms, where none is known', async () => {
  const nothing = { ...mapping, form: 'by-hand', parts: {} }
  const take = { onRows: () => {}, onRefused: () => {} }
  await expect(importFile(file('a.jsonl', jsonl({ frage: 'x' })), nothing, take)).rejects.toMatchObject({
    kind: 'BadFile',
    message: 'The form of this file is not known. It has “frage”.',
  })
  await expect(importFile(file('a.jsonl', many(3)), nothing, take)).rejects.toMatchObject({ kind: 'BadOption' })
})

const row = (text: string): string => jsonl({ text })
test.each([
  [
    'JSON lines cut off in a row',
    'a.jsonl',
    row('a') + row('b').slice(0, -5),
    /ends in the middle/,
    /download it again/,
  ],
  ['a JSON list cut off in a row', 'a.json', '[{"text":"a"},{"text":"b"', /ends in the middle/, /download it again/],
  ['a JSON list cut off between rows', 'a.json', '[{"text":"a"},{"text":"b"}', /not closed/, /download it again/],
  [
    'a zipped file cut off',
    'a.jsonl.gz',
    gzipSync(Array.from({ length: 500 }, (_, i) => row(`${i * 7919}`)).join('')).subarray(0, -900),
    /cut off or damaged|ends in the middle/,
    /download it again/,
  ],
  [
    'a row that is not UTF-8',
    'a.jsonl',
    Buffer.from(row('a') + row('café') + row('b'), 'latin1'),
    /0xE9.*not UTF-8/,
    /as UTF-8/,
  ],
])('%s is a fault of the whole file: nothing of it is imported', async (_, name, content, message, next) => {
  const importing = importFile(file(name, content), mapping, { onRows: () => {}, onRefused: () => {} })
  await expect(importing).rejects.toMatchObject({
    kind: 'BadFile',
    message: expect.stringMatching(message),
    where: expect.stringMatching(/, line \d+$/),
    next: expect.stringMatching(next),
  })
})

test('answers that are all empty are refused row by row, and not taken for questions alone', async () => {
  const path = file('a.jsonl', jsonl({ prompt: 'a', completion: '' }, { prompt: 'b', completion: ' ' }))
  const { rows, refusals } = await imported(path)
  expect(rows).toEqual([])
  expect(refusals.map((one) => one.reason)).toEqual(['The answer is empty.', 'The answer is empty.'])
})
