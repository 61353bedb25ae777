// A chat's tree as it is read: which branch is shown, turn by turn, and the branches as a list. A question's siblings are its
// edits; an answer's siblings are the same side's answers to one question. What was not chosen is the latest.
import type { ChatMessage } from '../../src-main/contract/records.ts'

export type Side = 0 | 1 | null

/** One side's answers to a question, oldest first, and the one that is shown. */
export interface SideView {
  side: Side
  answers: ChatMessage[]
  shown: ChatMessage
}
export interface Turn {
  question: ChatMessage
  /** The question and its edits, oldest first. */
  questions: ChatMessage[]
  sides: SideView[]
}
/** What a person chose to see: under `questionKey` or `answerKey`, a message id. */
export type Chosen = Readonly<Record<string, string>>

const questionKey = (above: ChatMessage | null): string => `after ${above?.id ?? 'the start'}`
const answerKey = (question: string, side: Side): string => `${question} side ${side ?? 'one'}`

function children(messages: readonly ChatMessage[]): Map<string | null, ChatMessage[]> {
  const found = new Map<string | null, ChatMessage[]>()
  for (const message of messages) {
    const siblings = found.get(message.parent)
    if (siblings) siblings.push(message)
    else found.set(message.parent, [message])
  }
  return found
}

/** The turns on the screen, from the first question to the end of the chosen branch. Messages come oldest first. */
export function turnsOf(messages: readonly ChatMessage[], chosen: Chosen): Turn[] {
  const below = children(messages)
  const turns: Turn[] = []
  let above: ChatMessage | null = null
  let questions = (below.get(null) ?? []).filter((m) => m.role === 'user')
  while (questions.length > 0) {
    const question: ChatMessage = questions.find((m) => m.id === chosen[questionKey(above)]) ?? questions.at(-1)!
    const answers = (below.get(question.id) ?? []).filter((m) => m.role === 'assistant')
    const sides = ([0, null, 1] as const).flatMap((side): SideView[] => {
      const own = answers.filter((m) => m.side === side)
      if (own.length === 0) return []
      return [
        { side, answers: own, shown: own.find((m) => m.id === chosen[answerKey(question.id, side)]) ?? own.at(-1)! },
      ]
    })
    turns.push({ question, questions, sides })
    above = question
    questions = sides
      .flatMap(({ shown }) => below.get(shown.id) ?? [])
      .filter((m) => m.role === 'user')
      .toSorted((a, b) => messages.indexOf(a) - messages.indexOf(b))
  }
  return turns
}

/** `chosen`, changed so that `id` and all above it are shown. */
export function choosePath(messages: readonly ChatMessage[], chosen: Chosen, id: string): Chosen {
  const byId = new Map(messages.map((m) => [m.id, m]))
  const next: Record<string, string> = { ...chosen }
  for (let at = byId.get(id); at; at = at.parent === null ? undefined : byId.get(at.parent)) {
    if (at.role === 'assistant') next[answerKey(at.parent!, at.side)] = at.id
    else {
      const answer = at.parent === null ? undefined : byId.get(at.parent)
      next[questionKey(answer ? (byId.get(answer.parent!) ?? null) : null)] = at.id
    }
  }
  return next
}

/**
 * Where the next question hangs. It continues the left answer and, on the other side, that side's latest: so where the left
 * shows its latest and the right an earlier one, it hangs below the right.
 */
export function parentOfNext(turns: readonly Turn[]): string | null {
  const last = turns.at(-1)
  if (last === undefined) return null
  const [left, right] = last.sides
  if (left === undefined) return null
  const earlier = (view: SideView | undefined): boolean => view !== undefined && view.shown !== view.answers.at(-1)
  return !earlier(left) && earlier(right) ? right!.shown.id : left.shown.id
}

/** Turns that were put aside on the shown branch count as one each: the number of ends of the tree. */
export function branchCount(messages: readonly ChatMessage[]): number {
  return branchesOf(messages, []).filter((one) => one.end).length
}

export interface Branch {
  id: string
  text: string
  depth: number
  /** Row of the branch's own parent in the list; -1 for a first question. */
  above: number
  active: boolean
  /** No question follows it. */
  end: boolean
}

/** Questions of the chat as an indented list: a branch is indented where its parent was asked on in several ways. */
export function branchesOf(messages: readonly ChatMessage[], turns: readonly Turn[]): Branch[] {
  const below = children(messages)
  const active = new Set(turns.map((turn) => turn.question.id))
  const list: Branch[] = []
  const follow = (question: ChatMessage): ChatMessage[] =>
    (below.get(question.id) ?? [])
      .filter((m) => m.role === 'assistant')
      .flatMap((answer) => below.get(answer.id) ?? [])
      .filter((m) => m.role === 'user')
  const walk = (questions: ChatMessage[], depth: number, above: number): void => {
    const inner = questions.length > 1 ? depth + 1 : depth
    for (const question of questions) {
      const next = follow(question)
      const row = list.length
      list.push({
        id: question.id,
        text: question.content.replace(/\s+/g, ' ').trim(),
        depth: inner,
        above,
        active: active.has(question.id),
        end: next.length === 0,
      })
      walk(next, inner, row)
    }
  }
  walk(
    (below.get(null) ?? []).filter((m) => m.role === 'user'),
    0,
    -1,
  )
  return list
}
