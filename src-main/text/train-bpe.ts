// Byte-level byte-pair encoding, learned from documents (Sennrich et al. 2016; bytes as in Radford et al. 2019).
// The text is cut into pieces (a word with its leading space, one digit, a run of punctuation); the most frequent pair
// of neighbours within pieces becomes a new token, again and again. Order and ties are those of Hugging Face's Rust
// trainer, so equal counts give equal merges. Left out: dropout, limits on token length, alphabets smaller than a byte.
import { SplitPreTokenizer } from '@huggingface/tokenizers'
import { Failure } from '../contract/errors.ts'
import { byteLetters } from './tokenizer.ts'

/** Pieces: contractions, words and single digits with their leading space, punctuation, white space. */
export const piecePattern = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

/** A tokenizer.json as Hugging Face's libraries read it. */
export interface TokenizerJson {
  version: string
  truncation: null
  padding: null
  added_tokens: {
    id: number
    content: string
    single_word: boolean
    lstrip: boolean
    rstrip: boolean
    normalized: boolean
    special: boolean
  }[]
  normalizer: null
  pre_tokenizer: Record<string, unknown>
  post_processor: null
  decoder: Record<string, unknown>
  model: Record<string, unknown> & { vocab: Record<string, number>; merges: [string, string][] }
}

export interface BpeOptions {
  /** Tokens in all: specials, 256 bytes, merges. */
  vocabularySize: number
  /** They take the first ids, in this order. */
  specials: readonly string[]
  /** A pair seen less often is not merged; the vocabulary may then stay smaller. Default 2. */
  minFrequency?: number
  /** Regular expression of the pieces, in the syntax shared by JavaScript's `u` mode and Oniguruma. */
  pattern?: string
  /** Counts to add to pieces, so that a rare but wanted word (" Mirela") becomes one token. */
  extraCounts?: Iterable<readonly [piece: string, count: number]>
  /** Called after each merge, for those who want to watch. */
  onMerge?: (merge: { left: string; right: string; count: number; size: number }) => void
}

/**
 * Learns a vocabulary. Deterministic: equal documents and options give an equal result, byte for byte.
 * Throws BadOption when the size leaves no room for the specials and the 256 bytes.
 */
