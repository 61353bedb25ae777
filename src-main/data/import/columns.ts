// What a sample of records holds, key by key: the ground on which a form is recognised.
import { isObject, keyed, valueAt } from './values.ts'
import { roleKey } from './roles.ts'

export type Shape = 'empty' | 'string' | 'number' | 'boolean' | 'messages' | 'message' | 'pairs' | 'list' | 'object'

export interface Column {
  key: string
  /** What most of the filled values are. */
  shape: Shape
  /** How many records have it, empty or not. */
  present: number
  /** How many have something in it. */
  filled: number
  /** First filled values. */
  values: unknown[]
}

/** The columns of the records in the order in which they are met; records without keys are passed over. */
export function columnsOf(records: readonly unknown[]): Column[] {
  const found = new Map<string, { present: number; values: unknown[]; shapes: Map<Shape, number> }>()
  for (const one of records) {
    const record = named(one)
    if (record === null) continue
    for (const key of Object.keys(record)) {
      let column = found.get(key)
      if (column === undefined) found.set(key, (column = { present: 0, values: [], shapes: new Map() }))
      column.present++
      const value = valueAt(record, key)
      const shape = shapeOf(value)
      if (shape === 'empty') continue
      column.values.push(value)
      column.shapes.set(shape, (column.shapes.get(shape) ?? 0) + 1)
    }
  }
  return [...found].map(([key, { present, values, shapes }]) => {
    const [shape] = [...shapes].sort((a, b) => b[1] - a[1])[0] ?? ['empty' as const]
    return { key, shape, present, filled: values.length, values }
  })
}

function named(record: unknown): Record<string, unknown> | null {
  try {
    return keyed(record)
  } catch {
    return null
  }
}

function shapeOf(value: unknown): Shape {
  if (value === null || value === undefined) return 'empty'
  if (typeof value === 'string') return value.trim() === '' ? 'empty' : 'string'
  if (typeof value === 'number' || typeof value === 'bigint') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  if (Array.isArray(value)) {
    if (value.length === 0) return 'empty'
    if (isMessage(value[0])) return 'messages'
    return Array.isArray(value[0]) && value[0].length === 2 ? 'pairs' : 'list'
  }
  return isMessage(value) ? 'message' : 'object'
}

const isMessage = (value: unknown): boolean =>
  isObject(value) && (typeof value.role === 'string' || typeof value.from === 'string')

/** The words that say who speaks, in columns of messages, and whether they are written ShareGPT's way (from, value). */
export function roleWords(columns: readonly Column[]): { words: Set<string>; from: boolean } {
  const words = new Set<string>()
  let from = false
  for (const column of columns)
    for (const value of column.values)
      for (const one of Array.isArray(value) ? value : [value]) {
        if (!isObject(one)) continue
        const word = one.role ?? one.from
        if (typeof word !== 'string') continue
        words.add(roleKey(word))
        if (one.role === undefined) from = true
      }
  return { words, from }
}
