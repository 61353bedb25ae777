// Parquet, one row group at a time. Numbers too large for JavaScript become strings, dates ISO text. A row group that
// cannot be read is refused as a whole, with the rows it held; the others are kept.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { Failure } from '../../contract/errors.ts'
import { longestRow, refusal, tooLong, type Read } from './lines.ts'
import { countCharacters } from './read-jsonl.ts'

/** Text that is decoded together at most: bounds memory where a file is one huge row group. A slice of a group costs
 * reading the group again, so slices are few. */
const sliceBytes = 67_108_864

export interface ParquetReading {
  rows: number
  batches: AsyncGenerator<Read[]>
  readRatio: () => number
}

/** Opens the file at `path`; throws BadFile when its footer cannot be read. `line` of a record is its row, from 1.
 * At most `mostRows` are decoded together: for a look at the first ones. */
export async function readParquet(path: string, mostRows = Infinity): Promise<ParquetReading> {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw new Failure('BadFile', 'This Parquet file is damaged or cut off: its footer cannot be read.', {
      where: path,
      next: 'Copy or download it again.',
      cause: error,
    })
  })
  const rows = Number(metadata.num_rows)
  let done = 0
  async function* batches(): AsyncGenerator<Read[]> {
    for (const group of metadata.row_groups) {
      const groupEnd = done + Number(group.num_rows)
      const slices = Math.max(1, Math.ceil(Number(group.total_byte_size) / sliceBytes))
      const sliceRows = Math.max(1, Math.min(mostRows, Math.ceil(Number(group.num_rows) / slices)))
      while (done < groupEnd) {
        const rowStart = done
        const rowEnd = Math.min(done + sliceRows, groupEnd)
        done = rowEnd
        try {
          const records = await parquetReadObjects({
            file,
            metadata,
            rowStart,
            rowEnd,
            compressors,
            useOffsetIndex: true,
          })
          yield records.map((record, i) => checked(plain(record), rowStart + i + 1))
        } catch (error) {
          const why = (error as Error).message
          yield [refusal(rowStart + 1, `Rows ${rowStart + 1} to ${groupEnd} cannot be read: ${why}.`, '')]
          done = groupEnd
        }
      }
    }
  }
  return { rows, batches: batches(), readRatio: () => (rows === 0 ? 1 : done / rows) }
}

function checked(record: unknown, line: number): Read {
  const characters = countCharacters(record)
  return characters > longestRow ? refusal(line, tooLong(characters), '') : { line, record }
}

/** Parquet's values as JSON would hold them. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<unknown>, plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
  return value
}
