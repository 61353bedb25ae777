import { expect, test } from 'vitest'
import { perplexityOf, windowsOf } from '../../../src-main/eval/perplexity.ts'
import type { Tokenizer } from '../../../src-main/text/tokenizer.ts'
import { tinyConfig } from '../training/tiny.ts'

const tokenizer = { decode: (ids: ArrayLike<number>) => 'ab'.repeat(ids.length) } as Tokenizer
/** A model that finds every token as likely as one in eight. */
const even = {
  config: { ...tinyConfig, maxPositionEmbeddings: 8 },
  forward: (batch: { tokens: Int32Array }) =>
    Promise.resolve({ logprobs: new Float32Array(batch.tokens.length).fill(-Math.log(8)) }),
}
const sequence = (length: number, prompt: number) => ({
  tokens: Int32Array.from({ length }, (_, i) => i),
  lossMask: Uint8Array.from({ length }, (_, i) => (i >= prompt ? 1 : 0)),
})

test('an even guess among eight has perplexity 8, and three bits for every token’s bytes', async () => {
  const found = await perplexityOf(even, tokenizer, [sequence(6, 2), sequence(20, 1)])
  expect(found.tokens).toBe(4 + 19)
  expect(found.perplexity).toBeCloseTo(8, 5)
  expect(found.bitsPerByte).toBeCloseTo(3 / 2, 5)
})

test('a long text is read in windows in which every token but the first counts once', () => {
  const windows = windowsOf(sequence(20, 1), 8)
  expect(windows.every((one) => one.tokens.length <= 8)).toBe(true)
  const scored = windows.flatMap((one) => [...one.tokens].filter((_, i) => one.lossMask[i] === 1))
  expect(scored).toEqual(Array.from({ length: 19 }, (_, i) => i + 1))
})
