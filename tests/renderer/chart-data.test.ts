// The arithmetic behind a chart: hand numbers.
import { expect, test } from 'vitest'
import {
  canLog,
  evenTicks,
  smooth,
  summarise,
  tableRows,
  ticksTo,
  valueAt,
  type ChartSeries,
} from '../../src-renderer/parts/chart-data.ts'
import { temperColour } from '../../src-renderer/parts/temper.ts'

const line = (y: number[], more: Partial<ChartSeries> = {}): ChartSeries => ({
  id: 'a',
  name: 'first-run',
  split: 'train',
  colour: 1,
  x: y.map((_, i) => (i + 1) * 10),
  y,
  ...more,
})

test('smoothing is corrected at the start: no pull towards zero', () => {
  expect(smooth([4, 4, 4], 0.9)).toEqual([4, 4, 4].map((v) => expect.closeTo(v, 12)))
  // (0.5·0.5·2 + 0.5·4) / (1 − 0.25) = 2.5 / 0.75
  expect(smooth([2, 4], 0.5)[1]).toBeCloseTo(10 / 3, 12)
  expect(smooth([2, 4], 0)).toEqual([2, 4])
})

test('a value that is not a number is passed over and does not spread', () => {
  const soft = smooth([1, NaN, 1], 0.8)
  expect(soft[1]).toBeNaN()
  expect(soft[2]).toBeCloseTo(1, 12)
})

test('ticks are round and end at the planned end', () => {
  expect(ticksTo(0, 1500, 6)).toEqual([0, 250, 500, 750, 1000, 1250, 1500])
  expect(ticksTo(0, 137, 6).at(-1)).toBe(137)
  expect(ticksTo(0, 137, 6)).toEqual([0, 25, 50, 75, 100, 137])
  expect(ticksTo(0, 0, 5)).toEqual([0])
})

test('ticks of one axis have the same decimals', () => {
  expect(evenTicks([1.5, 2, 2.5])).toEqual(['1.5', '2.0', '2.5'])
  expect(evenTicks([0, 5000])).toEqual(['0', '5,000'])
  expect(evenTicks([0, 0.0005])).toEqual(['0', '5e-4'])
})

test('the value at a place is the last one measured there or before', () => {
  const one = line([3, 2, 1])
  expect(valueAt(one, 5)).toBeNull()
  expect(valueAt(one, 10)).toBe(3)
  expect(valueAt(one, 29)).toBe(2)
  expect(valueAt(one, 999)).toBe(1)
})

test('a logarithmic scale is refused as soon as a value reaches zero', () => {
  expect(canLog([line([1, 0.1])])).toBe(true)
  expect(canLog([line([1, 0])])).toBe(false)
})

test('the table keeps the last point and at most as many rows as asked', () => {
  const rows = tableRows([line(Array.from({ length: 501 }, (_, i) => i))], 40)
  expect(rows.length).toBeLessThanOrEqual(40)
  expect(rows.at(-1)).toEqual({ x: 5010, values: [500] })
})

test('a screen reader hears each line’s first and last value', () => {
  expect(summarise('Loss, nats per token', [line([3.41, 1.77])])).toBe(
    'Loss, nats per token. first-run, train: from 3.41 to 1.77, 2 points.',
  )
  expect(summarise('Loss', [])).toBe('Loss. No points yet.')
})

test('checkpoints run from straw to blue, however many there are', () => {
  expect(temperColour(0, 4)).toBe('var(--t1)')
  expect(temperColour(3, 4)).toBe('var(--t4)')
  expect(temperColour(0, 40)).toBe('var(--t1)')
  expect(temperColour(39, 40)).toBe('var(--t6)')
})
