// Ids: a letter for the kind and a number that is never given out again, also after its record is gone.
import { Failure } from '../contract/errors.ts'
import type { Store } from './open.ts'

export const letters = {
  dataset: 'd',
  model: 'm',
  run: 'r',
  checkpoint: 'c',
  pairSet: 's',
  pair: 'p',
  judgement: 'j',
  chat: 't',
  message: 'g',
  chatLabel: 'l',
} as const
export type Noun = keyof typeof letters

const words: Record<Noun, string> = {
  dataset: 'dataset',
  model: 'model',
  run: 'run',
  checkpoint: 'checkpoint',
  pairSet: 'set of pairs',
  pair: 'pair',
  judgement: 'judgement',
  chat: 'chat',
  message: 'message',
  chatLabel: 'label',
}

/** The next id of a kind: "d3". */
export function newId(store: Store, noun: Noun): string {
  const row = store.get<{ last: number }>(
    'INSERT INTO counters (kind, last) VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last',
    noun,
  )
  return `${letters[noun]}${row!.last}`
}

/** Says which kind of record an id names, or null. */
export function nounOf(id: string): Noun | null {
  return (Object.keys(letters) as Noun[]).find((noun) => letters[noun] === id[0]) ?? null
}

/** The record, or NotFound with the kind and the id. */
export function found<T>(record: T | undefined, noun: Noun, id: string): T {
  if (record !== undefined) return record
  throw new Failure('NotFound', `There is no ${words[noun]} “${id}”.`, {
    where: id,
    next: 'It may have been removed. Look it up in the list.',
  })
}
