// What makes two examples the same: what they say, whatever the order in which their parts were put together.
import { hash } from 'node:crypto'
import type { Example, Message } from '../contract/records.ts'

/** A text that is equal for examples that say the same. */
export function exampleText(example: Example): string {
  const turns = (messages: readonly Message[]): string[][] => messages.map((one) => [one.role, one.content])
  switch (example.kind) {
    case 'text':
      return JSON.stringify([example.kind, example.text])
    case 'conversation':
      return JSON.stringify([example.kind, turns(example.messages)])
    case 'completion':
      return JSON.stringify([example.kind, example.plain === true, turns(example.prompt), turns(example.response)])
    case 'preference':
      return JSON.stringify([
        example.kind,
        example.plain === true,
        turns(example.prompt),
        turns(example.chosen),
        turns(example.rejected),
      ])
    case 'thumb':
      return JSON.stringify([
        example.kind,
        example.plain === true,
        turns(example.prompt),
        turns(example.response),
        example.good,
      ])
    case 'prompt':
      return JSON.stringify([example.kind, example.plain === true, turns(example.prompt)])
  }
}

/** 48 bits of a hash of the text, as a whole number: at a million rows, one false meeting in some 500 data sets. */
export function hashNumber(text: string): number {
  return parseInt(hash('sha1', text).slice(0, 12), 16)
}
