// Prompts -> answers, token by token, several prompts at once with one KV cache. A prompt's answer depends on the prompt,
// the settings and its seed, not on who else is in the batch (but for the last bits of a fast backend's sums, which differ
// between one row and several).
// Left out: keeping the cache between turns of a chat, sharing the prompt of several answers, speculation.
import { Failure } from '../contract/errors.ts'
import type { SamplingSettings } from '../contract/records.ts'
import { createRandom } from '../engine/random.ts'
import { createKvCache } from '../models/kv-cache.ts'
import type { KvCache, Piece } from '../models/kv-cache.ts'
import type { Transformer } from '../models/transformer.ts'
import { explainChoice, sampleToken } from './sample.ts'
import type { Choice } from './sample.ts'

export interface GenerateSettings extends SamplingSettings {
  /** Any of these ends an answer, and is not part of it. */
  stopTokens: readonly number[]
  /** A seed for each prompt, instead of `seed` for all: one prompt asked several times needs different ones. */
  seeds?: readonly number[]
  /** Explain each token with this many likeliest tokens. */
  alternatives?: number
  /** Prompts run at once (default 32, fewer where their cache would grow too large); the others wait. */
  together?: number
}

export interface Answer {
  tokens: number[]
  finishReason: 'stop' | 'length' | 'stopped'
  /** The stop token that ended it, for those who score it too. */
  stopToken: number | null
  /** One for each token, where `alternatives` was given. */
  choices?: Choice[]
}

export interface GenerateWatch {
  /** Called for each token as it comes; never for a stop token. */
  onToken?: (prompt: number, token: number, choice: Choice | undefined) => void
  /** Called once for each prompt whose answer ended by itself. */
  onAnswer?: (prompt: number, answer: Answer) => void
  signal?: AbortSignal
}

/** Prompt tokens read at once: bounds the memory of a long prompt, and how long a stop takes to be heard. */
const prefillTokens = 512
/** Keys and values kept at once, unless one prompt alone needs more. */
const cacheBudgetBytes = 512 * 2 ** 20

/**
 * Answers every prompt, in order. Lets the event loop turn between tokens, so that a signal is heard; what is unfinished
 * then ends as `stopped`. Throws BadExample for a prompt that is empty or fills the context.
 */
export async function generate(
  model: Transformer,
  prompts: readonly Int32Array[],
  settings: GenerateSettings,
  watch: GenerateWatch = {},
): Promise<Answer[]> {
  prompts.forEach((prompt, i) => checkPrompt(prompt, model.config.maxPositionEmbeddings, prompts.length > 1 ? i : null))
  const answers: Answer[] = []
  while (answers.length < prompts.length) {
    const from = answers.length
    const group = prompts.slice(from, from + groupSize(model, prompts, from, settings))
    answers.push(...(await answerTogether(model, group, from, settings, watch)))
  }
  return answers
}

/** How many prompts from `from` on fit together: at least one. */
function groupSize(
  model: Transformer,
  prompts: readonly Int32Array[],
  from: number,
  { maxTokens, together = 32 }: GenerateSettings,
): number {
  const { numHiddenLayers, numKeyValueHeads, headDim, maxPositionEmbeddings } = model.config
  const bytesOf = (prompt: Int32Array): number =>
    8 * numHiddenLayers * numKeyValueHeads * headDim * Math.min(maxPositionEmbeddings, prompt.length + maxTokens)
  let [count, bytes] = [1, bytesOf(prompts[from]!)]
  while (count < together && from + count < prompts.length) {
    bytes += bytesOf(prompts[from + count]!)
    if (bytes > cacheBudgetBytes) break
    count++
  }
  return count
}

