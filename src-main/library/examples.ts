// An example that a person mended by hand is checked like one that was imported: its shape, and that it says something.
import * as v from 'valibot'
import { Failure } from '../contract/errors.ts'
import type { Example, ExampleKind } from '../contract/records.ts'

const said = v.pipe(
  v.string(),
  v.check((text) => text.trim() !== '', 'is empty'),
)
const message = v.object({ role: v.picklist(['system', 'user', 'assistant', 'tool']), content: v.string() })
const messages = v.pipe(v.array(message), v.minLength(1, 'has no message'))
const answer = v.pipe(v.array(v.object({ ...message.entries, content: said })), v.minLength(1, 'has no message'))
const plain = v.optional(v.literal(true))

const shapes = {
  text: v.object({ kind: v.literal('text'), text: said }),
  conversation: v.object({
    kind: v.literal('conversation'),
    messages: v.pipe(
      messages,
      v.check((all) => all.some((one) => one.role === 'assistant' && one.content.trim() !== ''), 'has no answer'),
    ),
  }),
  completion: v.object({ kind: v.literal('completion'), prompt: messages, response: answer, plain }),
  preference: v.object({
    kind: v.literal('preference'),
    prompt: messages,
    chosen: answer,
    rejected: answer,
    plain,
    strength: v.optional(v.picklist([1, 2, 3])),
  }),
  thumb: v.object({ kind: v.literal('thumb'), prompt: messages, response: answer, good: v.boolean(), plain }),
  prompt: v.object({ kind: v.literal('prompt'), prompt: messages, plain }),
}

/** The example, if it is one of this kind; throws BadExample with all that is wrong. */
export function checkedExample(example: unknown, kind: ExampleKind, where: string): Example {
  const checked = v.safeParse(shapes[kind] as v.GenericSchema<unknown, Example>, example)
  if (checked.success) return checked.output
  const problems = checked.issues.map((issue) => ({ where: v.getDotPath(issue) ?? kind, message: issue.message }))
  throw new Failure('BadExample', problems.map((one) => `${one.where} ${one.message}.`).join(' '), {
    where,
    next: 'Mend what is named; the row was left as it was.',
    problems,
  })
}
