// Runs through the core's own door, with real threads, on a tiny model.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Input } from '../../../src-main/contract/commands.ts'
import type { Failure } from '../../../src-main/contract/errors.ts'
import type { Run } from '../../../src-main/contract/records.ts'
import { createCore } from '../../../src-main/core.ts'
import type { Core } from '../../../src-main/core.ts'
import type { CoreContext } from '../../../src-main/library/context.ts'
import { createQueue } from '../../../src-main/runs/queue.ts'
import { openStore, type Store } from '../../../src-main/store/open.ts'
import { addRun, changeRun } from '../../../src-main/store/runs.ts'

let home: string
let core: Core
const open = () => createCore({ home, log: () => {}, resources: join(home, 'none') })
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'temper-runs-'))
  core = await open()
})
afterEach(async () => {
  await core.close()
  rmSync(home, { recursive: true })
})

const words = ['red', 'oak', 'sea', 'lamp', 'bird']
const chats = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    messages: [
      { role: 'user', content: `${words[i % 5]} ${i}?` },
      { role: 'assistant', content: words[(i + 1) % 5] },
    ],
  }))
const preferences = Array.from({ length: 24 }, (_, i) => ({
  prompt: [{ role: 'user', content: `${words[i % 5]} ${i}?` }],
  chosen: [{ role: 'assistant', content: words[(i + 1) % 5] }],
  rejected: [{ role: 'assistant', content: words[(i + 2) % 5] }],
}))

async function load(name: string, rows: unknown[], heldOutRatio = 0.2): Promise<string> {
  const path = join(home, `${name}.jsonl`)
  writeFileSync(path, rows.map((row) => JSON.stringify(row) + '\n').join(''))
  const ended = new Promise<string>((done, fail) => {
    const off = core.on('import', (event) => {
      if (event.state === 'done') done((off(), event.dataset!))
      else if (event.state !== 'working') fail(new Error(event.failure?.message))
    })
  })
  await core.call('data.import', { path, heldOutRatio })
  return ended
}
const addModel = async (): Promise<string> =>
  (await core.call('models.add', { path: resolve('tests/golden/llama-tied') })).id
const until = (id: string, reached: (run: Run) => boolean, on = core): Promise<Run> =>
  new Promise((done) => {
    const off = on.on('run', ({ run }) => {
      if (run.id === id && reached(run)) done((off(), run))
    })
  })
const over = (run: Run): boolean => ['finished', 'stopped', 'failed', 'interrupted'].includes(run.state)
async function trained(request: Input<'train.start'>): Promise<Run> {
  const run = await core.call('train.start', request)
  return until(run.id, over)
}
const quick = { learningRate: 0.01, maxSteps: 6, rowsPerStep: 8, samples: 2 }

