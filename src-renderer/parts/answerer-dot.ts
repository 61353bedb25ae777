// Where an answerer stands on the temper scale: its place among the checkpoints of its run; hollow before training.
import type { Answerer } from '../../src-main/contract/records.ts'

/** Props of CheckpointDot; null where the answerer is not known (any more). */
export function answererDot(id: string, all: readonly Answerer[]): { at: number; of: number; base: boolean } | null {
  const one = all.find((answerer) => answerer.id === id)
  if (one === undefined) return null
  if (one.run === null) return { at: 0, of: 1, base: true }
  const run = all.filter((answerer) => answerer.run === one.run)
  return { at: run.indexOf(one), of: run.length, base: one.step === 0 }
}
