import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Mapping } from '../../../src-main/contract/records.ts'
import { runImport } from '../../../src-main/workers/importing.ts'

const folder = mkdtempSync(join(tmpdir(), 'temper-importing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const mapping: Mapping = { form: 'trl-text', kind: 'text', parts: { text: 'text' }, roles: {}, asChat: true }
const write = (name: string, rows: number): string => {
  const path = join(folder, name)
  writeFileSync(
    path,
    Array.from({ length: rows }, (_, i) => (i % 100 === 99 ? '{"text":\n' : `{"text":"Row ${i}."}\n`)).join(''),
  )
  return path
}

test('a thread reads the file; rows arrive in order and one batch at a time', async () => {
  const lines: number[] = []
  const refused: number[] = []
  let taking = 0
  const summary = await runImport(
    { path: write('a.jsonl', 3_000), mapping },
    {
      onRows: async (batch) => {
        expect(++taking).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 1))
        lines.push(...batch.map((row) => row.line))
        taking--
      },
      onRefused: (batch) => void refused.push(...batch.map((one) => one.line)),
    },
  )
  expect(summary).toMatchObject({ rows: 2_970, refused: 30 })
  expect(lines).toEqual(Array.from({ length: 3_000 }, (_, i) => i + 1).filter((line) => line % 100 !== 0))
  expect(refused).toHaveLength(30)
})

test('stopping ends it as Stopped and hands over no more rows', async () => {
  const stop = new AbortController()
  let rows = 0
  const importing = runImport(
    { path: write('b.jsonl', 200_000), mapping },
    {
      onRows: (batch) => {
        expect(stop.signal.aborted).toBe(false)
        rows += batch.length
        if (rows > 2_000) stop.abort()
      },
      onRefused: () => {},
    },
    stop.signal,
  )
  await expect(importing).rejects.toMatchObject({ kind: 'Stopped' })
  expect(rows).toBeLessThan(4_000)
})

test('a failure in the thread arrives with its kind and its next step', async () => {
  const importing = runImport({ path: join(folder, 'none.jsonl'), mapping }, { onRows: () => {}, onRefused: () => {} })
  await expect(importing).rejects.toMatchObject({ name: 'NotFound', kind: 'NotFound', next: 'Check the path.' })
})

test('what a handler throws ends the thread and comes out', async () => {
  const importing = runImport(
    { path: write('c.jsonl', 5_000), mapping },
    { onRows: () => Promise.reject(new Error('full')), onRefused: () => {} },
  )
  await expect(importing).rejects.toThrow('full')
})

test('a thread that dies is a failure, not silence', async () => {
  // A mapping that cannot be read at all makes the code itself fault; nothing on the way may swallow that.
  const broken = { ...mapping, parts: null } as unknown as Mapping
  const importing = runImport({ path: write('d.jsonl', 5), mapping: broken }, { onRows: () => {}, onRefused: () => {} })
  await expect(importing).rejects.toMatchObject({ kind: 'Bug' })
})
