// The forms that files come in, told by their columns: those of TRL, LLaMA-Factory, OpenAI and the preference sets in the
// wild, with their odd corners. A table or unnamed form is guessed by its column names.
import type { ExampleKind } from '../../contract/records.ts'
import { roleWords, type Column, type Shape } from './columns.ts'
import { isObject } from './values.ts'
import { answerNames, labelNames, messageNames, questionNames, textNames } from './roles.ts'

export interface Guess {
  form: string
  title: string
  kind: ExampleKind
  parts: Record<string, string>
  /** Strings become turns of a chat; true where left out. */
  asChat?: boolean
  notes?: string[]
}

/** The columns that have a meaning in some form, found by name (whatever the case) and by what they hold. */
interface Known {
  columns: Column[]
  records: readonly unknown[]
  find: (names: readonly string[], ...shapes: Shape[]) => Column | undefined
  /** Messages under any name, but not those of a question or an answer. */
  messages: Column | undefined
  prompt: Column | undefined
  instruction: Column | undefined
  /** Any column named like a question, and one named like an answer. */
  question: Column | undefined
  answer: Column | undefined
  completion: Column | undefined
  system: Parts
  /** What Alpaca has beside its instruction. */
  besideInstruction: Parts
}
type Parts = Record<string, string>

/** The likeliest form of the records, or null when none fits. */
export function guess(columns: Column[], records: readonly unknown[]): Guess | null {
  const known = know(columns, records)
  return preferenceForm(known) ?? thumbForm(known) ?? conversationForm(known) ?? answerForm(known) ?? bareForm(known)
}

const scalar: Shape[] = ['string', 'number', 'boolean']

function know(columns: Column[], records: readonly unknown[]): Known {
  const find: Known['find'] = (names, ...shapes) =>
    names
      .map((name) => columns.find((one) => nameOf(one) === name && (shapes.length === 0 || shapes.includes(one.shape))))
      .find((column) => column !== undefined)
  const system = part('system', find(['system', 'system_prompt', 'system_message']))
  const question = find(questionNames, ...scalar)
  const answers = answerNames.filter((name) => question === undefined || name !== nameOf(question))
  const loose = columns.find((one) => one.shape === 'messages' && !saysItself.includes(nameOf(one)))
  return {
    ...{ columns, records, find, system, question },
    messages: find(messageNames, 'messages') ?? loose,
    prompt: find(['prompt'], ...scalar, 'messages'),
    instruction: find(['instruction'], ...scalar),
    // A column of answers that are all empty is still one: its rows are refused, not taken for questions alone.
    answer: find(answers, ...scalar) ?? find(answers, 'empty'),
    completion: find(['completion'], ...scalar, 'messages', 'message') ?? find(['completion'], 'empty'),
    besideInstruction: { ...part('input', find(['input'])), ...system, ...part('history', find(['history'], 'pairs')) },
  }
}

