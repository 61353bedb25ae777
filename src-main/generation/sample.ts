// From the scores of a vocabulary to one token: repetition penalty (Keskar et al. 2019), temperature, top-k (Fan et al.
// 2018), top-p (Holtzman et al. 2020), in transformers' order. Temperature 0 takes the highest score; of equals, the lower id.
// Left out: min-p, typical, beams.
import type { SamplingSettings } from '../contract/records.ts'
import type { Random } from '../engine/random.ts'

/** A TokenChoice without its text, which only a tokenizer knows. Log-probabilities are the model's own, at temperature 1. */
export interface Choice {
  token: number
  logprob: number // nats
  top: { token: number; logprob: number }[]
}

export type SampleSettings = Pick<SamplingSettings, 'temperature' | 'topK' | 'topP' | 'repetitionPenalty'>

/** Draws one token. `scores` [V] is only read; `seen` are the tokens that the penalty punishes. */
export function sampleToken(
  scores: Float32Array,
  settings: SampleSettings,
  seen: Iterable<number>,
  random: Random,
): number {
  const { temperature, topK, topP, repetitionPenalty } = settings
  const punished = repetitionPenalty === 1 ? scores : punish(scores, seen, repetitionPenalty)
  const best = highest(punished)
  if (temperature === 0 || topK === 1) return best
  const weights = new Float64Array(punished.length)
  const most = punished[best]!
  for (let token = 0; token < weights.length; token++)
    weights[token] = Math.exp((punished[token]! - most) / temperature)
  if (topK > 0 || topP < 1) keepLikeliest(weights, topK, topP)
  return random.categorical(weights)
}

/** Leaves the `topK` largest weights (0: all), and of those the fewest that make up `topP` of their sum; the rest become 0. */
function keepLikeliest(weights: Float64Array, topK: number, topP: number): void {
  const V = weights.length
  // A nucleus is nearly always small: look among the largest first, and sort the whole vocabulary only where it is not.
  let sorted = largest(weights, Math.min(V, topK > 0 ? topK : 512))
  let count = sorted.length
  if (topP < 1) {
    const wanted = topP * (topK > 0 ? sumOf(sorted) : sumOf(weights))
    let found = nucleus(sorted, wanted)
    if (found === null && topK === 0 && sorted.length < V) {
      sorted = Float64Array.from(weights).sort().reverse()
      found = nucleus(sorted, wanted)
    }
    count = found ?? sorted.length
  }
  const least = sorted[count - 1]!
  let ties = 0 // of the kept ones; of equal weights the lower ids stay
  while (ties < count && sorted[count - 1 - ties] === least) ties++
  for (let token = 0; token < V; token++)
    if (weights[token]! < least || (weights[token] === least && ties-- <= 0)) weights[token] = 0
}

function sumOf(values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}

/** How many of the sorted weights reach `wanted`; null if all together do not. */
function nucleus(sorted: Float64Array, wanted: number): number | null {
  let sum = 0
  for (let count = 1; count <= sorted.length; count++) if ((sum += sorted[count - 1]!) >= wanted) return count
  return null
}

/** The `count` largest values, falling: a heap whose root is the least of those kept so far. */
function largest(values: Float64Array, count: number): Float64Array {
  const heap = values.slice(0, count).sort() // a rising array is a heap
  for (let i = count; i < values.length; i++) {
    const value = values[i]!
    if (value <= heap[0]!) continue
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child + 1 < count && heap[child + 1]! < heap[child]!) child++
      if (child >= count || heap[child]! >= value) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = value
  }
  return heap.sort().reverse()
}

function punish(scores: Float32Array, seen: Iterable<number>, penalty: number): Float32Array {
  const punished = Float32Array.from(scores)
  for (const token of new Set(seen))
    punished[token] = scores[token]! > 0 ? scores[token]! / penalty : scores[token]! * penalty
  return punished
}

function highest(scores: Float32Array): number {
  let best = 0
  for (let token = 1; token < scores.length; token++) if (scores[token]! > scores[best]!) best = token
  return best
}

/** What the model thought at this place: the chosen token's log-probability and the `count` likeliest tokens. */
export function explainChoice(scores: Float32Array, token: number, count: number): Choice {
  const most = scores[highest(scores)]!
  let sum = 0
  for (let other = 0; other < scores.length; other++) sum += Math.exp(scores[other]! - most)
  const logSum = most + Math.log(sum)
  const top: number[] = [] // sorted, at most `count`
  for (let other = 0; other < scores.length; other++) {
    if (top.length === count && (count === 0 || scores[other]! <= scores[top.at(-1)!]!)) continue
    const place = top.findIndex((one) => scores[other]! > scores[one]!)
    top.splice(place === -1 ? top.length : place, 0, other)
    if (top.length > count) top.pop()
  }
  return {
    token,
    logprob: scores[token]! - logSum,
    top: top.map((one) => ({ token: one, logprob: scores[one]! - logSum })),
  }
}
