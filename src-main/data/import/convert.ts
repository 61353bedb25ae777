// One record, read by a mapping, to one Example or to a refusal in plain words. Copied from TRL: the implied question is
// the longest common beginning, and the space belongs to the answer. Not copied: identical answers, which TRL cuts at an
// accidental place, are refused here. Left out: images, tool schemas (tool calls become their JSON text).
import { Failure } from '../../contract/errors.ts'
import type { Example, Mapping, Message, Role } from '../../contract/records.ts'
import { roleOf } from './roles.ts'

/** An example, or the reason (a sentence) why the record cannot be one. */
export function convert(record: unknown, mapping: Mapping): Example | { reason: string } {
  try {
    return exampleOf(keyed(record), mapping)
  } catch (error) {
    if (error instanceof Failure) return { reason: error.message }
    throw error
  }
}

const refuse = (reason: string): never => {
  throw new Failure('BadExample', reason)
}

/** Bare values get a name: a line that is only a list of messages, or only a string. */
export function keyed(record: unknown): Record<string, unknown> {
  if (typeof record === 'string') return { text: record }
  if (Array.isArray(record)) {
    if (isObject(record[0])) return { messages: record }
    return refuse('This is a list without names. Write it with keys, such as {"prompt": …, "completion": …}.')
  }
  if (!isObject(record)) return refuse('This is not a record with named parts.')
  return record
}

function exampleOf(record: Record<string, unknown>, mapping: Mapping): Example {
  const { parts, kind } = mapping
  switch (kind) {
    case 'text': {
      const text = stringAt(record, parts.text ?? '', 'text')
      return text.trim() === '' ? refuse('The text is empty.') : { kind, text }
    }
    case 'conversation': {
      const messages = [...context(record, mapping), ...answer(record, mapping)]
      if (messages.length === 0) refuse('There are no messages.')
      checkTurns(messages)
      if (!messages.some((one) => one.role === 'assistant')) refuse('There is no answer to learn from.')
      return { kind, messages }
    }
    case 'completion':
    case 'thumb': {
      const before = context(record, mapping)
      const given = answer(record, mapping)
      const [prompt, response] = given.length > 0 ? [before, given] : splitLastAnswer(before)
      checkTurns(prompt)
      checkAnswer(response, 'answer')
      if (!prompt.some((one) => one.role !== 'system')) refuse('The question is empty.')
      const plain = isPlain(record, mapping, ['prompt', 'response'])
      return kind === 'completion'
        ? { kind, prompt, response, ...plain }
        : { kind, prompt, response, good: labelAt(record, parts.label ?? ''), ...plain }
    }
    case 'preference':
      return preference(record, mapping)
    case 'prompt': {
      const messages = context(record, mapping)
      while (messages.at(-1)?.role === 'assistant') messages.pop()
      checkTurns(messages)
      if (!messages.some((one) => one.role !== 'system')) refuse('The question is empty.')
      checkEnd(messages)
      return { kind, prompt: messages, ...isPlain(record, mapping, ['prompt']) }
    }
  }
}

function preference(record: Record<string, unknown>, mapping: Mapping): Example {
  const { parts } = mapping
  const sides = [valueAt(record, parts.chosen ?? ''), valueAt(record, parts.rejected ?? '')]
  if (isEmpty(sides[0]) && isEmpty(sides[1])) refuse('Both answers are empty.')
  if (isEmpty(sides[0])) refuse('The chosen answer is empty.')
  if (isEmpty(sides[1])) refuse('The rejected answer is empty.')
  const asked = context(record, mapping)
  const pair =
    asked.length > 0 ? { prompt: asked, ...answersTo(asked, sides, record, mapping) } : implied(sides, mapping)
  const { prompt, chosen, rejected, plain } = pair
  if (asked.length === 0 && !prompt.some((one) => one.role !== 'system' && one.content.trim() !== ''))
    refuse('There is no question: both answers share no beginning.')
  checkTurns(prompt)
  checkEnd(prompt)
  checkAnswer(chosen, 'chosen answer')
  checkAnswer(rejected, 'rejected answer')
  if (JSON.stringify(chosen) === JSON.stringify(rejected)) refuse('The chosen and the rejected answer are the same.')
  const strength = parts.strength === undefined ? undefined : Number(valueAt(record, parts.strength))
  const strong = strength === 1 || strength === 2 || strength === 3 ? { strength: strength as 1 | 2 | 3 } : {}
  return { kind: 'preference', prompt, chosen, rejected, ...plain, ...strong }
}

interface Answers {
  chosen: Message[]
  rejected: Message[]
  plain: { plain?: true }
}

function answersTo(prompt: Message[], sides: unknown[], record: Record<string, unknown>, mapping: Mapping): Answers {
  const [chosen, rejected] = sides.map((side) => withoutPrompt(turns(side, 'assistant', mapping), prompt))
  const isText = sides.every((side) => typeof side === 'string')
  return { chosen, rejected, plain: isText ? isPlain(record, mapping, ['prompt']) : {} }
}

