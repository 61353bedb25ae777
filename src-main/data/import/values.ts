// Values in a record: at a key or a path of keys, as text, or refused in plain words.
import { Failure } from '../../contract/errors.ts'

/** Refuses the record; `reason` is a sentence. */
export const refuse = (reason: string): never => {
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

export function stringAt(record: Record<string, unknown>, path: string, name: string): string {
  const value = valueAt(record, path)
  return isEmpty(value) ? '' : asString(value, name)
}

export function asString(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return refuse(
    `The ${name} is ${Array.isArray(value) ? 'a list' : value === null ? 'empty' : 'an object'}, not a text.`,
  )
}

export const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0)

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
