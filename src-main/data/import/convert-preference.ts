// Two answers and the question that they answer: given, repeated inside the answers, or implied by their common beginning.
// Copied from TRL: the longest common beginning, and the space belongs to the answer. Not copied: equal answers, which TRL
// cuts at an accidental place, are refused here.
import type { Example, Mapping, Message } from '../../contract/records.ts'
import { context, isPlain } from './context.ts'
import { checkAnswer, checkEnd, checkTurns, fromHumanAssistant, turns } from './messages.ts'
import { isEmpty, refuse, valueAt } from './values.ts'

export function preference(record: Record<string, unknown>, mapping: Mapping): Example {
  const { parts } = mapping
  const sides = [valueAt(record, parts.chosen ?? ''), valueAt(record, parts.rejected ?? '')]
  if (isEmpty(sides[0]) && isEmpty(sides[1])) refuse('Both answers are empty.')
  if (isEmpty(sides[0])) refuse('The chosen answer is empty.')
  if (isEmpty(sides[1])) refuse('The rejected answer is empty.')
  const asked = context(record, mapping)
  const pair =
    asked.length > 0 ? { prompt: asked, ...answersTo(asked, sides, record, mapping) } : implied(sides, mapping)
  const { prompt, chosen, rejected, plain } = pair
  if (asked.length === 0 && !prompt.some((one) => one.role !== 'system' && one.content.trim() !== ''))
    refuse('There is no question: both answers share no beginning.')
  checkTurns(prompt)
  checkEnd(prompt)
  checkAnswer(chosen, 'chosen answer')
  checkAnswer(rejected, 'rejected answer')
  if (JSON.stringify(chosen) === JSON.stringify(rejected)) refuse('The chosen and the rejected answer are the same.')
  const strength = parts.strength === undefined ? undefined : Number(valueAt(record, parts.strength))
  const strong = strength === 1 || strength === 2 || strength === 3 ? { strength: strength as 1 | 2 | 3 } : {}
  return { kind: 'preference', prompt, chosen, rejected, ...plain, ...strong }
}

interface Answers {
  chosen: Message[]
  rejected: Message[]
  plain: { plain?: true }
}

function answersTo(prompt: Message[], sides: unknown[], record: Record<string, unknown>, mapping: Mapping): Answers {
  const [chosen, rejected] = sides.map((side) => withoutPrompt(turns(side, 'assistant', mapping), prompt))
  const isText = sides.every((side) => typeof side === 'string')
  return { chosen, rejected, plain: isText ? isPlain(record, mapping, ['prompt']) : {} }
}

/** The question is what both sides begin with. */
function implied(sides: unknown[], mapping: Mapping): Answers & { prompt: Message[] } {
  const [a, b] = sides
  const isDialogue = mapping.form === 'hh-rlhf'
  if (typeof a === 'string' && typeof b === 'string' && !isDialogue) {
    const cut = impliedPrompt(a, b)
    const [question, good, bad] = mapping.asChat ? cut.map((text) => text.trim()) : cut
    return {
      prompt: [{ role: 'user', content: question }],
      chosen: [{ role: 'assistant', content: good }],
      rejected: [{ role: 'assistant', content: bad }],
      plain: mapping.asChat ? {} : { plain: true },
    }
  }
  const [left, right] = sides.map((side) =>
    isDialogue && typeof side === 'string' ? fromHumanAssistant(side) : turns(side, 'assistant', mapping),
  )
  const [prompt, chosen, rejected] = commonTurns(left, right)
  return { prompt, chosen, rejected, plain: {} }
}

/** The longest common beginning in characters; a space before the cut goes to the answers. */
function impliedPrompt(chosen: string, rejected: string): [prompt: string, chosen: string, rejected: string] {
  if (chosen === rejected) refuse('The chosen and the rejected answer are the same.')
  let at = 0
  while (at < chosen.length && at < rejected.length && chosen[at] === rejected[at]) at++
  if (at === chosen.length || at === rejected.length)
    refuse('One answer is only the beginning of the other, so it would be empty.')
  if (at > 0 && /[\uD800-\uDBFF]/.test(chosen[at - 1])) at-- // never between the halves of one character
  if (at > 0 && chosen[at - 1] === ' ') at--
  return [chosen.slice(0, at), chosen.slice(at), rejected.slice(at)]
}

function commonTurns(chosen: Message[], rejected: Message[]): [Message[], Message[], Message[]] {
  const same = (i: number): boolean => chosen[i].role === rejected[i].role && chosen[i].content === rejected[i].content
  const shorter = Math.min(chosen.length, rejected.length)
  let at = 0
  while (at < shorter && same(at)) at++
  if (at === chosen.length && at === rejected.length) refuse('The chosen and the rejected answer are the same.')
  if (at === shorter) at-- // one is the other's beginning: its last message is the answer
  return [chosen.slice(0, at), chosen.slice(at), rejected.slice(at)]
}

/** Where a side repeats the question (as UltraFeedback's do), the question is taken off it. */
function withoutPrompt(side: Message[], prompt: Message[]): Message[] {
  const asked = prompt.filter((one) => one.role !== 'system')
  const from = side[0]?.role === 'system' ? 1 : 0
  const repeats =
    side.length > from + asked.length &&
    asked.every((one, i) => one.role === side[from + i].role && one.content.trim() === side[from + i].content.trim())
  return repeats && asked.length > 0 ? side.slice(from + asked.length) : side
}
