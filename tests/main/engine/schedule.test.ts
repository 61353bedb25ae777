import { expect, test } from 'vitest'
import { clipByGlobalNorm } from '../../../src-main/engine/clip.ts'
import { scheduleFactor, warmupStepsOf } from '../../../src-main/engine/schedule.ts'
import type { Schedule } from '../../../src-main/engine/schedule.ts'

const curve = (schedule: Schedule): number[] =>
  Array.from({ length: schedule.steps }, (_, step) => Number(scheduleFactor(schedule, step).toFixed(4)))

test('linear falls from 1 towards 0, after a warm-up from 0, as in transformers', () => {
  expect(curve({ name: 'linear', steps: 4 })).toEqual([1, 0.75, 0.5, 0.25])
  expect(curve({ name: 'linear', steps: 6, warmupSteps: 2 })).toEqual([0, 0.5, 1, 0.75, 0.5, 0.25])
})
test('constant stays, cosine passes the middle at half', () => {
  expect(curve({ name: 'constant', steps: 3 })).toEqual([1, 1, 1])
  expect(curve({ name: 'cosine', steps: 4 })).toEqual([1, 0.8536, 0.5, 0.1464])
})
test('warm-up-stable-decay stays up and falls at the end, to a floor if there is one', () => {
  const schedule: Schedule = { name: 'warm-up-stable-decay', steps: 10, warmupSteps: 2, decayRatio: 0.4 }
  expect(curve(schedule)).toEqual([0, 0.5, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25])
  expect(curve({ ...schedule, floorRatio: 0.2 }).at(-1)).toBe(0.4)
})
test('the warm-up is a share of the run or a number of steps, which wins', () => {
  expect(warmupStepsOf({ name: 'linear', steps: 101, warmupRatio: 0.03 })).toBe(4)
  expect(warmupStepsOf({ name: 'linear', steps: 101, warmupRatio: 0.03, warmupSteps: 7 })).toBe(7)
})
test('long gradients are shortened to the limit, short ones left alone', () => {
  expect(clipByGlobalNorm(100, 0.5, 1).gradientNorm).toBe(5)
  expect(clipByGlobalNorm(100, 0.5, 1).gradientScale * 10).toBeCloseTo(1, 5)
  expect(clipByGlobalNorm(0.04, 1, 1)).toEqual({ gradientNorm: 0.2, gradientScale: 1 })
  expect(clipByGlobalNorm(100, 1, 0)).toEqual({ gradientNorm: 10, gradientScale: 1 })
})
