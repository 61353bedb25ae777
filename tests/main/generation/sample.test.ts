import { expect, test } from 'vitest'
import { createRandom } from '../../../src-main/engine/random.ts'
import { explainChoice, sampleToken } from '../../../src-main/generation/sample.ts'
import type { SampleSettings } from '../../../src-main/generation/sample.ts'

const plain: SampleSettings = { temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }
const shares = [0.5, 0.25, 0.15, 0.07, 0.03]
const scores = Float32Array.from(shares, Math.log)

function frequencies(settings: Partial<SampleSettings>, seen: number[] = []): number[] {
  const random = createRandom(1)
  const counts = shares.map(() => 0)
  for (let i = 0; i < 20_000; i++) counts[sampleToken(scores, { ...plain, ...settings }, seen, random)]!++
  return counts.map((count) => count / 20_000)
}
function near(found: number[], expected: number[]): void {
  found.forEach((share, i) => expect(Math.abs(share - expected[i]!), `token ${i}`).toBeLessThan(0.012))
}

test('tokens come as often as the model says', () => near(frequencies({}), shares))
test('a low temperature sharpens', () => {
  const squares = shares.map((p) => p * p)
  const sum = squares.reduce((a, b) => a + b)
  near(
    frequencies({ temperature: 0.5 }),
    squares.map((p) => p / sum),
  )
})
test('top-k leaves the k likeliest', () => near(frequencies({ topK: 2 }), [2 / 3, 1 / 3, 0, 0, 0]))
test('top-p leaves the fewest that reach the share', () => {
  near(frequencies({ topP: 0.7 }), [2 / 3, 1 / 3, 0, 0, 0])
  near(frequencies({ topP: 0.01 }), [1, 0, 0, 0, 0])
})
test('of equal tokens the lower ids stay, and a wide nucleus is found in a large vocabulary', () => {
  const random = createRandom(3)
  const flat = new Float32Array(5000)
  const drawn = (settings: Partial<SampleSettings>): number[] =>
    Array.from({ length: 3000 }, () => sampleToken(flat, { ...plain, ...settings }, [], random))
  expect(Math.max(...drawn({ topK: 3 }))).toBe(2)
  expect(Math.max(...drawn({ topP: 0.5 }))).toBeLessThan(2500)
  expect(Math.max(...drawn({ topP: 0.5 }))).toBeGreaterThan(2400)
  expect(Math.max(...drawn({ topK: 10, topP: 0.5 }))).toBe(4)
})
test('the k likeliest are the same as by sorting', () => {
  const random = createRandom(4)
  const scores = new Float32Array(2000).map(() => random.normal())
  const sorted = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!)
  for (const topK of [2, 7, 64]) {
    const drawn = new Set(
      Array.from({ length: 4000 }, () => sampleToken(scores, { ...plain, temperature: 9, topK }, [], random)),
    )
    expect([...drawn].sort()).toEqual(sorted.slice(0, topK).sort())
  }
})
test('the penalty divides what is above zero and multiplies what is below', () => {
  const random = createRandom(1)
  const settings = { ...plain, temperature: 0, repetitionPenalty: 2 }
  expect(sampleToken(Float32Array.of(4, 3, -1), settings, [0], random)).toBe(1)
  expect(sampleToken(Float32Array.of(-1, -1.5, -9), settings, [0], random)).toBe(1)
})
test('a choice is explained with the likeliest tokens in order', () => {
  const { logprob, top } = explainChoice(Float32Array.of(0, 2, 1, 2), 2, 3)
  expect(logprob).toBeCloseTo(1 - Math.log(1 + Math.E + 2 * Math.E ** 2), 6)
  expect(top.map(({ token }) => token)).toEqual([1, 3, 2])
  expect(explainChoice(scores, 0, 0).top).toEqual([])
})
