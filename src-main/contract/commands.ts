// All that a window, the command line or a test can ask of the core: name -> what goes in (checked at the door), what
// comes out (checked by types: it comes from our own code), and whether it only reads. Pages and shells know nothing else.
import * as v from 'valibot'
import { exampleKinds, methods, tunes } from './records.ts'
import type {
  Answerer,
  Chat,
  ChatLabel,
  ChatMessage,
  Checkpoint,
  Dataset,
  Example,
  Judgement,
  Mapping,
  Metric,
  Model,
  Pair,
  PairSet,
  Refusal,
  Row,
  Run,
  Sample,
  SamplingSettings,
  TokenChoice,
} from './records.ts'
import type { WireFailure } from './errors.ts'
import type { EventName, Events } from './events.ts'
import type { Option } from './options.ts'

// ---- What goes in ----------------------------------------------------------------------------------------------------

const id = v.pipe(v.string(), v.regex(/^[a-z][0-9]+$/, 'is not an id'))
const text = v.pipe(v.string(), v.maxLength(1_000_000))
const name = v.pipe(v.string(), v.trim(), v.minLength(1, 'is empty'), v.maxLength(120, 'is longer than 120 characters'))
const path = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const seed = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1))
const ratio = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const optionValues = v.record(v.string(), v.union([v.number(), v.boolean(), v.string()]))
const role = v.picklist(['system', 'user', 'assistant', 'tool'])
const message = v.object({ role, content: text })
const mapping = v.object({
  form: v.string(),
  kind: v.picklist(exampleKinds),
  parts: v.record(v.string(), v.string()),
  roles: v.record(v.string(), role),
  asChat: v.boolean(),
})
const sampling = v.object({
  temperature: v.pipe(v.number(), v.minValue(0), v.maxValue(5)),
  topK: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)),
  topP: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  repetitionPenalty: v.pipe(v.number(), v.minValue(0.1), v.maxValue(10)),
  maxTokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
  seed,
})
const verdict = v.union([v.picklist([1, 2, 3, 4, 5, 6, 7]), v.picklist(['both-bad', 'skip'])])
const trainRequest = v.object({
  name: v.optional(name),
  method: v.picklist(methods),
  tune: v.optional(v.picklist(tunes), 'lora'),
  /** A model or a checkpoint to start from. */
  start: id,
  dataset: id,
  backend: v.optional(v.string(), 'auto'),
  seed: v.optional(seed, 0),
  options: v.optional(optionValues, {}),
})

// ---- What comes out -------------------------------------------------------------------------------------------------

/** A row as the model reads it. `lossMask` is 1 where a token is trained on. */
export interface TokenRow {
  tokens: { id: number; text: string; special: boolean }[]
  lossMask: (0 | 1)[]
  truncated: boolean
}

export interface Preview {
  file: string
  bytes: number
  recognised: boolean
  /** "Chat messages, as OpenAI writes them" */
  title: string
  mapping: Mapping
  /** What to know about this reading: a guess that was made, a kind of value that was accepted. */
  notes?: string[]
  /** Other readings to choose from. */
  alternatives: { title: string; mapping: Mapping }[]
  /** Keys or columns found, each with a sample value; `part` is what it feeds, null where it is not used. */
  keys: { key: string; sample: string; part: string | null }[]
  rows: Row[]
  refusals: Refusal[]
  estimatedRows: number
}

export interface Plan {
  ok: boolean
  /** Reasons why the run would be refused, and warnings that do not stop it. */
  problems: { where: string; message: string; next?: string }[]
  warnings: { where: string; message: string; next?: string }[]
  memory: { name: string; bytes: number }[]
  peakBytes: number
  machineBytes: number
  steps: number
  tokensPerEpoch: number
  trainedTokensPerEpoch: number
  tokensPerSecond: number
  /** Where tokensPerSecond comes from. */
  speedSource: 'measured' | 'estimated'
  estimatedMs: number
  checkpointBytes: number
  checkpoints: number
  rows: number
  heldOutRows: number
  truncatedRows: number
  leftOutRows: number
  longestTokens: number
  options: Run['options']
}

/** Declared options of a method under a way of tuning, in the order in which the form shows them. */
export type OptionList = ({ name: string } & Option)[]

export interface PairSetDetail extends PairSet {
  models: Answerer[]
  /** Left chosen among decided, non-tied judgements, with the 95% Wilson interval of the ratio. */
  side: { left: number; decided: number; low: number; high: number }
  /** How often the longer answer was chosen, likewise. */
  length: { longer: number; decided: number; low: number; high: number }
  medianMs: number | null
  /** Pairs that can be trained on: decided, not tied. */
  trainable: number
}

