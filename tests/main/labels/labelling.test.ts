// Judging from the first pair to a dataset and back to the first pair, through the core's door.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Failure } from '../../../src-main/contract/errors.ts'
import type { Dataset, Pair, Verdict } from '../../../src-main/contract/records.ts'
import { createCore, type Core } from '../../../src-main/core.ts'

const count = 12
let home: string
let now = 1000
let core: Core
let dataset: Dataset
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'temper-labels-'))
  core = await createCore({ home, log: () => {}, resources: join(home, 'none'), clock: () => ++now })
  const rows = Array.from({ length: count }, (_, i) => ({
    prompt: [{ role: 'user', content: `Question ${i}?` }],
    chosen: [{ role: 'assistant', content: `Good answer ${i}, kindly given.` }],
    rejected: [{ role: 'assistant', content: `Bad ${i}.` }],
  }))
  writeFileSync(join(home, 'pairs.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  dataset = await importFile('pairs.jsonl')
})
afterEach(async () => {
  await core.close()
  rmSync(home, { recursive: true })
})

async function importFile(name: string): Promise<Dataset> {
  const ended = new Promise<string>((done, fail) =>
    core.on('import', (event) => {
      if (event.state === 'done') done(event.dataset!)
      if (event.state === 'failed') fail(new Error(event.failure!.message))
    }),
  )
  await core.call('data.import', { path: join(home, name) })
  return core.call('data.show', { id: await ended })
}
const importPairs = (seed = 3) => core.call('pairs.import', { dataset: dataset.id, seed })
const next = (set: string): Promise<Pair | null> => core.call('label.next', { set })
const judge = (pair: Pair, verdict: Verdict, note = '') =>
  core.call('label.judge', { pair: pair.id, verdict, note, reasons: note ? ['clearer'] : [], tookMs: 2000 })
/** The verdict that prefers the good answer, wherever it stands. */
const good = (pair: Pair, strength: 1 | 2 | 3): Verdict =>
  (pair.a.startsWith('Good') ? 4 - strength : 4 + strength) as Verdict

test('sides are shuffled by the set’s seed: the same again for the same seed, others for another', async () => {
  const sides = async (seed: number): Promise<string> => {
    const set = await importPairs(seed)
    let text = ''
    for (let pair = await next(set.id); pair; pair = await next(set.id)) {
      text += pair.a.startsWith('Good') ? 'A' : 'B'
      await judge(pair, 'skip')
    }
    return text
  }
  const [one, again, other] = [await sides(1), await sides(1), await sides(2)]
  expect(again).toBe(one)
  expect(other).not.toBe(one)
  expect(one).toMatch(/A/)
  expect(one).toMatch(/B/)
})

test('a pair comes with its sides alone; who wrote them is told after judging', async () => {
  const set = await importPairs()
  const pair = (await next(set.id))!
  expect(Object.keys(pair).toSorted()).toEqual(['a', 'b', 'id', 'position', 'prompt', 'set'])
  await judge(pair, good(pair, 3))
  const { judgements } = await core.call('label.history', { set: set.id })
  const [a, b] = judgements[0]!.writers
  expect(pair.a.startsWith('Good') ? [a, b] : [b, a]).toEqual(['Chosen in the data', 'Rejected in the data'])
})

test('judging goes on where it stopped, also after a restart; undo goes back to the first', async () => {
  const set = await importPairs()
  const order: string[] = []
  for (let i = 0; i < 5; i++) {
    const pair = (await next(set.id))!
    order.push(pair.id)
    await judge(pair, i === 2 ? 'skip' : good(pair, 1))
  }
  await core.close()
  core = await createCore({ home, log: () => {}, resources: join(home, 'none') })
  expect((await next(set.id))!.position).toBe(6)
  expect((await core.call('pairs.show', { id: set.id })).judged).toBe(5)
  for (const id of order.toReversed()) expect((await core.call('label.undo', { set: set.id }))!.id).toBe(id)
  expect(await core.call('label.undo', { set: set.id })).toBeNull()
  expect((await next(set.id))!.position).toBe(1)
  expect((await core.call('pairs.show', { id: set.id })).judged).toBe(0)
})

