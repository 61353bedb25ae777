// How surprised a model is by text that it should be able to write: the mean of -log p over the tokens of the answers (all
// tokens of plain text). Perplexity is exp of it; bits per byte lets models with different vocabularies be compared.
// Texts longer than the context are read in windows that share one token, so that every token but the first counts once.
import { batchOf, microBatches } from '../data/batch.ts'
import type { Sequence, TrainingRow } from '../data/batch.ts'
import type { Transformer } from '../models/transformer.ts'
import type { Tokenizer } from '../text/tokenizer.ts'

export interface Perplexity {
  /** Tokens that counted. */
  tokens: number
  /** Mean -log p of one of them. */
  nats: number
  perplexity: number
  bitsPerByte: number
}

/** `sequences` may be longer than the context. Gives no perplexity (NaN) where nothing counts. */
export async function perplexityOf(
  model: Pick<Transformer, 'forward' | 'config'>,
  tokenizer: Tokenizer,
  sequences: readonly Sequence[],
  tokensAtOnce = 2048,
): Promise<Perplexity> {
  const rows: TrainingRow[] = sequences
    .flatMap((sequence) => windowsOf(sequence, model.config.maxPositionEmbeddings))
    .map((window, i) => ({ row: i + 1, sequences: [window] }))
  const all = Int32Array.from(rows, (_, i) => i)
  let [nats, tokens] = [0, 0]
  for (const micro of microBatches(rows, all, 1, tokensAtOnce)) {
    const batch = batchOf(rows, micro)
    const { logprobs } = await model.forward(batch, { keep: false })
    for (let i = 0; i < logprobs.length; i++)
      if (batch.scored[i] === 1) {
        nats -= logprobs[i]!
        tokens++
      }
  }
  const bytes = sequences.reduce((sum, sequence) => sum + scoredBytes(sequence, tokenizer), 0)
  return { tokens, nats: nats / tokens, perplexity: Math.exp(nats / tokens), bitsPerByte: nats / Math.LN2 / bytes }
}

/** Stretches of at most `context` tokens; each begins with the last token of the one before. */
export function windowsOf({ tokens, lossMask }: Sequence, context: number): Sequence[] {
  const windows: Sequence[] = []
  for (let from = 0; from === 0 || from + 1 < tokens.length; from += context - 1) {
    const window = { tokens: tokens.slice(from, from + context), lossMask: lossMask.slice(from, from + context) }
    window.lossMask[0] = 0
    if (window.lossMask.includes(1)) windows.push(window)
  }
  return windows
}

function scoredBytes({ tokens, lossMask }: Sequence, tokenizer: Tokenizer): number {
  const scored = tokens.filter((_, i) => i > 0 && lossMask[i] === 1)
  return new TextEncoder().encode(tokenizer.decode(scored)).length
}
