import { expect, test } from 'vitest'
import type { Run, RunState } from '../../../src-main/contract/records.ts'
import { active, canBecome, checkAsk, follows } from '../../../src-main/runs/states.ts'

test('every state is reached from queued, and an end can only be queued again or stays', () => {
  const seen = new Set<RunState>(['queued'])
  for (const state of seen) for (const next of follows[state]) seen.add(next)
  expect([...seen].sort()).toEqual(Object.keys(follows).sort())
  for (const end of ['stopped', 'failed', 'interrupted'] as const) expect(follows[end]).toEqual(['queued'])
  expect(follows.finished).toEqual([])
})

test('a crash can happen in every state in which something goes on', () => {
  for (const state of active) expect(canBecome(state, 'interrupted'), state).toBe(true)
})

test('what cannot be asked of a run is refused in words', () => {
  const run = { id: 'r1', name: 'first-run', state: 'finished' } as Run
  expect(() => checkAsk(run, 'pause')).toThrow('“first-run” is finished and cannot be paused.')
  expect(() => checkAsk({ ...run, state: 'paused' }, 'remove')).toThrow(/cannot be removed/)
  expect(() => checkAsk({ ...run, state: 'interrupted' }, 'resume')).not.toThrow()
})
