// The states of a run and how they follow one another: one table, read by everything that changes one.
import { Failure } from '../contract/errors.ts'
import type { Run, RunState } from '../contract/records.ts'

export const follows: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['starting', 'stopped', 'interrupted'],
  starting: ['training', 'paused', 'stopping', 'failed', 'interrupted', 'finished'],
  training: ['paused', 'stopping', 'finished', 'failed', 'interrupted'],
  paused: ['training', 'stopping', 'failed', 'interrupted'],
  stopping: ['stopped', 'finished', 'failed', 'interrupted'],
  finished: [],
  stopped: ['queued'],
  failed: ['queued'],
  interrupted: ['queued'],
}

/** States in which a thread works for the run, or will. */
export const active: readonly RunState[] = ['queued', 'starting', 'training', 'paused', 'stopping']

/** What a person can ask of a run, and in which states. */
const asks = {
  pause: ['starting', 'training'],
  resume: ['paused', 'stopped', 'failed', 'interrupted'],
  stop: ['queued', 'starting', 'training', 'paused'],
  remove: ['finished', 'stopped', 'failed', 'interrupted'],
} as const satisfies Record<string, readonly RunState[]>
const done = { pause: 'paused', resume: 'resumed', stop: 'stopped', remove: 'removed' }
const next: Record<keyof typeof asks, string> = {
  pause: 'Only a run that is training can be paused.',
  resume: 'Start a new run from its last checkpoint to train it further.',
  stop: 'It has ended already.',
  remove: 'Stop it first.',
}

export function canBecome(from: RunState, to: RunState): boolean {
  return follows[from].includes(to)
}

/** Throws BadOption where the run is in no state for what is asked of it. */
export function checkAsk(run: Run, ask: keyof typeof asks): void {
  if ((asks[ask] as readonly RunState[]).includes(run.state)) return
  throw new Failure('BadOption', `“${run.name}” is ${run.state} and cannot be ${done[ask]}.`, {
    where: run.id,
    next: next[ask],
  })
}
