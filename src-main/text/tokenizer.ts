// Strings <-> token ids, by a model's tokenizer.json. The library @huggingface/tokenizers supplies normalizer, pieces,
// merges and decoder; here are the seams that it lacks: a cache of pieces (7 MB a second instead of 0.8, measured), text in
// which special tokens are not recognised, and decoding token by token. Left out: padding, truncation, text pairs.
// Unlike transformers, decode never "cleans up" spaces before punctuation: text comes back as it went in.
import {
  ByteLevelPreTokenizer,
  type PreTokenizer,
  SequencePreTokenizer,
  SplitPreTokenizer,
  Tokenizer as Library,
} from '@huggingface/tokenizers'
import { Failure } from '../contract/errors.ts'

export interface Tokenizer {
  /** One more than the highest id, added tokens included. */
  readonly vocabSize: number
  readonly specials: { readonly bos: number | null; readonly eos: number | null; readonly pad: number | null }
  /** What begins and ends a text by this tokenizer's own words: "" where it names none. */
  readonly bosToken: string
  readonly eosToken: string
  /** Special tokens by their text; only these are protected from being forged. */
  readonly specialTokens: ReadonlyMap<string, number>
  /** Tokens that the tokenizer itself puts before any text (Llama's bos); `encode` leaves them away. */
  readonly opening: Int32Array
  /** Special tokens written in the text are recognised. Adds none by itself. */
  encode(text: string): Int32Array
  /** Special tokens written in the text are plain letters: for text that a user wrote. */
  encodePlain(text: string): Int32Array
  /** Like encode, for a text of which parts went through `guard`: guarded specials are plain letters. */
  encodeGuarded(text: string): Int32Array
  /** Marks the special tokens in a user's text, so that `encodeGuarded` will not recognise them. */
  guard(text: string): string
  /** Where special tokens stand in a text, in order. */
  findSpecials(text: string): { begin: number; end: number }[]
  decode(tokens: ArrayLike<number>, how?: { skipSpecial?: boolean }): string
  /** The text of one token, for showing; bytes that are no whole character as <0xE2>. */
  tokenText(id: number): string
  /** The id of a token by its spelling in the vocabulary, or null. */
  idOf(token: string): number | null
  isSpecial(id: number): boolean
  /** Text as it grows: half characters are held back until the rest comes. */
  streamDecoder(how?: { skipSpecial?: boolean }): StreamDecoder
}

export interface StreamDecoder {
  /** The text that this token adds: often "", while a character is incomplete. */
  push(token: number): string
  /** What was held back. */
  end(): string
}

/** A noncharacter, never part of real text: it splits a special token's spelling and is taken out before encoding. */
const guardMark = '\uFDD0'
const mostPieces = 200_000
const longestKnownPiece = 100 // letters; some tokenizers do not cut at all

interface AddedToken {
  id: number
  content: string
  special: boolean
  lstrip: boolean
  rstrip: boolean
  normalized: boolean
}