function preferenceForm(known: Known): Guess | null {
  const { find, columns, records, messages, prompt, instruction, question, system } = known
  const chosen = find(['chosen', 'preferred_output', 'chosen_response'])
  const rejected = find(['rejected', 'non_preferred_output', 'rejected_response'])
  if (chosen === undefined || rejected === undefined || chosen.filled + rejected.filled === 0) return null
  const shape = chosen.shape === 'empty' ? rejected.shape : chosen.shape
  const strength = part('strength', find(['strength'], 'number', 'string'))
  const make = (form: string, title: string, parts: Parts, more: Partial<Guess> = {}): Guess => ({
    ...{ form, title, kind: 'preference', ...more },
    parts: { ...parts, chosen: chosen.key, rejected: rejected.key, ...strength },
  })

  if (nameOf(chosen) === 'preferred_output' && columns.some((one) => one.key === 'input' && one.shape === 'object'))
    return make('openai-preference', 'Preferred and other answers, as OpenAI writes them', { prompt: 'input.messages' })
  if (messages !== undefined && messages !== chosen && messages !== rejected)
    return make(
      'llama-factory-ranking',
      'Conversations with a chosen and a rejected answer, as LLaMA-Factory writes them',
      {
        messages: messages.key,
        ...system,
      },
    )
  if (instruction !== undefined)
    return make('alpaca-ranking', 'Instructions with a chosen and a rejected answer (Alpaca, ranked)', {
      prompt: instruction.key,
      ...known.besideInstruction,
    })
  if (prompt !== undefined) {
    if (prompt.shape === 'string' && shape === 'messages' && repeatsPrompt(records, prompt.key, chosen.key))
      return make(
        'ultrafeedback',
        'Preferences whose answers repeat the question, as in UltraFeedback',
        { prompt: prompt.key },
        { notes: ['The question stands in the answers too; it is used once.'] },
      )
    const way = chatOrPlain(known, prompt, chosen)
    return make(
      'trl-preference',
      'Questions with a chosen and a rejected answer',
      { prompt: prompt.key, ...system },
      way,
    )
  }
  if (question !== undefined && shape === 'string')
    return nameOf(question) === 'question'
      ? make('orca-dpo', 'Questions with a chosen and a rejected answer, as in Orca DPO', {
          prompt: question.key,
          ...system,
        })
      : make('columns', `Questions from “${question.key}” with a chosen and a rejected answer`, {
          prompt: question.key,
          ...system,
        })
  if (shape === 'string' && mostly(chosen.values, (value) => isDialogue(String(value))))
    return make('hh-rlhf', 'Two dialogues with “Human:” and “Assistant:”, as in HH-RLHF', {})
  const title = 'A chosen and a rejected text; their common beginning is the question'
  const cut = 'The texts are cut where they begin to differ, and joined as they stand, without a chat template.'
  return make('trl-preference-implicit', title, {}, shape === 'string' ? { asChat: false, notes: [cut] } : {})
}

function thumbForm(known: Known): Guess | null {
  const { messages, prompt, instruction, completion, question, answer, system, find } = known
  const label = thumbLabel(known)
  if (label === undefined) return null
  const notes = label.shape === 'string' ? ['Labels are written as text; “true” and “false” are taken as meant.'] : []
  const make = (form: string, title: string, parts: Parts, more: Partial<Guess> = {}): Guess => ({
    ...{ form, title, kind: 'thumb', ...more },
    parts: { ...parts, label: label.key },
    notes: [...notes, ...(more.notes ?? [])],
  })
  const output = find(['output'], ...scalar)
  if (messages !== undefined)
    return make('sharegpt-kto', 'Conversations with a thumb for the last answer', { messages: messages.key, ...system })
  if (instruction !== undefined && output !== undefined)
    return make('alpaca-kto', 'Instructions and answers with a thumb (Alpaca, KTO)', {
      ...{ prompt: instruction.key, ...known.besideInstruction, response: output.key },
    })
  if (prompt !== undefined && completion !== undefined) {
    const parts = { prompt: prompt.key, ...system, response: completion.key }
    const way = chatOrPlain(known, prompt, completion)
    return make('trl-unpaired', 'Questions and answers with a thumb, as TRL writes them', parts, way)
  }
  if (question === undefined || answer === undefined) return null
  const parts = { prompt: question.key, ...system, response: answer.key }
  return make('columns', `Questions from “${question.key}”, answers from “${answer.key}” and a thumb`, parts)
}

function conversationForm({ messages, records, system }: Known): Guess | null {
  if (messages === undefined || messages.filled < records.length / 4) return null
  const isShareGpt = roleWords([messages]).from
  const weighed = messages.values.some(
    (list) => Array.isArray(list) && list.some((one) => isObject(one) && 'weight' in one),
  )
  return {
    form: isShareGpt ? 'sharegpt' : 'openai-messages',
    title: isShareGpt ? 'Conversations, as ShareGPT writes them' : 'Chat messages, as OpenAI writes them',
    kind: 'conversation',
    parts: { messages: messages.key, ...system },
    ...(weighed && { notes: ['Weights of single messages are not read: every answer is learned.'] }),
  }
}

