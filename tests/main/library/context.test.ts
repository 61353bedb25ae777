import { expect, test } from 'vitest'
import { toWire } from '../../../src-main/contract/errors.ts'
import { createJobs } from '../../../src-main/library/context.ts'

test('closing stops jobs and what they start on the way out, waits for all, and lets none begin afterwards', async () => {
  const jobs = createJobs(() => {}, toWire)
  const said: string[] = []
  jobs.start(async (signal) => {
    await new Promise((done) => signal.addEventListener('abort', done))
    jobs.start((late) => Promise.resolve(void said.push(late.aborted ? 'late, stopped' : 'late, going')))
    said.push('first')
  })
  await new Promise((next) => setImmediate(() => setImmediate(next)))
  await jobs.close()
  expect(said).toEqual(['first', 'late, stopped'])
  expect(() => jobs.start(() => Promise.resolve())).toThrow('closing')
})
