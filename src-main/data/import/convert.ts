// One record, read by a mapping, to one Example or to a refusal in plain words.
import { Failure } from '../../contract/errors.ts'
import type { Example, Mapping } from '../../contract/records.ts'
import { answer, context, isPlain, labelAt, splitLastAnswer } from './context.ts'
import { preference } from './convert-preference.ts'
import { checkAnswer, checkEnd, checkTurns } from './messages.ts'
import { keyed, refuse, stringAt } from './values.ts'

/** An example, or the reason (a sentence) why the record cannot be one. */
export function convert(record: unknown, mapping: Mapping): Example | { reason: string } {
  try {
    return exampleOf(keyed(record), mapping)
  } catch (error) {
    if (error instanceof Failure) return { reason: error.message }
    throw error
  }
}

function exampleOf(record: Record<string, unknown>, mapping: Mapping): Example {
  const { parts, kind } = mapping
  switch (kind) {
    case 'text': {
      const text = stringAt(record, parts.text ?? '', 'text')
      return text.trim() === '' ? refuse('The text is empty.') : { kind, text }
    }
    case 'conversation': {
      const messages = [...context(record, mapping), ...answer(record, mapping)]
      if (messages.length === 0) refuse('There are no messages.')
      checkTurns(messages)
      if (!messages.some((one) => one.role === 'assistant')) refuse('There is no answer to learn from.')
      return { kind, messages }
    }
    case 'completion':
    case 'thumb': {
      const before = context(record, mapping)
      const given = answer(record, mapping)
      const [prompt, response] = given.length > 0 ? [before, given] : splitLastAnswer(before)
      checkTurns(prompt)
      checkAnswer(response, 'answer')
      if (!prompt.some((one) => one.role !== 'system')) refuse('The question is empty.')
      const plain = isPlain(record, mapping, ['prompt', 'response'])
      return kind === 'completion'
        ? { kind, prompt, response, ...plain }
        : { kind, prompt, response, good: labelAt(record, parts.label ?? ''), ...plain }
    }
    case 'preference':
      return preference(record, mapping)
    case 'prompt': {
      const messages = context(record, mapping)
      while (messages.at(-1)?.role === 'assistant') messages.pop()
      checkTurns(messages)
      if (!messages.some((one) => one.role !== 'system')) refuse('The question is empty.')
      checkEnd(messages)
      return { kind, prompt: messages, ...isPlain(record, mapping, ['prompt']) }
    }
  }
}
