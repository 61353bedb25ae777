// The form of a new training against a stand-in core: what is asked, what stands in the fields, when it may start.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { api } from '../../../src-renderer/api.ts'
import { TrainingForm } from '../../../src-renderer/state/training-form.svelte.ts'
import type { Plan } from '../../../src-main/contract/commands.ts'
import { Failure } from '../../../src-main/contract/errors.ts'
import { run, testBridge } from '../bridge.ts'

const rate = { name: 'learningRate', default: 0.001, label: 'Learning rate', help: '', source: '' }
const plan = (options: Plan['options'], over: Partial<Plan> = {}): Plan => ({
  ...{ ok: true, problems: [], warnings: [], memory: [], peakBytes: 1, machineBytes: 2, steps: 120 },
  ...{ tokensPerEpoch: 10, trainedTokensPerEpoch: 5, tokensPerSecond: 1, speedSource: 'measured', estimatedMs: 1 },
  ...{ checkpointBytes: 1, checkpoints: 1, rows: 960, heldOutRows: 0, truncatedRows: 0, leftOutRows: 0 },
  ...{ longestTokens: 9, options },
  ...over,
})
const usual: Plan['options'] = {
  learningRate: { value: 0.001, from: 'preset' },
  maxSteps: { value: 120, from: 'preset' },
  rowsPerStep: { value: 32, from: 'preset' },
}

const asked: unknown[] = []
let answer: () => Plan
beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', { documentElement: { dataset: {} } })
  asked.length = 0
  answer = () => plan(usual)
  api.connect(
    testBridge({
      'train.options': () => [rate],
      'train.plan': (input) => {
        asked.push(input)
        return answer()
      },
    }),
  )
})
afterEach(() => void vi.useRealTimers())

async function filled(): Promise<TrainingForm> {
  const form = new TrainingForm()
  Object.assign(form, { start: 'm1', dataset: 'd1' })
  await form.readOptions()
  form.askForPlan()
  await vi.advanceTimersByTimeAsync(300)
  return form
}

test('what is typed is planned once, a moment after the last key', async () => {
  const form = await filled()
  for (const typed of ['3', '3e', '3e-4']) form.change('learningRate', typed)
  await vi.advanceTimersByTimeAsync(300)
  expect(asked).toHaveLength(2)
  expect(asked[1]).toMatchObject({ options: { learningRate: '3e-4' } })
  form.reset('learningRate')
  expect(form.valueOf('learningRate')).toBe('0.001')
})

test('a plan made for another model or method neither fills the fields nor allows a start', async () => {
  const form = await filled()
  expect(form.ready).toBe(true)
  form.start = 'm2'
  expect(form.ready).toBe(false)
})

test('a wrong seed or an endless name keeps it from starting, and the plan goes on without them', async () => {
  const form = await filled()
  form.seed = '1.5'
  expect(form.seedProblem).toContain('whole number')
  expect(form.ready).toBe(false)
  expect(form.request).not.toHaveProperty('seed')
  form.seed = '4294967295'
  expect(form.ready).toBe(true)
  form.name = 'x'.repeat(121)
  expect(form.ready).toBe(false)
})

test('a core that refuses to plan keeps it from starting', async () => {
  const form = await filled()
  answer = () => {
    throw new Failure('NotFound', 'There is no dataset d1.')
  }
  form.askForPlan()
  await vi.advanceTimersByTimeAsync(300)
  expect(form.ready).toBe(false)
  expect(form.failure?.message).toContain('d1')
})

test('steps that decide are told in epochs', async () => {
  const form = await filled()
  expect(form.epochsOfSteps).toBe(4)
  answer = () => plan({ ...usual, maxSteps: { value: 0, from: 'given' } })
  form.askForPlan()
  await vi.advanceTimersByTimeAsync(300)
  expect(form.epochsOfSteps).toBeNull()
})

test('training again begins with what was given then, and a change', async () => {
  const form = await filled()
  const options: Plan['options'] = { rank: { value: 4, from: 'given' }, learningRate: { value: 10, from: 'given' } }
  form.repeat({ ...run(10, 'failed'), seed: 7, options: { ...usual, ...options } }, { learningRate: '0.001' })
  expect(form.typed).toEqual({ rank: '4', learningRate: '0.001' })
  expect(form.seed).toBe('7')
})
