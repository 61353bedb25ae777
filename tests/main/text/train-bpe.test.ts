import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTokenizer } from '../../../src-main/text/tokenizer.ts'
import { trainBpe, type TokenizerJson } from '../../../src-main/text/train-bpe.ts'

const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/bpe.json'), 'utf8')) as {
  vocabulary: number
  specials: string[]
  documents: string[]
  tokenizer: TokenizerJson
}

test('learns the same tokenizer.json as the Rust library does', () => {
  const ours = trainBpe(golden.documents, { vocabularySize: golden.vocabulary, specials: golden.specials })
  expect(ours.model.merges).toEqual(golden.tokenizer.model.merges)
  expect(JSON.parse(JSON.stringify(ours))).toEqual(golden.tokenizer)
})

test('puts the specials first, then every byte, and stops at the size asked for', () => {
  const ours = trainBpe(golden.documents, { vocabularySize: 300, specials: ['<|pad|>', '<|end|>'] })
  expect(ours.model.vocab['<|pad|>']).toBe(0)
  expect(ours.model.vocab['<|end|>']).toBe(1)
  expect(Object.keys(ours.model.vocab)).toHaveLength(300)
  const tokenizer = openTokenizer(ours)
  const anything = '\u0000 ünseen 文 \u{1F9FF}\r\n'
  expect(tokenizer.decode(tokenizer.encode(anything))).toBe(anything)
})

test('a pair seen too seldom is not merged', () => {
  const ours = trainBpe(['abab', 'abc'], { vocabularySize: 1000, specials: [], minFrequency: 3 })
  expect(ours.model.merges).toEqual([['a', 'b']])
})

test('extra counts make a rare word one token, with its leading space', () => {
  const documents = golden.documents.concat('Here comes Wilhelmina.')
  const options = { vocabularySize: 400, specials: golden.specials }
  expect(openTokenizer(trainBpe(documents, options)).encode(' Wilhelmina').length).toBeGreaterThan(1)
  const helped = openTokenizer(trainBpe(documents, { ...options, extraCounts: [[' Wilhelmina', 500]] }))
  expect(helped.encode(' Wilhelmina')).toHaveLength(1)
})

test('digits stay apart', () => {
  const documents = Array.from({ length: 200 }, (_, i) => `Add ${i} and 12345.`)
  const tokenizer = openTokenizer(trainBpe(documents, { vocabularySize: 500, specials: [] }))
  expect([...tokenizer.encode('12345')].map((id) => tokenizer.tokenText(id))).toEqual(['1', '2', '3', '4', '5'])
  expect([...tokenizer.encode(' 12')].map((id) => tokenizer.tokenText(id))).toEqual([' 1', '2'])
})

test('a vocabulary without room for the bytes is refused', () => {
  expect(() => trainBpe(['a'], { vocabularySize: 100, specials: [] })).toThrow('no room')
})
