import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toWire } from '../../../src-main/contract/errors.ts'
import type { Row } from '../../../src-main/contract/records.ts'
import {
  abandonHalfDatasets,
  addDataset,
  addRefusals,
  addRows,
  beginDataset,
  changeRow,
  finishDataset,
  listDatasets,
  listRefusals,
  listRows,
  removeDataset,
  replaceRows,
  showDataset,
  sweepDatasets,
  walkRows,
} from '../../../src-main/store/datasets.ts'
import { openStore, type Store } from '../../../src-main/store/open.ts'

let home: string
let store: Store
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temper-datasets-'))
  store = openStore(home)
})
afterEach(() => {
  store.close()
  rmSync(home, { recursive: true })
})

const aDataset = { name: 'facts', kind: 'text' as const, source: { made: 'a test' }, mapping: null, createdAt: 1 }
const row = (number: number, text = `Row ${number} of the test.`): Row => ({
  row: number,
  line: number * 2,
  split: number % 20 === 0 ? 'held-out' : 'train',
  example: { kind: 'text', text },
})
const rows = (count: number): Row[] => Array.from({ length: count }, (_, i) => row(i + 1))
const fill = (count: number): string => {
  const id = beginDataset(store, aDataset)
  const all = rows(count)
  for (let i = 0; i < count; i += 500) addRows(store, id, all.slice(i, i + 500))
  finishDataset(store, id)
  return id
}
const timed = <T>(work: () => T): { answer: T; tookMs: number } => {
  const begun = performance.now()
  return { answer: work(), tookMs: performance.now() - begun }
}

test('100,000 rows: a page takes the same wherever it lies, a search answers within a second', () => {
  const id = fill(100_000)
  const first = timed(() => listRows(store, id, { from: 0, count: 100 }))
  const last = timed(() => listRows(store, id, { from: 99_900, count: 100 }))
  expect(last.answer.rows.at(-1)).toEqual(row(100_000))
  expect(last.answer.total).toBe(100_000)
  expect(last.tookMs).toBeLessThan(Math.max(50, 20 * first.tookMs))
  const found = timed(() => listRows(store, id, { query: '99998 OF', count: 10 }))
  expect(found.answer).toEqual({ rows: [row(99_998)], total: 1 })
  expect(found.tookMs).toBeLessThan(1000)
  const many = listRows(store, id, { query: 'row 7', from: 11_000, count: 5 })
  expect(many.total).toBe(11_111)
  const again = timed(() => listRows(store, id, { query: 'row 7', from: 0, count: 100 }))
  expect(again.tookMs).toBeLessThan(Math.max(25, found.tookMs))
  const heldOut = listRows(store, id, { split: 'held-out', from: 4999, count: 10 })
  expect(heldOut).toEqual({ rows: [row(100_000)], total: 5000 })
})

test('search reads what a person reads, small and capital letters alike, and signs of LIKE as they stand', () => {
  const texts = ['Sieben ÄPFEL', '100% sure', 'under_score', "it's"]
  const { id } = addDataset(
    store,
    aDataset,
    texts.map((text, i) => row(i + 1, text)),
  )
  const find = (query: string): number[] => listRows(store, id, { query }).rows.map((one) => one.row)
  expect(find('äpfel')).toEqual([1])
  expect(find('0%')).toEqual([2])
  expect(find('r_s')).toEqual([3])
  expect(find("t's")).toEqual([4])
  expect(find('kind')).toEqual([])
})

test('a mended row is found by its new words and counted in bytes', () => {
  const { id, bytes } = addDataset(store, aDataset, rows(3))
  expect(listRows(store, id, { query: 'row 2' }).total).toBe(1)
  expect(changeRow(store, id, 2, { kind: 'text', text: 'Mended.' })).toEqual(row(2, 'Mended.'))
  expect(listRows(store, id, { query: 'row 2' }).total).toBe(0)
  expect(listRows(store, id, { query: 'mended' }).total).toBe(1)
  expect(showDataset(store, id).bytes).toBe(bytes - 'Row 2 of the test.'.length + 'Mended.'.length)
})

test('a dataset is seen once it is whole; one that an earlier process left half goes away', () => {
  const id = beginDataset(store, aDataset)
  addRows(store, id, rows(700))
  addRefusals(store, id, [{ line: 9, reason: 'It is empty.', text: '' }])
  expect(listDatasets(store)).toEqual([])
  expect(() => showDataset(store, id)).toThrow(/no dataset/)
  store.close()
  store = openStore(home)
  expect(abandonHalfDatasets(store)).toBe(1)
  let steps = 0
  while (sweepDatasets(store, 500)) steps++
  expect(steps).toBe(4)
  expect(store.get('SELECT count(*) AS n FROM examples')).toEqual({ n: 0 })
  expect(store.get('SELECT count(*) AS n FROM refusals')).toEqual({ n: 0 })
})

test('removing takes a dataset out of sight at once, and its id is not used again', () => {
  const id = fill(10)
  removeDataset(store, id)
  expect(listDatasets(store)).toEqual([])
  expect(() => removeDataset(store, id)).toThrow(/no dataset/)
  expect(fill(1)).toBe('d2')
})

test('rows are replaced all at once, and walked in their order', () => {
  const { id } = addDataset(store, aDataset, rows(1203))
  expect([...walkRows(store, id)].map((one) => one.row)).toEqual(rows(1203).map((one) => one.row))
  expect([...walkRows(store, id, 'held-out')]).toHaveLength(60)
  expect(replaceRows(store, id, rows(2))).toMatchObject({ id, rows: 2, heldOut: 0 })
  expect([...walkRows(store, id)]).toEqual(rows(2))
})

test('refusals come in the order of their lines', () => {
  const id = beginDataset(store, aDataset)
  addRefusals(store, id, [
    { line: 30, reason: 'b', text: '' },
    { line: 4, reason: 'a', text: '' },
  ])
  finishDataset(store, id)
  expect(listRefusals(store, id, 0, 1)).toEqual({ refusals: [{ line: 4, reason: 'a', text: '' }], total: 2 })
})

test('a full disk ends a write as DiskFull and leaves what was there', () => {
  const id = fill(10)
  const { page_count: pages } = store.get<{ page_count: number }>('PRAGMA page_count')!
  store.get(`PRAGMA max_page_count = ${pages + 5}`)
  const half = beginDataset(store, aDataset)
  let thrown: unknown
  try {
    addRows(store, half, rows(20_000))
  } catch (error) {
    thrown = error
  }
  expect(toWire(thrown)).toMatchObject({ kind: 'DiskFull' })
  expect(store.get('SELECT count(*) AS n FROM examples WHERE dataset = ?', half)).toEqual({ n: 0 })
  expect(listRows(store, id).total).toBe(10)
  store.get(`PRAGMA max_page_count = ${pages + 100_000}`)
  addRows(store, half, rows(20_000))
  expect(finishDataset(store, half).rows).toBe(20_000)
})
