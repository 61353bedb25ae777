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

/** Below this many nats (after temperature) under the best, a token is never drawn: together they have less than 1e-7. */
const negligibleNats = 30

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

  const weight = (token: number): number => Math.exp((punished[token]! - punished[best]!) / temperature)
  const floor = punished[best]! - negligibleNats * temperature
  let candidates: number[] = []
  for (let token = 0; token < punished.length; token++) if (punished[token]! >= floor) candidates.push(token)
  if (topK > 0 || topP < 1) candidates.sort((a, b) => punished[b]! - punished[a]! || a - b)
  if (topK > 0) candidates = candidates.slice(0, topK)
  let weights = candidates.map(weight)
  if (topP < 1) weights = weights.slice(0, nucleus(weights, topP))
  return candidates[random.categorical(weights)]!
}

/** How many of the sorted weights make up at least `share` of their sum; at least one. */
function nucleus(weights: number[], share: number): number {
  const wanted = share * weights.reduce((a, b) => a + b, 0)
  let sum = 0
  for (let count = 0; count < weights.length; count++) {
    sum += weights[count]!
    if (sum >= wanted) return count + 1
  }
  return weights.length
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
  for (const score of scores) sum += Math.exp(score - most)
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
