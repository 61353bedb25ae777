// Examples to JSON lines in the forms of TRL, OpenAI, Alpaca and ShareGPT (LLaMA-Factory's columns). What a form cannot
// say without changing its meaning is left out, with the reason and a count. Written beside, then renamed, so that an
// export is whole or not there. Left out: loss weights of single messages (OpenAI), margins (TRL's reward model).
import { open, rename, rm } from 'node:fs/promises'
import { Failure } from '../contract/errors.ts'
import type { Example, Message, Role } from '../contract/records.ts'

export type ExportFormat = 'trl' | 'openai' | 'alpaca' | 'sharegpt'
export const exportFormats = ['trl', 'openai', 'alpaca', 'sharegpt'] as const

export interface ExportSummary {
  file: string
  rows: number
  leftOut: number
  /** Why rows were left out, the commonest first. */
  reasons: { reason: string; count: number }[]
}

type Line = Record<string, unknown>
const bufferCharacters = 262_144

/**
 * Writes the examples to `out`, one JSON object a line. Throws BadExample when not one of them fits the form (nothing is
 * written then), NotFound when the folder does not exist, and the disk's own errors.
 */
export async function exportExamples(
  examples: Iterable<Example> | AsyncIterable<Example>,
  format: ExportFormat,
  out: string,
): Promise<ExportSummary> {
  const beside = `${out}.part`
  const file = await open(beside, 'w').catch((error: NodeJS.ErrnoException) => {
    throw unwritable(out, error)
  })
  const reasons = new Map<string, number>()
  let rows = 0
  let leftOut = 0
  let isWhole = false
  try {
    let text = ''
    for await (const example of examples) {
      const line = lineOf(example, format)
      if (typeof line === 'string') {
        leftOut++
        reasons.set(line, (reasons.get(line) ?? 0) + 1)
        continue
      }
      rows++
      text += `${JSON.stringify(line)}\n`
      if (text.length > bufferCharacters) {
        await file.write(text)
        text = ''
      }
    }
    await file.write(text)
    if (rows === 0)
      throw new Failure('BadExample', `There is nothing to write. ${[...reasons.keys()].join(' ')}`.trim(), {
        where: out,
        next: 'Choose another form: TRL’s holds every kind of example.',
      })
    await file.sync()
    isWhole = true
  } finally {
    await file.close()
    if (!isWhole) await rm(beside, { force: true })
  }
  await rename(beside, out).catch(async (error: NodeJS.ErrnoException) => {
    await rm(beside, { force: true })
    throw unwritable(out, error)
  })
  const counted = [...reasons].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count)
  return { file: out, rows, leftOut, reasons: counted }
}

/** What to say when `out` cannot be written; other errors (a full disk) as they are. */
function unwritable(out: string, error: NodeJS.ErrnoException): Error {
  const why: Record<string, string> = {
    ENOENT: 'The folder to write into does not exist.',
    ENOTDIR: 'The folder to write into does not exist.',
    EISDIR: 'This is a folder, not the name of a file to write.',
    ENOTEMPTY: 'This is a folder, not the name of a file to write.',
    EACCES: 'You may not write there.',
    EPERM: 'You may not write there.',
    EROFS: 'This disk can only be read.',
  }
  const message = why[error.code ?? '']
  if (message === undefined) return error
  const kind = message.includes('exist') ? 'NotFound' : 'BadFile'
  return new Failure(kind, message, { where: out, next: 'Choose another place.', cause: error })
}

/** One example as the form writes it, or the reason (a sentence) why it cannot. */
export function lineOf(example: Example, format: ExportFormat): Line | string {
  switch (format) {
    case 'trl':
      return trl(example)
    case 'openai':
      return openai(example)
    case 'alpaca':
      return alpaca(example)
    case 'sharegpt':
      return sharegpt(example)
  }
}

function trl(example: Example): Line {
  const said = (messages: Message[]): Message[] | string =>
    'plain' in example && example.plain === true ? messages.map((one) => one.content).join('') : messages
  switch (example.kind) {
    case 'text':
      return { text: example.text }
    case 'conversation':
      return { messages: example.messages }
    case 'prompt':
      return { prompt: said(example.prompt) }
    case 'completion':
      return { prompt: said(example.prompt), completion: said(example.response) }
    case 'thumb':
      return { prompt: said(example.prompt), completion: said(example.response), label: example.good }
    case 'preference':
      return {
        prompt: said(example.prompt),
        chosen: said(example.chosen),
        rejected: said(example.rejected),
        ...(example.strength !== undefined && { strength: example.strength }),
      }
  }
}