export interface JudgedPair extends Judgement {
  prompt: string
  a: string
  b: string
  /** Names of who wrote A and B: shown after judging. */
  writers: [string, string]
}

export interface Overview {
  version: string
  home: string
  machine: { backend: string; summary: string; threads: number; usedBytes: number; totalBytes: number }
  counts: { models: number; datasets: number; runs: number; pairSets: number; chats: number }
  /** The first-run path; `done` heats the station, `ready` unlocks it. */
  stations: Record<'import' | 'train' | 'label' | 'chat', { done: boolean; ready: boolean; note: string }>
  recent: { kind: 'run' | 'dataset' | 'chat' | 'model' | 'pairs'; id: string; name: string; note: string; at: number }[]
  starter: Model | null
}

export interface Doctor {
  version: string
  node: string
  platform: string
  backends: { name: string; ok: boolean; why: string; next: string }[]
  home: { path: string; freeBytes: number; databaseVersion: number }
}

// ---- The list -------------------------------------------------------------------------------------------------------

type Schema = v.GenericSchema
export interface Command<I extends Schema = Schema, O = unknown> {
  readonly input: I
  readonly needs: 'read' | 'write'
  /** Never set; carries the type of the answer. */
  readonly output?: O
}
const reads =
  <O>() =>
  <I extends Schema>(input: I): Command<I, O> => ({ input, needs: 'read' })
const writes =
  <O>() =>
  <I extends Schema>(input: I): Command<I, O> => ({ input, needs: 'write' })
const nothing = v.object({})
const one = v.object({ id })

