// Rotary position embedding (Su et al. 2021): the turning angles of every position, computed once.
import type { Backend, Tensor } from '../engine/backend.ts'
import type { ModelConfig, RopeScaling } from './config.ts'

export interface Rotations {
  /** cos of C/2 angles, then sin of them, for at least these positions: [positions, C]. */
  upTo(positions: Int32Array): Tensor
  free(): void
}

/** A table that grows by doubling with the positions asked for. */
export function createRotations(
  backend: Backend,
  { headDim: C, ropeTheta, ropeScaling, maxPositionEmbeddings }: ModelConfig,
): Rotations {
  const speeds = Array.from({ length: C / 2 }, (_, c) => scaled(ropeTheta ** ((-2 * c) / C), ropeScaling))
  let table: Tensor | null = null
  return {
    upTo(positions) {
      const needed = positions.reduce((most, position) => Math.max(most, position + 1), 1)
      if (table !== null && table.shape[0]! >= needed) return table
      const count = Math.min(maxPositionEmbeddings, Math.max(256, 2 ** Math.ceil(Math.log2(needed))))
      const angles = new Float32Array(count * C)
      for (let position = 0; position < count; position++)
        for (let c = 0; c < C / 2; c++) {
          const angle = position * speeds[c]!
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

/** Radians a position, slowed as the checkpoint was trained. Llama 3.1: slow angles by `factor`, fast ones not, smoothly between. */
function scaled(speed: number, scaling: RopeScaling | null): number {
  if (scaling === null) return speed
  if (scaling.ropeType === 'linear') return speed / scaling.factor
  const turns = (scaling.originalMaxPositionEmbeddings * speed) / (2 * Math.PI) // within the first training's context
  const { lowFreqFactor, highFreqFactor } = scaling
  const fast = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)))
  return (fast + (1 - fast) / scaling.factor) * speed
}
