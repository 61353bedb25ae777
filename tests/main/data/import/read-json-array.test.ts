import { expect, test } from 'vitest'
import { file, read } from './files.ts'

const rows = [{ a: 'x, ] } "quoted" \\', b: [1, { c: '[' }] }, { a: 'line\nbreak' }, 'bare', 7, null]

test('a list on one line, and the same list printed over many', async () => {
  expect((await read(file('a.json', JSON.stringify(rows)))).records).toEqual(rows)
  expect((await read(file('a.json', JSON.stringify(rows, null, 2)))).records).toEqual(rows)
  expect(
    (await read(file('a.json', '\uFEFF' + JSON.stringify(rows, null, '\t').replaceAll('\n', '\r\n')))).records,
  ).toEqual(rows)
})

test('a line is the record’s number', async () => {
  expect((await read(file('a.json', JSON.stringify(rows)))).lines).toEqual([1, 2, 3, 4, 5])
})

test('a list in a .jsonl or .txt file is read as a list', async () => {
  for (const name of ['a.jsonl', 'a.txt', 'data'])
    expect((await read(file(name, JSON.stringify([{ a: 1 }, { a: 2 }])))).records).toEqual([{ a: 1 }, { a: 2 }])
})

test('JSON lines in a .json or .txt file are read as lines', async () => {
  for (const name of ['a.json', 'a.txt'])
    expect((await read(file(name, '{"a":1}\n{"a":2}\n'))).records).toEqual([{ a: 1 }, { a: 2 }])
})

test('lines that are lists each are read as lines', async () => {
  expect((await read(file('a.jsonl', '[1,2]\n[3,4]\n'))).records).toEqual([
    [1, 2],
    [3, 4],
  ])
})

test('values printed over several lines, one after another', async () => {
  const text = [{ a: 1 }, { a: { b: 2 } }].map((one) => JSON.stringify(one, null, 2)).join('\n')
  expect((await read(file('a.json', text))).records).toEqual([{ a: 1 }, { a: { b: 2 } }])
})

test('a comma before the end of the list is forgiven', async () => {
  expect((await read(file('a.json', '[{"a":1},\n{"a":2},\n]\n'))).records).toEqual([{ a: 1 }, { a: 2 }])
})

test('a list cut off inside a record refuses that record and keeps the others', async () => {
  const { records, refusals } = await read(file('a.json', '[{"a":1},{"a":2},{"a":"thr'))
  expect(records).toEqual([{ a: 1 }, { a: 2 }])
  expect(refusals).toEqual([{ line: 3, reason: 'The file ends in the middle of this record.', text: '{"a":"thr' }])
})

test('a list cut off between records says so', async () => {
  const { records, refusals } = await read(file('a.json', '[{"a":1},{"a":2}'))
  expect(records).toHaveLength(2)
  expect(refusals[0]).toMatchObject({ line: 3, reason: expect.stringContaining('The list is not closed') })
})

test('a record with a missing quote is refused with its line, and reading goes on', async () => {
  const text = JSON.stringify([{ a: 'one' }, { a: 'two' }, { a: 'three' }, { a: 'four' }], null, 2).replace(
    '"two"',
    '"two',
  )
  const { records, refusals } = await read(file('a.json', text))
  expect(records).toEqual([{ a: 'one' }, { a: 'three' }, { a: 'four' }])
  expect(refusals).toHaveLength(1)
  expect(refusals[0]).toMatchObject({ line: 2, reason: expect.stringContaining('begins on line 5') })
})

test('a record with a missing bracket is refused, and reading goes on', async () => {
  const { records, refusals } = await read(file('a.json', '[{"a":1},{"a":2,{"a":3},{"a":4}]'))
  expect(records).toEqual([{ a: 1 }, { a: 3 }, { a: 4 }])
  expect(refusals.map((one) => one.line)).toEqual([2])
})

test('a missing comma between records is forgiven', async () => {
  expect((await read(file('a.json', '[{"a":1}\n{"a":2}]'))).records).toEqual([{ a: 1 }, { a: 2 }])
})

test('text after the list is not lost silently', async () => {
  const { records, refusals } = await read(file('a.json', '[{"a":1}] {"a":2}'))
  expect(records).toEqual([{ a: 1 }])
  expect(refusals[0]).toMatchObject({ reason: expect.stringContaining('text after the end'), text: '{"a":2}' })
})

test('NaN, and bytes that are not UTF-8, refuse their record only', async () => {
  const bytes = Buffer.concat([Buffer.from('[{"a":NaN},{"a":"'), Buffer.from([0xff]), Buffer.from('"},{"a":3}]')])
  const { records, refusals } = await read(file('a.json', bytes))
  expect(records).toEqual([{ a: 3 }])
  expect(refusals.map((one) => one.reason.slice(0, 11))).toEqual(['NaN is not ', 'Byte 18 of '])
})

test('a list much larger than what is read at once', async () => {
  const many = Array.from({ length: 3_000 }, (_, i) => ({ i, text: `\\"{[${'é'.repeat(200)}` }))
  expect((await read(file('a.json', JSON.stringify(many)))).records).toEqual(many)
  expect((await read(file('a.json', JSON.stringify(many, null, 1)))).records).toEqual(many)
})

test('a list inside one object, under a name that such files use', async () => {
  const list = [{ a: 1 }, { a: [2] }]
  for (const text of [JSON.stringify({ data: list }), JSON.stringify({ train: list }, null, 2)])
    expect(await read(file('a.json', text))).toMatchObject({ records: list, refusals: [] })
  const { records, refusals } = await read(file('a.json', JSON.stringify({ data: list, version: 1 })))
  expect(records).toEqual(list)
  expect(refusals[0].text).toBe(',"version":1}')
})
