import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { newestState, stepFolder, stepsOnDisk } from '../../../src-main/training/checkpoint.ts'
import { prepareRun } from '../../../src-main/training/prepare.ts'
import { orderFor, rowsFor, runWhole } from './steady-run.ts'

const place = mkdtempSync(join(tmpdir(), 'temper-resume-'))
afterAll(() => rmSync(place, { recursive: true }))
const folder = (name: string): string => join(place, name)

/** The last checkpoint's trained weights and optimizer moments, byte for byte. */
const lastBytes = (runFolder: string, weights: string, step = 10): Buffer[] =>
  [weights, 'state/optimizer.safetensors'].map((file) => readFileSync(join(stepFolder(runFolder, step), file)))

test.each([
  ['sft', 'lora', 'adapter_model.safetensors'],
  ['sft', 'full', 'model.safetensors'],
  ['dpo', 'lora', 'adapter_model.safetensors'],
  ['dpo', 'full', 'model.safetensors'],
] as const)(
  '%s with %s: stopped half-way through a step and resumed equals the run that was left alone',
  async (method, tune, file) => {
    const [whole, parts] = [folder(`${method} ${tune} whole`), folder(`${method} ${tune} parts`)]
    const alone = await runWhole(orderFor(whole, { method, tune }))
    const first = await runWhole(orderFor(parts, { method, tune }), { stopAfter: 5 })
    const rest = await runWhole(orderFor(parts, { method, tune, resume: true }))
    expect(first.losses).toEqual(alone.losses.slice(0, 5))
    expect(rest.losses).toEqual(alone.losses.slice(5))
    expect(lastBytes(parts, file)).toEqual(lastBytes(whole, file))
    expect({ ...rest.state, trainingMs: 0 }).toEqual({ ...alone.state, trainingMs: 0 })
  },
)

test('killed at any moment, a run loses the steps since its last checkpoint and ends with the same bits', async () => {
  const [whole, killed] = [folder('whole'), folder('killed')]
  await runWhole(orderFor(whole))
  const child = spawn(process.execPath, [
    '--experimental-strip-types',
    '--no-warnings',
    resolve('tests/main/training/steady-run.ts'),
    JSON.stringify(orderFor(killed)),
  ])
  const died = new Promise((done) => child.on('exit', (_, signal) => done(signal)))
  child.stdout.on('data', (line: Buffer) => {
    if (Number(line.toString().trim().split('\n').at(-1)) >= 6) child.kill('SIGKILL')
  })
  expect(await died).toBe('SIGKILL')
  expect([4, 5]).toContain(newestState(killed)!.resume.loop.step)
  await runWhole(orderFor(killed, { resume: true }))
  expect(lastBytes(killed, 'adapter_model.safetensors')).toEqual(lastBytes(whole, 'adapter_model.safetensors'))
})

test('only the newest checkpoint keeps what is needed to go on', () => {
  const steps = stepsOnDisk(folder('whole'))
  expect(steps).toEqual(expect.arrayContaining([0, 4, 8, 10]))
  expect(steps.filter((step) => existsSync(join(stepFolder(folder('whole'), step), 'state')))).toEqual([10])
})

/** A run before its first step. */
async function prepared(runFolder: string) {
  async function* rows() {
    yield rowsFor('sft')
  }
  const order = orderFor(runFolder, { given: { samples: 2 } })
  return (await prepareRun(createReference(), order, rows(), () => Promise.resolve(false)))!
}

test('sample answers are cut off by the signal', async () => {
  const run = await prepared(folder('sampled'))
  expect(await run.sample(new AbortController().signal)).toHaveLength(2)
  expect(await run.sample(AbortSignal.abort())).toEqual([])
})

test('a checkpoint that cannot be written whole leaves nothing', async () => {
  const run = await prepared(folder('half'))
  const { backend, optimizer } = run.parts
  const { read } = backend
  backend.read = (t) => (t === optimizer.moments[0]!.m ? Promise.reject(new Error('full')) : read(t))
  await expect(run.keep(['start'])).rejects.toThrow('full')
  expect(readdirSync(folder('half'))).toEqual([])
})

test('refuses to go on with other data or another model', async () => {
  const run = folder('other')
  await runWhole(orderFor(run), { stopAfter: 3 })
  const other = orderFor(run, { resume: true, given: { maxTokens: 16 } })
  await expect(runWhole(other)).rejects.toMatchObject({ kind: 'ModelMismatch', message: /data set has changed/ })
  const path = join(newestState(run)!.path, 'checkpoint.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"baseFingerprint": "./, '"baseFingerprint": "x'))
  await expect(runWhole(orderFor(run, { resume: true }))).rejects.toMatchObject({ message: /model .* has changed/ })
})
