// The learning rate of each step, as a share of the highest: a warm-up from 0, then one of four shapes.
// Warm-up-stable-decay is Hu et al. 2024 (MiniCPM); cosine is Loshchilov & Hutter 2017 without restarts, as in
// transformers' get_cosine_schedule_with_warmup.
import { Failure } from '../contract/errors.ts'

export const schedules = ['constant', 'linear', 'cosine', 'warm-up-stable-decay'] as const
export type ScheduleName = (typeof schedules)[number]

export interface Schedule {
  name: ScheduleName
  /** Optimizer steps of the whole run. */
  steps: number
  /** The first share of the run, or that many steps; steps win where both are given. */
  warmupRatio?: number
  warmupSteps?: number
  /** Warm-up-stable-decay only: the last share of the run, in which the rate falls to `floorRatio`. */
  decayRatio?: number
  /** The share of the highest rate at which the run ends (default 0). */
  floorRatio?: number
}

export function warmupStepsOf({ steps, warmupRatio = 0, warmupSteps }: Schedule): number {
  return warmupSteps ?? Math.ceil(warmupRatio * steps)
}

/**
 * The factor in [0, 1] on the highest learning rate for update `step`, counted from 0. As in transformers, the first
 * update of a warm-up has rate 0, and the rate reaches the floor at `steps`, one after the last update.
 */
export function scheduleFactor(schedule: Schedule, step: number): number {
  const { name, steps, floorRatio = 0, decayRatio = 0.2 } = schedule
  const warmup = warmupStepsOf(schedule)
  if (step < warmup) return step / warmup
  const through = Math.min(1, (step - warmup) / Math.max(1, steps - warmup)) // 0 .. 1 after the warm-up
  switch (name) {
    case 'constant':
      return 1
    case 'linear':
      return floorRatio + (1 - floorRatio) * (1 - through)
    case 'cosine':
      return floorRatio + (1 - floorRatio) * 0.5 * (1 + Math.cos(Math.PI * through))
    case 'warm-up-stable-decay': {
      const decay = Math.max(1, Math.round(decayRatio * steps))
      return floorRatio + (1 - floorRatio) * Math.min(1, Math.max(0, (steps - step) / decay))
    }
    default:
      throw new Failure('BadOption', `There is no schedule “${String(name satisfies never)}”.`, {
        where: 'schedule',
        next: `Choose one of ${schedules.join(', ')}.`,
      })
  }
}
