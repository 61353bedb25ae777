// What the user owns, as plain data. No Node, no DOM: windows, the command line and the core share these shapes.
// Times are milliseconds since 1970 (…At) or durations (…Ms); ids are short strings, a letter and a number ("d3").

export type Role = 'system' | 'user' | 'assistant' | 'tool'
export interface Message {
  role: Role
  content: string
}

// ---- Data -----------------------------------------------------------------------------------------------------------

/**
 * One thing to learn from, as the user gave it. `plain` marks text that is to be joined as it stands, without a chat
 * template (TRL's "standard" format): prompt and answers are then one message each, and only their content is read.
 */
export type Example =
  | { kind: 'text'; text: string }
  | { kind: 'conversation'; messages: Message[] }
  | { kind: 'completion'; prompt: Message[]; response: Message[]; plain?: true }
  | {
      kind: 'preference'
      prompt: Message[]
      chosen: Message[]
      rejected: Message[]
      plain?: true
      strength?: 1 | 2 | 3
    }
  | { kind: 'thumb'; prompt: Message[]; response: Message[]; good: boolean; plain?: true }
  | { kind: 'prompt'; prompt: Message[]; plain?: true }
export type ExampleKind = Example['kind']
export const exampleKinds = ['text', 'conversation', 'completion', 'preference', 'thumb', 'prompt'] as const

export type Split = 'train' | 'held-out'

/** One row of a dataset. `row` counts from 1 in the dataset; `line` is the line (or record) of the source file. */
export interface Row {
  row: number
  line: number
  split: Split
  example: Example
}

/** A line that was left out, and why. `text` is its beginning. */
export interface Refusal {
  line: number
  reason: string
  text: string
}

/** Which column or key feeds which part of an example; what the preview shows and a person can correct. */
export interface Mapping {
  /** The recognised form, by name: "openai-messages", "sharegpt", "alpaca", "trl-preference", "csv-columns" ... */
  form: string
  kind: ExampleKind
  /** part of the example -> key path in the source: { prompt: "instruction", response: "output" } */
  parts: Record<string, string>
  /** role name in the source -> our role: { human: "user", gpt: "assistant" } */
  roles: Record<string, Role>
  /** Strings become chat turns (true) or stay plain text without a template (false). */
  asChat: boolean
}

export interface Dataset {
  id: string
  name: string
  kind: ExampleKind
  source: { file: string; bytes: number; sha256: string } | { made: string }
  mapping: Mapping | null
  rows: number
  heldOut: number
  refused: number
  bytes: number
  createdAt: number
}

// ---- Models ---------------------------------------------------------------------------------------------------------

export interface Model {
  id: string
  name: string
  family: string // "llama"
  path: string
  parameters: number
  bytes: number
  context: number // tokens
  vocabulary: number
  width: number
  layers: number
  template: string | null // Jinja text of the chat template
  builtIn: boolean
  card: string | null // Markdown
  createdAt: number
}

/** Who answers: a model as it came, or a checkpoint of a run. Written "m1" or "c12" wherever one is asked for. */
export type AnswererId = string
export interface Answerer {
  id: AnswererId
  /** "Starter, before training", "first-run, step 80" */
  name: string
  model: string // Model id
  run: string | null
  step: number | null
}

// ---- Runs -----------------------------------------------------------------------------------------------------------

export type Method = 'sft' | 'dpo'
export const methods = ['sft', 'dpo'] as const
export type Tune = 'lora' | 'full'
export const tunes = ['lora', 'full'] as const

export type RunState =
  'queued' | 'starting' | 'training' | 'paused' | 'stopping' | 'finished' | 'stopped' | 'failed' | 'interrupted'

