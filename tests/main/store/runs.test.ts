import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addModel } from '../../../src-main/store/models.ts'
import { openStore, type Store } from '../../../src-main/store/open.ts'
import {
  addCheckpoint,
  addMetrics,
  addRun,
  addSamples,
  changeRun,
  forgetAfter,
  listCheckpoints,
  listMetrics,
  listRuns,
  listSamples,
  removeRun,
  showRun,
} from '../../../src-main/store/runs.ts'
import { aModel, aRun } from './records.ts'

let home: string
let store: Store
let model: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temper-runs-'))
  store = openStore(home)
  model = addModel(store, aModel).id
})
afterEach(() => {
  store.close()
  rmSync(home, { recursive: true })
})

test('a run is read back as it was written, options in their order', () => {
  const written = addRun(store, aRun(model))
  expect(showRun(store, written.id)).toEqual({ ...aRun(model), id: 'r1' })
  expect(Object.keys(showRun(store, 'r1').options)).toEqual(['learningRate', 'schedule'])
})

test('changes touch only what they name, and survive closing the library', () => {
  const { id } = addRun(store, aRun(model))
  changeRun(store, id, { state: 'training', step: 12, startedAt: 5 })
  changeRun(store, id, { bestHeldOut: { step: 10, loss: 0.5 }, lastLoss: Number.NaN })
  store.close()
  store = openStore(home)
  expect(showRun(store, id)).toMatchObject({
    state: 'training',
    step: 12,
    startedAt: 5,
    lastLoss: null,
    bestHeldOut: { step: 10, loss: 0.5 },
    name: 'first-run',
  })
})

test('an id is not given out again after its run is gone', () => {
  addRun(store, aRun(model))
  removeRun(store, 'r1')
  expect(addRun(store, aRun(model)).id).toBe('r2')
  expect(() => showRun(store, 'r1')).toThrow(/no run “r1”/)
})

test('metrics are thinned evenly, each name by itself, and keep the last', () => {
  const { id } = addRun(store, aRun(model))
  const steps = Array.from({ length: 1001 }, (_, step) => step)
  addMetrics(
    store,
    id,
    steps.map((step) => ({ step, name: 'train/loss', value: 1 / (step + 1), atMs: step * 10, tokens: step * 100 })),
  )
  addMetrics(store, id, [{ step: 500, name: 'held-out/loss', value: 2, atMs: 1, tokens: 1 }])
  const thinned = listMetrics(store, id, -1, 100)
  const train = thinned.filter((metric) => metric.name === 'train/loss')
  expect(train.length).toBeLessThanOrEqual(100)
  expect(train.length).toBeGreaterThan(80)
  expect(train.at(-1)).toEqual({ step: 1000, name: 'train/loss', value: 1 / 1001, atMs: 10_000, tokens: 100_000 })
  expect(thinned.filter((metric) => metric.name === 'held-out/loss')).toHaveLength(1)
  expect(listMetrics(store, id, 990).map((metric) => metric.step)).toEqual([
    991, 992, 993, 994, 995, 996, 997, 998, 999, 1000,
  ])
})

test('a run that goes on from an earlier step forgets what came after it', () => {
  const { id } = addRun(store, aRun(model))
  addMetrics(
    store,
    id,
    [1, 2, 3].map((step) => ({ step, name: 'train/loss', value: step, atMs: 0, tokens: 0 })),
  )
  addSamples(store, id, [
    { step: 1, prompt: 'Who?', text: 'Me' },
    { step: 3, prompt: 'Who?', text: 'You' },
  ])
  forgetAfter(store, id, 2)
  expect(listMetrics(store, id).map((metric) => metric.step)).toEqual([1, 2])
  expect(listSamples(store, id).map((sample) => sample.step)).toEqual([1])
})

test('a checkpoint written again at its step keeps its id, and its path moves with the library', () => {
  const { id } = addRun(store, aRun(model))
  const one = {
    run: id,
    step: 20,
    reasons: ['periodic' as const],
    path: join(home, 'runs', id, 'step-20'),
    bytes: 5,
    trainLoss: 1,
    heldOutLoss: null,
    createdAt: 3,
  }
  const first = addCheckpoint(store, one)
  const again = addCheckpoint(store, { ...one, reasons: ['periodic', 'last'], heldOutLoss: 0.25 })
  expect(again.id).toBe(first.id)
  expect(listCheckpoints(store, id)).toEqual([{ ...one, id: 'c1', reasons: ['periodic', 'last'], heldOutLoss: 0.25 }])
})

test('removing a run removes all that it left', () => {
  const { id } = addRun(store, aRun(model))
  addMetrics(store, id, [{ step: 1, name: 'train/loss', value: 1, atMs: 0, tokens: 0 }])
  removeRun(store, id)
  expect(listRuns(store)).toEqual([])
  expect(listMetrics(store, id)).toEqual([])
})
