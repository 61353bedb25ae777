// Any file to records: looks at what is inside, not only at the name, and picks the reader.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Read } from './lines.ts'
import { readCsv, sniffDelimiter } from './read-csv.ts'
import { readJsonArray } from './read-json-array.ts'
import { readJsonl } from './read-jsonl.ts'
import { readParquet } from './read-parquet.ts'
import { readText, type TextDivision } from './read-text.ts'
import { commonNames } from './roles.ts'
import { inspect, openSource, type Source } from './source.ts'

export type FileFormat = 'jsonl' | 'json-list' | 'json-values' | 'table' | 'text' | 'parquet'

export interface Reading {
  format: FileFormat
  /** Bytes of the file on the disk. */
  totalBytes: number
  readBytes: () => number
  /** Known once the batches are done. */
  sha256: () => Promise<string>
  /** Exact where the file says it (Parquet), otherwise null. */
  rows: number | null
  batches: AsyncGenerator<Read[]>
}

/** Opens `path`. End the batches, or `return()` them, to close it. Throws NotFound and BadFile. */
export async function readRecords(
  path: string,
  how: { division?: TextDivision; sliceRows?: number } = {},
): Promise<Reading> {
  const { totalBytes, magic } = await inspect(path)
  if (magic.toString('latin1', 0, 4) === 'PAR1') {
    const parquet = await readParquet(path, how.sliceRows)
    const readBytes = (): number => Math.round(totalBytes * parquet.readRatio())
    return {
      format: 'parquet',
      totalBytes,
      readBytes,
      sha256: () => hashFile(path),
      rows: parquet.rows,
      batches: parquet.batches,
    }
  }
  const source = await openSource(path)
  const format = sniffFormat(source)
  const batches =
    format === 'jsonl'
      ? readJsonl(source)
      : format === 'json-list' || format === 'json-values'
        ? readJsonArray(source, format === 'json-list')
        : format === 'table'
          ? readCsv(source)
          : readText(source, how.division ?? 'blank-lines')
  return {
    format,
    totalBytes,
    readBytes: source.readBytes,
    sha256: () => Promise.resolve(source.sha256()),
    rows: null,
    batches,
  }
}

export function sniffFormat(source: Pick<Source, 'name' | 'head' | 'headIsAll'>): FileFormat {
  const text = source.head.toString('utf8')
  const start = text.trimStart()
  const named = /\.(jsonl?|ndjson)$/i.test(source.name)
  if (/^[[{]\s*["{[\]}]/.test(start) || (named && /^[[{]/.test(start))) return sniffJson(text, source.headIsAll)
  if (named) return 'jsonl'
  if (/\.(csv|tsv|tab)$/i.test(source.name)) return 'table'
  return looksLikeTable(text) ? 'table' : 'text'
}

/** One object around the list: {"data": [ ... ]}. */
const wrapped = /^\{\s*"(?:data|dataset|rows|train|examples|records|items)"\s*:\s*\[\s*\{/

/** Lines that are whole records by themselves tell JSON lines; otherwise a bracket first tells a list. */
function sniffJson(text: string, isAll: boolean): FileFormat {
  const lines = text.split('\n')
  if (!isAll) lines.pop() // cut off by the head's end
  const filled = lines.map((line) => line.replace(/\r$/, '')).filter((line) => line.trim() !== '')
  const start = text.trimStart()
  const isList = start.startsWith('[')
  if (isList) {
    const whole = filled.filter((line) => line.startsWith('[') && /\]\s*,?\s*$/.test(line) && isJson(line))
    return filled.length > 1 && whole.length > filled.length / 2 ? 'jsonl' : 'json-list'
  }
  const objects = filled.filter((line) => line.startsWith('{') && /\}\s*,?\s*$/.test(line))
  if (objects.length <= 1 && wrapped.test(start)) return 'json-list'
  if (objects.length > 0 || filled.length <= 1) return 'jsonl'
  return filled.some((line) => /^[{}]\s*,?\s*$/.test(line)) ? 'json-values' : 'jsonl'
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line.trim().replace(/,$/, ''))
    return true
  } catch {
    return false
  }
}

/** A header that names something we know, and a row with as many columns. */
function looksLikeTable(text: string): boolean {
  const delimiter = sniffDelimiter(text)
  const [header, row] = text.split(/\r?\n/).map((line) => line.split(delimiter))
  if (row === undefined || header.length < 2 || row.length !== header.length) return false
  return header.some((name) => commonNames.has(name.trim().replace(/^"|"$/g, '').toLowerCase()))
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
