import { expect, test } from 'vitest'
import { createRandom, resumeRandom } from '../../../src-main/engine/random.ts'

const take = (count: number, next: () => number): number[] => Array.from({ length: count }, next)

test('a seed and a stream always give the same numbers, others give others', () => {
  const first = take(5, createRandom(7).uniform)
  expect(take(5, createRandom(7).uniform)).toEqual(first)
  for (const other of [createRandom(8), createRandom(7, 1), createRandom(7 + 2 ** 32)])
    expect(take(5, other.uniform)).not.toEqual(first)
})

test('a generator resumes from its state as plain JSON', () => {
  const random = createRandom(3)
  take(9, random.normal)
  const state = JSON.parse(JSON.stringify(random.state())) as ReturnType<typeof random.state>
  expect(take(20, resumeRandom(state).uniform)).toEqual(take(20, random.uniform))
})

test('seeds and streams next to one another are unrelated', () => {
  const count = 4000
  for (const [a, b] of [
    [createRandom(1), createRandom(2)],
    [createRandom(1, 1), createRandom(1, 2)],
  ] as const) {
    const product = take(count, () => a.normal() * b.normal()).reduce((x, y) => x + y, 0) / count
    expect(Math.abs(product)).toBeLessThan(4 / Math.sqrt(count))
  }
})

test('uniform and normal have their means and deviations', () => {
  const random = createRandom(11)
  const count = 50_000
  const stats = (values: number[]): [number, number] => {
    const mean = values.reduce((a, b) => a + b, 0) / count
    return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / count)]
  }
  const uniform = take(count, random.uniform)
  expect(uniform.every((x) => x >= 0 && x < 1)).toBe(true)
  expect(stats(uniform)[0]).toBeCloseTo(0.5, 2)
  expect(stats(uniform)[1]).toBeCloseTo(Math.sqrt(1 / 12), 2)
  const [mean, deviation] = stats(take(count, random.normal))
  expect(Math.abs(mean)).toBeLessThan(0.02)
  expect(deviation).toBeCloseTo(1, 1)
})

test('shuffle keeps every item and favours no place', () => {
  const random = createRandom(5)
  const firsts = [0, 0, 0, 0]
  for (let i = 0; i < 8000; i++) {
    const items = random.shuffle([0, 1, 2, 3])
    expect(new Set(items).size).toBe(4)
    firsts[items[0]!]!++
  }
  for (const count of firsts) expect(Math.abs(count - 2000)).toBeLessThan(200)
})

test('categorical follows its weights and never draws a zero', () => {
  const random = createRandom(6)
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 10_000; i++) counts[random.categorical([1, 0, 3, 0])]!++
  expect([counts[1], counts[3]]).toEqual([0, 0])
  expect(Math.abs(counts[0]! - 2500)).toBeLessThan(200)
})
