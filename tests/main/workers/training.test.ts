import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newestState } from '../../../src-main/training/checkpoint.ts'
import { startTraining } from '../../../src-main/workers/training.ts'
import type { TrainingJob } from '../../../src-main/workers/training.ts'
import { orderFor, rowsFor } from '../training/steady-run.ts'

const place = mkdtempSync(join(tmpdir(), 'temper-training-'))
afterAll(() => rmSync(place, { recursive: true }))
const jobFor = (name: string, given: Record<string, number> = {}): TrainingJob => ({
  ...orderFor(join(place, name), { given }),
  backend: 'auto',
})

test('a thread that dies ends its run as a failure, and what it had kept can be gone on with', async () => {
  const job = jobFor('dies', { maxSteps: 100_000, checkpointEvery: 5 })
  let kept = 0
  const training = startTraining(job, rowsFor('sft'), {
    onCheckpoint({ step }) {
      kept = step
      if (step >= 5) void training.kill()
    },
  })
  await expect(training.done).rejects.toMatchObject({ kind: 'Bug', next: /Resume the run/ })
  const left = newestState(job.runFolder)!
  expect(left.resume.loop.step).toBeGreaterThanOrEqual(kept)
})

test('a data set without one answer is refused in words', async () => {
  const rows = [{ row: 1, split: 'train' as const, example: { kind: 'conversation' as const, messages: [] } }]
  await expect(startTraining(jobFor('empty'), rows, {}).done).rejects.toMatchObject({
    kind: 'BadExample',
    message: /train on nothing/,
  })
})

test('what a handler throws (a full disk under the library) ends the run', async () => {
  const training = startTraining(jobFor('full'), rowsFor('sft'), {
    onCheckpoint() {
      throw new Error('disk full')
    },
  })
  await expect(training.done).rejects.toThrow('disk full')
})
