// The single keys of a chat. They mean the answer with the focus, else the last one (the right of two). What cannot do
// anything now answers false, so that the key is left to others.
import type { ChatMessage } from '../../../src-main/contract/records.ts'
import type { ChatView } from '../../state/chat.svelte.ts'
import { bindKeys } from '../../state/keys.svelte.ts'
import type { Turn } from '../../state/message-tree.ts'
import { go } from '../../state/router.svelte.ts'

interface TalkActs {
  /** Opens the field that edits this answer of the turn; null: its question. */
  edit: (turn: Turn, answer: string | null) => void
  list: () => void
}

/** The id of the message that has the focus, or null. */
const focused = (): string | null =>
  document.activeElement?.closest<HTMLElement>('[data-message]')?.dataset['message'] ?? null

function meant(view: ChatView): ChatMessage | null {
  const id = focused()
  const shown = view.turns.flatMap((turn) => turn.sides.map((side) => side.shown))
  return shown.find((one) => one.id === id) ?? view.last?.sides.at(-1)?.shown ?? null
}

function thumb(view: ChatView, which: 'up' | 'down'): unknown {
  const message = meant(view)
  if (message === null || message.finishReason === null || message.finishReason === 'failed') return false
  return void view.thumb(message, which)
}

/** Steps along the answers beside the one with the focus; without a focus, along the last branching of the chat. */
function branch(view: ChatView, by: 1 | -1): unknown {
  const id = focused()
  for (const turn of view.turns.toReversed()) {
    const side = turn.sides.find((one) => one.shown.id === id && one.answers.length > 1)
    if (side) return void view.step(side.answers, side.shown, by)
    if (turn.questions.length > 1 && id === null) return void view.step(turn.questions, turn.question, by)
  }
  const last = view.turns.findLast((turn) => turn.questions.length > 1 || turn.sides.some((s) => s.answers.length > 1))
  if (last === undefined) return false
  if (last.questions.length > 1) return void view.step(last.questions, last.question, by)
  const side = last.sides.find((one) => one.answers.length > 1)!
  return void view.step(side.answers, side.shown, by)
}

/** Without a focus both sides answer again. */
function again(view: ChatView): unknown {
  const all = focused() === null ? (view.last?.sides.map((side) => side.shown) ?? []) : [meant(view)]
  const whole = all.filter((one): one is ChatMessage => one !== null && one.finishReason !== null)
  return whole.length === 0 ? false : void view.again(whole)
}

/** Call while the page is made. */
export function bindTalkKeys(view: ChatView, acts: TalkActs): void {
  bindKeys({
    'chat.up': () => thumb(view, 'up'),
    'chat.down': () => thumb(view, 'down'),
    'chat.branchLeft': () => branch(view, -1),
    'chat.branchRight': () => branch(view, 1),
    'chat.again': () => again(view),
    'chat.edit': () => {
      const id = focused()
      const turn = view.turns.find((one) => one.sides.some((side) => side.shown.id === id)) ?? view.last
      return turn ? acts.edit(turn, id) : false
    },
    'chat.list': acts.list,
    'chat.new': () => go('chat', 'new'),
  })
}
