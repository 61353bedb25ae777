// The one place where an example becomes tokens and a loss mask, for training and for chat alike.
// A conversation is written out by the model's chat template and cut before and after each answer; the parts are encoded
// one by one. So the tokens before an answer are, id by id, what chat feeds the model before it answers, and a later turn
// only ever adds tokens. What a user wrote cannot forge special tokens: messages are guarded before they are rendered.
// Plain examples follow TRL's "standard" format: no template, special tokens in the text count, the end token is added.
// Masks are computed before truncation, which keeps the start (TRL's keep_start). Left out: packing, tools, images.
import { Failure } from '../contract/errors.ts'
import type { Example, Message } from '../contract/records.ts'
import { generationMarks, hasGenerationTags, renderTemplate } from './templates.ts'
import type { Tokenizer } from './tokenizer.ts'

/** All that turns words into tokens for one model. */
export interface TextModel {
  tokenizer: Tokenizer
  /** Jinja text; null for a model without a chat template, which can learn from plain examples only. */
  template: string | null
  bos: string
  eos: string
}

export type TrainOn = 'answers' | 'last-answer' | 'all'

export interface RenderOptions {
  trainOn: TrainOn
  /** Longest sequence, in tokens. */
  maxTokens: number
}

/** One sequence. lossMask[i] is 1 where token i is learned from those before it; never at 0. */
export interface RenderedSequence {
  kind: 'sequence'
  tokens: Int32Array // [T]
  lossMask: Uint8Array // [T]
  truncated: boolean
  /** Ones in the mask: 0 means that this example teaches nothing. */
  trained: number
  /** Answers that the template shows otherwise in training than in chat, and which are therefore not learned. */
  answersLeftOut: number
}

/** Two answers to one prompt; both sequences begin with `prompt`. Truncation shortens the answers, then the prompt. */
export interface RenderedPreference {
  kind: 'preference'
  prompt: Int32Array
  chosen: Int32Array
  rejected: Int32Array
  truncated: boolean
  /** Answer tokens left on the shorter side: 0 means that this example teaches nothing. */
  trained: number
}
export type Rendered = RenderedSequence | RenderedPreference

export function renderExample(
  example: Extract<Example, { kind: 'preference' }>,
  model: TextModel,
  options: RenderOptions,
): RenderedPreference
export function renderExample(
  example: Exclude<Example, { kind: 'preference' }>,
  model: TextModel,
  options: RenderOptions,
): RenderedSequence
export function renderExample(example: Example, model: TextModel, options: RenderOptions): Rendered
/**
 * Tokens and loss mask of one example.
 * @throws Failure BadExample when the template refuses its messages; ModelMismatch when the model has no template.
 */
export function renderExample(example: Example, model: TextModel, options: RenderOptions): Rendered {
  switch (example.kind) {
    case 'text':
      return sequence([{ tokens: plainPrompt(ended(example.text, model), model), learn: true }], options)
    case 'prompt':
      return sequence([{ tokens: promptOf(example, model), learn: false }], options)
    case 'conversation':
      return conversation(example.messages, 0, model, options)
    case 'completion':
    case 'thumb':
      if (!example.plain)
        return conversation([...example.prompt, ...example.response], example.prompt.length, model, options)
      return sequence(
        [
          { tokens: promptOf(example, model), learn: options.trainOn === 'all' },
          { tokens: plainAnswer(example.response, model), learn: true },
        ],
        options,
      )
    case 'preference': {
      const answer = (messages: Message[]): Int32Array =>
        example.plain ? plainAnswer(messages, model) : answerTokens(example.prompt, messages, model)
      return preference(promptOf(example, model), answer(example.chosen), answer(example.rejected), options.maxTokens)
    }
  }
}

/**
 * What chat feeds the model before it answers: the conversation so far and the words that open an answer.
 * @throws Failure BadExample unless the last message is a question (or a tool's result).
 */
export function renderPrompt(messages: readonly Message[], model: TextModel): Int32Array {
  const last = messages.at(-1)?.role
  if (last !== 'user' && last !== 'tool')
    throw new Failure('BadExample', 'A prompt must end with a message of the user.', {
      next: 'Add the question, or take away what follows it.',
    })
  const text = written(messages, true, model)
  return encodeParts(text, cutsOf(findAnswers(messages, text, model)), 0, text.length, model)
}

/** The words of an answer, from its tokens: special tokens and the template's own leading space are taken away. */
export function parseAnswer(tokens: ArrayLike<number>, model: TextModel): string {
  const text = model.tokenizer.decode(tokens, { skipSpecial: true })
  const lead = leadOf(model)
  return lead !== '' && text.startsWith(lead) ? text.slice(lead.length) : text
}

