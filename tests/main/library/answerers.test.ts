import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Run } from '../../../src-main/contract/records.ts'
import { listAnswerers, nameOfAnswerer, resolveAnswerer } from '../../../src-main/library/answerers.ts'
import { addModel } from '../../../src-main/store/models.ts'
import { openStore, type Store } from '../../../src-main/store/open.ts'
import { addCheckpoint, addRun, removeRun } from '../../../src-main/store/runs.ts'
import { aModel, aRun } from '../store/records.ts'

let home: string
let store: Store
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temper-answerers-'))
  store = openStore(home)
  addModel(store, aModel)
})
afterEach(() => {
  store.close()
  rmSync(home, { recursive: true })
})

/** A run from `start` with a checkpoint at each step; gives the checkpoints' ids. */
function train(name: string, start: string, tune: Run['tune'], ...steps: number[]): string[] {
  const run = addRun(store, aRun('m1', { name, start, tune }))
  return steps.map(
    (step) =>
      addCheckpoint(store, {
        ...{ run: run.id, step, reasons: ['periodic'], path: join(home, 'runs', run.id, String(step)) },
        ...{ bytes: 1, trainLoss: null, heldOutLoss: null, createdAt: 1 },
      }).id,
  )
}

test('models come first, then the checkpoints of each run by step, in plain words', () => {
  train('first-run', 'm1', 'lora', 80, 40)
  train('second-run', 'm1', 'lora', 10)
  expect(listAnswerers(store).map((one) => [one.id, one.name])).toEqual([
    ['m1', 'Starter, before training'],
    ['c2', 'first-run, step 40'],
    ['c1', 'first-run, step 80'],
    ['c3', 'second-run, step 10'],
  ])
})

test('an answerer is followed back to its model: adapters in the order in which they are merged', () => {
  const [sft] = train('sft', 'm1', 'lora', 80)
  const [dpo] = train('dpo', sft!, 'lora', 60)
  const found = resolveAnswerer(store, dpo!)
  expect(found).toMatchObject({ id: dpo, name: 'dpo, step 60', modelPath: aModel.path, template: aModel.template })
  expect(found.checkpoints.map(({ id, tune }) => [id, tune])).toEqual([
    [sft, 'lora'],
    [dpo, 'lora'],
  ])
  expect(resolveAnswerer(store, 'm1').checkpoints).toEqual([])
})

test('a full checkpoint stands for all that came before it', () => {
  const [one] = train('one', 'm1', 'lora', 1)
  const [full] = train('full', one!, 'full', 2)
  const [last] = train('last', full!, 'lora', 3)
  expect(resolveAnswerer(store, last!).checkpoints.map(({ id }) => id)).toEqual([full, last])
})

test('what is gone is named in history and refused as an answerer', () => {
  const [gone] = train('gone', 'm1', 'lora', 1)
  removeRun(store, 'r1')
  expect(nameOfAnswerer(store, gone!)).toBe('c1 (removed)')
  expect(() => resolveAnswerer(store, gone!)).toThrow(/no checkpoint “c1”/)
  expect(() => resolveAnswerer(store, 'd1')).toThrow(/no model/)
})
