// The shared state against an in-memory core: what is read at the start, on events, and when something fails.
import { beforeEach, expect, test, vi } from 'vitest'
import { api, toFailure } from '../../src-renderer/api.ts'
import { hearRun, library, refresh } from '../../src-renderer/state/library.svelte.ts'
import { hearLiveRun, live, readLive, seen } from '../../src-renderer/state/live.svelte.ts'
import { readSettings, setSetting, settings } from '../../src-renderer/state/settings.svelte.ts'
import { metrics, run, testBridge } from './bridge.ts'

beforeEach(() => {
  vi.stubGlobal('document', { documentElement: { dataset: {} } })
  api.connect(testBridge())
  live.run = null
  live.losses = []
})

test('everything the library holds is read once, and its lists are shared', async () => {
  await refresh()
  expect(library).toMatchObject({ ready: true, failure: null })
  expect(library.datasets.map((one) => one.name)).toEqual(['library-desk', 'town-archive'])
  expect(library.models).toHaveLength(1)
})

test('a list that cannot be read is said, and the others are there', async () => {
  api.connect(
    testBridge({
      'chats.list': () => {
        throw new Error('the table is locked')
      },
    }),
  )
  await refresh()
  expect(library.failure).toMatchObject({ kind: 'Bug', message: 'the table is locked' })
  expect(library.models).toHaveLength(1)
})

test('a failure of the core arrives as a Failure with its next step', async () => {
  await expect(api.call('runs.stop', { id: 'r9' })).rejects.toMatchObject({ name: 'NotFound', kind: 'NotFound' })
  expect(toFailure({ kind: 'DiskFull', message: 'The disk is full.', next: 'Free some space.' })).toMatchObject({
    kind: 'DiskFull',
    next: 'Free some space.',
  })
})

test('a reload finds the run that trains, with its losses so far', async () => {
  await readLive([run(1500, 'finished'), { ...run(180), id: 'r2' }])
  expect(live.run?.id).toBe('r2')
  expect(live.losses).toHaveLength(metrics(180).length)
})

test('a run that has ended stays until it was seen', () => {
  const event = { metrics: metrics(8), tokensPerSecond: 900, leftMs: 1000 }
  hearLiveRun({ ...event, run: run(8) })
  seen('r1')
  expect(live.run?.id).toBe('r1')
  hearLiveRun({ ...event, run: run(1500, 'finished'), metrics: [] })
  expect(live.run?.state).toBe('finished')
  seen('r1')
  expect(live.run).toBeNull()
})

test('a queued run does not push the one that trains out of the strip', () => {
  hearLiveRun({ run: run(8), metrics: [], tokensPerSecond: null, leftMs: null })
  hearLiveRun({ run: { ...run(0, 'queued'), id: 'r2' }, metrics: [], tokensPerSecond: null, leftMs: null })
  expect(live.run?.id).toBe('r1')
  hearRun({ ...run(0, 'queued'), id: 'r2' })
  expect(library.runs[0]?.id).toBe('r2')
})

test('the strip’s line stays short however long the run', () => {
  for (let step = 0; step < 5000; step++)
    hearLiveRun({
      run: run(step),
      metrics: [{ step, name: 'train/loss', value: step, atMs: 0, tokens: 0 }],
      tokensPerSecond: null,
      leftMs: null,
    })
  expect(live.losses.length).toBeLessThanOrEqual(240)
  expect(live.losses.at(-1)).toBe(4999)
})

test('a setting is kept in the library and read again', async () => {
  await setSetting('theme', 'dark')
  await setSetting('keys', { 'data.next': 'N' })
  settings.theme = 'system'
  settings.keys = {}
  await readSettings()
  expect(settings.theme).toBe('dark')
  expect(settings.keys).toEqual({ 'data.next': 'N' })
  expect(document.documentElement.dataset.theme).toBe('dark')
})