test('SFT, then DPO upon its checkpoint, exports that prove themselves, log-probabilities and perplexity', async () => {
  const [model, data, pairs] = [await addModel(), await load('chats', chats(30)), await load('pairs', preferences)]
  const sft = await trained({ method: 'sft', start: model, dataset: data, options: quick })
  expect(sft.failure).toBeNull()
  expect(sft).toMatchObject({ state: 'finished', step: 6, steps: 6, name: 'chats, SFT' })
  const shown = await core.call('runs.show', { id: sft.id })
  expect(shown.checkpoints[0]!.reasons).toContain('start')
  expect(shown.checkpoints.at(-1)!.reasons).toContain('last')
  expect(shown.checkpoints.filter((one) => one.reasons.includes('best'))).toHaveLength(1)
  expect(shown.samples.length).toBeGreaterThan(0)
  const metrics = await core.call('runs.metrics', { id: sft.id })
  expect(metrics.filter((m) => m.name === 'train/loss').map((m) => m.step)).toEqual([1, 2, 3, 4, 5, 6])

  const start = shown.checkpoints.at(-1)!.id
  const dpo = await trained({ method: 'dpo', start, dataset: pairs, options: quick })
  expect(dpo).toMatchObject({ state: 'finished', model, start })
  const last = (await core.call('runs.show', { id: dpo.id })).checkpoints.at(-1)!
  const adapter = await core.call('checkpoints.export', { id: last.id, format: 'adapter', out: join(home, 'a') })
  expect(adapter.files).toEqual(['README.md', 'adapter_config.json', 'adapter_model.safetensors'])
  const merged = await core.call('checkpoints.export', { id: last.id, format: 'merged', out: join(home, 'm') })
  expect(merged.files).toContain('model.safetensors')

  // The merged model, added anew, says what the checkpoint says.
  const again = await core.call('models.add', { path: merged.out })
  const file = join(home, 'asked.jsonl')
  writeFileSync(file, JSON.stringify(chats(3)[2]) + '\n')
  const [[a], [b]] = await Promise.all(
    [last.id, again.id].map((answerer) => core.call('logprobs.file', { answerer, file })),
  )
  expect(a!.logprobs[0]).toBeNull()
  expect(a!.lossMask).toContain(1)
  a!.logprobs.slice(1).forEach((x, i) => expect(x!).toBeCloseTo(b!.logprobs[i + 1]!, 4))
  const measured = await core.call('eval.perplexity', { answerer: last.id, dataset: data })
  expect(measured.perplexity).toBeCloseTo(Math.exp(measured.nats), 6)
  await expect(core.call('runs.remove', { id: sft.id })).rejects.toMatchObject({ kind: 'Busy' })
  await core.call('runs.remove', { id: dpo.id })
  expect(readdirSync(join(home, 'runs'))).toEqual([sft.id])
})

test('pauses, goes on, stops with a checkpoint, and resumes to the end', async () => {
  const [model, data] = [await addModel(), await load('chats', chats(30))]
  const options = { ...quick, maxSteps: 400, heldOutEvery: 100, checkpointEvery: 400, samples: 0 }
  const { id } = await core.call('train.start', { method: 'sft', start: model, dataset: data, options })
  await until(id, (run) => run.state === 'training')
  const paused = until(id, (run) => run.state === 'paused')
  await core.call('runs.pause', { id })
  const { step } = await paused
  await new Promise((next) => setTimeout(next, 150))
  expect((await core.call('runs.show', { id })).step).toBe(step)
  const going = until(id, (run) => run.state === 'training')
  await core.call('runs.resume', { id })
  await going
  const stopped = until(id, over)
  await core.call('runs.stop', { id })
  const end = await stopped
  expect(end.state).toBe('stopped')
  const kept = (await core.call('runs.show', { id })).checkpoints.at(-1)!
  expect(kept).toMatchObject({ step: end.step, reasons: expect.arrayContaining(['last']) as string[] })
  const finished = until(id, over)
  await core.call('runs.resume', { id })
  expect(await finished).toMatchObject({ state: 'finished', step: 400 })
})

test('a run that is cut off by closing goes on in the next Temper; the next in the queue waits', async () => {
  const [model, data] = [await addModel(), await load('chats', chats(30))]
  const options = { ...quick, maxSteps: 300, samples: 0 }
  const first = await core.call('train.start', { method: 'sft', start: model, dataset: data, options })
  const second = await core.call('train.start', { method: 'sft', start: model, dataset: data, options })
  await until(first.id, (run) => run.state === 'training')
  expect((await core.call('runs.show', { id: second.id })).state).toBe('queued')
  await core.close()
  core = await open()
  const runs = await core.call('runs.list', {})
  expect(runs.map((run) => run.state)).toEqual(['interrupted', 'interrupted'])
  const cut = await core.call('runs.show', { id: first.id })
  expect(cut.checkpoints.at(-1)!.step).toBe(cut.step)
  const finished = until(first.id, over)
  await core.call('runs.resume', { id: first.id })
  expect(await finished).toMatchObject({ state: 'finished', step: 300 })
})

