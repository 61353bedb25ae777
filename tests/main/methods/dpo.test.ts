import { expect, test } from 'vitest'
import { dpo } from '../../../src-main/methods/dpo.ts'
import type { Scored } from '../../../src-main/methods/method.ts'
import { worstDerivative } from './finite-differences.ts'

/** One pair whose answers have these summed log-probabilities, spread over |chosen| = 5 and |rejected| = 8 tokens. */
function pair(chosen: number, rejected: number, reference: [number, number]): Scored {
  const offsets = Int32Array.from([0, 7, 16]) // prompts of 2 and 1 tokens, not scored
  const scored = new Uint8Array(16).fill(1)
  scored.set([0, 0], 0)
  scored[7] = 0
  const logprobs = new Float32Array(16)
  logprobs.fill(chosen / 5, 2, 7)
  logprobs.fill(rejected / 8, 8, 16)
  return { offsets, scored, logprobs, reference: Float64Array.from(reference) }
}

test('equals the number computed by hand from the paper’s formula', () => {
  // log p: -10 and -12; reference: -11 and -11.5; beta 0.1, so the margin is 0.1 * (1 - -0.5) = 0.15
  const loss = dpo.loss(pair(-10, -12, [-11, -11.5]), { beta: 0.1, nllWeight: 0 })
  expect(loss.sum).toBeCloseTo(0.6209570478, 6)
  expect(loss.weight).toBe(1)
  expect(loss.metrics['rewards-chosen']).toBeCloseTo(0.1, 6)
  expect(loss.metrics['rewards-rejected']).toBeCloseTo(-0.05, 6)
  expect(loss.metrics['margin']).toBeCloseTo(0.15, 6)
  expect(loss.metrics['accuracy']).toBe(1)
})

test('the likelihood term is the chosen answer’s mean negative log-likelihood', () => {
  const without = dpo.loss(pair(-10, -12, [-11, -11.5]), { beta: 0.1, nllWeight: 0 })
  const with2 = dpo.loss(pair(-10, -12, [-11, -11.5]), { beta: 0.1, nllWeight: 2 })
  expect(with2.sum - without.sum).toBeCloseTo((2 * 10) / 5, 5)
})

test('begins at log 2 with no accuracy, where policy and reference agree', () => {
  const loss = dpo.loss(pair(-10, -12, [-10, -12]), { beta: 0.1, nllWeight: 0 })
  expect(loss.sum).toBeCloseTo(Math.log(2), 6)
  expect(loss.metrics['accuracy']).toBe(0)
})

test('its derivative is that of its sum, with and without the likelihood term', () => {
  for (const nllWeight of [0, 1.5])
    expect(worstDerivative(dpo, pair(-10, -12, [-11, -11.5]), { beta: 0.3, nllWeight })).toBeLessThan(1e-3)
})

test('stays a number when a pair is hopelessly wrong', () => {
  const loss = dpo.loss(pair(-9000, -1, [-1, -9000]), { beta: 1, nllWeight: 0 })
  expect(loss.sum).toBeCloseTo(17998, 0)
  expect(loss.dLogprobs.every(Number.isFinite)).toBe(true)
})