export const commands = {
  // The machine and the library
  'app.overview': reads<Overview>()(nothing),
  'app.doctor': reads<Doctor>()(nothing),
  'settings.get': reads<Record<string, unknown>>()(nothing),
  'settings.set': writes<null>()(v.object({ key: v.pipe(v.string(), v.maxLength(100)), value: v.unknown() })),
  /** Runs, models, data sets, chats whose name matches: for Ctrl K. */
  'app.find': reads<
    { kind: 'run' | 'dataset' | 'chat' | 'model' | 'pairs'; id: string; name: string; note: string }[]
  >()(v.object({ query: text })),

  // Models
  'models.list': reads<Model[]>()(nothing),
  'models.show': reads<Model>()(one),
  'models.add': writes<Model>()(v.object({ path, name: v.optional(name) })),
  'models.rename': writes<Model>()(v.object({ id, name })),
  'models.remove': writes<null>()(one),
  /** Models and checkpoints that can answer: models first, then each run's checkpoints by step. */
  'answerers.list': reads<Answerer[]>()(nothing),

  // Data
  'data.list': reads<Dataset[]>()(nothing),
  'data.show': reads<Dataset>()(one),
  'data.preview': reads<Preview>()(v.object({ path, mapping: v.optional(mapping) })),
  /** Starts an import and answers at once; `import` events tell the rest. */
  'data.import': writes<{ job: string }>()(
    v.object({
      path,
      name: v.optional(name),
      mapping: v.optional(mapping),
      heldOutRatio: v.optional(ratio, 0.05),
      seed: v.optional(seed, 0),
    }),
  ),
  'data.cancel': writes<null>()(v.object({ job: v.string() })),
  'data.rename': writes<Dataset>()(v.object({ id, name })),
  'data.remove': writes<null>()(one),
  'data.rows': reads<{ rows: Row[]; total: number }>()(
    v.object({
      id,
      from: v.optional(count, 0),
      count: v.optional(v.pipe(count, v.maxValue(1000)), 100),
      query: v.optional(text),
      split: v.optional(v.picklist(['train', 'held-out'])),
    }),
  ),
  'data.refusals': reads<{ refusals: Refusal[]; total: number }>()(
    v.object({ id, from: v.optional(count, 0), count: v.optional(v.pipe(count, v.maxValue(1000)), 100) }),
  ),
  /** One row as a model reads it. For preferences: [prompt+chosen, prompt+rejected]. */
  'data.tokens': reads<TokenRow[]>()(
    v.object({ id, row: count, model: id, maxTokens: v.optional(count), trainOn: v.optional(v.string()) }),
  ),
  'data.edit': writes<Row>()(
    v.object({ id, row: count, example: v.custom<Example>((x) => typeof x === 'object' && x !== null) }),
  ),
  'data.export': writes<{ file: string; rows: number; leftOut: number }>()(
    v.object({ id, format: v.picklist(['trl', 'openai', 'alpaca', 'sharegpt']), out: path }),
  ),

  // Training
  /** With `start`, the values that we propose for that model in place of the defaults, each with its source. */
  'train.options': reads<OptionList>()(
    v.object({ method: v.picklist(methods), tune: v.picklist(tunes), start: v.optional(id) }),
  ),
  'train.plan': reads<Plan>()(trainRequest),
  'train.start': writes<Run>()(trainRequest),
  'runs.list': reads<Run[]>()(nothing),
  'runs.show': reads<Run & { checkpoints: Checkpoint[]; samples: Sample[] }>()(one),
  /** Metrics after `afterStep`, thinned to at most `points` a name (the last always stays). */
  'runs.metrics': reads<Metric[]>()(
    v.object({ id, afterStep: v.optional(v.number(), -1), points: v.optional(count, 2000) }),
  ),
  'runs.pause': writes<Run>()(one),
  'runs.resume': writes<Run>()(one),
  'runs.stop': writes<Run>()(one),
  'runs.rename': writes<Run>()(v.object({ id, name })),
  'runs.remove': writes<null>()(one),
  'checkpoints.export': writes<{ out: string; files: string[] }>()(
    v.object({ id, format: v.picklist(['adapter', 'merged']), out: path }),
  ),
  /** log p of every token given those before it, for rows of a JSONL file. */
  'logprobs.file': reads<{ tokens: number[]; logprobs: (number | null)[]; lossMask: number[] }[]>()(
    v.object({ answerer: id, file: path, backend: v.optional(v.string(), 'auto') }),
  ),
  'eval.perplexity': reads<{ tokens: number; nats: number; perplexity: number; bitsPerByte: number }>()(
    v.object({ answerer: id, dataset: id, split: v.optional(v.picklist(['train', 'held-out'])) }),
  ),

  // Labels
  'pairs.list': reads<PairSet[]>()(nothing),
  'pairs.show': reads<PairSetDetail>()(one),
  /** Starts making pairs: each prompt answered twice, by `answerers` (one or two). `pairs` events tell the rest. */
  'pairs.make': writes<{ job: string; set: PairSet }>()(
    v.object({
      name: v.optional(name),
      dataset: id,
      answerers: v.pipe(v.array(id), v.minLength(1), v.maxLength(2)),
      count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
      settings: v.optional(sampling),
      seed: v.optional(seed, 0),
    }),
  ),
  /** Pairs to judge from an imported preference dataset (its own verdicts hidden). */
  'pairs.import': writes<PairSet>()(v.object({ name: v.optional(name), dataset: id, seed: v.optional(seed, 0) })),
  'pairs.cancel': writes<null>()(v.object({ job: v.string() })),
  'pairs.rename': writes<PairSet>()(v.object({ id, name })),
  'pairs.remove': writes<null>()(one),
  /** The first pair that is neither judged nor skipped, or null. `after` is a position to go on from. */
  'label.next': reads<Pair | null>()(v.object({ set: id, after: v.optional(count, 0) })),
  'label.judge': writes<Judgement>()(
    v.object({
      pair: id,
      verdict,
      reasons: v.optional(v.array(v.pipe(v.string(), v.maxLength(60))), []),
      note: v.optional(text, ''),
      tookMs: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
    }),
  ),
  /** Takes back the latest judgement of the set and gives its pair again; null when there is none left. */
  'label.undo': writes<Pair | null>()(v.object({ set: id })),
  'label.history': reads<{ judgements: JudgedPair[]; total: number }>()(
    v.object({
      set: id,
      from: v.optional(count, 0),
      count: v.optional(v.pipe(count, v.maxValue(500)), 100),
      query: v.optional(text),
    }),
  ),
  'label.edit': writes<Judgement>()(
    v.object({ id, verdict, reasons: v.optional(v.array(v.string())), note: v.optional(text) }),
  ),
  /** The judged pairs as a preference dataset, ready for DPO; made anew at each call under one name. */
  'label.dataset': writes<Dataset>()(v.object({ set: id })),
  'label.export': writes<{ file: string; rows: number; leftOut: number }>()(v.object({ set: id, out: path })),

  // Chat
  'chats.list': reads<Chat[]>()(v.object({ query: v.optional(text) })),
  'chats.create': writes<Chat>()(
    v.object({
      title: v.optional(name),
      system: v.optional(text, ''),
      answerers: v.pipe(v.array(id), v.minLength(1), v.maxLength(2)),
      settings: v.optional(sampling),
    }),
  ),
  'chats.show': reads<{ chat: Chat; messages: ChatMessage[] }>()(one),
  'chats.change': writes<Chat>()(
    v.object({
      id,
      title: v.optional(name),
      system: v.optional(text),
      answerers: v.optional(v.pipe(v.array(id), v.minLength(1), v.maxLength(2))),
      settings: v.optional(sampling),
    }),
  ),
  'chats.remove': writes<null>()(one),
  /** Adds a user message below `parent` (null: a new root) and has every answerer of the chat answer it. */
  'chats.send': writes<{ message: ChatMessage; answers: ChatMessage[] }>()(
    v.object({ chat: id, parent: v.nullable(id), content: v.pipe(text, v.minLength(1, 'is empty')) }),
  ),
  /** A new answer beside `message` (an assistant message), with the next seed. */
  'chats.again': writes<{ answers: ChatMessage[] }>()(v.object({ message: id })),
  /** A new branch: the edited user message answered anew, or the edited answer kept as a label. */
  'chats.edit': writes<{ message: ChatMessage; answers: ChatMessage[] }>()(v.object({ message: id, content: text })),
  'chats.stop': writes<null>()(v.object({ chat: id })),
  /** A thumb becomes a label; on a side-by-side turn it becomes a preference. null takes it back. */
  'chats.thumb': writes<{ message: ChatMessage; label: ChatLabel | null }>()(
    v.object({ message: id, thumb: v.nullable(v.picklist(['up', 'down'])) }),
  ),
  /** "I keep this one": preference of `message` over `over`, its sibling. */
  'chats.keep': writes<ChatLabel>()(v.object({ message: id, over: id })),
  /** The likeliest tokens at each place of an answer. */
  'chats.choices': reads<TokenChoice[]>()(v.object({ message: id })),
  'chatLabels.list': reads<ChatLabel[]>()(v.object({ kind: v.optional(v.picklist(['thumb', 'preference', 'edit'])) })),
  'chatLabels.remove': writes<null>()(one),
  /** All chat labels of a kind as a dataset: preferences for DPO, thumbs, edits as completions. */
  'chatLabels.dataset': writes<Dataset>()(v.object({ kind: v.picklist(['thumb', 'preference', 'edit']) })),

  /** Many prompts answered once each, without a chat; in the order asked. `seed` of prompt i is settings.seed + i. */
  'answer.many': reads<{ text: string; tokens: number[]; finishReason: 'stop' | 'length' }[]>()(
    v.object({
      answerer: id,
      prompts: v.pipe(v.array(v.array(message)), v.maxLength(100_000)),
      settings: v.optional(v.partial(sampling), {}),
    }),
  ),
  /** One answer without a chat, for scripts: streams `answer` events under `stream`. */
  'answer.once': reads<{ text: string; tokens: number[]; finishReason: 'stop' | 'length' }>()(
    v.object({
      answerer: id,
      messages: v.array(message),
      settings: v.optional(v.partial(sampling), {}),
      stream: v.optional(v.string()),
    }),
  ),
} as const

