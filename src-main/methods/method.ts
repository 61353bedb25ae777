// What every way to learn states about itself. A method is plain arithmetic over log-probabilities: it knows no tensor, no
// model and no file, so its page can be read alone and tested by finite differences.
import type { ExampleKind, Method as MethodName } from '../contract/records.ts'
import type { Options, OptionValue } from '../contract/options.ts'

/** What a model said about a batch of B sequences, laid end to end on one axis of N tokens. */
export interface Scored {
  offsets: Int32Array // [B+1] where each sequence begins; the last is N
  scored: Uint8Array // [N] 1 where the token counts
  logprobs: Float32Array // [N] log p(token | the tokens before it), in nats; read only where scored
  /** [B] sums of the reference model's log-probabilities over the scored tokens; null where the method needs none. */
  reference: Float64Array | null
}

/** A loss is a sum and the weight to divide it by, never a mean: only so do unequal micro-batches add up exactly. */
export interface Loss {
  sum: number
  weight: number
  /** [N] derivative of `sum` by each log-probability. */
  dLogprobs: Float32Array
  /** Further sums to be divided by the same weight, by name: "margin". */
  metrics: Record<string, number>
}

export interface Method {
  readonly name: MethodName
  readonly title: string
  readonly paper: string
  /** Kinds of example that it can learn from. */
  readonly reads: readonly ExampleKind[]
  /** Sequences that one row becomes, side by side in the batch: DPO's chosen and rejected are two. */
  readonly sequencesPerRow: 1 | 2
  readonly needsReference: boolean
  /** What one unit of weight is: "token", "pair". */
  readonly unit: string
  readonly options: Options
  loss(batch: Scored, values: Readonly<Record<string, OptionValue>>): Loss
}

/** Sums of the scored log-probabilities of each sequence, and how many tokens each sum has. */
export function sequenceSums(batch: Pick<Scored, 'offsets' | 'scored' | 'logprobs'>): {
  sums: Float64Array // [B] nats
  lengths: Int32Array // [B] scored tokens
} {
  const count = batch.offsets.length - 1
  const sums = new Float64Array(count)
  const lengths = new Int32Array(count)
  for (let b = 0; b < count; b++)
    for (let i = batch.offsets[b]!; i < batch.offsets[b + 1]!; i++)
      if (batch.scored[i] === 1) {
        sums[b]! += batch.logprobs[i]!
        lengths[b]!++
      }
  return { sums, lengths }
}

/** log(1 / (1 + exp(-x))) without overflow on either side. */
export function logSigmoid(x: number): number {
  return x >= 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x))
}

export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))
}
