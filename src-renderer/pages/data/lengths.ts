// How long the rows of a dataset are, in words: all of them where they are few, else windows at even distances.
import { api } from '../../api.ts'
import { countWords } from './example-words.ts'

const windowRows = 500
const mostWindows = 8

export interface Lengths {
  counts: number[]
  read: number
  of: number
}

/** Reads up to 4,000 rows. Rejects with a Failure. */
export async function readLengths(id: string, total: number): Promise<Lengths> {
  const windows = Math.ceil(total / windowRows)
  const shown = Math.min(windows, mostWindows)
  const counts: number[] = []
  for (let i = 0; i < shown; i++) {
    const from = windows <= mostWindows ? i * windowRows : Math.floor(((total - windowRows) * i) / (shown - 1))
    const { rows } = await api.call('data.rows', { id, from, count: windowRows })
    for (const row of rows) counts.push(countWords(row.example))
  }
  return { counts, read: counts.length, of: total }
}

export interface Bins {
  /** Rows in each bin. */
  heights: number[]
  /** Words a bin spans. */
  width: number
  middle: number
  longest: number
}

/** Sorts counts into about `wanted` bins of a round width, from 0 to the longest. */
export function binLengths(counts: readonly number[], wanted = 26): Bins {
  const sorted = [...counts].sort((a, b) => a - b)
  const longest = sorted.at(-1) ?? 0
  const rough = Math.max(1, longest / wanted)
  const size = 10 ** Math.floor(Math.log10(rough))
  const width = ([1, 2, 5, 10].find((one) => one * size >= rough) ?? 10) * size
  const heights = new Array<number>(Math.max(1, Math.floor(longest / width) + 1)).fill(0)
  for (const one of counts) heights[Math.floor(one / width)]!++
  return { heights, width, middle: sorted[Math.floor(sorted.length / 2)] ?? 0, longest }
}
