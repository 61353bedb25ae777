// What a batch is, and what is read off it before any number moves: positions, who sees whom, which rows are scored.
import { Failure } from '../contract/errors.ts'
import type { Segments } from '../engine/backend.ts'
import type { ModelConfig } from './config.ts'

/** B sequences one after another: sequence b is tokens[offsets[b] .. offsets[b+1]). */
export interface Batch {
  tokens: Int32Array // [N]
  offsets: Int32Array // [B+1]
  /** 1 where the log-probability of this token, given those before it in its sequence, is wanted. Never a first token. */
  scored: Uint8Array // [N]
}

/** Row n scores token n+1. */
export interface Wanted {
  rows: Int32Array // [M]
  targets: Int32Array // [M]
}

/** The rows whose next token is scored, and those tokens. */
export function wantedRows({ tokens, scored }: Batch): Wanted {
  const rows = Int32Array.from(
    Array.from(scored.keys()).filter((n) => scored[n] === 1),
    (n) => n - 1,
  )
  return { rows, targets: rows.map((row) => tokens[row + 1]!) }
}

/** Each token's place in its sequence, and the segments of attention. Throws BadExample, ModelMismatch. */
export function checkBatch(
  { tokens, offsets, scored }: Batch,
  config: ModelConfig,
): { positions: Int32Array; segments: Segments } {
  const positions = new Int32Array(tokens.length)
  const segments = new Int32Array(4 * (offsets.length - 1))
  for (let b = 0; b + 1 < offsets.length; b++) {
    const start = offsets[b]!
    const length = offsets[b + 1]! - start
    if (length > config.maxPositionEmbeddings)
      throw new Failure(
        'BadExample',
        `A sequence has ${length} tokens; the model’s context holds ${config.maxPositionEmbeddings}.`,
        {
          where: `sequence ${b + 1} of the batch`,
          next: 'Shorten the example, or set a smaller maximum length.',
        },
      )
    if (length > 0 && scored[start] === 1)
      throw new Failure('Bug', 'The first token of a sequence has nothing before it and cannot be scored.', {
        where: `sequence ${b + 1} of the batch`,
      })
    segments.set([start, length, start, length], 4 * b)
    for (let j = 0; j < length; j++) positions[start + j] = j
  }
  if (offsets.at(-1) !== tokens.length || scored.length !== tokens.length)
    throw new Failure('Bug', 'tokens, offsets and scored of a batch do not fit together.', {
      where: 'Transformer.forward',
    })
  checkTokens(tokens, config)
  return { positions, segments }
}

export function checkTokens(tokens: Int32Array, config: ModelConfig): void {
  const outside = tokens.find((id) => id < 0 || id >= config.vocabSize)
  if (outside !== undefined)
    throw new Failure('ModelMismatch', `Token ${outside} is outside the model’s vocabulary of ${config.vocabSize}.`, {
      next: 'Use the tokenizer that came with the model.',
    })
}
