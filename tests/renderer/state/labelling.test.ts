// Judging against an in-memory core: what is saved, what shows next, and what a failed save brings back.
import { beforeEach, expect, test, vi } from 'vitest'
import { Failure } from '../../../src-main/contract/errors.ts'
import type { JudgedPair, PairSetDetail } from '../../../src-main/contract/commands.ts'
import type { Judgement, Pair } from '../../../src-main/contract/records.ts'
import { api } from '../../../src-renderer/api.ts'
import { Labelling } from '../../../src-renderer/state/labelling.svelte.ts'
import { testBridge } from '../bridge.ts'

const pairs: Pair[] = [1, 2, 3].map((position) => ({
  id: `p${position}`,
  set: 's1',
  position,
  prompt: [{ role: 'user', content: `question ${position}` }],
  a: `left ${position}`,
  b: `right ${position}`,
}))
let judgements: Judgement[] = []
let broken = false
const asJudged = (one: Judgement): JudgedPair => {
  const pair = pairs.find((p) => p.id === one.pair)!
  return { ...one, prompt: pair.prompt[0]!.content, a: pair.a, b: pair.b, writers: ['one', 'two'] }
}

beforeEach(() => {
  judgements = []
  broken = false
  api.connect(
    testBridge({
      'pairs.show': () => ({ id: 's1', name: 'set', total: 3, judged: judgements.length }) as PairSetDetail,
      'label.next': ({ after = 0 }) =>
        pairs.find((p) => p.position > after && !judgements.some((j) => j.pair === p.id)) ?? null,
      'label.judge': ({ pair, verdict, reasons, note }) => {
        if (broken) throw new Failure('DiskFull', 'The disk is full.')
        const { position } = pairs.find((p) => p.id === pair)!
        const made = { reasons: reasons ?? [], note: note ?? '', tookMs: 5, judgedAt: 1, swapped: false }
        const judgement: Judgement = { id: `j${judgements.length + 1}`, pair, set: 's1', position, verdict, ...made }
        judgements.push(judgement)
        return judgement
      },
      'label.undo': () => {
        const last = judgements.pop()
        return pairs.find((p) => p.id === last?.pair) ?? null
      },
      'label.edit': ({ id, verdict, reasons, note }) => {
        const at = judgements.findIndex((j) => j.id === id)
        judgements[at] = { ...judgements[at]!, verdict, reasons: reasons ?? [], note: note ?? '' }
        return judgements[at]
      },
      'label.history': ({ query = '' }) => {
        const found = judgements.toReversed().map(asJudged)
        const kept = found.filter((one) => one.prompt.includes(query))
        return { judgements: kept, total: kept.length }
      },
    }),
  )
})
const opened = async (): Promise<Labelling> => {
  const labelling = new Labelling('s1')
  await labelling.open()
  // The pair behind the first is asked for in the background.
  await vi.waitFor(() => expect(labelling.pair?.id).toBe('p1'))
  await new Promise((done) => setTimeout(done, 5))
  return labelling
}

test('the next pair shows before the judgement is kept, and nothing chosen stays on it', async () => {
  const labelling = await opened()
  labelling.choose(2)
  labelling.toggleReason('Correct')
  const saving = labelling.saveAndNext()
  expect(labelling.pair?.id).toBe('p2')
  expect(labelling.draft).toEqual({ verdict: null, reasons: [], note: '' })
  expect(await saving).toEqual({ position: 1, verdict: 2 })
  expect(judgements[0]).toMatchObject({ pair: 'p1', verdict: 2, reasons: ['Correct'] })
})

test('nothing is saved before something is chosen', async () => {
  const labelling = await opened()
  expect(await labelling.saveAndNext()).toBeNull()
  expect(labelling.pair?.id).toBe('p1')
  expect(judgements).toEqual([])
})

test('a save that fails brings its pair back with what was chosen, and says why', async () => {
  const labelling = await opened()
  broken = true
  labelling.choose('both-bad')
  labelling.draft.note = 'neither'
  await labelling.saveAndNext()
  expect(labelling.pair?.id).toBe('p1')
  expect(labelling.draft).toEqual({ verdict: 'both-bad', reasons: [], note: 'neither' })
  expect(labelling.failure?.message).toBe('The disk is full.')
  broken = false
  await labelling.saveAndNext()
  expect(judgements).toHaveLength(1)
  expect(labelling.failure).toBeNull()
})

test('undo goes back to the first, and shows what had been chosen', async () => {
  const labelling = await opened()
  labelling.choose(7)
  await labelling.saveAndNext()
  await labelling.skip()
  expect(labelling.pair?.id).toBe('p3')
  await labelling.undo()
  expect(labelling.pair?.id).toBe('p2')
  expect(labelling.draft.verdict).toBeNull()
  await labelling.undo()
  expect(labelling.pair?.id).toBe('p1')
  expect(labelling.draft.verdict).toBe(7)
  expect(await labelling.undo()).toBeNull()
})

test('after the last pair none is left, and undo brings one again', async () => {
  const labelling = await opened()
  for (const verdict of [1, 4, 7] as const) {
    labelling.choose(verdict)
    await labelling.saveAndNext()
  }
  expect(labelling.pair).toBeNull()
  expect(judgements.map((j) => j.verdict)).toEqual([1, 4, 7])
  await labelling.undo()
  expect(labelling.pair?.id).toBe('p3')
})

test('sources show only once the judgement is kept, which then stands', async () => {
  const labelling = await opened()
  expect(await labelling.showSources()).toBe(false)
  expect(labelling.kept).toBeNull()
  labelling.choose(3)
  await labelling.showSources()
  expect(labelling.kept?.writers).toEqual(['one', 'two'])
  labelling.choose(5)
  expect(labelling.draft.verdict).toBe(3)
  await labelling.saveAndNext()
  expect(judgements).toHaveLength(1)
  expect(labelling.pair?.id).toBe('p2')
})

test('a past judgement is changed without losing what is chosen for the present pair', async () => {
  const labelling = await opened()
  labelling.choose(1)
  await labelling.saveAndNext()
  labelling.choose(6)
  labelling.lookAgain(asJudged(judgements[0]!))
  labelling.draft.verdict = 4
  await labelling.saveAndNext()
  expect(judgements[0]!.verdict).toBe(4)
  expect(labelling.pair?.id).toBe('p2')
  expect(labelling.draft.verdict).toBe(6)
  expect(judgements).toHaveLength(1)
})