/** The question is what both sides begin with. */
function implied(sides: unknown[], mapping: Mapping): Answers & { prompt: Message[] } {
  const [a, b] = sides
  const isDialogue = mapping.form === 'hh-rlhf'
  if (typeof a === 'string' && typeof b === 'string' && !isDialogue) {
    const cut = impliedPrompt(a, b)
    const [question, good, bad] = mapping.asChat ? cut.map((text) => text.trim()) : cut
    return {
      prompt: [{ role: 'user', content: question }],
      chosen: [{ role: 'assistant', content: good }],
      rejected: [{ role: 'assistant', content: bad }],
      plain: mapping.asChat ? {} : { plain: true },
    }
  }
  const [left, right] = sides.map((side) =>
    isDialogue && typeof side === 'string' ? fromHumanAssistant(side) : turns(side, 'assistant', mapping),
  )
  const [prompt, chosen, rejected] = commonTurns(left, right)
  return { prompt, chosen, rejected, plain: {} }
}

/** Everything before the answer: the system text, earlier turns, and the question with its input. */
function context(record: Record<string, unknown>, mapping: Mapping): Message[] {
  const { parts } = mapping
  const messages: Message[] = []
  if (parts.messages !== undefined) messages.push(...turns(valueAt(record, parts.messages), 'user', mapping))
  if (parts.history !== undefined) {
    const history = valueAt(record, parts.history)
    for (const pair of Array.isArray(history) ? history : []) {
      if (!Array.isArray(pair) || pair.length !== 2)
        refuse('A turn of the history is not a pair of question and answer.')
      messages.push(
        { role: 'user', content: asString(pair[0], 'history') },
        { role: 'assistant', content: asString(pair[1], 'history') },
      )
    }
  }
  if (parts.prompt !== undefined) {
    const value = valueAt(record, parts.prompt)
    if (Array.isArray(value)) messages.push(...turns(value, 'user', mapping))
    else {
      const question = isEmpty(value) ? '' : asString(value, parts.prompt)
      const input = parts.input === undefined ? '' : stringAt(record, parts.input, 'input')
      const content = [question, input].filter((text) => text.trim() !== '').join('\n')
      if (content === '') refuse('The question is empty.')
      messages.push({ role: 'user', content })
    }
  }
  if (parts.system !== undefined && messages[0]?.role !== 'system') {
    const system = stringAt(record, parts.system, 'system')
    if (system.trim() !== '') messages.unshift({ role: 'system', content: system })
  }
  return messages
}

function answer(record: Record<string, unknown>, mapping: Mapping): Message[] {
  if (mapping.parts.response === undefined) return []
  const value = valueAt(record, mapping.parts.response)
  if (isEmpty(value)) return refuse('The answer is empty.')
  return turns(value, 'assistant', mapping)
}

/** Messages from a list, from one message object, or from a string said by `role`. Empty system texts are dropped. */
function turns(value: unknown, role: Role, mapping: Mapping): Message[] {
  if (isEmpty(value)) return refuse('There are no messages.')
  if (isObject(value)) return [messageOf(value, 0, mapping)]
  if (!Array.isArray(value)) return [{ role, content: asString(value, 'message') }]
  return value
    .map((one, i) =>
      isObject(one) ? messageOf(one, i, mapping) : refuse(`Message ${i + 1} is not an object with a role and a text.`),
    )
    .filter((one) => !(one.role === 'system' && one.content.trim() === ''))
}

function messageOf(one: Record<string, unknown>, index: number, mapping: Mapping): Message {
  const word = one.role ?? one.from
  if (typeof word !== 'string') return refuse(`Message ${index + 1} has no role.`)
  const role =
    roleOf(word, mapping.roles) ??
    refuse(`The role “${word}” of message ${index + 1} is not known. Known are system, user, assistant and tool.`)
  const content = one.content ?? one.value ?? null
  const calls = one.tool_calls
  if (isEmpty(content) && Array.isArray(calls) && calls.length > 0)
    return { role, content: JSON.stringify(calls.map((call) => (isObject(call) ? (call.function ?? call) : call))) }
  if (Array.isArray(content)) {
    const texts = content.map((part) =>
      isObject(part) && typeof part.text === 'string'
        ? part.text
        : refuse(`Message ${index + 1} holds something other than text.`),
    )
    return { role, content: texts.join('') }
  }
  return { role, content: content === null ? '' : asString(content, `message ${index + 1}`) }
}

/** "\n\nHuman: … \n\nAssistant: …" as messages. */
function fromHumanAssistant(text: string): Message[] {
  const pieces = `\n\n${text.trimStart()}`.split(/\n\n(Human|Assistant):/)
  if (pieces.length < 3 || pieces[0].trim() !== '') return refuse('This does not begin with “Human:”.')
  const messages: Message[] = []
  for (let i = 1; i < pieces.length; i += 2)
    messages.push({ role: pieces[i] === 'Human' ? 'user' : 'assistant', content: pieces[i + 1].trim() })
  return messages
}

