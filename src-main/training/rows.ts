// One example as the rows that a method trains on: one sequence, or a pair's two with the prompt in each.
import { Failure } from '../contract/errors.ts'
import type { Example } from '../contract/records.ts'
import type { Sequence, TrainingRow } from '../data/batch.ts'
import { renderExample } from '../text/render.ts'
import type { RenderOptions, TextModel } from '../text/render.ts'

/** `left`: why the row cannot be learned from. */
export type RenderedRow = { row: TrainingRow; truncated: boolean } | { row: null; truncated: boolean; left: string }

/** Renders row number `row`. An example that the template refuses is left out with its reason, not thrown. */
export function renderRow(row: number, example: Example, text: TextModel, options: RenderOptions): RenderedRow {
  try {
    const rendered = renderExample(example, text, options)
    const { truncated } = rendered
    if (rendered.trained === 0) {
      const left = truncated ? 'the cut leaves nothing of the answer' : 'it has no answer to learn'
      return { row: null, truncated, left }
    }
    const sequences =
      rendered.kind === 'sequence'
        ? [{ tokens: rendered.tokens, lossMask: rendered.lossMask }]
        : [rendered.chosen, rendered.rejected].map((answer) => answered(rendered.prompt, answer))
    return { row: { row, sequences }, truncated }
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'BadExample') throw error
    return { row: null, truncated: false, left: error.message }
  }
}

function answered(prompt: Int32Array, answer: Int32Array): Sequence {
  const tokens = new Int32Array(prompt.length + answer.length)
  tokens.set(prompt)
  tokens.set(answer, prompt.length)
  const lossMask = new Uint8Array(tokens.length).fill(1, prompt.length)
  if (tokens.length > 0) lossMask[0] = 0
  return { tokens, lossMask }
}
