// Keys and values of tokens already read, so that the next token costs one row. Every sequence has its own stretch of rows
// in one array a layer, as long as that sequence may become, so a batch of unequal prompts wastes nothing.
// Left out: sharing the rows of a common beginning between sequences.
import { Failure } from '../contract/errors.ts'
import type { Backend, Segments, Tensor } from '../engine/backend.ts'
import type { ModelConfig } from './config.ts'

export interface KvCache {
  keys: Tensor[] // a layer: [rows, K*C], already rotated
  values: Tensor[] // a layer: [rows, K*C]
  /** First row of each sequence, how many rows it has, and how many are filled. */
  starts: number[]
  capacities: number[]
  lengths: number[]
  /** Forgets all but the first `length` tokens of a sequence. Rows not yet filled are zero: the kernels add into them. */
  truncate(sequence: number, length: number): void
  free(): void
}

/** Room for one sequence per entry of `capacities` (tokens). Throws OutOfMemory, holding nothing then. */
export function createKvCache(backend: Backend, config: ModelConfig, capacities: number[]): KvCache {
  const { numHiddenLayers, numKeyValueHeads: K, headDim: C } = config
  const starts: number[] = []
  let rows = 0
  for (const capacity of capacities) {
    starts.push(rows)
    rows += capacity
  }
  const all: Tensor[] = []
  try {
    while (all.length < 2 * numHiddenLayers) all.push(backend.alloc([rows, K * C]))
  } catch (error) {
    backend.free(...all) // a cache for fewer prompts may still fit
    throw error
  }
  const [keys, values] = [all.slice(0, numHiddenLayers), all.slice(numHiddenLayers)]
  const lengths = capacities.map(() => 0)
  return {
    keys,
    values,
    starts,
    capacities,
    lengths,
    truncate(sequence, length) {
      const left = lengths[sequence]! - length
      if (left <= 0) return
      for (const t of all) backend.fill(backend.rows(t, starts[sequence]! + length, left), 0)
      lengths[sequence] = length
    },
    free: () => backend.free(...all),
  }
}

/** Tokens to read on after what a cache already holds of a sequence. */
export interface Piece {
  sequence: number
  tokens: Int32Array
}

/** Pieces laid end to end, as the model reads them. */
interface Packed {
  ids: Int32Array // [N]
  positions: Int32Array // [N] in their sequences
  /** Each piece's queries against its sequence's rows of the cache, the new ones included. */
  segments: Segments
  into: Int32Array // [N] the cache's rows that they fill
  last: Int32Array // [pieces] the last row of each
}

/** Throws Bug for an empty piece or one that the cache has no room for. */
export function packPieces(cache: KvCache, pieces: readonly Piece[]): Packed {
  const N = pieces.reduce((sum, { tokens }) => sum + tokens.length, 0)
  const [ids, positions, into] = [new Int32Array(N), new Int32Array(N), new Int32Array(N)]
  const segments = new Int32Array(4 * pieces.length)
  const last = new Int32Array(pieces.length)
  let n = 0
  pieces.forEach(({ sequence, tokens }, s) => {
    const [start, seen] = [cache.starts[sequence]!, cache.lengths[sequence]!]
    const [count, capacity] = [tokens.length, cache.capacities[sequence]!]
    if (count === 0 || seen + count > capacity)
      throw new Failure('Bug', `A cache of ${capacity} tokens cannot take ${count} after ${seen}.`, {
        where: 'packPieces',
      })
    ids.set(tokens, n)
    segments.set([n, count, start, seen + count], 4 * s)
    for (let j = 0; j < count; j++) {
      positions[n + j] = seen + j
      into[n + j] = start + seen + j
    }
    n += count
    last[s] = n - 1
  })
  return { ids, positions, segments, into, last }
}