async function answerTogether(
  model: Transformer,
  prompts: readonly Int32Array[],
  first: number,
  settings: GenerateSettings,
  { onToken, onAnswer, signal }: GenerateWatch,
): Promise<Answer[]> {
  const context = model.config.maxPositionEmbeddings
  const limits = prompts.map((prompt) => Math.min(settings.maxTokens, context - prompt.length))
  const chances = prompts.map((_, i) => createRandom(settings.seeds?.[first + i] ?? settings.seed))
  const answers = prompts.map((): Answer => ({
    tokens: [],
    finishReason: 'stopped',
    stopToken: null,
    ...(settings.alternatives !== undefined && { choices: [] }),
  }))
  const cache = createKvCache(
    model.backend,
    model.config,
    prompts.map((prompt, i) => prompt.length + limits[i]!),
  )

  /** Draws the next token of one answer; returns it, or null where the answer has ended. */
  const next = (i: number, scores: Float32Array): number | null => {
    const answer = answers[i]!
    const end = (how: Partial<Answer>): null => {
      Object.assign(answer, how)
      onAnswer?.(first + i, answer)
      return null
    }
    if (limits[i]! <= 0) return end({ finishReason: 'length' })
    const seen = settings.repetitionPenalty === 1 ? [] : [...prompts[i]!, ...answer.tokens]
    const token = sampleToken(scores, settings, seen, chances[i]!)
    if (settings.stopTokens.includes(token)) return end({ finishReason: 'stop', stopToken: token })
    answer.tokens.push(token)
    const choice = settings.alternatives === undefined ? undefined : explainChoice(scores, token, settings.alternatives)
    if (choice) answer.choices!.push(choice)
    onToken?.(first + i, token, choice)
    return answer.tokens.length < limits[i]! ? token : end({ finishReason: 'length' })
  }

  try {
    let pieces: Piece[] = []
    const take = (i: number, scores: Float32Array): void => {
      const token = next(i, scores)
      if (token !== null) pieces.push({ sequence: i, tokens: Int32Array.of(token) })
    }
    const ready = await prefill(model, cache, prompts, limits, signal)
    ready?.forEach((scores, i) => take(i, scores))
    while (pieces.length > 0) {
      await breathe()
      if (signal?.aborted) break
      const asked = pieces
      const scores = await model.extend(cache, asked) // [asked,V]
      const V = model.config.vocabSize
      pieces = []
      asked.forEach(({ sequence }, s) => take(sequence, scores.subarray(s * V, (s + 1) * V)))
    }
  } finally {
    cache.free()
  }
  return answers
}

/** Reads all prompts into the cache; the scores after each, or null where the signal came first. */
async function prefill(
  model: Transformer,
  cache: KvCache,
  prompts: readonly Int32Array[],
  limits: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Float32Array[] | null> {
  const V = model.config.vocabSize
  const found = prompts.map(() => new Float32Array(0))
  let pieces: Piece[] = []
  let room = prefillTokens
  const read = async (): Promise<void> => {
    await breathe()
    if (pieces.length === 0 || signal?.aborted) return
    const scores = await model.extend(cache, pieces)
    pieces.forEach(({ sequence }, s) => (found[sequence] = scores.slice(s * V, (s + 1) * V)))
    pieces = []
    room = prefillTokens
  }
  for (const [sequence, prompt] of prompts.entries())
    for (let from = 0; from < prompt.length && limits[sequence]! > 0;) {
      const tokens = prompt.subarray(from, from + room)
      pieces.push({ sequence, tokens })
      from += tokens.length
      room -= tokens.length
      if (room === 0) await read()
    }
  await read()
  return signal?.aborted ? null : found
}

function checkPrompt(prompt: Int32Array, context: number, index: number | null): void {
  const where = index === null ? 'the prompt' : `prompt ${index + 1}`
  if (prompt.length === 0)
    throw new Failure('BadExample', 'The prompt is empty.', { where, next: 'Write something to answer.' })
  if (prompt.length >= context)
    throw new Failure(
      'BadExample',
      `The prompt has ${prompt.length} tokens; the model’s context holds ${context}, the answer included.`,
      {
        where,
        next: 'Shorten the prompt, or begin a new chat.',
      },
    )
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
