// A whole file to examples, in batches, with back-pressure: the next rows are read when the last ones have been taken.
// Every record comes out as a row or as a refusal; duplicates are counted, not dropped.
import { Failure } from '../../contract/errors.ts'
import type { Example, Mapping, Refusal } from '../../contract/records.ts'
import { exampleText, hashNumber } from '../example-key.ts'
import { convert } from './convert.ts'
import { isFaultOfFile, isRefusal, refusal } from './lines.ts'
import { divisionOf, likeliestMapping, nothingRead } from './preview.ts'
import { readRecords } from './read-records.ts'

/** Rows that are handed over at a time, about. */
const batchRows = 500

export interface ImportedRow {
  line: number
  example: Example
}
export interface ImportProgress {
  bytes: number // of the file, read so far
  totalBytes: number
  rows: number
  refused: number
}
export interface ImportHandlers {
  onRows: (batch: ImportedRow[]) => Promise<void> | void
  onRefused: (batch: Refusal[]) => Promise<void> | void
  onProgress?: (progress: ImportProgress) => void
}
export interface ImportSummary {
  rows: number
  refused: number
  /** Rows that say exactly what an earlier row said. */
  duplicates: number
  bytes: number
  sha256: string
}

/**
 * Reads all of `path` by `mapping`. Throws Stopped when `signal` says so, BadFile when not a single record is readable, or
 * when the file as a whole is at fault: cut off, or not UTF-8 (part of such data would be a sample that nobody chose);
 * a file whose rows are all refused by the mapping ends normally with rows 0.
 */
export async function importFile(
  path: string,
  mapping: Mapping,
  handlers: ImportHandlers,
  signal?: AbortSignal,
): Promise<ImportSummary> {
  if (Object.keys(mapping.parts).length === 0) {
    await likeliestMapping(path) // throws where the form is not known, and says which are
    throw new Failure('BadOption', 'The mapping does not say which key feeds which part.', {
      where: path,
      next: 'Map at least one key, or leave the mapping out.',
    })
  }
  const reading = await readRecords(path, { division: divisionOf(mapping) })
  const seen = new Set<number>()
  const counts = { rows: 0, refused: 0, duplicates: 0 }
  const firstRefusals: Refusal[] = []
  let rows: ImportedRow[] = []
  let refused: Refusal[] = []
  let isReadable = false
  const handOver = async (): Promise<void> => {
    if (rows.length > 0) await handlers.onRows(rows)
    if (refused.length > 0) await handlers.onRefused(refused)
    rows = []
    refused = []
    handlers.onProgress?.({
      bytes: reading.readBytes(),
      totalBytes: reading.totalBytes,
      rows: counts.rows,
      refused: counts.refused,
    })
  }
  const refuse = (one: Refusal): void => {
    if (isFaultOfFile(one)) throw faultOfFile(path, one)
    counts.refused++
    refused.push(one)
    if (firstRefusals.length === 0) firstRefusals.push(one)
  }
  try {
    for await (const batch of reading.batches) {
      for (const one of batch) {
        if (isRefusal(one)) refuse(one)
        else {
          isReadable = true
          const example = convert(one.record, mapping)
          if ('reason' in example) refuse(refusal(one.line, example.reason, JSON.stringify(one.record)))
          else {
            counts.rows++
            const key = hashNumber(exampleText(example))
            if (seen.has(key)) counts.duplicates++
            else seen.add(key)
            rows.push({ line: one.line, example })
          }
        }
        if (rows.length + refused.length >= batchRows) {
          await handOver()
          stopIf(signal, path)
        }
      }
      stopIf(signal, path)
    }
  } finally {
    await reading.batches.return(undefined)
  }
  if (!isReadable) throw nothingRead(path, firstRefusals)
  await handOver()
  return { ...counts, bytes: reading.totalBytes, sha256: await reading.sha256() }
}

function faultOfFile(path: string, { line, reason }: Refusal): Failure {
  return new Failure('BadFile', `This file is damaged, so nothing of it is used. ${reason}`, {
    where: `${path}, line ${line}`,
    next: reason.includes('UTF-8')
      ? 'Save all of the file as UTF-8, or remove this row, and import it again.'
      : 'Copy or download it again; or remove what is unfinished at its end, to import the rest.',
  })
}

function stopIf(signal: AbortSignal | undefined, path: string): void {
  if (signal?.aborted === true)
    throw new Failure('Stopped', 'The import was stopped.', { where: path, next: 'Start it again when you like.' })
}