/** What the template writes between the opening of an answer and its first word: "" or " ". */
export function leadOf(model: TextModel): string {
  if (model.template === null) return ''
  const key = `${model.bos}\0${model.eos}\0${model.template}`
  let lead = leads.get(key)
  if (lead === undefined) {
    const question: Message[] = [{ role: 'user', content: 'q' }]
    const prompt = written(question, true, model)
    const whole = written([...question, { role: 'assistant', content: 'Answer' }], false, model)
    const at = whole.indexOf('Answer', prompt.length)
    lead = whole.startsWith(prompt) && at !== -1 ? whole.slice(prompt.length, at) : ''
    if (lead.trim() !== '') lead = '' // more than space is content that the model writes (an empty <think> block)
    if (leads.size >= 32) leads.clear()
    leads.set(key, lead)
  }
  return lead
}
const leads = new Map<string, string>()

// ---- Conversations --------------------------------------------------------------------------------------------------

/** The text of messages under the template; special tokens in what people wrote are guarded. */
function written(
  messages: readonly Message[],
  addGenerationPrompt: boolean,
  model: TextModel,
  markGeneration = false,
): string {
  if (model.template === null)
    throw new Failure('ModelMismatch', 'This model has no chat template, so it cannot read conversations.', {
      where: 'chat template',
      next: 'Use plain text examples, or choose a model with a chat template.',
    })
  return renderTemplate(model.template, {
    messages: messages.map(({ role, content }) => ({
      role,
      content: model.tokenizer.guard(content.replace(marks, '')),
    })),
    addGenerationPrompt,
    bosToken: model.bos,
    eosToken: model.eos,
    markGeneration,
  })
}
const marks = new RegExp(`[${generationMarks.begin}${generationMarks.end}]`, 'g')

/** Characters of a rendered text that the model is to write: the answer and the end of its turn. */
interface Span {
  from: number
  to: number
}
interface Answer extends Span {
  /** Which of the messages. */
  index: number
}

/**
 * Where the answers stand in the text: after the text of the messages before it with the words that open an answer, up
 * to the end of the text of the messages up to it. An answer that the template later shows otherwise (reasoning templates
 * drop earlier thoughts) is not found; nor is one without a question.
 */
function findAnswers(messages: readonly Message[], text: string, model: TextModel): Answer[] {
  const found: Answer[] = []
  messages.forEach(({ role }, index) => {
    if (role !== 'assistant' || index === 0) return
    const before = written(messages.slice(0, index), true, model)
    const upTo = written(messages.slice(0, index + 1), false, model)
    if (upTo.startsWith(before) && text.startsWith(upTo))
      found.push({ index, from: before.length, to: before.length + endOfAnswer(upTo.slice(before.length), model) })
  })
  return found
}

/** An answer ends with its last special token, the end of the turn; a line break behind that is the template's. */
function endOfAnswer(answer: string, model: TextModel): number {
  let end = 0
  for (const token of model.tokenizer.specialTokens.keys()) {
    const at = token === '' ? -1 : answer.lastIndexOf(token)
    if (at !== -1) end = Math.max(end, at + token.length)
  }
  return end === 0 ? answer.length : end
}

/** The spans that the template marks by {% generation %} tags. A space before a mark belongs to the answer. */
function findMarked(messages: readonly Message[], text: string, answers: Answer[], model: TextModel): Span[] {
  const spans: Span[] = []
  let bare = ''
  for (const part of written(messages, false, model, true).split(marksApart)) {
    if (part === generationMarks.begin) spans.push({ from: bare.length, to: bare.length })
    else if (part === generationMarks.end) spans.at(-1)!.to = bare.length
    else bare += part
  }
  if (bare !== text) return answers // the marks changed the text: trust the plain rendering
  return spans.map(({ from, to }) => {
    const answer = answers.find((one) => one.from <= from && text.slice(one.from, from).trim() === '')
    return { from: answer?.from ?? from, to }
  })
}
const marksApart = new RegExp(`([${generationMarks.begin}${generationMarks.end}])`)

const cutsOf = (spans: Span[]): number[] => spans.flatMap(({ from, to }) => [from, to])

/** Encodes text[from..to], cut at `cuts`: no token reaches across one. */
function encodeParts(text: string, cuts: number[], from: number, to: number, model: TextModel): Int32Array {
  return concatenate(between(cuts, from, to).map(([a, b]) => model.tokenizer.encodeGuarded(text.slice(a, b))))
}