function answerForm(known: Known): Guess | null {
  const { find, instruction, prompt, completion, question, answer, system, besideInstruction } = known
  const output = find(['output'])
  if (instruction !== undefined && output !== undefined)
    return {
      form: 'alpaca',
      title: 'Instructions and answers, as Alpaca writes them',
      kind: 'history' in besideInstruction ? 'conversation' : 'completion',
      parts: { prompt: instruction.key, ...besideInstruction, response: output.key },
      notes:
        'input' in besideInstruction ? ['The input follows the instruction on a new line, without “### Input:”.'] : [],
    }
  if (prompt !== undefined && completion !== undefined)
    return {
      ...{ form: 'trl-prompt-completion', title: 'Prompts and completions', kind: 'completion' },
      parts: { prompt: prompt.key, ...system, response: completion.key },
      ...chatOrPlain(known, prompt, completion),
    }
  if (question === undefined || answer === undefined) return null
  const input = nameOf(question) === 'instruction' ? part('input', find(['context', 'input'], ...scalar)) : {}
  return {
    form: 'columns',
    title: `Questions from “${question.key}” and answers from “${answer.key}”`,
    kind: 'completion',
    parts: { prompt: question.key, ...input, ...system, response: answer.key },
    notes: ['The columns were guessed by their names.'],
  }
}

/** Text to go on from, or questions alone. */
function bareForm({ find, prompt, question, system }: Known): Guess | null {
  const text = find(textNames, ...scalar)
  if (text !== undefined)
    return {
      form: nameOf(text) === 'text' ? 'trl-text' : 'columns',
      ...{ title: 'Plain text to go on from', kind: 'text', parts: { text: text.key } },
    }
  const asked = prompt ?? question
  if (asked === undefined) return null
  return {
    ...{ form: 'trl-prompt-only', title: 'Questions without answers', kind: 'prompt' },
    parts: { prompt: asked.key, ...system },
  }
}

/** A column of thumbs: booleans, "true" and "false", or numbers under a name that means a thumb (refused row by row). */
function thumbLabel({ find, completion }: Known): Column | undefined {
  const column = find(labelNames)
  if (column === undefined || column.filled === 0) return undefined
  if (column.shape === 'boolean') return column
  if (column.shape === 'string' && mostly(column.values, (value) => /^\s*(true|false)\s*$/i.test(String(value))))
    return column
  return column.shape === 'number' && (completion !== undefined || nameOf(column) === 'kto_tag') ? column : undefined
}

/** Chat turns, unless a blank stands where question and answer meet: then the strings were written to be joined. */
function chatOrPlain({ records }: Known, prompt: Column, answer: Column): { asChat: boolean; notes?: string[] } {
  if (prompt.shape === 'messages') return { asChat: true }
  const seamed = mostly(records, (record) => {
    if (!isObject(record)) return false
    const [a, b] = [record[prompt.key], record[answer.key]]
    return typeof a === 'string' && typeof b === 'string' && (/\s$/.test(a) || /^\s/.test(b))
  })
  const joined = 'The strings carry their own spaces, so they are joined as they stand, without a chat template.'
  const turned = 'Question and answer become turns of a chat. Choose plain text to join them as they stand.'
  return { asChat: !seamed, notes: [seamed ? joined : turned] }
}

function repeatsPrompt(records: readonly unknown[], prompt: string, chosen: string): boolean {
  return mostly(records, (record) => {
    if (!isObject(record) || !Array.isArray(record[chosen])) return false
    const asked = String(record[prompt]).trim()
    const first = (record[chosen] as unknown[]).slice(0, 2) // a system text may stand before
    return first.some((one) => isObject(one) && String(one.content ?? one.value).trim() === asked)
  })
}

const isDialogue = (text: string): boolean => /^\s*(Human|Assistant):/.test(text) && /\n\nAssistant:/.test(text)
const saysItself = ['prompt', 'completion', 'chosen', 'rejected', 'response']
const nameOf = (column: Column): string => column.key.trim().toLowerCase()
const part = (name: string, column: Column | undefined): Parts => (column === undefined ? {} : { [name]: column.key })
const mostly = (values: readonly unknown[], test: (value: unknown) => boolean): boolean =>
  values.length > 0 && values.filter(test).length > values.length / 2
