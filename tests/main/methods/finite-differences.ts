import type { OptionValue } from '../../../src-main/contract/options.ts'
import type { Method, Scored } from '../../../src-main/methods/method.ts'

/** The largest relative error of a method's derivative against central differences, over every log-probability. */
export function worstDerivative(method: Method, batch: Scored, values: Record<string, OptionValue>): number {
  const { dLogprobs } = method.loss(batch, values)
  const step = 1 / 64 // exact in float32 beside numbers of this size
  let worst = 0
  for (let i = 0; i < batch.logprobs.length; i++) {
    const at = (x: number): number => {
      const logprobs = batch.logprobs.slice()
      logprobs[i] = x
      return method.loss({ ...batch, logprobs }, values).sum
    }
    const [low, high] = [Math.fround(batch.logprobs[i]! - step), Math.fround(batch.logprobs[i]! + step)]
    const expected = (at(high) - at(low)) / (high - low)
    worst = Math.max(worst, Math.abs(dLogprobs[i]! - expected) / Math.max(1e-3, Math.abs(expected)))
  }
  return worst
}
