// The one place where an example becomes tokens and a loss mask, for training and for chat alike.
// A conversation is written out by the model's chat template and cut before and after each answer; no token reaches across
// a cut. So the tokens before an answer are, id by id, what chat feeds the model before it answers, and a later turn only
// ever adds tokens. What a user wrote cannot forge special tokens: messages are guarded before they are rendered.
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
          { tokens: plainAnswer(example.prompt, example.response, model), learn: true },
        ],
        options,
      )
    case 'preference': {
      const answer = (messages: Message[]): Int32Array =>
        example.plain ? plainAnswer(example.prompt, messages, model) : answerTokens(example.prompt, messages, model)
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
  const cuts = cutsOf(findAnswers(messages, text, model))
  return concatenate(encodeStretches(text, cuts, 0, text.length, model).map(({ tokens }) => tokens))
}

/** The words of an answer, from its tokens: special tokens and the spaces that the template puts around it are taken away. */
export function parseAnswer(tokens: ArrayLike<number>, model: TextModel): string {
  // Decoded behind a letter, because some decoders drop a text's first space.
  const letter = model.tokenizer.encode('a')
  const behind = model.tokenizer.decode([...letter, ...Array.from(tokens)], { skipSpecial: true })
  const text = behind.slice(model.tokenizer.decode(letter).length)
  const { lead, trail } = framingOf(model)
  const from = text.startsWith(lead) ? lead.length : 0
  return text.slice(from, text.endsWith(trail) ? Math.max(from, text.length - trail.length) : undefined)
}

/** The special token with which the template ends an answer, where it has one that differs from text: a stop for chat. */
export function endOfTurn(model: TextModel): number | null {
  const question: Message = { role: 'user', content: 'q' }
  const answer: Message = { role: 'assistant', content: 'a' }
  const { tokens, lossMask } = renderExample({ kind: 'conversation', messages: [question, answer] }, model, {
    trainOn: 'answers',
    maxTokens: Infinity,
  })
  const last = tokens[lossMask.lastIndexOf(1)]
  return last !== undefined && model.tokenizer.isSpecial(last) ? last : null
}

/** What the template writes between the opening of an answer and its first word: "" or blanks. */
export function leadOf(model: TextModel): string {
  return framingOf(model).lead
}

/** The blanks that the template writes between the opening of an answer and its first word, and behind its last. */
function framingOf(model: TextModel): { lead: string; trail: string } {
  if (model.template === null) return { lead: '', trail: '' }
  const key = `${model.bos}\0${model.eos}\0${model.template}`
  let framing = framings.get(key)
  if (framing === undefined) {
    const question: Message[] = [{ role: 'user', content: 'q' }]
    const prompt = written(question, true, model)
    const whole = written([...question, { role: 'assistant', content: 'Answer' }], false, model)
    const at = whole.indexOf('Answer', prompt.length)
    const lead = whole.startsWith(prompt) && at !== -1 ? whole.slice(prompt.length, at) : ''
    const rest = at === -1 ? '' : whole.slice(at + 'Answer'.length)
    const trail = rest.slice(0, model.tokenizer.findSpecials(rest)[0]?.begin ?? 0)
    // More than blanks is something that the model is to write, as an empty <think> block.
    framing = { lead: lead.trim() === '' ? lead : '', trail: trail.trim() === '' ? trail : '' }
    if (framings.size >= 32) framings.clear()
    framings.set(key, framing)
  }
  return framing
}
const framings = new Map<string, { lead: string; trail: string }>()

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
    const upTo = index === messages.length - 1 ? text : written(messages.slice(0, index + 1), false, model)
    if (upTo.startsWith(before) && text.startsWith(upTo))
      found.push({ index, from: before.length, to: before.length + endOfAnswer(upTo.slice(before.length), model) })
  })
  return found
}

/** An answer ends with its last special token, the end of the turn; a line break behind that is the template's. */
function endOfAnswer(answer: string, model: TextModel): number {
  return model.tokenizer.findSpecials(answer).at(-1)?.end ?? answer.length
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

interface Stretch extends Span {
  tokens: Int32Array
}

/** Encodes text[from..to], cut at `cuts`: no token reaches across one. */
function encodeStretches(text: string, cuts: number[], from: number, to: number, model: TextModel): Stretch[] {
  const points = [...new Set([from, ...cuts.filter((cut) => cut > from && cut < to), to])].sort((a, b) => a - b)
  const specials = model.tokenizer.findSpecials(text)
  return points.slice(1).map((end, i) => {
    const begin = points[i]!
    const context = specials.findLast((special) => special.end <= begin)?.begin ?? 0
    const tokens = continued(text.slice(context, begin), text.slice(begin, end), (t) =>
      model.tokenizer.encodeGuarded(t),
    )
    return { from: begin, to: end, tokens }
  })
}

/**
 * The tokens of a text that continues another: what it adds to the tokens of that one, where they stay as they are. Where
 * they do not (a line break before, a line break after), what it adds to a letter with which nothing merges: the middle of
 * a text is not written as its start by SentencePiece's vocabularies.
 */
function continued(before: string, text: string, encode: (text: string) => Int32Array): Int32Array {
  if (before === '') return encode(text)
  for (const context of [before, '\u0001']) {
    const [first, both] = [encode(context), encode(context + text)]
    if (first.every((id, i) => both[i] === id)) return both.slice(first.length)
  }
  return encode(text)
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
  const parts = encodeStretches(text, cutsOf([...answers, ...learn]), 0, text.length, model).map((stretch) => ({
    tokens: stretch.tokens,
    learn: learn.some((span) => stretch.from >= span.from && stretch.to <= span.to),
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
  const cuts = cutsOf(findAnswers(messages, text, model))
  return concatenate(encodeStretches(text, cuts, before.length, end, model).map(({ tokens }) => tokens))
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

function plainAnswer(prompt: readonly Message[], answer: readonly Message[], model: TextModel): Int32Array {
  return continued(joined(prompt), ended(joined(answer), model), (t) => model.tokenizer.encode(t))
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
