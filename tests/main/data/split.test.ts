import { expect, test } from 'vitest'
import type { Example } from '../../../src-main/contract/records.ts'
import { splitOf } from '../../../src-main/data/split.ts'

const rows: Example[] = Array.from({ length: 5_000 }, (_, i) => ({ kind: 'text', text: `Row ${i}.` }))
const heldOut = (seed: number, ratio: number): number[] =>
  rows.flatMap((row, i) => (splitOf(row, seed, ratio) === 'held-out' ? [i] : []))

test('about as many rows are held out as asked for', () => {
  // Binomial: 5,000 rows at 10% are 500, give or take 21; five times that is a miss in two million tries.
  expect(Math.abs(heldOut(1, 0.1).length - 500)).toBeLessThan(106)
  expect(heldOut(1, 0)).toEqual([])
  expect(heldOut(1, 1)).toHaveLength(5_000)
})

test('the same seed gives the same split, another seed another', () => {
  expect(heldOut(1, 0.1)).toEqual(heldOut(1, 0.1))
  const [a, b] = [heldOut(1, 0.1), new Set(heldOut(2, 0.1))]
  expect(a.filter((i) => b.has(i)).length).toBeLessThan(120) // 50 expected by chance
})

test('equal rows stand on the same side, however they were put together', () => {
  const a: Example = {
    kind: 'thumb',
    prompt: [{ role: 'user', content: 'Q' }],
    response: [{ role: 'assistant', content: 'A' }],
    good: true,
  }
  const b: Example = {
    good: true,
    response: [{ content: 'A', role: 'assistant' }],
    prompt: [{ content: 'Q', role: 'user' }],
    kind: 'thumb',
  }
  for (let seed = 0; seed < 64; seed++) expect(splitOf(a, seed, 0.5)).toBe(splitOf(b, seed, 0.5))
})

test('a larger ratio keeps holding out what a smaller one did', () => {
  const large = new Set(heldOut(3, 0.2))
  expect(heldOut(3, 0.1).every((i) => large.has(i))).toBe(true)
})

test('two answers to one question stand on the same side, in every kind that has a question', () => {
  const prompt = [{ role: 'user' as const, content: 'Q' }]
  const say = (content: string) => [{ role: 'assistant' as const, content }]
  const same: Example[] = [
    { kind: 'completion', prompt, response: say('A') },
    { kind: 'thumb', prompt, response: say('B'), good: false },
    { kind: 'preference', prompt, chosen: say('C'), rejected: say('D') },
    { kind: 'prompt', prompt },
    { kind: 'conversation', messages: [...prompt, ...say('E'), ...prompt, ...say('F')] },
  ]
  for (let seed = 0; seed < 64; seed++) expect(new Set(same.map((one) => splitOf(one, seed, 0.5))).size).toBe(1)
})
