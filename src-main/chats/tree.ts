// A chat is a tree: every message hangs below the one that it answers, and branches are siblings. Side-by-side answers
// are siblings too, told apart by their `side`; the next question hangs below the left one and continues both.
import type { ChatMessage, Message } from '../contract/records.ts'

/** The message and all above it, oldest first. */
export function pathTo(messages: readonly ChatMessage[], id: string | null): ChatMessage[] {
  const byId = new Map(messages.map((m) => [m.id, m]))
  const path: ChatMessage[] = []
  for (let at = id === null ? undefined : byId.get(id); at; at = at.parent === null ? undefined : byId.get(at.parent))
    path.unshift(at)
  return path
}

/** The answer beside `message` that the other side gave at the same turn: the latest, where it was asked again. */
export function beside(messages: readonly ChatMessage[], message: ChatMessage): ChatMessage | null {
  if (message.side === null) return null
  const others = messages.filter(
    (m) => m.parent === message.parent && m.role === 'assistant' && m.side !== null && m.side !== message.side,
  )
  return others.at(-1) ?? null
}

/**
 * What one side has read when it is to answer below `parent`: the system text, then the turns above, each answer as
 * this side gave it where it gave one.
 */
export function historyOf(
  messages: readonly ChatMessage[],
  parent: string | null,
  side: 0 | 1 | null,
  system: string,
): Message[] {
  const history: Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }]
  for (const message of pathTo(messages, parent)) {
    const own = side !== null && message.side !== null && message.side !== side ? beside(messages, message) : null
    const { role, content } = own ?? message
    history.push({ role, content })
  }
  return history
}

/** A short name for a chat, from its first question. */
export function titleOf(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ')
  return line.length <= 48 ? line : `${line.slice(0, 48).replace(/\s+\S*$/, '')} …`
}