export type Commands = typeof commands
export type CommandName = keyof Commands
export type Input<N extends CommandName> = v.InferInput<Commands[N]['input']>
export type Checked<N extends CommandName> = v.InferOutput<Commands[N]['input']>
export type Output<N extends CommandName> =
  NonNullable<Commands[N]['output']> extends never ? null : Exclude<Commands[N]['output'], undefined>

/** Failures cross as data: an Error would lose its fields on the way through Electron's bridge. */
export type Answered<T> = { ok: true; output: T } | { ok: false; failure: WireFailure }

/** What a window holds as `window.temper` in Electron; the web shell's socket gives exactly this too. */
export interface Bridge {
  readonly shell: 'electron' | 'web'
  call<N extends CommandName>(name: N, input: Input<N>): Promise<Answered<Output<N>>>
  on<E extends EventName>(event: E, handler: (payload: Events[E]) => void): () => void
  /** A path that the core can open, for a file dropped or chosen in the window (Electron: its own; web: uploaded first). */
  pathOf(file: File, onProgress?: (sentRatio: number) => void): Promise<string>
}

export const defaultSampling: SamplingSettings = {
  temperature: 0.7,
  topK: 0,
  topP: 0.9,
  repetitionPenalty: 1,
  maxTokens: 160,
  seed: 7,
}
