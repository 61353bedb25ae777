// The forms that files come in, told by their columns: those of TRL, LLaMA-Factory, OpenAI and the preference sets in the
// wild, with their odd corners. A table or unnamed form is guessed by its column names.
import type { ExampleKind } from '../../contract/records.ts'
import { roleWords, type Column } from './columns.ts'
import { isObject } from './convert.ts'
import { answerNames, labelNames, messageNames, questionNames, textNames } from './roles.ts'

export interface Guess {
  form: string
  title: string
  kind: ExampleKind
  parts: Record<string, string>
  asChat?: boolean
  notes?: string[]
}

/** The likeliest form of the records, or null when none fits. */
export function guess(columns: Column[], records: readonly unknown[]): Guess | null {
  const half = records.length / 2
  const find = (names: readonly string[], ...shapes: string[]): Column | undefined =>
    names
      .map((name) =>
        columns.find(
          (column) =>
            column.key.trim().toLowerCase() === name && (shapes.length === 0 || shapes.includes(column.shape)),
        ),
      )
      .find((column) => column !== undefined)
  const strings = (...names: string[]): Column | undefined => find(names, 'string', 'number', 'boolean')
  const part = (name: string, column: Column | undefined): Record<string, string> =>
    column === undefined ? {} : { [name]: column.key }

  const system = part('system', find(['system', 'system_prompt', 'system_message']))
  const lists =
    find(messageNames, 'messages') ??
    columns.find((column) => column.shape === 'messages' && !isPromptOrAnswer(column.key))
  const prompt = find(['prompt'])
  const instruction = strings('instruction')
  const alpacaRest = { ...part('input', find(['input'])), ...system, ...part('history', find(['history'], 'pairs')) }
  const chosen = find(['chosen', 'preferred_output', 'chosen_response'])
  const rejected = find(['rejected', 'non_preferred_output', 'rejected_response'])
  const strength = part('strength', find(['strength'], 'number', 'string'))

  if (chosen !== undefined && rejected !== undefined && chosen.filled + rejected.filled > 0) {
    const sides = { chosen: chosen.key, rejected: rejected.key, ...strength }
    const kind = 'preference'
    const shape = chosen.shape === 'empty' ? rejected.shape : chosen.shape
    const input = columns.find((column) => column.key === 'input' && column.shape === 'object')
    if (chosen.key === 'preferred_output' && input !== undefined)
      return {
        form: 'openai-preference',
        title: 'Preferred and other answers, as OpenAI writes them',
        kind,
        parts: { prompt: 'input.messages', ...sides },
      }
    if (lists !== undefined && lists !== chosen && lists !== rejected)
      return {
        form: 'llama-factory-ranking',
        title: 'Conversations with a chosen and a rejected answer, as LLaMA-Factory writes them',
        kind,
        parts: { messages: lists.key, ...system, ...sides },
      }
    if (instruction !== undefined)
      return {
        form: 'alpaca-ranking',
        title: 'Instructions with a chosen and a rejected answer (Alpaca, ranked)',
        kind,
        parts: { prompt: instruction.key, ...alpacaRest, ...sides },
        asChat: true,
      }
    const question = strings('question')
    if (question !== undefined && shape === 'string')
      return {
        form: 'orca-dpo',
        title: 'Questions with a chosen and a rejected answer, as in Orca DPO',
        kind,
        parts: { prompt: question.key, ...system, ...sides },
        asChat: true,
      }
    if (prompt !== undefined && prompt.filled > 0) {
      if (prompt.shape === 'string' && shape === 'messages' && repeatsPrompt(records, prompt.key, chosen.key))
        return {
          form: 'ultrafeedback',
          title: 'Preferences whose answers repeat the question, as in UltraFeedback',
          kind,
          parts: { prompt: prompt.key, ...sides },
          notes: ['The question stands in the answers too; it is used once.'],
        }
      const seam = seamed(records, prompt.key, chosen.key)
      return {
        form: 'trl-preference',
        title: 'Questions with a chosen and a rejected answer',
        kind,
        parts: { prompt: prompt.key, ...system, ...sides },
        ...chatOrPlain(prompt, seam),
      }
    }
    if (
      shape === 'string' &&
      mostly(
        chosen.values,
        (value) => /^\s*(Human|Assistant):/.test(String(value)) && /\n\nAssistant:/.test(String(value)),
      )
    )
      return {
        form: 'hh-rlhf',
        title: 'Two dialogues with “Human:” and “Assistant:”, as in HH-RLHF',
        kind,
        parts: sides,
        asChat: true,
      }
    return {
      form: 'trl-preference-implicit',
      title: 'A chosen and a rejected text; their common beginning is the question',
      kind,
      parts: sides,
      asChat: shape !== 'string',
      ...(shape === 'string' && {
        notes: ['The texts are cut where they begin to differ, and joined as they stand, without a chat template.'],
      }),
    }
  }

  const label = thumbLabel(columns, find)
  const completion = find(['completion', 'completions'], 'string', 'number', 'boolean', 'messages', 'message')
  const output = find(['output'])
  if (label !== undefined) {
    const notes = label.shape === 'string' ? ['Labels are written as text; “true” and “false” are taken as meant.'] : []
    const thumb = { kind: 'thumb', notes } as const
    if (lists !== undefined)
      return {
        ...thumb,
        form: 'sharegpt-kto',
        title: 'Conversations with a thumb for the last answer',
        parts: { messages: lists.key, ...system, label: label.key },
      }
    if (instruction !== undefined && output !== undefined)
      return {
        ...thumb,
        form: 'alpaca-kto',
        title: 'Instructions and answers with a thumb (Alpaca, KTO)',
        parts: { prompt: instruction.key, ...alpacaRest, response: output.key, label: label.key },
        asChat: true,
      }
    if (prompt !== undefined && completion !== undefined) {
      const seam = chatOrPlain(prompt, seamed(records, prompt.key, completion.key))
      return {
        form: 'trl-unpaired',
        title: 'Questions and answers with a thumb, as TRL writes them',
        kind: 'thumb',
        parts: { prompt: prompt.key, ...system, response: completion.key, label: label.key },
        ...seam,
        notes: [...notes, ...(seam.notes ?? [])],
      }
    }
  }

  if (lists !== undefined && lists.filled >= half * 0.5) {
    const { from } = roleWords([lists])
    return from
      ? {
          form: 'sharegpt',
          title: 'Conversations, as ShareGPT writes them',
          kind: 'conversation',
          parts: { messages: lists.key, ...system },
        }
      : {
          form: 'openai-messages',
          title: 'Chat messages, as OpenAI writes them',
          kind: 'conversation',
          parts: { messages: lists.key, ...system },
        }
  }
  if (instruction !== undefined && output !== undefined) {
    const kind = 'history' in alpacaRest ? 'conversation' : 'completion'
    return {
      form: 'alpaca',
      title: 'Instructions and answers, as Alpaca writes them',
      kind,
      parts: { prompt: instruction.key, ...alpacaRest, response: output.key },
      asChat: true,
    }
  }
  if (prompt !== undefined && completion !== undefined)
    return {
      form: 'trl-prompt-completion',
      title: 'Prompts and completions',
      kind: 'completion',
      parts: { prompt: prompt.key, ...system, response: completion.key },
      ...chatOrPlain(prompt, seamed(records, prompt.key, completion.key)),
    }

  const question = strings(...questionNames)
  const reply = find(
    answerNames.filter((name) => name !== question?.key.trim().toLowerCase()),
    'string',
    'number',
    'boolean',
  )
  if (question !== undefined && reply !== undefined) {
    const input = question.key.toLowerCase() === 'instruction' ? part('input', strings('context', 'input')) : {}
    return {
      form: 'columns',
      title: `Questions from “${question.key}” and answers from “${reply.key}”`,
      kind: 'completion',
      parts: { prompt: question.key, ...input, ...system, response: reply.key },
      asChat: true,
      notes: ['The columns were guessed by their names.'],
    }
  }
  const text = strings(...textNames)
  if (text !== undefined)
    return {
      form: text.key === 'text' ? 'trl-text' : 'columns',
      title: 'Plain text to go on from',
      kind: 'text',
      parts: { text: text.key },
    }
  const asked = prompt !== undefined && prompt.filled > 0 ? prompt : question
  if (asked !== undefined)
    return {
      form: 'trl-prompt-only',
      title: 'Questions without answers',
      kind: 'prompt',
      parts: { prompt: asked.key, ...system },
      asChat: true,
    }
  return null
}

