import { expect, test } from 'vitest'
import { batchOf, epochOrder, microBatches, stepRows } from '../../../src-main/data/batch.ts'
import type { TrainingRow } from '../../../src-main/data/batch.ts'

const row = (length: number, sequences = 1): TrainingRow => ({
  row: length,
  sequences: Array.from({ length: sequences }, () => ({
    tokens: Int32Array.from({ length }, (_, i) => 10 * length + i),
    lossMask: new Uint8Array(length).fill(1),
  })),
})

test('every epoch reads every row once, in another order, the same for the same seed', () => {
  const orders = [0, 1].map((epoch) => [...epochOrder(50, 7, epoch)])
  for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(orders[0]).not.toEqual(orders[1])
  expect([...epochOrder(50, 7, 1)]).toEqual(orders[1])
  expect([...epochOrder(50, 8, 1)]).not.toEqual(orders[1])
})

test('goes on from a cursor as if it had never stopped', () => {
  const whole = stepRows(10, 4, 1)
  const first = Array.from({ length: 8 }, () => whole.next().value)
  for (const stop of [0, 1, 2, 3, 4]) {
    const rest = stepRows(10, 4, 1, first[stop]!.cursor)
    expect([...rest.next().value.rows]).toEqual([...first[stop + 1]!.rows])
  }
  expect(first.slice(0, 3).map((one) => one.rows.length)).toEqual([4, 4, 2])
})

test('cuts a step into equal parts, and further where the tokens are too many', () => {
  const rows = [5, 6, 7, 8, 30, 3].map((length) => row(length))
  expect(microBatches(rows, [0, 1, 2, 3, 4, 5], 3, 1000)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ])
  expect(microBatches(rows, [0, 1, 2, 3, 4, 5], 1, 20)).toEqual([[0, 1, 2], [3], [4], [5]])
})

test('lays sequences end to end and never scores the first token of one', () => {
  const batch = batchOf([row(2), row(3, 2)], [1, 0])
  expect([...batch.offsets]).toEqual([0, 3, 6, 8])
  expect([...batch.tokens]).toEqual([30, 31, 32, 30, 31, 32, 20, 21])
  expect([...batch.scored]).toEqual([0, 1, 1, 0, 1, 1, 0, 1])
})
