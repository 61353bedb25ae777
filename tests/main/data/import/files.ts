// Small files for the tests of this room: written to a folder of their own, read back through the real readers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Mapping, Refusal } from '../../../../src-main/contract/records.ts'
import { importFile, type ImportedRow } from '../../../../src-main/data/import/import-file.ts'
import { isRefusal } from '../../../../src-main/data/import/lines.ts'
import { likeliestMapping } from '../../../../src-main/data/import/preview.ts'
import { readRecords } from '../../../../src-main/data/import/read-records.ts'
import type { TextDivision } from '../../../../src-main/data/import/read-text.ts'

const folder = mkdtempSync(join(tmpdir(), 'temper-import-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0

/** Writes a file whose name ends in `name` and gives its path. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, `${++count}-${name}`)
  writeFileSync(path, content)
  return path
}

export async function read(
  path: string,
  division?: TextDivision,
): Promise<{ records: unknown[]; lines: number[]; refusals: Refusal[] }> {
  const out = { records: [] as unknown[], lines: [] as number[], refusals: [] as Refusal[] }
  for await (const batch of (await readRecords(path, { ...(division !== undefined && { division }) })).batches)
    for (const one of batch) {
      if (isRefusal(one)) out.refusals.push(one)
      else {
        out.records.push(one.record)
        out.lines.push(one.line)
      }
    }
  return out
}

/** Imports with the likeliest mapping, or with `mapping`. */
export async function imported(
  path: string,
  mapping?: Mapping,
): Promise<{ rows: ImportedRow[]; refusals: Refusal[]; mapping: Mapping }> {
  const used = mapping ?? (await likeliestMapping(path)).mapping
  const rows: ImportedRow[] = []
  const refusals: Refusal[] = []
  await importFile(path, used, {
    onRows: (batch) => void rows.push(...batch),
    onRefused: (batch) => void refusals.push(...batch),
  })
  return { rows, refusals, mapping: used }
}

export const jsonl = (...records: unknown[]): string => records.map((one) => JSON.stringify(one) + '\n').join('')