/** A column of thumbs: booleans, "true" and "false", or numbers under a name that means a thumb (refused row by row). */
function thumbLabel(columns: Column[], find: (names: readonly string[]) => Column | undefined): Column | undefined {
  const column = find(labelNames)
  if (column === undefined || column.filled === 0) return undefined
  if (column.shape === 'boolean') return column
  if (column.shape === 'string' && mostly(column.values, (value) => /^\s*(true|false)\s*$/i.test(String(value))))
    return column
  const answered = columns.some((one) => one.key === 'completion') || column.key === 'kto_tag'
  return column.shape === 'number' && answered ? column : undefined
}

/** Chat turns, unless a blank stands where question and answer meet: then the strings were written to be joined. */
function chatOrPlain(prompt: Column, seam: boolean): { asChat: boolean; notes?: string[] } {
  if (prompt.shape === 'messages') return { asChat: true }
  return seam
    ? {
        asChat: false,
        notes: ['The strings carry their own spaces, so they are joined as they stand, without a chat template.'],
      }
    : {
        asChat: true,
        notes: ['Question and answer become turns of a chat. Choose plain text to join them as they stand.'],
      }
}

function seamed(records: readonly unknown[], before: string, after: string): boolean {
  return mostly(records, (record) => {
    if (!isObject(record)) return false
    const [a, b] = [record[before], record[after]]
    return typeof a === 'string' && typeof b === 'string' && (/\s$/.test(a) || /^\s/.test(b))
  })
}

function repeatsPrompt(records: readonly unknown[], prompt: string, chosen: string): boolean {
  return mostly(records, (record) => {
    if (!isObject(record) || !Array.isArray(record[chosen])) return false
    const asked = String(record[prompt]).trim()
    return (record[chosen] as unknown[])
      .slice(0, 2)
      .some((one) => isObject(one) && String(one.content ?? one.value).trim() === asked)
  })
}

const isPromptOrAnswer = (key: string): boolean =>
  ['prompt', 'completion', 'chosen', 'rejected', 'response'].includes(key.toLowerCase())
const mostly = (values: readonly unknown[], test: (value: unknown) => boolean): boolean =>
  values.length > 0 && values.filter(test).length > values.length / 2
