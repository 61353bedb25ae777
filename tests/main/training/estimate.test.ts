import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Plan } from '../../../src-main/contract/commands.ts'
import type { Method, Tune } from '../../../src-main/contract/records.ts'
import { countLengths } from '../../../src-main/data/encode.ts'
import { readModelFolder } from '../../../src-main/models/files/folder.ts'
import { planOf } from '../../../src-main/training/estimate.ts'
import type { PlanQuestion } from '../../../src-main/training/estimate.ts'
import { resolveFor } from '../../../src-main/training/options.ts'
import { orderFor, rowsFor, runWhole, startFolder } from './steady-run.ts'

const place = mkdtempSync(join(tmpdir(), 'temper-estimate-'))
afterAll(() => rmSync(place, { recursive: true }))

function plan(method: Method, tune: Tune, more: Partial<PlanQuestion> = {}): Plan {
  const folder = readModelFolder(startFolder)
  const options = resolveFor(method, tune, { parameters: 1e9, context: 64 }, orderFor(place, { method, tune }).options)
  const counter = countLengths(folder.text, { trainOn: 'answers', maxTokens: 64 })
  for (const { split, example } of rowsFor(method)) if (split === 'train') counter.add(example)
  return planOf({
    ...{ config: folder.config, method, tune, options, lengths: counter.statistics(), scale: 1, heldOutRows: 4 },
    ...{ measured: 1000, threads: 2, machineBytes: 8e9, freeDiskBytes: 8e9 },
    ...more,
  })
}

test.each([
  ['sft', 'lora'],
  ['sft', 'full'],
  ['dpo', 'lora'],
  ['dpo', 'full'],
] as const)('%s with %s takes the memory and the steps that the plan said', async (method, tune) => {
  const said = plan(method, tune)
  const run = await runWhole(orderFor(join(place, `${method} ${tune}`), { method, tune }))
  expect(said.ok).toBe(true)
  expect(run.peakBytes / said.peakBytes).toBeGreaterThan(0.6)
  expect(run.peakBytes / said.peakBytes).toBeLessThan(1.1)
  expect(said).toMatchObject({ steps: run.losses.length, rows: run.rows })
  expect(said.memory.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(said.peakBytes)
})

test('refuses what the machine or its disk cannot hold', () => {
  const said = plan('sft', 'full', { machineBytes: 1e4, freeDiskBytes: 1e4 })
  expect(said.problems.map((one) => one.where)).toEqual(['tokensAtOnce', 'disk'])
})

test('time follows from the measured speed', () => {
  const [slow, fast] = [plan('sft', 'lora', { measured: 100 }), plan('sft', 'lora', { measured: 200 })]
  expect(slow.estimatedMs / fast.estimatedMs).toBeCloseTo(2, 6)
  expect(slow.speedSource).toBe('measured')
  expect(plan('sft', 'lora', { measured: null }).speedSource).toBe('estimated')
})
