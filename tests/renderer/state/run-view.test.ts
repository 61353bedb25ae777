import { expect, test } from 'vitest'
import { axisOf, linesOf } from '../../../src-renderer/state/run-view.svelte.ts'

const metric = (step: number, value: number, name = 'train/loss') => ({
  step,
  name,
  value,
  atMs: step * 500,
  tokens: step * 100,
})

test('metrics become one line a name, in the order of steps', () => {
  const lines = linesOf([metric(2, 2), metric(1, 3), metric(1, 0.1, 'gradient-norm')])
  expect(lines['train/loss']!.values).toEqual([3, 2])
  expect(lines['gradient-norm']!.steps).toEqual([1])
})

test('after a resume, a step counts as it was told last', () => {
  const lines = linesOf([metric(1, 3), metric(2, 2), metric(3, 1.5), metric(2, 2.2)])
  expect(lines['train/loss']!.values).toEqual([3, 2.2, 1.5])
})

test('a line can be read by step, tokens or seconds', () => {
  const line = linesOf([metric(1, 3), metric(4, 2)])['train/loss']!
  expect(axisOf(line, 'step')).toEqual([1, 4])
  expect(axisOf(line, 'tokens')).toEqual([100, 400])
  expect(axisOf(line, 'time')).toEqual([0.5, 2])
})

test('a long line is thinned and keeps its ends', () => {
  const lines = linesOf(Array.from({ length: 9001 }, (_, i) => metric(i, i)))
  const { steps, values } = lines['train/loss']!
  expect(steps.length).toBeLessThanOrEqual(4000)
  expect(steps[0]).toBe(0)
  expect(values.at(-1)).toBe(9000)
})
