import { expect, test } from 'vitest'
import { sft } from '../../../src-main/methods/sft.ts'
import { worstDerivative } from './finite-differences.ts'

const batch = {
  offsets: Int32Array.from([0, 3, 7]),
  scored: Uint8Array.from([0, 1, 1, 0, 0, 1, 1]),
  logprobs: Float32Array.from([0, -0.5, -1.25, 0, -99, -2, -0.25]),
  reference: null,
}

test('adds up -log p of the trained tokens only, and weighs by their number', () => {
  const loss = sft.loss(batch, {})
  expect(loss.sum).toBeCloseTo(0.5 + 1.25 + 2 + 0.25, 6)
  expect(loss.weight).toBe(4)
  expect([...loss.dLogprobs]).toEqual([0, -1, -1, 0, 0, -1, -1])
})

test('its derivative is that of its sum', () => {
  expect(worstDerivative(sft, batch, {})).toBeLessThan(1e-6)
})