test('verdicts become preferences of their strength; ties, both-bad and skips are left out and counted', async () => {
  const set = await importPairs()
  const verdicts = [3, 2, 1, 'tie', 'both-bad', 'skip', 'against'] as const
  for (const verdict of verdicts) {
    const pair = (await next(set.id))!
    if (typeof verdict === 'number') await judge(pair, good(pair, verdict))
    else if (verdict === 'tie') await judge(pair, 4)
    else if (verdict === 'against') await judge(pair, (8 - (good(pair, 2) as number)) as Verdict)
    else await judge(pair, verdict)
  }
  const made = await core.call('label.dataset', { set: set.id })
  expect(made).toMatchObject({ kind: 'preference', rows: 4, name: `Judged: ${set.name}` })
  const { rows } = await core.call('data.rows', { id: made.id })
  const read = rows.map(({ example }) =>
    example.kind === 'preference' ? [example.strength, example.chosen[0]!.content.slice(0, 3)] : null,
  )
  expect(read).toEqual([
    [3, 'Goo'],
    [2, 'Goo'],
    [1, 'Goo'],
    [2, 'Bad'],
  ])
  const out = join(home, 'out', 'judged.jsonl')
  const told = await core.call('label.export', { set: set.id, out })
  expect(told).toEqual({ file: out, rows: 4, leftOut: 3 })
  const lines = readFileSync(out, 'utf8').trim().split('\n')
  expect(JSON.parse(lines[0]!)).toEqual({
    prompt: [{ role: 'user', content: 'Question 0?' }],
    chosen: [{ role: 'assistant', content: 'Good answer 0, kindly given.' }],
    rejected: [{ role: 'assistant', content: 'Bad 0.' }],
  })
})

test('the dataset of a set is the same one again, and follows new judgements', async () => {
  const set = await importPairs()
  const first = (await next(set.id))!
  await judge(first, good(first, 3))
  const one = await core.call('label.dataset', { set: set.id })
  expect(await core.call('label.dataset', { set: set.id })).toEqual(one)
  const second = (await next(set.id))!
  await judge(second, good(second, 2))
  const two = await core.call('label.dataset', { set: set.id })
  expect(two).toMatchObject({ id: one.id, rows: 2 })
  expect(await core.call('data.list', {})).toHaveLength(2)
})

test('judgements are searched and corrected; a correction keeps its place for undo', async () => {
  const set = await importPairs()
  const pairs: Pair[] = []
  for (let i = 0; i < 3; i++) {
    const pair = (await next(set.id))!
    pairs.push(pair)
    await judge(pair, good(pair, 3), i === 1 ? 'Very Polite' : '')
  }
  const find = async (query: string): Promise<number[]> =>
    (await core.call('label.history', { set: set.id, query })).judgements.map((one) => one.position)
  expect(await find('')).toEqual([3, 2, 1])
  expect(await find('very polite')).toEqual([2])
  expect(await find('question 0')).toEqual([1])
  expect(await find('clearer')).toEqual([2])
  const [, , oldest] = (await core.call('label.history', { set: set.id })).judgements
  const edited = await core.call('label.edit', { id: oldest!.id, verdict: 4, note: 'On second thought' })
  expect(edited).toMatchObject({ verdict: 4, note: 'On second thought', tookMs: 2000, position: 1 })
  expect(await find('second thought')).toEqual([1])
  expect((await core.call('label.undo', { set: set.id }))!.id).toBe(pairs[2]!.id)
})

test('bias and pace are told with the set', async () => {
  const set = await importPairs()
  for (let pair = await next(set.id); pair; pair = await next(set.id)) await judge(pair, good(pair, 2))
  const shown = await core.call('pairs.show', { id: set.id })
  expect(shown.length).toMatchObject({ longer: count, decided: count, high: 1 })
  expect(shown.length.low).toBeGreaterThan(0.7)
  expect(shown.side.low).toBeLessThan(0.5)
  expect(shown.side.high).toBeGreaterThan(0.5)
  expect(shown).toMatchObject({ medianMs: 2000, trainable: count, judged: count, total: count })
})

test('what cannot be judged or learned from is refused with what to do', async () => {
  writeFileSync(join(home, 'text.txt'), 'One.\n\nTwo.\n')
  const text = await importFile('text.txt')
  const refused = (work: Promise<unknown>): Promise<Failure> =>
    work.then(
      () => Promise.reject(new Error('did not fail')),
      (error: Failure) => error,
    )
  expect((await refused(core.call('pairs.import', { dataset: text.id }))).kind).toBe('BadExample')
  const set = await importPairs()
  expect((await refused(core.call('label.dataset', { set: set.id }))).next).toContain('Judge some pairs')
  expect((await refused(core.call('label.judge', { pair: 'p99', verdict: 1 }))).kind).toBe('NotFound')
  expect((await refused(core.call('label.judge', { pair: 'p1', verdict: 8 as 7 }))).kind).toBe('BadOption')
})
