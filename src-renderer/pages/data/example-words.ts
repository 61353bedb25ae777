// An example as a person reads it in a table: which columns its kind has, and what stands in them.
import type { Example, ExampleKind, Message } from '../../../src-main/contract/records.ts'
import { words } from '../../words/en.ts'

export interface ExampleColumn {
  key: string
  label: string
  width: string
  numeric?: boolean
  dim?: boolean
}

const names = words.data.columns
const wide = 'minmax(0, 1fr)'

/** The columns of a table of such examples, without row, words and split. */
export function exampleColumns(kind: ExampleKind): ExampleColumn[] {
  switch (kind) {
    case 'text':
      return [{ key: 'first', label: names.text, width: wide }]
    case 'prompt':
      return [{ key: 'first', label: names.prompt, width: wide }]
    case 'preference':
      return [
        { key: 'first', label: names.prompt, width: 'minmax(0, 0.8fr)' },
        { key: 'second', label: names.chosen, width: wide, dim: true },
        { key: 'third', label: names.rejected, width: wide, dim: true },
      ]
    case 'thumb':
      return [
        { key: 'first', label: names.prompt, width: 'minmax(0, 0.8fr)' },
        { key: 'second', label: names.answer, width: wide, dim: true },
        { key: 'third', label: names.verdict, width: '64px' },
      ]
    case 'conversation':
    case 'completion':
      return [
        { key: 'first', label: names.question, width: 'minmax(0, 0.8fr)' },
        { key: 'second', label: names.answer, width: wide, dim: true },
      ]
  }
}

const lastOf = (messages: readonly Message[]): string => messages.at(-1)?.content ?? ''

/** What stands in one of those columns; line breaks are shown as spaces. */
export function exampleCell(example: Example, key: string): string {
  const [first, second, third] = cellsOf(example)
  return ({ first, second, third }[key] ?? '').replace(/\s+/g, ' ')
}

function cellsOf(example: Example): [string, string?, string?] {
  switch (example.kind) {
    case 'text':
      return [example.text.slice(0, 400)]
    case 'prompt':
      return [lastOf(example.prompt)]
    case 'preference':
      return [lastOf(example.prompt), lastOf(example.chosen), lastOf(example.rejected)]
    case 'thumb':
      return [lastOf(example.prompt), lastOf(example.response), example.good ? words.data.up : words.data.down]
    case 'completion':
      return [lastOf(example.prompt), lastOf(example.response)]
    case 'conversation': {
      const question = example.messages.find((one) => one.role === 'user')
      const answer = example.messages.findLast((one) => one.role === 'assistant')
      return [question?.content ?? '', answer?.content ?? '']
    }
  }
}

/** All messages of an example in order, each with where it lies, so that it can be edited in place. */
export function messagesOf(example: Example): { part: string; index: number; message: Message }[] {
  const list = (part: string, messages: readonly Message[]): { part: string; index: number; message: Message }[] =>
    messages.map((message, index) => ({ part, index, message }))
  switch (example.kind) {
    case 'text':
      return [{ part: 'text', index: 0, message: { role: 'assistant', content: example.text } }]
    case 'conversation':
      return list('messages', example.messages)
    case 'prompt':
      return list('prompt', example.prompt)
    case 'preference':
      return [
        ...list('prompt', example.prompt),
        ...list('chosen', example.chosen),
        ...list('rejected', example.rejected),
      ]
    case 'completion':
    case 'thumb':
      return [...list('prompt', example.prompt), ...list('response', example.response)]
  }
}

/** The example with one text replaced. */
export function withText(example: Example, part: string, index: number, content: string): Example {
  if (example.kind === 'text') return { ...example, text: content }
  const changed = structuredClone(example) as unknown as Record<string, Message[]>
  const message = changed[part]?.[index]
  if (message !== undefined) message.content = content
  return changed as unknown as Example
}

/** How many words an example holds, all its messages together. */
export function countWords(example: Example): number {
  return messagesOf(example).reduce((sum, { message }) => sum + (message.content.match(/\S+/g)?.length ?? 0), 0)
}
