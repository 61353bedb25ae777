import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { preview } from '../../../../src-main/data/import/preview.ts'
import { file } from './files.ts'

test.each([
  ['an empty file', '', 'The file is empty.'],
  ['a zip archive', 'PK\x03\x04rest', 'This is a zip archive or an Office document, not a data file.'],
  ['a PDF', '%PDF-1.7', 'This is a PDF, not a data file.'],
  ['a pickle', Buffer.from([0x80, 4, 0x95, 0]), 'This is a Python pickle, not a data file.'],
  ['binary rubbish', Buffer.from([1, 2, 0, 3, 0, 0, 9, 9, 9]), 'This is not a text file: it holds zero bytes.'],
  ['blank lines only', '\n\n \n', 'The file holds no rows.'],
])('%s is refused as a whole, with what to do', async (_, content, message) => {
  await expect(preview(file('a.jsonl', content))).rejects.toMatchObject({
    kind: 'BadFile',
    message,
    next: expect.stringMatching(/\.$/),
  })
})

test('a file in which no line is UTF-8 is refused as a whole, with the place of the first byte', async () => {
  const latin = Buffer.from('{"a":"café"}\n{"a":"thé"}\n', 'latin1')
  await expect(preview(file('a.jsonl', latin))).rejects.toMatchObject({
    kind: 'BadFile',
    message: expect.stringContaining('Byte 10 of the file (0xE9) is not UTF-8'),
    where: expect.stringContaining('line 1'),
  })
})

test('a missing file and a folder are named', async () => {
  await expect(preview('/no/such/file.jsonl')).rejects.toMatchObject({ kind: 'NotFound' })
  const path = file('x.jsonl', 'x') + '-folder'
  mkdirSync(path)
  await expect(preview(path)).rejects.toMatchObject({ kind: 'BadFile', message: 'This is a folder, not a file.' })
})
