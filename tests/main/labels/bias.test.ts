import { expect, test } from 'vitest'
import { biasOf, medianOf, wilson } from '../../../src-main/labels/bias.ts'
import type { JudgedFigures } from '../../../src-main/store/pairs.ts'

test('the interval equals Wilson’s worked by hand, and stays inside 0 to 1', () => {
  // 7 of 10: centre (0.7 + 3.8415 / 20) / 1.38415, half-width 1.96 * sqrt(0.021 + 0.0096) / 1.38415
  const { low, high } = wilson(7, 10)
  expect(low).toBeCloseTo(0.3968, 4)
  expect(high).toBeCloseTo(0.8922, 4)
  expect(wilson(0, 5).low).toBe(0)
  expect(wilson(0, 5).high).toBeCloseTo(0.4345, 4)
  expect(wilson(5, 5)).toEqual({ low: 1 - wilson(0, 5).high, high: 1 })
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 })
})

test('the median is the middle, or half way between two middles', () => {
  expect(medianOf([])).toBeNull()
  expect(medianOf([9, 1, 5])).toBe(5)
  expect(medianOf([10, 1, 5, 2])).toBe(3.5)
})

test('ties, both-bad and skips decide nothing; pairs of equal length say nothing of length', () => {
  const one = (verdict: JudgedFigures['verdict'], lengthA: number, lengthB: number, tookMs = 1000): JudgedFigures => ({
    ...{ verdict, lengthA, lengthB, tookMs },
    differ: true,
  })
  const { side, length, medianMs, trainable } = biasOf([
    one(1, 10, 20), // left, shorter
    one(3, 30, 20), // left, longer
    one(6, 10, 20, 3000), // right, longer
    one(7, 10, 10), // right, neither
    one(4, 10, 20),
    one('both-bad', 1, 2),
    one('skip', 1, 2, 99_000),
  ])
  expect(side).toMatchObject({ left: 2, decided: 4 })
  expect(length).toMatchObject({ longer: 2, decided: 3 })
  expect(medianMs).toBe(1000)
  expect(trainable).toBe(4)
})
