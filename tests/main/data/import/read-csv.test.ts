import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { file, read } from './files.ts'

test('numbers stay the text that they are', async () => {
  const { records, lines } = await read(file('a.csv', 'question,answer\nHow many?,456\nAgent?,007\nTrue?,true\n'))
  expect(records).toEqual([
    { question: 'How many?', answer: '456' },
    { question: 'Agent?', answer: '007' },
    { question: 'True?', answer: 'true' },
  ])
  expect(lines).toEqual([2, 3, 4])
})

test('quoted values hold delimiters, doubled quotes and line breaks; lines are counted', async () => {
  const { records, lines } = await read(file('a.csv', 'q,a\r\n"one, two","say ""hi""\r\nthere"\r\nnext,row\r\n'))
  expect(records).toEqual([
    { q: 'one, two', a: 'say "hi"\nthere' },
    { q: 'next', a: 'row' },
  ])
  expect(lines).toEqual([2, 4])
})

test.each([
  ['semicolons', 'q;a\nx, y;z\n', { q: 'x, y', a: 'z' }],
  ['tabs', 'q\ta\nx, y\tz; w\n', { q: 'x, y', a: 'z; w' }],
  ['bars', 'q|a\nx|z\n', { q: 'x', a: 'z' }],
  ['what the first line declares', 'sep=;\nq;a\nx;z\n', { q: 'x', a: 'z' }],
])('delimiter: %s', async (_, text, row) => {
  expect((await read(file('a.csv', text))).records).toEqual([row])
})

test('one column needs no delimiter', async () => {
  expect((await read(file('a.csv', 'text\nhello there\nand again\n'))).records).toEqual([
    { text: 'hello there' },
    { text: 'and again' },
  ])
})

test('ragged rows are refused by line, with both counts', async () => {
  const { records, refusals } = await read(file('a.csv', 'q,a\n1,2\n1,2,3\n1\n3,4\n'))
  expect(records).toEqual([
    { q: '1', a: '2' },
    { q: '3', a: '4' },
  ])
  expect(refusals).toEqual([
    { line: 3, reason: 'This row has 3 columns; the header has 2.', text: '1,2,3' },
    { line: 4, reason: 'This row has 1 column; the header has 2.', text: '1' },
  ])
})

test('a quote that is never closed costs its own row only', async () => {
  const { records, refusals } = await read(file('a.csv', 'q,a\n1,2\n"3,4\n5,6\n7,8\n'))
  expect(records.map((one) => (one as { q: string }).q)).toEqual(['1', '5', '7'])
  expect(refusals).toEqual([{ line: 3, reason: expect.stringContaining('never closed'), text: '"3,4' }])
})

test('an unclosed quote does not swallow rows up to the next quoted one', async () => {
  const { records, refusals } = await read(file('a.csv', 'q,a\n"1,2\n3,4\n"five, six",7\n'))
  expect(records).toEqual([
    { q: '3', a: '4' },
    { q: 'five, six', a: '7' },
  ])
  expect(refusals.map((one) => one.line)).toEqual([2])
})

test('a quote mark inside an unquoted value is part of it; text after a closing quote is refused', async () => {
  const { records, refusals } = await read(file('a.csv', 'q,a\nsize 5" pipe,x\n"one" two,3\n1, "a, b"\n'))
  expect(records).toEqual([
    { q: 'size 5" pipe', a: 'x' },
    { q: '1', a: 'a, b' },
  ])
  expect(refusals[0]).toMatchObject({
    line: 3,
    reason: expect.stringContaining('text after the closing quote of column 1'),
  })
})

test('equal and missing column names are told apart', async () => {
  expect((await read(file('a.csv', 'a,a,\n1,2,3\n'))).records).toEqual([{ a: '1', 'a (2)': '2', 'column 3': '3' }])
})

test('bytes that are not UTF-8 refuse their line only', async () => {
  const bytes = Buffer.concat([Buffer.from('q,a\ncaf'), Buffer.from([0xe9]), Buffer.from(',1\nx,2\n')])
  const { records, refusals } = await read(file('a.csv', bytes))
  expect(records).toEqual([{ q: 'x', a: '2' }])
  expect(refusals[0]).toMatchObject({ line: 2, reason: expect.stringContaining('Byte 8 of the file (0xE9)') })
})

test('a table in a .txt file is seen by its header', async () => {
  expect((await read(file('a.txt', 'question\tanswer\nWhy?\tBecause.\n'))).records).toEqual([
    { question: 'Why?', answer: 'Because.' },
  ])
})

test('agrees with the csv-parse library on well-formed tables', async () => {
  let seed = 7
  const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n
  const pieces = ['a', ' b ', ',', '"', '\n', 'é', '', 'long text', ';', "'"]
  for (let round = 0; round < 200; round++) {
    const width = 1 + random(4)
    const cells = Array.from({ length: 1 + random(6) }, () =>
      Array.from({ length: width }, () =>
        Array.from({ length: random(4) }, () => pieces[random(pieces.length)]).join(''),
      ),
    )
    const quoted = (cell: string): string =>
      /[",\n;']|^\s|\s$/.test(cell) || cell === '' ? `"${cell.replaceAll('"', '""')}"` : cell
    const header = Array.from({ length: width }, (_, i) => `c${i}`)
    const text = [header, ...cells].map((row) => row.map(quoted).join(',')).join('\n')
    const wanted: unknown = parse(text, { columns: true, delimiter: ',' })
    const { records, refusals } = await read(file('a.csv', text))
    expect({ records, refusals }, text).toEqual({ records: wanted, refusals: [] })
  }
})