export interface Run {
  id: string
  name: string
  method: Method
  tune: Tune
  backend: string
  /** What it starts from: a model, or an earlier checkpoint (whose adapter is merged into the frozen base first). */
  start: AnswererId
  model: string
  dataset: string
  seed: number
  options: Record<string, { value: number | boolean | string; from: 'default' | 'preset' | 'given' }>
  state: RunState
  step: number
  steps: number
  failure: { kind: string; message: string; where?: string; next?: string } | null
  createdAt: number
  startedAt: number | null
  endedAt: number | null
  /** Time spent training, without pauses. */
  trainingMs: number
  lastLoss: number | null
  bestHeldOut: { step: number; loss: number } | null
}

export type CheckpointReason = 'start' | 'periodic' | 'best' | 'last'
export interface Checkpoint {
  id: string
  run: string
  step: number
  reasons: CheckpointReason[]
  path: string
  bytes: number
  trainLoss: number | null
  heldOutLoss: number | null
  createdAt: number
}

/** One number of a run: "train/loss", "held-out/loss", "learning-rate", "gradient-norm", "tokens-per-second", "dpo/margin" ... */
export interface Metric {
  step: number
  name: string
  value: number
  atMs: number // training time since the run began
  tokens: number // tokens trained on so far
}

export interface Sample {
  step: number
  prompt: string
  text: string
}

// ---- Labels ---------------------------------------------------------------------------------------------------------

/** A stack of pairs to judge: made from one or two answerers over prompts, or imported from a preference dataset. */
export interface PairSet {
  id: string
  name: string
  source: 'generated' | 'imported' | 'chat'
  dataset: string | null // where prompts or pairs came from
  answerers: AnswererId[]
  seed: number
  total: number
  judged: number
  createdAt: number
}

export interface Pair {
  id: string
  set: string
  position: number // 1-based place in the set
  prompt: Message[]
  /** As shown: the sides are shuffled by the set's seed; who wrote them is hidden until judged. */
  a: string
  b: string
}

/** 1-3 A better (much, better, slightly), 4 tie, 5-7 B better (slightly, better, much). */
export type Strength = 1 | 2 | 3 | 4 | 5 | 6 | 7
export type Verdict = Strength | 'both-bad' | 'skip'

export interface Judgement {
  id: string
  pair: string
  set: string
  position: number
  verdict: Verdict
  reasons: string[]
  note: string
  tookMs: number
  judgedAt: number
  /** The sides were swapped for showing: A is then the pair's second answer. */
  swapped: boolean
}

/** A label that chat gave: a thumb, a kept regeneration, an edit. */
export interface ChatLabel {
  id: string
  kind: 'thumb' | 'preference' | 'edit'
  chat: string
  message: string
  example: Example
  provenance: Provenance
  createdAt: number
}

/** How an answer came to be: enough to make it again. */
export interface Provenance {
  answerer: AnswererId
  answererName: string
  template: string // hash of the chat template
  settings: SamplingSettings
  seed: number
}

// ---- Chats ----------------------------------------------------------------------------------------------------------

export interface SamplingSettings {
  temperature: number
  topK: number // 0: off
  topP: number // 1: off
  repetitionPenalty: number // 1: off
  maxTokens: number
  seed: number
}

export interface Chat {
  id: string
  title: string
  system: string
  answerers: AnswererId[] // one, or two side by side
  settings: SamplingSettings
  updatedAt: number
  createdAt: number
}

/** A message of a chat's tree. Children of one parent are branches; side-by-side answers are siblings with a `side`. */
export interface ChatMessage {
  id: string
  chat: string
  parent: string | null
  role: Role
  content: string
  side: 0 | 1 | null
  provenance: Provenance | null
  finishReason: 'stop' | 'length' | 'stopped' | 'failed' | null // null while it is being written
  tokens: number
  tookMs: number
  thumb: 'up' | 'down' | null
  createdAt: number
}

/** One generated token with the likeliest alternatives at its place, before top-k and top-p. */
export interface TokenChoice {
  token: number
  text: string
  logprob: number // nats
  top: { token: number; text: string; logprob: number }[]
}
