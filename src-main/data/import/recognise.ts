// Which form a file is in, told from its first records and never from its name, and what else the records could teach.
// Left out: stepwise rewards and data that is already tokens, which are named and refused.
import { Failure } from '../../contract/errors.ts'
import type { Mapping, Role } from '../../contract/records.ts'
import { columnsOf, roleWords, type Column } from './columns.ts'
import { convert } from './convert.ts'
import { guess, type Guess } from './forms.ts'
import { knownRoles } from './roles.ts'

export interface Recognition {
  mapping: Mapping
  /** "Chat messages, as OpenAI writes them" */
  title: string
  /** Share of the sampled records that this mapping turns into examples. */
  confidenceRatio: number
  /** What a person should know: a guess made, a kind of value accepted. */
  notes: string[]
  unusedKeys: string[]
}

/**
 * Reads the sample every way that fits, the likeliest first; further entries are other uses of the same records.
 * Empty when nothing fits. Throws BadFile for forms that we know and do not read.
 */
export function recognise(records: readonly unknown[], file = ''): Recognition[] {
  const columns = columnsOf(records)
  refuseUnread(columns, file)
  const first = guess(columns, records)
  if (first === null) return []
  const guesses = [first, ...otherUses(first, columns)]
  return guesses.map((one) => complete(one, columns, records))
}

/** The failure for a file whose form is not known. */
export function unknownForm(records: readonly unknown[], file: string): Failure {
  const keys = columnsOf(records).map((column) => column.key)
  const found =
    keys.length === 0
      ? 'It has no named parts.'
      : `It has ${keys
          .slice(0, 12)
          .map((key) => `“${key}”`)
          .join(', ')}${keys.length > 12 ? ' and more' : ''}.`
  return new Failure('BadFile', `The form of this file is not known. ${found}`, {
    where: file,
    next:
      'Say which key holds the question and which the answer (map by hand), or use one of these forms: messages (OpenAI), ' +
      'conversations (ShareGPT), instruction and output (Alpaca), prompt and completion, prompt, chosen and rejected, ' +
      'prompt, completion and label, prompt alone, text, or a table with question and answer columns.',
  })
}

function refuseUnread(columns: Column[], where: string): void {
  const has = (key: string): boolean => columns.some((column) => column.key === key)
  if (has('completions') && has('labels'))
    throw new Failure('BadFile', 'These are answers judged step by step (TRL’s stepwise form), which are not read.', {
      where,
      next: 'Bring prompt and completion, or prompt, chosen and rejected.',
    })
  if ((has('role') && has('content')) || (has('from') && has('value')))
    throw new Failure('BadFile', 'Each row is one message, so it cannot be seen where a conversation ends.', {
      where,
      next: 'Put the messages of each conversation into a list named “messages”, one conversation a row.',
    })
  if (has('input_ids') || has('prompt_ids') || has('chosen_input_ids'))
    throw new Failure('BadFile', 'These rows are already tokens of some model, not text.', {
      where,
      next: 'Bring the text that they were made from.',
    })
}

/** Other things that the same records can teach. */
function otherUses(first: Guess, columns: Column[]): Guess[] {
  const { parts } = first
  const others: Guess[] = []
  const strings = ['prompt', 'response', 'chosen'].every(
    (name) => parts[name] === undefined || columns.find((one) => one.key === parts[name])?.shape !== 'messages',
  )
  const plainable = [
    'trl-prompt-completion',
    'trl-preference',
    'trl-preference-implicit',
    'trl-unpaired',
    'trl-prompt-only',
    'columns',
  ].includes(first.form)
  if (plainable && strings && first.kind !== 'text')
    others.push({
      ...first,
      asChat: first.asChat === false,
      notes: [],
      title: `${first.title}, ${first.asChat !== false ? 'joined as plain text' : 'as turns of a chat'}`,
    })
  const { chosen, rejected, label, strength, ...kept } = parts
  if (first.kind === 'conversation')
    others.push({ ...first, kind: 'completion', title: `${first.title}: only the last answer is learned` })
  if (first.kind === 'completion')
    others.push({ ...first, kind: 'conversation', title: `${first.title}, as conversations`, asChat: true })
  if (first.kind === 'preference' && first.parts.prompt !== undefined)
    others.push({
      ...first,
      kind: 'completion',
      parts: { ...kept, response: chosen },
      title: `${first.title}: learn the chosen ones`,
    })
  if (first.kind === 'thumb')
    others.push({
      ...first,
      kind: 'completion',
      parts: kept,
      title: `${first.title}: learn all answers, whatever their thumb`,
      notes: [],
    })
  if (first.kind !== 'text' && first.kind !== 'prompt' && (kept.prompt !== undefined || kept.messages !== undefined)) {
    const { response, ...asked } = kept
    others.push({ ...first, kind: 'prompt', parts: asked, title: 'Only the questions', notes: [] })
  }
  return others
}

function complete(one: Guess, columns: Column[], records: readonly unknown[]): Recognition {
  const { words } = roleWords(columns.filter((column) => column.shape === 'messages' || column.shape === 'message'))
  const roles: Record<string, Role> = Object.fromEntries(
    [...words].filter((word) => Object.hasOwn(knownRoles, word)).map((word) => [word, knownRoles[word]]),
  )
  const mapping: Mapping = { form: one.form, kind: one.kind, parts: one.parts, roles, asChat: one.asChat ?? true }
  const good = records.filter((record) => !('reason' in convert(record, mapping))).length
  const used = new Set(
    Object.values(one.parts).map((path) => (columns.some((column) => column.key === path) ? path : path.split('.')[0])),
  )
  return {
    mapping,
    title: one.title,
    confidenceRatio: records.length === 0 ? 0 : good / records.length,
    notes: one.notes ?? [],
    unusedKeys: columns.map((column) => column.key).filter((key) => !used.has(key)),
  }
}
