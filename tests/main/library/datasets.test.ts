import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toWire } from '../../../src-main/contract/errors.ts'
import type { Example } from '../../../src-main/contract/records.ts'
import { importDataset, makeDataset, unfinishedRunOn } from '../../../src-main/library/datasets.ts'
import { listDatasets, sweepDatasets, walkRows } from '../../../src-main/store/datasets.ts'
import { addModel } from '../../../src-main/store/models.ts'
import { openStore, type Store } from '../../../src-main/store/open.ts'
import { addRun, changeRun } from '../../../src-main/store/runs.ts'
import { aModel, aRun } from '../store/records.ts'

let home: string
let store: Store
const clock = (): number => 5
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temper-library-'))
  store = openStore(home)
})
afterEach(() => {
  store.close()
  rmSync(home, { recursive: true })
})

test('a disk that fills up during an import leaves no dataset, and the next import works', async () => {
  const path = join(home, 'many.jsonl')
  writeFileSync(path, Array.from({ length: 5000 }, (_, i) => `{"text":"Text number ${i} of many."}\n`).join(''))
  const order = { path, heldOutRatio: 0.05, seed: 0 }
  const go = () => importDataset({ store, clock }, order, () => {}, new AbortController().signal)
  const { page_count: pages } = store.get<{ page_count: number }>('PRAGMA page_count')!
  store.get(`PRAGMA max_page_count = ${pages + 60}`)
  const failure = await go().then(() => null, toWire)
  expect(failure).toMatchObject({ kind: 'DiskFull', next: expect.stringContaining('Free some space') as string })
  expect(listDatasets(store)).toEqual([])
  store.get(`PRAGMA max_page_count = ${pages + 100_000}`)
  while (sweepDatasets(store));
  expect(store.get('SELECT count(*) AS n FROM examples')).toEqual({ n: 0 })
  expect(await go()).toMatchObject({ rows: 5000, kind: 'text' })
})

const texts = (...all: string[]): Example[] => all.map((text) => ({ kind: 'text', text }))
const labels = (examples: Example[]) => ({
  ...{ name: 'Judged: first pairs', made: 'judgements of s1', kind: 'text' as const },
  ...{ examples, heldOutRatio: 0 },
})

test('the same labels are the same dataset; new ones replace its rows', () => {
  const one = makeDataset({ store, clock }, labels(texts('a')))
  expect(makeDataset({ store, clock }, labels(texts('a')))).toEqual(one)
  expect(makeDataset({ store, clock }, labels(texts('a', 'b')))).toMatchObject({ id: one.id, rows: 2 })
})

test('what a run was trained on stays as it was, beside the new dataset', () => {
  addModel(store, aModel)
  const one = makeDataset({ store, clock }, labels(texts('a')))
  addRun(store, aRun('m1', { dataset: one.id }))
  const two = makeDataset({ store, clock }, labels(texts('a', 'b')))
  expect(two).toMatchObject({ id: 'd2', name: one.name, rows: 2 })
  expect([...walkRows(store, one.id)]).toHaveLength(1)
  expect(listDatasets(store).map(({ name }) => name)).toEqual([one.name, `${one.name} (1 row)`])
  expect(makeDataset({ store, clock }, labels(texts('a', 'b'))).id).toBe(two.id)
})

test('a dataset is held by a run that may still read it, and let go when the run has ended', () => {
  addModel(store, aModel)
  const { id } = makeDataset({ store, clock }, labels(texts('a')))
  const run = addRun(store, aRun('m1', { dataset: id, state: 'interrupted' }))
  expect(unfinishedRunOn({ store }, id)?.id).toBe(run.id)
  changeRun(store, run.id, { state: 'finished' })
  expect(unfinishedRunOn({ store }, id)).toBeUndefined()
})