function openai(example: Example): Line | string {
  if (example.kind === 'text' || ('plain' in example && example.plain === true)) return plainReason('OpenAI')
  if (example.kind === 'prompt') return unansweredReason('OpenAI')
  if (example.kind === 'thumb') return 'OpenAI’s form has no thumbs.'
  if (example.kind === 'conversation') return { messages: example.messages }
  if (example.kind === 'preference')
    return {
      input: { messages: example.prompt },
      preferred_output: example.chosen,
      non_preferred_output: example.rejected,
    }
  return hasAnswer(example.prompt) ? earlierReason('OpenAI') : { messages: [...example.prompt, ...example.response] }
}

function sharegpt(example: Example): Line | string {
  const words: Record<Role, string> = { system: 'system', user: 'human', assistant: 'gpt', tool: 'observation' }
  const turn = (one: Message): Line => ({ from: words[one.role], value: one.content })
  if (example.kind === 'text' || ('plain' in example && example.plain === true)) return plainReason('ShareGPT')
  if (example.kind === 'prompt') return unansweredReason('ShareGPT')
  if (example.kind === 'conversation') return { conversations: example.messages.map(turn) }
  if (example.kind === 'preference') {
    if (example.chosen.length !== 1 || example.rejected.length !== 1) return severalReason('ShareGPT')
    return {
      conversations: example.prompt.map(turn),
      chosen: turn(example.chosen[0]),
      rejected: turn(example.rejected[0]),
    }
  }
  const conversations = [...example.prompt, ...example.response].map(turn)
  if (example.kind === 'thumb')
    return example.response.length === 1 ? { conversations, kto_tag: example.good } : severalReason('ShareGPT')
  return hasAnswer(example.prompt) ? earlierReason('ShareGPT') : { conversations }
}

function alpaca(example: Example): Line | string {
  if (example.kind === 'text' || ('plain' in example && example.plain === true)) return plainReason('Alpaca')
  if (example.kind === 'prompt') return unansweredReason('Alpaca')
  if (example.kind === 'conversation') {
    const turns = alternating(example.messages)
    if (turns === null) return 'Alpaca’s form holds turns of question and answer only.'
    const { system, pairs } = turns
    const [instruction, output] = pairs[pairs.length - 1]
    const history = pairs.slice(0, -1)
    return { instruction, input: '', output, ...system, ...(history.length > 0 && { history }) }
  }
  if (hasAnswer(example.prompt)) return earlierReason('Alpaca')
  const rest = example.prompt.filter((one) => one.role !== 'system')
  const system = example.prompt.length > rest.length ? { system: example.prompt[0].content } : {}
  if (rest.length !== 1 || rest[0].role !== 'user' || example.prompt.length > 2 || example.prompt.at(-1) !== rest[0])
    return 'Alpaca’s form holds one question each.'
  const asked = { instruction: rest[0].content, input: '', ...system }
  if (example.kind === 'preference') {
    if (example.chosen.length !== 1 || example.rejected.length !== 1) return severalReason('Alpaca')
    return { ...asked, chosen: example.chosen[0].content, rejected: example.rejected[0].content }
  }
  if (example.response.length !== 1) return severalReason('Alpaca')
  const answered = { ...asked, output: example.response[0].content }
  return example.kind === 'thumb' ? { ...answered, kto_tag: example.good } : answered
}

/** A conversation as pairs of question and answer, or null when it is none. */
function alternating(messages: Message[]): { system: { system?: string }; pairs: [string, string][] } | null {
  const system = messages[0]?.role === 'system' ? { system: messages[0].content } : {}
  const rest = messages.slice(messages[0]?.role === 'system' ? 1 : 0)
  if (rest.length === 0 || rest.length % 2 !== 0) return null
  const pairs: [string, string][] = []
  for (let i = 0; i < rest.length; i += 2) {
    if (rest[i].role !== 'user' || rest[i + 1].role !== 'assistant') return null
    pairs.push([rest[i].content, rest[i + 1].content])
  }
  return { system, pairs }
}

const hasAnswer = (messages: Message[]): boolean => messages.some((one) => one.role === 'assistant')
const plainReason = (form: string): string => `${form}’s form holds chats, not plain text.`
const unansweredReason = (form: string): string => `${form}’s form holds no questions without an answer.`
const earlierReason = (form: string): string => `${form}’s form would teach the earlier answers of the question too.`
const severalReason = (form: string): string => `${form}’s form holds one message as the answer.`
