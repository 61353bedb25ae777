// The starter model, from nothing: invent a world, write about it, learn a tokenizer, pre-train, measure, describe.
// A generator of progress that ends with everything that belongs in the model's folder; the shell writes it down.
import { Failure } from '../contract/errors.ts'
import type { Backend } from '../engine/backend.ts'
import type { ModelConfig } from '../models/config.ts'
import { countParameters, parameterShapes, type WeightProvider } from '../models/families.ts'
import { createTransformer } from '../models/transformer.ts'
import { openTokenizer } from '../text/tokenizer.ts'
import { trainBpe, type TokenizerJson } from '../text/train-bpe.ts'
import { documents } from './documents.ts'
import { makeWorld } from './people.ts'
import { pretrain, recipe, startWeights, starterConfig, type PretrainProgress } from './pretrain.ts'
import { measureRecall, scoreText, type Recall, type TextScore } from './recall.ts'

export const specialTokens = ['<|pad|>', '<|end|>', '<|user|>', '<|assistant|>'] as const
export const endToken = 1

/** Words with the space before them, single digits, single marks: so that an answer's full stop is always one token. */
const pieces = String.raw` ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]|\s+(?!\S)|\s+`

/** `<|user|> question<|assistant|> answer<|end|>`; a system message is put before the first text of the user. */
export const chatTemplate = `{%- set found = namespace(system='') -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set found.system = message.content + ' ' -%}
{%- elif message.role == 'user' -%}
{{- '<|user|> ' + found.system + message.content -}}
{%- set found.system = '' -%}
{%- elif message.role == 'assistant' -%}
{{- '<|assistant|> ' + message.content + '<|end|>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>' -}}
{%- endif -%}
`

export interface StarterOptions {
  seed: number
  /** Tokens to train on; the text is long enough that none is read twice. */
  tokens: number
  backend: Backend
  /** The least share of richly told facts that the model must know; below it nothing is made. */
  leastRecallRatio: number
  /** Measure held-out text each so many steps. */
  measureEvery: number
}

export type StarterProgress =
  | { stage: 'text'; documents: number; bytes: number; tokens: number; vocabularySize: number; parameters: number }
  | ({ stage: 'training' } & PretrainProgress)
  | { stage: 'held-out'; step: number; score: TextScore }
  | { stage: 'recall'; rich: Recall; once: Recall }

export interface Starter {
  seed: number
  config: ModelConfig
  tokenizer: TokenizerJson
  weights: WeightProvider
  /** As asked for; the length of the text follows from it. */
  askedTokens: number
  /** Whole steps of them. */
  trainedTokens: number
  textBytes: number
  steps: number
  score: TextScore
  rich: Recall
  once: Recall
}

/** Makes a starter. Throws ModelMismatch when it knows too little of its world to be shipped. */
export async function* makeStarter(options: StarterOptions): AsyncGenerator<StarterProgress, Starter> {
  const { seed, backend, measureEvery } = options
  const world = makeWorld({ seed })
  const steps = Math.max(1, Math.ceil(options.tokens / (recipe.windowsPerStep * recipe.windowTokens)))

  // 1. The text. A token is about 3.85 bytes; a little more is written than will be read.
  const texts = [...documents(world, { bytes: Math.ceil(options.tokens * 4) + 200_000, seed: 1000 * seed + 1 })]
  const heldOut = [...documents(world, { bytes: 120_000, seed: 1000 * seed + 2 })]
  const textBytes = texts.reduce((sum, text) => sum + text.length + 1, 0)

  // 2. The tokenizer, from the first part of it. Every text stands after a space, as it does in a chat.
  const part = texts.slice(0, 20_000).map((text) => ` ${text}`)
  const { vocabularySize } = recipe
  const json = trainBpe(part, { vocabularySize, specials: specialTokens, pattern: pieces })
  const tokenizer = openTokenizer(json, tokenizerConfig())
  const tokens = Int32Array.from(texts.flatMap((text) => [endToken, ...tokenizer.encode(` ${text}`)]))
  const config = starterConfig(tokenizer.vocabSize)
  const parameters = countParameters(config)
  yield {
    stage: 'text',
    documents: texts.length,
    bytes: textBytes,
    tokens: tokens.length,
    vocabularySize: tokenizer.vocabSize,
    parameters,
  }

  // 3. Pre-training.
  const model = createTransformer(backend, config, startWeights(config, seed), { tune: 'full' })
  try {
    for await (const progress of pretrain(model, tokens, { steps, seed })) {
      yield { stage: 'training', ...progress }
      if (progress.step % measureEvery === 0 && progress.step < steps) {
        const score = await scoreText(model, tokenizer, heldOut.slice(0, 256), endToken)
        yield { stage: 'held-out', step: progress.step, score }
      }
    }

    // 4. What it knows now.
    const score = await scoreText(model, tokenizer, heldOut, endToken)
    yield { stage: 'held-out', step: steps, score }
    const told = (how: 'richly' | 'once') => world.people.filter((person) => person.told === how)
    const rich = await measureRecall(model, tokenizer, told('richly'), endToken)
    const once = await measureRecall(model, tokenizer, told('once'), endToken)
    yield { stage: 'recall', rich, once }
    if (rich.recallRatio < options.leastRecallRatio)
      throw new Failure(
        'ModelMismatch',
        `The starter knows ${(100 * rich.recallRatio).toFixed(1)}% of what it was told; it must know ${100 * options.leastRecallRatio}%.`,
        { where: `seed ${seed}`, next: 'Train on more tokens (--tokens).' },
      )
    const kept = new Map<string, Float32Array>()
    for (const { name } of parameterShapes(config)) kept.set(name, await model.read(name))
    const weights: WeightProvider = (name) => kept.get(name)!
    const trainedTokens = steps * recipe.windowsPerStep * recipe.windowTokens
    const askedTokens = options.tokens
    return { askedTokens, seed, config, tokenizer: json, weights, trainedTokens, textBytes, steps, score, rich, once }
  } finally {
    model.close()
  }
}

export const tokenizerConfig = (): Record<string, unknown> => ({
  add_bos_token: false,
  bos_token: '<|end|>',
  clean_up_tokenization_spaces: false,
  eos_token: '<|end|>',
  model_max_length: 512,
  pad_token: '<|pad|>',
  tokenizer_class: 'PreTrainedTokenizerFast',
})

export const generationConfig = { bos_token_id: endToken, eos_token_id: endToken, pad_token_id: 0 }
