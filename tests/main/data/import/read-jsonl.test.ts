import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { file, jsonl, read } from './files.ts'

const two = [{ text: 'one' }, { text: 'two — zwei' }]

test('one record a line, with its line number; blank lines count but are not records', async () => {
  const { records, lines, refusals } = await read(file('a.jsonl', '{"text":"one"}\n\n  \n{"text":"two — zwei"}\n'))
  expect(records).toEqual(two)
  expect(lines).toEqual([1, 4])
  expect(refusals).toEqual([])
})

test('Windows line ends, a byte order mark, and no line end at the end', async () => {
  const { records, refusals } = await read(file('a.jsonl', '\uFEFF{"text":"one"}\r\n{"text":"two — zwei"}'))
  expect(records).toEqual(two)
  expect(refusals).toEqual([])
})

test('a second byte order mark, where two files were joined', async () => {
  expect((await read(file('a.jsonl', jsonl(two[0]) + '\uFEFF' + jsonl(two[1])))).records).toEqual(two)
})

test('a comma after each record', async () => {
  expect((await read(file('a.jsonl', '{"text":"one"},\n{"text":"two — zwei"} , \n'))).records).toEqual(two)
})

test('UTF-16 of both kinds, with and without a byte order mark', async () => {
  const little = Buffer.from('\uFEFF' + jsonl(...two), 'utf16le')
  const big = Buffer.from(little).swap16()
  for (const bytes of [little, big, little.subarray(2), big.subarray(2)])
    expect((await read(file('a.jsonl', bytes))).records).toEqual(two)
})

test('gzip and zstandard', async () => {
  expect((await read(file('a.jsonl.gz', gzipSync(jsonl(...two))))).records).toEqual(two)
  expect((await read(file('a.jsonl.zst', zstdCompressSync(Buffer.from(jsonl(...two)))))).records).toEqual(two)
})

test('a cut-off gzip file keeps what came before and says so', async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({ text: `row ${i} ${Math.sin(i)}` }))
  const zipped = gzipSync(jsonl(...many))
  const { records, refusals } = await read(file('a.jsonl.gz', zipped.subarray(0, zipped.length / 2)))
  expect(records.length).toBeGreaterThan(5_000)
  expect(records).toEqual(many.slice(0, records.length))
  expect(refusals.at(-1)!.reason).toMatch(/compressed file is cut off/)
})

test('NaN is refused by name, and the word NaN inside a text is not', async () => {
  const { records, refusals } = await read(file('a.jsonl', '{"a":NaN}\n{"a":-Infinity}\n{"a":"is: NaN"}\n'))
  expect(records).toEqual([{ a: 'is: NaN' }])
  expect(refusals.map((one) => [one.line, one.reason.split(' ')[0]])).toEqual([
    [1, 'NaN'],
    [2, '-Infinity'],
  ])
})

test('a damaged line is refused with its line and beginning; the rest is kept', async () => {
  const { records, lines, refusals } = await read(file('a.jsonl', '{"a":1}\n{"a":}\n{"a":3}\n{"a" 4}\n'))
  expect(records).toEqual([{ a: 1 }, { a: 3 }])
  expect(lines).toEqual([1, 3])
  expect(refusals).toEqual([
    { line: 2, reason: 'This is not valid JSON: “}” stands where it cannot.', text: '{"a":}' },
    { line: 4, reason: 'This is not valid JSON at character 6.', text: '{"a" 4}' },
  ])
})

test('a last line that is cut off says so', async () => {
  const { records, refusals } = await read(file('a.jsonl', '{"a":1}\n{"a":"tw'))
  expect(records).toEqual([{ a: 1 }])
  expect(refusals[0]).toMatchObject({ line: 2, reason: 'The file ends in the middle of this record.' })
})

test('what Python prints is named', async () => {
  const { refusals } = await read(file('a.jsonl', `{"a":1}\n{'a': 1}\n{"a": None}\n`))
  expect(refusals.map((one) => one.reason)).toEqual([
    expect.stringContaining('single quotes'),
    expect.stringContaining('None, True and False'),
  ])
})

test('a line that is not UTF-8 is refused with the place of the byte, and only that line', async () => {
  const bytes = Buffer.concat([Buffer.from('{"a":"é"}\n{"a":"'), Buffer.from([0xe9]), Buffer.from('"}\n{"a":"�"}\n')])
  const { records, refusals } = await read(file('a.jsonl', bytes))
  expect(records).toEqual([{ a: 'é' }, { a: '�' }])
  expect(refusals[0]).toMatchObject({
    line: 2,
    reason: expect.stringContaining('Byte 18 of the file (0xE9) is not UTF-8'),
  })
  expect(bytes[18 - 1]).toBe(0xe9)
})

test('a row of over 100,000 characters is refused with its length; one of exactly that many is kept', async () => {
  const { records, refusals } = await read(
    file('a.jsonl', jsonl({ a: 'x'.repeat(100_000) }, { a: 'x'.repeat(100_001) }, { a: 'y' })),
  )
  expect(records.map((one) => (one as { a: string }).a.length)).toEqual([100_000, 1])
  expect(refusals[0]).toMatchObject({ line: 2, reason: expect.stringContaining('100,001 characters') })
})

test('escapes do not make a row long', async () => {
  const escaped = `{"a":"${'\\u4e2d'.repeat(20_000)}"}\n`
  expect((await read(file('a.jsonl', escaped))).records).toEqual([{ a: '中'.repeat(20_000) }])
})

test('a line too long to hold is counted, not held, and the next one is read', async () => {
  const { records, lines, refusals } = await read(file('a.jsonl', `{"a":"${'x'.repeat(9_000_000)}"}\n{"a":1}\n`))
  expect(records).toEqual([{ a: 1 }])
  expect(lines).toEqual([2])
  expect(refusals[0].reason).toContain('9,000,008 bytes')
})

test('lines that cross the borders of what is read at once stay whole', async () => {
  const many = Array.from({ length: 400 }, (_, i) => ({ i, text: 'ü'.repeat(2_500) + i }))
  expect((await read(file('a.jsonl', jsonl(...many)))).records).toEqual(many)
})