test('a run that was training when Temper was killed is interrupted at the next start', async () => {
  const [model, data] = [await addModel(), await load('chats', chats(30))]
  const run = await trained({ method: 'sft', start: model, dataset: data, options: quick })
  await core.close()
  const store = openStore(home, () => {})
  changeRun(store, run.id, { state: 'training' }) // as a kill would leave it
  store.close()
  core = await open()
  expect((await core.call('runs.show', { id: run.id })).state).toBe('interrupted')
})

test('plans are refused with every reason at once, and nothing starts', async () => {
  const [model, data] = [await addModel(), await load('chats', chats(10))]
  const request = { method: 'dpo', start: model, dataset: data, options: { beta: -1, rank: 0, wings: 2 } } as const
  const plan = await core.call('train.plan', request)
  expect(plan.ok).toBe(false)
  expect(plan.problems.map((one) => one.where).sort()).toEqual(['beta', 'dataset', 'rank', 'wings'])
  const failure = await core.call('train.start', request).catch((error: Failure) => error)
  expect(failure).toMatchObject({ kind: 'BadOption' })
  const cut = { method: 'sft', start: model, dataset: data, options: { maxTokens: 8 } } as const
  expect((await core.call('train.plan', cut)).problems[0]!.message).toMatch(/train on nothing/)
  const wide = await core.call('train.plan', {
    method: 'sft',
    start: model,
    dataset: data,
    options: { maxTokens: 100_000 },
  })
  expect(wide.problems.map((one) => one.where)).toEqual(['maxTokens'])
  expect(await core.call('runs.list', {})).toEqual([])
})

test('a learning rate that wrecks the model fails the run, says what to lower, and keeps the last good checkpoint', async () => {
  const [model, data] = [await addModel(), await load('chats', chats(30))]
  const options = {
    ...quick,
    learningRate: 10,
    maxSteps: 300,
    schedule: 'constant',
    warmupRatio: 0,
    maxGradientNorm: 0,
  }
  const run = await trained({ method: 'sft', tune: 'full', start: model, dataset: data, options })
  expect(run.state).toBe('failed')
  expect(run.failure).toMatchObject({
    where: 'learningRate',
    next: expect.stringContaining('Lower the learning rate') as string,
  })
  expect(run.failure!.message).toMatch(/Step \d+ is safe/)
  expect((await core.call('runs.show', { id: run.id })).checkpoints.length).toBeGreaterThan(0)
})

test('a run on a disk that fills up is told as failed, though nothing can be written down', async () => {
  const run = await trained({
    ...{ method: 'sft', start: await addModel(), dataset: await load('chats', chats(30)), options: quick },
  })
  await core.close()
  const store = openStore(home)
  let full = false
  const told: Run[] = []
  const ended = Promise.withResolvers<Run>()
  const onFull: Store = {
    ...store,
    run: (sql, ...values) => {
      if (full) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
      return store.run(sql, ...values)
    },
  }
  const queue = createQueue({
    ...{ store: onFull, home, log: () => {}, clock: Date.now, onClose: () => {} },
    emit: (name: string, event: unknown) => {
      if (name !== 'run') return
      const { run: now } = event as { run: Run }
      told.push(now)
      if (now.state === 'training') full = true
      if (over(now)) ended.resolve(now)
    },
  } as unknown as CoreContext)
  const { id, ...fields } = run
  const again = addRun(store, { ...fields, state: 'queued', step: 0, endedAt: null, startedAt: null })
  queue.add(again.id, false)
  const end = await ended.promise
  expect(end).toMatchObject({ id: again.id, state: 'failed', failure: { kind: 'DiskFull' } })
  expect(told.filter(over)).toHaveLength(1)
  expect(again.id).not.toBe(id)
  store.close()
  core = await open()
  expect((await core.call('runs.show', { id: again.id })).state).toBe('interrupted')
})