function between(cuts: number[], from: number, to: number): [number, number][] {
  const points = [...new Set([from, ...cuts.filter((cut) => cut > from && cut < to), to])].sort((a, b) => a - b)
  return points.slice(1).map((end, i) => [points[i]!, end])
}

function conversation(
  messages: readonly Message[],
  first: number,
  model: TextModel,
  options: RenderOptions,
): RenderedSequence {
  const text = written(messages, false, model)
  const answers = findAnswers(messages, text, model)
  const wanted = messages.filter(({ role }, i) => role === 'assistant' && i >= first).length
  const fresh = answers.filter(({ index }) => index >= first)
  let learn: Span[] = fresh
  if (hasGenerationTags(model.template!) && fresh.length > 0)
    learn = findMarked(messages, text, answers, model).filter(({ from }) => from >= fresh[0]!.from)
  if (options.trainOn === 'last-answer') learn = learn.slice(-1)
  if (options.trainOn === 'all') learn = [{ from: 0, to: text.length }]
  const parts = between(cutsOf([...answers, ...learn]), 0, text.length).map(([from, to]) => ({
    tokens: model.tokenizer.encodeGuarded(text.slice(from, to)),
    learn: learn.some((span) => from >= span.from && to <= span.to),
  }))
  return { ...sequence(parts, options), answersLeftOut: options.trainOn === 'all' ? 0 : wanted - fresh.length }
}

function answerTokens(prompt: readonly Message[], answer: readonly Message[], model: TextModel): Int32Array {
  const messages = [...prompt, ...answer]
  const text = written(messages, false, model)
  const before = written(prompt, true, model)
  if (!text.startsWith(before))
    throw new Failure('BadExample', 'The chat template shows this prompt otherwise once it is answered.', {
      next: 'Choose a model whose template only adds to what it wrote.',
    })
  const end = before.length + endOfAnswer(text.slice(before.length), model)
  return encodeParts(text, cutsOf(findAnswers(messages, text, model)), before.length, end, model)
}

// ---- Plain text -----------------------------------------------------------------------------------------------------

type PromptAndMore = { prompt: Message[]; plain?: true }
function promptOf(example: PromptAndMore, model: TextModel): Int32Array {
  return example.plain ? plainPrompt(joined(example.prompt), model) : renderPrompt(example.prompt, model)
}

/** As the tokenizer would by itself: with its own opening token, where it has one and the text does not. */
function plainPrompt(text: string, model: TextModel): Int32Array {
  const { opening } = model.tokenizer
  const tokens = model.tokenizer.encode(text)
  return opening.length > 0 && opening.every((id, i) => tokens[i] === id) ? tokens : concatenate([opening, tokens])
}

function plainAnswer(messages: readonly Message[], model: TextModel): Int32Array {
  return model.tokenizer.encode(ended(joined(messages), model))
}

function ended(text: string, model: TextModel): string {
  return text.endsWith(model.eos) ? text : text + model.eos
}

function joined(messages: readonly Message[]): string {
  return messages.map((message) => message.content).join('')
}

// ---- Sequences ------------------------------------------------------------------------------------------------------

function sequence(parts: { tokens: Int32Array; learn: boolean }[], options: RenderOptions): RenderedSequence {
  const whole = concatenate(parts.map((part) => part.tokens))
  const mask = new Uint8Array(whole.length)
  let at = 0
  for (const { tokens, learn } of parts) {
    if (learn) mask.fill(1, at, at + tokens.length)
    at += tokens.length
  }
  mask[0] = 0 // nothing precedes the first token, so nothing predicts it
  const lossMask = mask.slice(0, options.maxTokens)
  return {
    kind: 'sequence',
    tokens: whole.slice(0, options.maxTokens),
    lossMask,
    truncated: whole.length > options.maxTokens,
    trained: lossMask.reduce((sum, one) => sum + one, 0),
    answersLeftOut: 0,
  }
}

function preference(
  prompt: Int32Array,
  chosen: Int32Array,
  rejected: Int32Array,
  maxTokens: number,
): RenderedPreference {
  const room = Math.max(0, maxTokens - prompt.length)
  return {
    kind: 'preference',
    prompt: prompt.slice(0, maxTokens),
    chosen: chosen.slice(0, room),
    rejected: rejected.slice(0, room),
    truncated: prompt.length + Math.max(chosen.length, rejected.length) > maxTokens,
    trained: Math.min(room, chosen.length, rejected.length),
  }
}

function concatenate(arrays: Int32Array[]): Int32Array {
  const whole = new Int32Array(arrays.reduce((sum, one) => sum + one.length, 0))
  let at = 0
  for (const one of arrays) {
    whole.set(one, at)
    at += one.length
  }
  return whole
}
