// The parts of a record, by its mapping: what stands before the answer, the answer, the thumb.
import type { Mapping, Message } from '../../contract/records.ts'
import { turns } from './messages.ts'
import { asString, isEmpty, refuse, stringAt, valueAt } from './values.ts'

/** Everything before the answer: the system text, earlier turns, and the question with its input. */
export function context(record: Record<string, unknown>, mapping: Mapping): Message[] {
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

export function answer(record: Record<string, unknown>, mapping: Mapping): Message[] {
  if (mapping.parts.response === undefined) return []
  const value = valueAt(record, mapping.parts.response)
  if (isEmpty(value)) return refuse('The answer is empty.')
  return turns(value, 'assistant', mapping)
}

export function splitLastAnswer(messages: Message[]): [prompt: Message[], response: Message[]] {
  const last = messages.findLastIndex((one) => one.role === 'assistant')
  if (last === -1) return refuse('There is no answer to learn from.')
  return [messages.slice(0, last), [messages[last]]]
}

/** Plain when every part that holds the text is a string and the mapping says so. */
export function isPlain(record: Record<string, unknown>, mapping: Mapping, names: string[]): { plain?: true } {
  if (mapping.asChat) return {}
  const used = names.map((name) => mapping.parts[name]).filter((path) => path !== undefined)
  return used.length > 0 && used.every((path) => !Array.isArray(valueAt(record, path))) ? { plain: true } : {}
}

export function labelAt(record: Record<string, unknown>, path: string): boolean {
  const value = valueAt(record, path)
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? value.trim().toLowerCase() : null
  if (word === 'true' || word === 'false') return word === 'true'
  return refuse(`The label must be true or false, not ${JSON.stringify(value) ?? 'missing'}.`)
}