/** @throws Failure BadFile when the file is no tokenizer or uses a part that is not supported; says which. */
export function openTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown = {}): Tokenizer {
  const json = tokenizerJson as { added_tokens?: AddedToken[]; pre_tokenizer?: unknown }
  const config = (tokenizerConfig ?? {}) as Record<string, unknown>
  let library: Library
  try {
    library = new Library(
      { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...json },
      config,
    )
    if (!library.model || library.model.tokens_to_ids.size === 0) throw new Error('its vocabulary is empty')
  } catch (error) {
    throw new Failure('BadFile', `This tokenizer cannot be read: ${(error as Error).message}.`, {
      where: 'tokenizer.json',
      next: 'Use the tokenizer.json that Hugging Face’s fast tokenizers write (tokenizer.save_pretrained).',
      cause: error,
    })
  }
  const model = library.model!
  const added = (json.added_tokens ?? []).toSorted((a, b) => b.content.length - a.content.length)
  const specialTokens = new Map(added.filter((t) => t.special).map((t) => [t.content, t.id]))
  const specialIds = new Set(specialTokens.values())
  const raw = added.filter((t) => !t.normalized || library.normalizer === null)
  const normal = added.filter((t) => t.normalized && library.normalizer !== null)
  const splitRaw = splitterFor(raw.map((t) => [t.content, t]))
  const splitNormal = splitterFor(normal.map((t) => [library.normalizer!.normalize(t.content), t]))
  const specialPattern = patternOf([...specialTokens.keys()])
  const { pieces, spelled } = pieceMaker(json.pre_tokenizer, library.pre_tokenizer)

  // Text -> pieces -> ids, each piece looked up once.
  const known = new Map<string, readonly number[]>()
  const encodePiece = (piece: string): readonly number[] => {
    let ids = known.get(piece)
    if (ids === undefined) {
      ids = spelled(piece)
        .flatMap((word) => model._call([word]))
        .map((token) => model.tokens_to_ids.get(token) ?? model.unk_token_id)
        .filter((id) => id !== undefined)
      // A vocabulary may hold a special token as a word of its own: text alone must not reach it.
      if (ids.some((id) => specialIds.has(id)) && piece.length > 1)
        ids = [...encodePiece(piece.slice(0, 1)), ...encodePiece(piece.slice(1))]
      if (known.size >= mostPieces) known.clear()
      if (piece.length <= longestKnownPiece) known.set(piece, ids)
    }
    return ids
  }
  const encodeSections = (text: string): Int32Array => {
    const ids: number[] = []
    splitRaw(text).forEach((section, index) => {
      if (typeof section !== 'string') return void ids.push(section.id)
      const bare = section.includes(guardMark) ? section.replaceAll(guardMark, '') : section
      const normalized = library.normalizer ? library.normalizer.normalize(bare) : bare
      for (const part of splitNormal(normalized))
        if (typeof part !== 'string') ids.push(part.id)
        else for (const piece of pieces(part, index)) for (const id of encodePiece(piece)) ids.push(id)
    })
    return Int32Array.from(ids)
  }
  const guard = (text: string): string =>
    specialPattern === null ? text : text.replace(specialPattern, (token) => token[0] + guardMark + token.slice(1))

  const decode = (tokens: ArrayLike<number>, how: { skipSpecial?: boolean } = {}): string => {
    const shown = Array.from(tokens).filter(
      (id) => model.vocab[id] !== undefined && !(how.skipSpecial && specialIds.has(id)),
    )
    return shown.length === 0 ? '' : library.decode(shown, { clean_up_tokenization_spaces: false })
  }
  const idNamed = (name: string): number | null => {
    const text = tokenNamed(config[name])
    return text === '' ? null : (model.tokens_to_ids.get(text) ?? null)
  }

  return {
    vocabSize: model.vocab.length,
    specials: { bos: idNamed('bos_token'), eos: idNamed('eos_token'), pad: idNamed('pad_token') },
    bosToken: tokenNamed(config['bos_token']),
    eosToken: tokenNamed(config['eos_token']),
    specialTokens,
    opening: openingOf(library),
    encode: (text) => encodeSections(text.includes(guardMark) ? text.replaceAll(guardMark, '') : text),
    encodePlain: (text) => encodeSections(guard(text)),
    encodeGuarded: encodeSections,
    guard,
    findSpecials: (text) =>
      specialPattern === null
        ? []
        : Array.from(text.matchAll(specialPattern), ({ 0: token, index }) => ({
            begin: index,
            end: index + token.length,
          })),
    decode,
    tokenText: (id) => {
      const text = decode([id])
      if (!text.includes('\uFFFD')) return text
      const bytes = [...(model.vocab[id] ?? '')].map((letter) => byteOf.get(letter))
      return bytes.every((b) => b !== undefined)
        ? bytes.map((b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`).join('')
        : text
    },
    idOf: (token) => model.tokens_to_ids.get(token) ?? null,
    isSpecial: (id) => specialIds.has(id),
    streamDecoder: (how) => streamDecoder((tokens) => decode(tokens, how)),
  }
}

/** bos_token and its like stand in tokenizer_config.json as text or as an object with `content`. */
function tokenNamed(value: unknown): string {
  if (typeof value === 'string') return value
  const content = (value as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? content : ''
}

function patternOf(words: string[]): RegExp | null {
  const escaped = words.filter((w) => w !== '').map((w) => w.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  return escaped.length === 0 ? null : new RegExp(escaped.join('|'), 'gu')
}

/** Cuts a text at added tokens, longest first; lstrip and rstrip tokens swallow the space beside them. */
function splitterFor(tokens: [text: string, token: AddedToken][]): (text: string) => (string | AddedToken)[] {
  const byText = new Map(tokens)
  const pattern = patternOf([...byText.keys()])
  if (pattern === null) return (text) => (text === '' ? [] : [text])
  return (text) => {
    const sections: (string | AddedToken)[] = []
    let from = 0
    let strip = false
    const put = (section: string): void => void (section !== '' && sections.push(section))
    for (const match of text.matchAll(pattern)) {
      const token = byText.get(match[0])!
      let before = text.slice(from, match.index)
      if (strip) before = before.trimStart()
      put(token.lstrip ? before.trimEnd() : before)
      sections.push(token)
      from = match.index + match[0].length
      strip = token.rstrip
    }
    put(strip ? text.slice(from).trimStart() : text.slice(from))
    return sections
  }
}

/** What a ByteLevel step cuts with when it is asked to (GPT-2). */
const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
const byteLevelWords = new ByteLevelPreTokenizer({
  type: 'ByteLevel',
  add_prefix_space: false,
  use_regex: false,
} as never)

/** The visible letter that stands for each byte in a byte-level vocabulary (GPT-2's table): 32 is "Ġ". */
export const byteLetters: readonly string[] = (() => {
  const visible = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(visible(b) ? b : next++))
})()
const byteOf = new Map(byteLetters.map((letter, b) => [letter, b]))

interface Step {
  type?: string
  add_prefix_space?: boolean
  use_regex?: boolean
  pretokenizers?: Step[]
  pattern?: { Regex?: string; String?: string }
  behavior?: string
  invert?: boolean
}

interface PieceMaker {
  /** Cuts a section into pieces; `index` is its place among the sections. */
  pieces(text: string, index: number): string[]
  /** A piece as the model's alphabet spells it. */
  spelled(piece: string): string[]
}

/** Byte-level tokenizers are cut before they are spelled in bytes, so that the cache knows a piece by its plain text. */
function pieceMaker(json: unknown, whole: PreTokenizer | null): PieceMaker {
  if (whole === null) return { pieces: (text) => [text], spelled: (piece) => [piece] }
  const step = json as Step
  const steps = step.type === 'Sequence' ? (step.pretokenizers ?? []) : [step]
  const last = steps.at(-1)
  if (last?.type !== 'ByteLevel' || last.add_prefix_space === true)
    return {
      pieces: (text, index) => whole.pre_tokenize(text, { section_index: index } as never),
      spelled: (piece) => [piece],
    }
  const cuts = steps.slice(0, -1)
  if (last.use_regex !== false)
    cuts.push({ type: 'Split', pattern: { Regex: gpt2Pattern }, behavior: 'Isolated', invert: false })
  const cutters = cuts.map(cutter)
  return {
    pieces: (text) => cutters.reduce<string[]>((texts, cut) => texts.flatMap(cut), [text]),
    spelled: (piece) => byteLevelWords.pre_tokenize(piece),
  }
}

function cutter(step: Step): (text: string) => string[] {
  if (step.type !== 'Split' || step.behavior !== 'Isolated' || step.invert === true) {
    const general = new SequencePreTokenizer({ type: 'Sequence', pretokenizers: [step] } as never)
    return (text) => general.pre_tokenize(text)
  }
  // Patterns of byte-level models match every letter, so the matches alone are the pieces: the fast way.
  const split = new SplitPreTokenizer(step as never)
  return (text) => {
    const matches = text.match(split.pattern!) ?? []
    let covered = 0
    for (const match of matches) covered += match.length
    return covered === text.length ? matches : split.pre_tokenize_text(text)
  }
}

function openingOf(library: Library): Int32Array {
  const bare = library.encode('a', { add_special_tokens: false }).ids
  const whole = library.encode('a', { add_special_tokens: true }).ids
  const at = whole.findIndex((_, i) => bare.every((id, j) => whole[i + j] === id))
  return Int32Array.from(at > 0 ? whole.slice(0, at) : [])
}

/**
 * Decodes a growing text: keeps the tokens since the last whole word boundary as context (a token may be spelled
 * differently at the start of a text) and gives out what the newest token adds, unless it ends in half a character.
 */
function streamDecoder(decode: (tokens: number[]) => string): StreamDecoder {
  let context: number[] = []
  let pending: number[] = []
  const take = (force: boolean): string => {
    const before = decode(context)
    const after = decode([...context, ...pending])
    if (!force && after.endsWith('\uFFFD')) return ''
    if (pending.length > 0) context = after.length > before.length || force ? pending : [...context, ...pending]
    pending = []
    return after.slice(before.length)
  }
  return {
    push(token) {
      pending.push(token)
      return take(false)
    },
    end: () => take(true),
  }
}
