import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultSampling } from '../../../src-main/contract/commands.ts'
import { Failure } from '../../../src-main/contract/errors.ts'
import type { Events } from '../../../src-main/contract/events.ts'
import type { Pair } from '../../../src-main/contract/records.ts'
import { createCore, type Core, type CoreOptions } from '../../../src-main/core.ts'
import type { Generate } from '../../../src-main/library/context.ts'

let home: string
let core: Core
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'temper-make-'))))
afterEach(async () => {
  await core.close()
  rmSync(home, { recursive: true })
})

/** A library with one model (m1), a second under another name (m2), and `prompts` questions (d1). */
async function open(prompts: number, generate?: Generate): Promise<void> {
  const options: CoreOptions = { home, log: () => {}, resources: join(home, 'none') }
  core = await createCore({ ...options, ...(generate && { generate }) })
  await core.call('models.add', { path: resolve('tests/golden/llama-tied'), name: 'Tied' })
  await core.call('models.add', { path: resolve('tests/golden/llama-untied'), name: 'Untied' })
  const rows = Array.from({ length: prompts }, (_, i) => ({ prompt: [{ role: 'user', content: `what is ${i}` }] }))
  writeFileSync(join(home, 'prompts.jsonl'), [...rows, rows[0]].map((row) => `${JSON.stringify(row)}\n`).join(''))
  await new Promise((done) => {
    core.on('import', (event) => event.state !== 'working' && done(event))
    void core.call('data.import', { path: join(home, 'prompts.jsonl'), heldOutRatio: 0 })
  })
}
const make = (how: { answerers: string[]; count: number; settings?: typeof defaultSampling; seed?: number }) =>
  new Promise<{ set: string; end: Events['pairs'] }>((done, fail) => {
    const off = core.on('pairs', (event) => {
      if (event.state !== 'working') done((off(), { set: event.set, end: event }))
    })
    core.call('pairs.make', { dataset: 'd1', ...how }).catch(fail)
  })
const allPairs = async (set: string): Promise<Pair[]> => {
  const pairs: Pair[] = []
  const next = (after: number) => core.call('label.next', { set, after })
  for (let pair = await next(0); pair; pair = await next(pair.position)) pairs.push(pair)
  return pairs
}
/** Says the words of the prompt and the seed; `sameFor` of the prompts have one answer whatever the seed. */
const parrot =
  (sameFor = 0): Generate =>
  (work, handlers) => {
    work.requests.forEach(({ messages, seed }, index) => {
      const number = Number(messages[0]!.content.split(' ').at(-1))
      const text = number < sameFor ? 'the same' : `${work.answerer.name} ${number} ${seed}`
      handlers.onAnswer(index, { text, tokens: [1], finishReason: 'stop', choices: [] })
    })
    return Promise.resolve()
  }

test('one answerer answers each prompt once with two seeds; another set of the same seed is the same', async () => {
  await open(30, parrot())
  const { set, end } = await make({ answerers: ['m1'], count: 100, seed: 5 })
  expect(end).toMatchObject({ state: 'done', made: 30, total: 30, skipped: 0 })
  const pairs = await allPairs(set)
  expect(pairs.map((pair) => pair.position)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  expect(new Set(pairs.map((pair) => pair.prompt[0]!.content)).size).toBe(30)
  for (const { a, b } of pairs) expect(a).not.toBe(b)
  const again = await allPairs((await make({ answerers: ['m1'], count: 100, seed: 5 })).set)
  const said = (all: Pair[]): string[] => all.map(({ a, b }) => `${a} | ${b}`)
  expect(said(again)).toEqual(said(pairs))
  expect(said(await allPairs((await make({ answerers: ['m1'], count: 100, seed: 6 })).set))).not.toEqual(said(pairs))
})

test('two answerers answer with the same seed, sides mixed, and their names come after judging', async () => {
  await open(20, parrot())
  const { set } = await make({ answerers: ['m1', 'm2'], count: 20 })
  const pairs = await allPairs(set)
  for (const { a, b } of pairs) expect(a.split(' ').slice(-2)).toEqual(b.split(' ').slice(-2))
  const left = pairs.filter(({ a }) => a.startsWith('Tied')).length
  expect(left).toBeGreaterThan(2)
  expect(left).toBeLessThan(18)
  await core.call('label.judge', { pair: pairs[0]!.id, verdict: 2 })
  const { judgements } = await core.call('label.history', { set })
  expect(judgements[0]!.writers[0]).toBe(`${judgements[0]!.a.split(',')[0]!}, before training`)
})

test('answers that stay the same are asked for again and then skipped, counted', async () => {
  let asked = 0
  const parroting = parrot(4)
  await open(10, (work, handlers, signal) => {
    asked += work.requests.length
    return parroting(work, handlers, signal)
  })
  const { set, end } = await make({ answerers: ['m1'], count: 10 })
  expect(end).toMatchObject({ state: 'done', made: 6, total: 10, skipped: 4 })
  expect(asked).toBe(20 + 4 * 3)
  expect((await allPairs(set)).map((pair) => pair.position)).toEqual([1, 2, 3, 4, 5, 6])
})

test('where no pair comes about, the set is gone and the reason is told', async () => {
  await open(3, parrot(3))
  const { end } = await make({ answerers: ['m1'], count: 3 })
  expect(end).toMatchObject({ state: 'failed', failure: { kind: 'BadExample' } })
  expect(await core.call('pairs.list', {})).toEqual([])
})

test('one answerer at temperature 0 is refused at once', async () => {
  await open(3, parrot())
  await expect(make({ answerers: ['m1'], count: 3, settings: { ...defaultSampling, temperature: 0 } })).rejects.toThrow(
    /temperature 0/,
  )
})

test('what was made before a stop or a failure stays and can be judged', async () => {
  const parroting = parrot()
  let calls = 0
  await open(40, (work, handlers, signal) => {
    if (++calls > 2) return Promise.reject(new Failure('OutOfMemory', 'No memory is left.'))
    return parroting(work, handlers, signal)
  })
  const { set, end } = await make({ answerers: ['m1'], count: 40 })
  expect(end).toMatchObject({ state: 'failed', made: 4, failure: { kind: 'OutOfMemory' } })
  expect(await core.call('pairs.show', { id: set })).toMatchObject({ total: 4 })
  calls = -1000
  const stopped = new Promise<Events['pairs']>((done) =>
    core.on('pairs', (event) => {
      if (event.state === 'working') void core.call('pairs.cancel', { job: event.job })
      else done(event)
    }),
  )
  await core.call('pairs.make', { dataset: 'd1', answerers: ['m1'], count: 40 })
  expect(await stopped).toMatchObject({ state: 'stopped', made: 4 })
})

test('a set that is removed while it is filled ends its making', async () => {
  await open(40, parrot())
  const ended = new Promise<Events['pairs']>((done) =>
    core.on('pairs', (event) => {
      if (event.state === 'working') void core.call('pairs.remove', { id: event.set })
      else done(event)
    }),
  )
  await core.call('pairs.make', { dataset: 'd1', answerers: ['m1'], count: 40 })
  expect((await ended).state).toBe('stopped')
  expect(await core.call('pairs.list', {})).toEqual([])
})

test('a real model makes pairs in its own thread', async () => {
  await open(3)
  const { set, end } = await make({
    answerers: ['m1'],
    count: 3,
    settings: { ...defaultSampling, temperature: 1, topP: 1, maxTokens: 8 },
  })
  expect(end).toMatchObject({ state: 'done', made: 3 })
  for (const { a, b } of await allPairs(set)) expect(a).not.toBe(b)
})
