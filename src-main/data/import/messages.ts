// Messages in the ways that files write them. Left out: pictures, tool schemas (tool calls become their JSON text).
import type { Mapping, Message, Role } from '../../contract/records.ts'
import { roleOf } from './roles.ts'
import { asString, isEmpty, isObject, refuse } from './values.ts'

/** Messages from a list, from one message object, or from a string said by `role`. Empty system texts are dropped. */
export function turns(value: unknown, role: Role, mapping: Mapping): Message[] {
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
export function fromHumanAssistant(text: string): Message[] {
  const pieces = `\n\n${text.trimStart()}`.split(/\n\n(Human|Assistant):/)
  if (pieces.length < 3 || pieces[0].trim() !== '') return refuse('This does not begin with “Human:”.')
  const messages: Message[] = []
  for (let i = 1; i < pieces.length; i += 2)
    messages.push({ role: pieces[i] === 'Human' ? 'user' : 'assistant', content: pieces[i + 1].trim() })
  return messages
}

export function checkTurns(messages: Message[]): void {
  for (const [i, one] of messages.entries()) {
    if (one.content.trim() !== '' || one.role === 'tool') continue
    if (messages.length === 1 || (one.role === 'user' && messages.filter((m) => m.role === 'user').length === 1))
      refuse(one.role === 'assistant' ? 'The answer is empty.' : 'The question is empty.')
    refuse(one.role === 'assistant' ? `The answer in message ${i + 1} is empty.` : `Message ${i + 1} is empty.`)
  }
}

/** Chat continues from a question or from a tool's result. */
export function checkEnd(prompt: Message[]): void {
  const last = prompt.at(-1)?.role
  if (last !== 'user' && last !== 'tool') refuse('The question does not end with a message of the user.')
}

export function checkAnswer(messages: Message[], name: string): void {
  if (messages.length === 0 || messages.every((one) => one.content.trim() === '')) refuse(`The ${name} is empty.`)
  if (!messages.some((one) => one.role === 'assistant')) refuse(`The ${name} is not said by the assistant.`)
}
