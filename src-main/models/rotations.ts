// Rotary position embedding (Su et al. 2021): the turning angles of every position, computed once.
import type { Backend, Tensor } from '../engine/backend.ts'
import type { ModelConfig } from './config.ts'

export interface Rotations {
  /** cos of C/2 angles, then sin of them, for at least these positions: [positions, C]. */
  upTo(positions: Int32Array): Tensor
  free(): void
}

/** A table that grows by doubling with the positions asked for. */
export function createRotations(
  backend: Backend,
  { headDim: C, ropeTheta, maxPositionEmbeddings }: ModelConfig,
): Rotations {
  let table: Tensor | null = null
  return {
    upTo(positions) {
      const needed = positions.reduce((most, position) => Math.max(most, position + 1), 1)
      if (table !== null && table.shape[0]! >= needed) return table
      const count = Math.min(maxPositionEmbeddings, Math.max(256, 2 ** Math.ceil(Math.log2(needed))))
      const angles = new Float32Array(count * C)
      for (let position = 0; position < count; position++)
        for (let c = 0; c < C / 2; c++) {
          const angle = position / ropeTheta ** ((2 * c) / C)
          angles[position * C + c] = Math.cos(angle)
          angles[position * C + C / 2 + c] = Math.sin(angle)
        }
      if (table !== null) backend.free(table)
      table = backend.alloc([count, C])
      backend.write(table, angles)
      return table
    },
    free() {
      if (table !== null) backend.free(table)
      table = null
    },
  }
}
