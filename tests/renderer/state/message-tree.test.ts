import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../../../src-main/contract/records.ts'
import { branchCount, branchesOf, choosePath, parentOfNext, turnsOf } from '../../../src-renderer/state/message-tree.ts'

let number = 0
function message(
  role: 'user' | 'assistant',
  parent: string | null,
  content: string,
  side: 0 | 1 | null = null,
): ChatMessage {
  return {
    id: `e${++number}`,
    chat: 't1',
    parent,
    role,
    content,
    side,
    provenance: null,
    finishReason: 'stop',
    tokens: 1,
    tookMs: 1,
    thumb: null,
    createdAt: number,
  }
}
const ask = (parent: string | null, content: string): ChatMessage => message('user', parent, content)
const answer = (parent: string, content: string, side: 0 | 1 | null = null): ChatMessage =>
  message('assistant', parent, content, side)

describe('a chat read as turns', () => {
  const q1 = ask(null, 'first')
  const a1 = answer(q1.id, 'one')
  const a2 = answer(q1.id, 'two')
  const q2 = ask(a1.id, 'below one')
  const b1 = answer(q2.id, 'three')
  const all = [q1, a1, a2, q2, b1]

  it('shows the latest where nothing was chosen', () => {
    const turns = turnsOf(all, {})
    expect(turns).toHaveLength(1)
    expect(turns[0]!.sides[0]!.shown.id).toBe(a2.id)
    expect(turns[0]!.sides[0]!.answers.map((m) => m.id)).toEqual([a1.id, a2.id])
  })

  it('follows the chosen answer to what was asked below it', () => {
    const turns = turnsOf(all, choosePath(all, {}, b1.id))
    expect(turns.map((turn) => turn.question.id)).toEqual([q1.id, q2.id])
    expect(parentOfNext(turns)).toBe(b1.id)
  })

  it('shows an edited question beside the first, each with its own answers', () => {
    const edited = ask(null, 'first, edited')
    const c1 = answer(edited.id, 'four')
    const more = [...all, edited, c1]
    const latest = turnsOf(more, {})
    expect(latest[0]!.questions.map((m) => m.id)).toEqual([q1.id, edited.id])
    expect(latest[0]!.question.id).toBe(edited.id)
    const back = turnsOf(more, choosePath(more, {}, q1.id))
    expect(back[0]!.question.id).toBe(q1.id)
    expect(back[0]!.sides[0]!.shown.id).toBe(a2.id)
  })

  it('falls back to the latest where what was chosen hangs elsewhere', () => {
    const chosen = choosePath(all, {}, b1.id)
    const away = choosePath(all, chosen, a2.id)
    expect(turnsOf(all, away)).toHaveLength(1)
    expect(turnsOf(all, choosePath(all, away, a1.id))).toHaveLength(2)
  })

  it('has nothing to show of an empty chat', () => {
    expect(turnsOf([], {})).toEqual([])
    expect(parentOfNext([])).toBeNull()
  })
})

describe('side by side', () => {
  const q = ask(null, 'both')
  const left = answer(q.id, 'left', 0)
  const right = answer(q.id, 'right', 1)
  const rightAgain = answer(q.id, 'right again', 1)

  it('keeps the two sides apart, left first, each with its own answers', () => {
    const [turn] = turnsOf([q, right, left, rightAgain], {})
    expect(turn!.sides.map((side) => side.shown.id)).toEqual([left.id, rightAgain.id])
    expect(turn!.sides.map((side) => side.answers.length)).toEqual([1, 2])
  })

  it('goes on below the left, or below the right where that shows an earlier answer', () => {
    const all = [q, left, right, rightAgain]
    expect(parentOfNext(turnsOf(all, {}))).toBe(left.id)
    expect(parentOfNext(turnsOf(all, choosePath(all, {}, right.id)))).toBe(right.id)
  })

  it('shows what was asked below either side', () => {
    const next = ask(right.id, 'and then?')
    const all = [q, left, right, next]
    expect(turnsOf(all, {}).map((turn) => turn.question.id)).toEqual([q.id, next.id])
  })
})

describe('branches as a list', () => {
  it('does not indent a straight conversation', () => {
    const q1 = ask(null, 'a')
    const a1 = answer(q1.id, 'x')
    const q2 = ask(a1.id, 'b')
    const list = branchesOf([q1, a1, q2], [])
    expect(list.map((one) => [one.text, one.depth, one.above])).toEqual([
      ['a', 0, -1],
      ['b', 0, 0],
    ])
    expect(branchCount([q1, a1, q2])).toBe(1)
  })

  it('indents where the chat was asked on in several ways, and knows which is shown', () => {
    const q1 = ask(null, 'a')
    const a1 = answer(q1.id, 'x')
    const q2 = ask(a1.id, 'b')
    const q3 = ask(a1.id, 'c')
    const all = [q1, a1, q2, q3]
    const list = branchesOf(all, turnsOf(all, choosePath(all, {}, q2.id)))
    expect(list.map((one) => [one.text, one.depth, one.active])).toEqual([
      ['a', 0, true],
      ['b', 1, true],
      ['c', 1, false],
    ])
    expect(branchCount(all)).toBe(2)
  })
})
