// Which rows are held out from training. Decided for each row by what it asks and the seed alone: so the split does not
// change when rows are added, sorted or imported again, and equal rows, or two answers to one question, never stand on
// both sides.
import { hash } from 'node:crypto'
import type { Example, Message, Split } from '../contract/records.ts'

/** What must not have been seen in training when it is asked later: the question, or the text where there is none. */
function questionOf(example: Example): unknown {
  const turns = (messages: readonly Message[]): Message[] => messages.map(({ role, content }) => ({ role, content }))
  if (example.kind === 'text') return example.text
  if (example.kind !== 'conversation') return turns(example.prompt)
  const end = example.messages.findIndex((message) => message.role === 'assistant')
  return turns(end === -1 ? example.messages : example.messages.slice(0, end))
}

/**
 * The side of one example. `heldOutRatio` (0 to 1) of all questions are held out on average; a small data set may come
 * out with none, and a larger ratio holds out what a smaller one did, and more.
 */
export function splitOf(example: Example, seed: number, heldOutRatio: number): Split {
  const place = parseInt(hash('sha1', `${seed}\n${JSON.stringify(questionOf(example))}`).slice(0, 12), 16) / 2 ** 48
  return place < heldOutRatio ? 'held-out' : 'train'
}
