// From rendered rows to the batches of an optimizer step: the order of each epoch, and how a step's rows are cut into
// micro-batches. Rows lie end to end without padding, so a short row costs what it has.
import { createRandom } from '../engine/random.ts'
import type { Batch } from '../models/transformer.ts'

/** One stretch of tokens that the model reads. */
export interface Sequence {
  tokens: Int32Array
  /** 1 where the token is trained on. */
  lossMask: Uint8Array
}

/** What one example became: one sequence, or two for a pair (chosen, then rejected). */
export interface TrainingRow {
  /** Its number in the dataset. */
  row: number
  sequences: Sequence[]
}

/** Where a run stands in its data. The order follows from seed and epoch alone, so these two numbers resume it. */
export interface Cursor {
  epoch: number
  /** Rows of this epoch that were read. */
  position: number
}

const orderStream = 0x0d0e // apart from other uses of the run's seed

/** The rows 0 .. count-1 shuffled for one epoch. */
export function epochOrder(count: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  return createRandom(seed, orderStream + epoch).shuffle(order)
}

/** Steps of one epoch; the last one may have fewer rows, as in transformers' Trainer. */
export function stepsPerEpoch(rows: number, rowsPerStep: number): number {
  return Math.ceil(rows / rowsPerStep)
}

/** Gives the rows of each step in turn, forever, and where it stands after each. */
export function* stepRows(
  count: number,
  rowsPerStep: number,
  seed: number,
  from: Cursor = { epoch: 0, position: 0 },
): Generator<{ rows: Int32Array; cursor: Cursor }, never> {
  for (let { epoch, position } = from; ; epoch++, position = 0) {
    const order = epochOrder(count, seed, epoch)
    while (position < count) {
      const rows = order.slice(position, position + rowsPerStep)
      position += rows.length
      yield { rows, cursor: position < count ? { epoch, position } : { epoch: epoch + 1, position: 0 } }
    }
  }
}

export function tokensOf(row: TrainingRow): number {
  return row.sequences.reduce((sum, s) => sum + s.tokens.length, 0)
}

/**
 * Cuts a step's rows, in their order, into `parts` equal micro-batches, and these again wherever one would have more than
 * `tokensAtOnce` tokens. A row is never cut: a longer one goes alone.
 */
export function microBatches(
  all: readonly TrainingRow[],
  rows: ArrayLike<number>,
  parts: number,
  tokensAtOnce: number,
): number[][] {
  const rowsAtOnce = Math.ceil(rows.length / Math.max(1, parts))
  const micro: number[][] = []
  let tokens = 0
  for (let i = 0; i < rows.length; i++) {
    const more = tokensOf(all[rows[i]!]!)
    const last = micro.at(-1)
    if (last === undefined || last.length >= rowsAtOnce || tokens + more > tokensAtOnce) {
      micro.push([rows[i]!])
      tokens = more
    } else {
      last.push(rows[i]!)
      tokens += more
    }
  }
  return micro
}

/** Lays the sequences of these rows end to end. The first token of a sequence has nothing before it, so it never counts. */
export function batchOf(all: readonly TrainingRow[], rows: ArrayLike<number>): Batch {
  const sequences = Array.from(rows as ArrayLike<number>, (r) => all[r]!.sequences).flat()
  const offsets = new Int32Array(sequences.length + 1) // [B+1]
  sequences.forEach((s, b) => (offsets[b + 1] = offsets[b]! + s.tokens.length))
  const tokens = new Int32Array(offsets.at(-1)!) // [N]
  const scored = new Uint8Array(offsets.at(-1)!) // [N]
  sequences.forEach((s, b) => {
    tokens.set(s.tokens, offsets[b])
    scored.set(s.lossMask, offsets[b])
    scored[offsets[b]!] = 0
  })
  return { tokens, offsets, scored }
}