/** The longest common beginning in characters; a space before the cut goes to the answers. */
export function impliedPrompt(chosen: string, rejected: string): [prompt: string, chosen: string, rejected: string] {
  if (chosen === rejected) refuse('The chosen and the rejected answer are the same.')
  let at = 0
  while (at < chosen.length && at < rejected.length && chosen[at] === rejected[at]) at++
  if (at === chosen.length || at === rejected.length)
    refuse('One answer is only the beginning of the other, so it would be empty.')
  if (at > 0 && /[\uD800-\uDBFF]/.test(chosen[at - 1])) at-- // never between the halves of one character
  if (at > 0 && chosen[at - 1] === ' ') at--
  return [chosen.slice(0, at), chosen.slice(at), rejected.slice(at)]
}

function commonTurns(chosen: Message[], rejected: Message[]): [Message[], Message[], Message[]] {
  const same = (i: number): boolean => chosen[i].role === rejected[i].role && chosen[i].content === rejected[i].content
  const shorter = Math.min(chosen.length, rejected.length)
  let at = 0
  while (at < shorter && same(at)) at++
  if (at === chosen.length && at === rejected.length) refuse('The chosen and the rejected answer are the same.')
  if (at === shorter) at-- // one is the other's beginning: its last message is the answer
  return [chosen.slice(0, at), chosen.slice(at), rejected.slice(at)]
}

/** Where a side repeats the question (as UltraFeedback's do), the question is taken off it. */
function withoutPrompt(side: Message[], prompt: Message[]): Message[] {
  const asked = prompt.filter((one) => one.role !== 'system')
  const from = side[0]?.role === 'system' ? 1 : 0
  const repeats =
    side.length > from + asked.length &&
    asked.every((one, i) => one.role === side[from + i].role && one.content.trim() === side[from + i].content.trim())
  return repeats && asked.length > 0 ? side.slice(from + asked.length) : side
}

function splitLastAnswer(messages: Message[]): [prompt: Message[], response: Message[]] {
  const last = messages.findLastIndex((one) => one.role === 'assistant')
  if (last === -1) return refuse('There is no answer to learn from.')
  return [messages.slice(0, last), [messages[last]]]
}

function checkTurns(messages: Message[]): void {
  for (const [i, one] of messages.entries()) {
    if (one.content.trim() !== '' || one.role === 'tool') continue
    if (messages.length === 1 || (one.role === 'user' && messages.filter((m) => m.role === 'user').length === 1))
      refuse(one.role === 'assistant' ? 'The answer is empty.' : 'The question is empty.')
    refuse(one.role === 'assistant' ? `The answer in message ${i + 1} is empty.` : `Message ${i + 1} is empty.`)
  }
}

/** Chat continues from a question or from a tool's result. */
function checkEnd(prompt: Message[]): void {
  const last = prompt.at(-1)?.role
  if (last !== 'user' && last !== 'tool') refuse('The question does not end with a message of the user.')
}

function checkAnswer(messages: Message[], name: string): void {
  if (messages.length === 0 || messages.every((one) => one.content.trim() === '')) refuse(`The ${name} is empty.`)
  if (!messages.some((one) => one.role === 'assistant')) refuse(`The ${name} is not said by the assistant.`)
}

/** Plain when every part that holds the text is a string and the mapping says so. */
function isPlain(record: Record<string, unknown>, mapping: Mapping, names: string[]): { plain?: true } {
  if (mapping.asChat) return {}
  const used = names.map((name) => mapping.parts[name]).filter((path) => path !== undefined)
  return used.length > 0 && used.every((path) => !Array.isArray(valueAt(record, path))) ? { plain: true } : {}
}

function labelAt(record: Record<string, unknown>, path: string): boolean {
  const value = valueAt(record, path)
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? value.trim().toLowerCase() : null
  if (word === 'true' || word === 'false') return word === 'true'
  return refuse(`The label must be true or false, not ${JSON.stringify(value) ?? 'missing'}.`)
}

/** The value at a key, or at a path of keys with dots. Lists and objects written as JSON text are opened. */
export function valueAt(record: Record<string, unknown>, path: string): unknown {
  let value: unknown = Object.hasOwn(record, path) ? record[path] : undefined
  if (value === undefined && path.includes('.')) {
    value = record
    for (const key of path.split('.')) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return typeof value === 'string' && /^\s*[[{]\s*[{"]/.test(value) ? openJson(value) : value
}

/** Tables carry lists of messages as text. Other text that only looks like JSON stays text. */
function openJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    const first: unknown = Array.isArray(value) ? value[0] : value
    return isObject(first) && ('role' in first || 'from' in first) ? value : text
  } catch {
    return text
  }
}

function stringAt(record: Record<string, unknown>, path: string, name: string): string {
  const value = valueAt(record, path)
  return isEmpty(value) ? '' : asString(value, name)
}

function asString(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return refuse(
    `The ${name} is ${Array.isArray(value) ? 'a list' : value === null ? 'empty' : 'an object'}, not a text.`,
  )
}

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0)

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
