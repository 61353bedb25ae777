// How long the rows of a data set are for one model: tokens, trained tokens, what the limit cuts off. Rows are rendered
// whole and cut here, so that a person sees how long the longest really is.
import { Failure } from '../contract/errors.ts'
import type { Example } from '../contract/records.ts'
import { renderExample, type RenderOptions, type TextModel } from '../text/render.ts'

export interface LengthStatistics {
  rows: number
  /** Tokens of an epoch, after the cut; a preference counts as two sequences that share their prompt's text. */
  tokens: number
  trained: number
  /** Rows that the limit shortens. */
  truncated: number
  /** Rows that teach nothing: no answer tokens, or all of them cut off. */
  untrained: number
  /** Rows that cannot be rendered, with the reasons, the commonest first. */
  unusable: { reason: string; count: number }[]
  /** The longest sequence before the cut, and how many rows lie under a length (before the cut): powers of two. */
  longest: number
  histogram: { below: number; rows: number }[]
}

/** Counts example by example, so that the caller can rest in between. */
export function countLengths(
  model: TextModel,
  options: RenderOptions,
): { add: (example: Example) => void; statistics: () => LengthStatistics } {
  const whole = { ...options, maxTokens: Number.MAX_SAFE_INTEGER }
  const total = { rows: 0, tokens: 0, trained: 0, truncated: 0, untrained: 0, longest: 0 }
  const reasons = new Map<string, number>()
  const bins = new Map<number, number>()
  const count = (length: number, tokens: number, trained: number): void => {
    total.tokens += tokens
    total.trained += trained
    if (length > options.maxTokens) total.truncated++
    if (trained === 0) total.untrained++
    total.longest = Math.max(total.longest, length)
    const below = 2 ** Math.ceil(Math.log2(length + 1))
    bins.set(below, (bins.get(below) ?? 0) + 1)
  }
  return {
    add: (example) => {
      total.rows++
      let rendered
      try {
        rendered = renderExample(example, model, whole)
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'BadExample') throw error
        reasons.set(error.message, (reasons.get(error.message) ?? 0) + 1)
        return
      }
      if (rendered.kind === 'sequence') {
        const kept = Math.min(rendered.tokens.length, options.maxTokens)
        count(rendered.tokens.length, kept, sum(rendered.lossMask.subarray(0, kept)))
      } else {
        const prompt = rendered.prompt.length
        const room = Math.max(0, options.maxTokens - prompt)
        const [chosen, rejected] = [Math.min(room, rendered.chosen.length), Math.min(room, rendered.rejected.length)]
        const length = prompt + Math.max(rendered.chosen.length, rendered.rejected.length)
        const teaches = Math.min(chosen, rejected) > 0
        const tokens = 2 * Math.min(prompt, options.maxTokens) + chosen + rejected
        count(length, tokens, teaches ? chosen + rejected : 0)
      }
    },
    statistics: () => ({
      ...total,
      unusable: [...reasons].map(([reason, n]) => ({ reason, count: n })).sort((a, b) => b.count - a.count),
      histogram: [...bins].map(([below, rows]) => ({ below, rows })).sort((a, b) => a.below - b.below),
    }),
  }
}

function sum(mask: Uint8Array): number {
  let ones = 0
  for (const one of mask) ones += one
  return ones
}
