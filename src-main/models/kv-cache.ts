// Keys and values of tokens already read, so that the next token costs one row. Every sequence has its own stretch of rows
// in one array a layer, as long as that sequence may become, so a batch of unequal prompts wastes nothing.
// Left out: sharing the rows of a common beginning between sequences.
import type { Backend, Tensor } from '../engine/backend.ts'
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

/** Room for one sequence per entry of `capacities` (tokens). Throws OutOfMemory. */
export function createKvCache(backend: Backend, config: ModelConfig, capacities: number[]): KvCache {
  const { numHiddenLayers, numKeyValueHeads: K, headDim: C } = config
  const starts: number[] = []
  let rows = 0
  for (const capacity of capacities) {
    starts.push(rows)
    rows += capacity
  }
  const layers = (): Tensor[] => Array.from({ length: numHiddenLayers }, () => backend.alloc([rows, K * C]))
  const keys = layers()
  const values = layers()
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
      for (const t of [...keys, ...values]) backend.fill(backend.rows(t, starts[sequence]! + length, left), 0)
      lengths[sequence] = length
    },
    free: () => backend.free(...keys, ...values),
  }
}