export function trainBpe(documents: Iterable<string>, options: BpeOptions): TokenizerJson {
  const { vocabularySize, specials, minFrequency = 2, pattern = piecePattern } = options
  if (vocabularySize < specials.length + 256)
    throw new Failure(
      'BadOption',
      `A vocabulary of ${vocabularySize} has no room for ${specials.length} specials and the 256 bytes.`,
      {
        where: 'vocabularySize',
        next: `Choose at least ${specials.length + 256}.`,
      },
    )

  // 1. Pieces and how often each occurs. Specials written in the text are no pieces: they would teach wrong pairs.
  const split = new SplitPreTokenizer({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  })
  const specialPattern = specials.length > 0 ? new RegExp(specials.map(escapeForRegExp).join('|'), 'u') : null
  const counts = new Map<string, number>()
  for (const document of documents)
    for (const section of specialPattern ? document.split(specialPattern) : [document])
      for (const piece of split.pre_tokenize_text(section)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  for (const [piece, count] of options.extraCounts ?? []) counts.set(piece, (counts.get(piece) ?? 0) + count)

  // 2. The vocabulary begins with the specials and the bytes, sorted by the letters that stand for them.
  const vocabulary = [...specials, ...[...byteLetters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)]
  const idOf = new Map(vocabulary.map((token, id) => [token, id]))
  const words = spell(counts, idOf)

  // 3. Merge the most frequent pair until the vocabulary is full.
  const pairs = countPairs(words)
  const merges: [string, string][] = []
  while (vocabulary.length < vocabularySize) {
    const best = pairs.takeBest()
    if (best === null || best.count < minFrequency) break
    const [left, right] = [vocabulary[best.left]!, vocabulary[best.right]!]
    let merged = idOf.get(left + right)
    if (merged === undefined) {
      merged = vocabulary.length
      vocabulary.push(left + right)
      idOf.set(left + right, merged)
    }
    merges.push([left, right])
    pairs.merge(best.left, best.right, merged)
    options.onMerge?.({ left, right, count: best.count, size: vocabulary.length })
  }
  return tokenizerJson(vocabulary, merges, specials, pattern)
}

interface Word {
  tokens: number[]
  count: number
}

function spell(counts: Map<string, number>, idOf: Map<string, number>): Word[] {
  const encoder = new TextEncoder()
  const ids = byteLetters.map((letter) => idOf.get(letter)!)
  return [...counts].map(([piece, count]) => ({
    tokens: Array.from(encoder.encode(piece), (byte) => ids[byte]!),
    count,
  }))
}

interface PairEntry {
  count: number
  left: number
  right: number
  /** Words in which the pair stood when it was entered; a stale one is looked at in vain. */
  words: Set<number>
}

/** Counts of neighbouring tokens, kept current while words are rewritten, with a heap for the most frequent. */
function countPairs(words: Word[]): {
  takeBest(): { left: number; right: number; count: number } | null
  merge(left: number, right: number, merged: number): void
} {
  const width = 2 ** 21
  const entries = new Map<number, PairEntry>()
  const heap = new PairHeap()

  const change = (left: number, right: number, by: number, word: number): PairEntry => {
    const key = left * width + right
    let entry = entries.get(key)
    if (!entry) entries.set(key, (entry = { count: 0, left, right, words: new Set() }))
    entry.count += by
    if (by > 0) entry.words.add(word)
    return entry
  }
  words.forEach(({ tokens, count }, w) => {
    for (let i = 0; i + 1 < tokens.length; i++) change(tokens[i]!, tokens[i + 1]!, count, w)
  })
  for (const entry of entries.values()) heap.push(entry.count, entry)

  return {
    takeBest() {
      for (let top = heap.pop(); top !== null; top = heap.pop()) {
        const { count, left, right } = top.entry
        if (top.count === count && count > 0) return { left, right, count }
        if (count > 0) heap.push(count, top.entry) // it has lost occurrences since: enter it where it belongs
      }
      return null
    },
    merge(left, right, merged) {
      const entry = entries.get(left * width + right)!
      entries.delete(left * width + right)
      const grown = new Set<PairEntry>()
      for (const w of entry.words) {
        const { tokens, count } = words[w]!
        for (let i = 0; i + 1 < tokens.length; i++) {
          if (tokens[i] !== left || tokens[i + 1] !== right) continue
          if (i > 0) {
            change(tokens[i - 1]!, left, -count, w)
            grown.add(change(tokens[i - 1]!, merged, count, w))
          }
          if (i + 2 < tokens.length) {
            change(right, tokens[i + 2]!, -count, w)
            grown.add(change(merged, tokens[i + 2]!, count, w))
          }
          tokens.splice(i, 2, merged)
        }
      }
      for (const pair of grown) if (pair.count > 0) heap.push(pair.count, pair)
      entry.count = 0
    },
  }
}

/** A binary heap: highest count first; of equal counts the pair of lower ids. */
class PairHeap {
  private items: { count: number; entry: PairEntry }[] = []

  private before(a: { count: number; entry: PairEntry }, b: { count: number; entry: PairEntry }): boolean {
    if (a.count !== b.count) return a.count > b.count
    if (a.entry.left !== b.entry.left) return a.entry.left < b.entry.left
    return a.entry.right < b.entry.right
  }
  push(count: number, entry: PairEntry): void {
    const items = this.items
    const item = { count, entry }
    let i = items.push(item) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.before(item, items[parent]!)) break
      items[i] = items[parent]!
      i = parent
    }
    items[i] = item
  }
  pop(): { count: number; entry: PairEntry } | null {
    const items = this.items
    const top = items[0]
    const last = items.pop()
    if (top === undefined || last === undefined) return null
    if (items.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.before(items[child + 1]!, items[child]!)) child++
      if (!this.before(items[child]!, last)) break
      items[i] = items[child]!
      i = child
    }
    items[i] = last
    return top
  }
}

function tokenizerJson(
  vocabulary: string[],
  merges: [string, string][],
  specials: readonly string[],
  pattern: string,
): TokenizerJson {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, byteLevel],
    },
    post_processor: null,
    decoder: { ...byteLevel, add_prefix_space: true, use_regex: true }, // as the Rust library writes its default
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges,
    },
  }
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
