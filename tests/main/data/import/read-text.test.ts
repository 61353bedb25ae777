import { expect, test } from 'vitest'
import { file, read } from './files.ts'

test('documents end at blank lines, and know the line where they begin', async () => {
  const { records, lines } = await read(file('a.txt', '\n\nOne,\r\nstill one.\r\n \r\n\r\nTwo.'))
  expect(records).toEqual([{ text: 'One,\nstill one.' }, { text: 'Two.' }])
  expect(lines).toEqual([3, 7])
})

test('or the whole file is one', async () => {
  expect((await read(file('a.txt', 'One.\n\nTwo.\n'), 'whole-file')).records).toEqual([{ text: 'One.\n\nTwo.' }])
})

test('a document of over 100,000 characters is refused with its length', async () => {
  const { records, refusals } = await read(file('a.txt', `${'x'.repeat(100_001)}\n\nshort\n`))
  expect(records).toEqual([{ text: 'short' }])
  expect(refusals[0]).toMatchObject({ line: 1, reason: expect.stringContaining('100,001 characters') })
})

test('prose that begins with a bracket is prose', async () => {
  expect((await read(file('a.txt', '[Intro] Once upon a time.'))).records).toEqual([
    { text: '[Intro] Once upon a time.' },
  ])
})
