import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CommandName } from '../../src-main/contract/commands.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
import type { Events } from '../../src-main/contract/events.ts'
import { createCore, type Core } from '../../src-main/core.ts'

const modelFolder = resolve('tests/golden/llama-tied')
let home: string
let core: Core
const lines: string[] = []
const log = (line: string): void => void lines.push(line)
beforeEach(async () => {
  lines.length = 0
  home = mkdtempSync(join(tmpdir(), 'temper-core-'))
  core = await createCore({ home, log, resources: join(home, 'none') })
})
afterEach(async () => {
  await core.close()
  rmSync(home, { recursive: true })
})

const failureOf = async (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => Promise.reject(new Error('did not fail')),
    (error: Failure) => error,
  )
const write = (name: string, rows: unknown[]): string => {
  const path = join(home, name)
  writeFileSync(path, rows.map((row) => JSON.stringify(row) + '\n').join(''))
  return path
}
const question = (i: number) => ({
  messages: [
    { role: 'user', content: `Where does person ${i} live?` },
    { role: 'assistant', content: `In town ${i}.` },
  ],
})
/** Imports a file and waits for the last event of it. */
const importFile = async (on: Core, path: string): Promise<Events['import']> => {
  const ended = new Promise<Events['import']>((done) => {
    const off = on.on('import', (event) => {
      if (event.state !== 'working') done((off(), event))
    })
  })
  await on.call('data.import', { path })
  return ended
}

test('a new library is empty and says what to do', async () => {
  const view = await core.call('app.overview', {})
  expect(view.counts).toEqual({ models: 0, datasets: 0, runs: 0, pairSets: 0, chats: 0 })
  expect(view.stations.import).toMatchObject({ done: false, ready: true })
  expect(view.stations.train).toMatchObject({ ready: false, note: 'Opens when there is a model' })
  expect(view.version).toMatch(/^\d+\.\d+\.\d+$/)
})

test('an unknown command, and input with several faults, are named all at once', async () => {
  expect((await failureOf(core.call('data.lost' as CommandName, {} as never))).kind).toBe('NotFound')
  const failure = await failureOf(
    core.call('train.start', { method: 'ppo' as 'sft', start: 'x', dataset: 'd1', seed: -1 } as never),
  )
  expect(failure.kind).toBe('BadOption')
  expect(failure.problems?.map((problem) => problem.where)).toEqual(['method', 'start', 'seed'])
})

test('a file is imported in the background, every line a row or a refusal', async () => {
  const rows = Array.from({ length: 1200 }, (_, i) => question(i))
  const path = write('questions.jsonl', [...rows, { messages: [{ role: 'user', content: 'And?' }] }])
  const end = await importFile(core, path)
  expect(end).toMatchObject({ state: 'done', name: 'questions', rows: 1200, refused: 1, dataset: 'd1' })
  const [dataset] = await core.call('data.list', {})
  expect(dataset).toMatchObject({ id: 'd1', kind: 'conversation', rows: 1200, refused: 1 })
  expect(dataset!.heldOut).toBeGreaterThan(20)
  expect(dataset!.heldOut).toBeLessThan(120)
  expect(dataset!.source).toMatchObject({ file: path, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
  const page = await core.call('data.rows', { id: 'd1', from: 1000, count: 3 })
  expect(page.total).toBe(1200)
  expect(page.rows.map((row) => row.row)).toEqual([1001, 1002, 1003])
  expect(page.rows[0]!.example).toEqual({ kind: 'conversation', ...question(1000) })
  const found = await core.call('data.rows', { id: 'd1', query: 'TOWN 777' })
  expect(found.rows.map((row) => row.row)).toEqual([778])
  const { refusals } = await core.call('data.refusals', { id: 'd1' })
  expect(refusals[0]).toMatchObject({ line: 1201 })
})

test('an import of which no row can be used fails, says why, and leaves nothing', async () => {
  const end = await importFile(core, write('bad.jsonl', [{ messages: [] }, { messages: [] }])).catch(
    (error: Failure) => error,
  )
  expect(JSON.stringify(end)).toMatch(/BadFile/)
  expect(await core.call('data.list', {})).toEqual([])
})

test('an import that is cancelled leaves nothing', async () => {
  const path = write(
    'many.jsonl',
    Array.from({ length: 30_000 }, (_, i) => question(i)),
  )
  const ended = new Promise<Events['import']>((done) => {
    core.on('import', (event) => {
      if (event.state === 'working' && event.rows > 0) void core.call('data.cancel', { job: event.job })
      if (event.state !== 'working') done(event)
    })
  })
  await core.call('data.import', { path })
  expect(await ended).toMatchObject({ state: 'stopped', dataset: null })
  expect(await core.call('data.list', {})).toEqual([])
})

test('a core that closes in the middle of an import stops it first', async () => {
  const path = write(
    'many.jsonl',
    Array.from({ length: 20_000 }, (_, i) => question(i)),
  )
  const begun = new Promise<void>((done) => core.on('import', (event) => event.rows > 0 && done()))
  await core.call('data.import', { path })
  await begun
  await core.close()
  expect(lines.filter((line) => !line.startsWith('store:'))).toEqual([])
  core = await createCore({ home, log, resources: join(home, 'none') })
  expect(await core.call('data.list', {})).toEqual([])
})

test('what was asked before a core closes still ends on an open library, and nothing begins after it', async () => {
  const answer = (content: string) => [{ role: 'assistant', content }]
  const rows = Array.from({ length: 1200 }, (_, i) => ({
    prompt: [{ role: 'user', content: `Question ${i}?` }],
    chosen: answer('Yes.'),
    rejected: answer('No.'),
  }))
  const { dataset } = await importFile(core, write('pairs.jsonl', rows))
  const importing = core.call('pairs.import', { dataset: dataset! })
  await core.close()
  expect(await importing).toMatchObject({ total: 1200 })
  expect(await failureOf(core.call('pairs.list', {}))).toMatchObject({ kind: 'Stopped' })
  expect(lines.filter((line) => !line.startsWith('store:'))).toEqual([])
})

test('kill -9 in the middle of an import leaves a library that opens without half a dataset', async () => {
  await core.close()
  const path = write(
    'many.jsonl',
    Array.from({ length: 30_000 }, (_, i) => question(i)),
  )
  const script = `
    import { createCore } from ${JSON.stringify(resolve('src-main/core.ts'))}
    const core = await createCore({ home: process.argv[2], log() {}, resources: process.argv[2] + '/none' })
    core.on('import', (event) => { if (event.rows > 2000) console.log(event.state, event.rows) })
    await core.call('data.import', { path: process.argv[3] })`
  writeFileSync(join(home, 'import.mts'), script)
  const child = spawn(process.execPath, [join(home, 'import.mts'), home, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await new Promise<string>((done) => child.stdout.once('data', (data: Buffer) => done(data.toString())))
  child.kill('SIGKILL')
  await new Promise((done) => child.once('exit', done))
  expect(said).toMatch(/^working/)
  core = await createCore({ home, log, resources: join(home, 'none') })
  expect(await core.call('data.list', {})).toEqual([])
  const end = await importFile(core, write('few.jsonl', [question(1), question(2)]))
  expect(end).toMatchObject({ state: 'done', dataset: 'd2', rows: 2 })
})

test('a model folder is looked at and remembered where it lies; a folder without one is refused', async () => {
  const model = await core.call('models.add', { path: modelFolder, name: 'Tiny' })
  expect(model).toMatchObject({ id: 'm1', name: 'Tiny', family: 'llama', path: modelFolder, builtIn: false })
  expect(await core.call('answerers.list', {})).toEqual([
    { id: 'm1', name: 'Tiny, before training', model: 'm1', run: null, step: null },
  ])
  expect((await core.call('models.add', { path: modelFolder })).id).toBe('m1')
  expect((await failureOf(core.call('models.add', { path: home }))).kind).toBe('BadFile')
  expect((await failureOf(core.call('models.add', { path: join(home, 'nowhere') }))).kind).toBe('NotFound')
  await core.call('models.remove', { id: 'm1' })
  expect(await core.call('models.list', {})).toEqual([])
  expect(readdirSync(modelFolder)).toContain('config.json')
})

test('a row is shown as the model reads it, the answer marked as learned', async () => {
  await core.call('models.add', { path: modelFolder })
  await importFile(core, write('questions.jsonl', [question(1)]))
  const [read] = await core.call('data.tokens', { id: 'd1', row: 1, model: 'm1' })
  const learned = read!.tokens.filter((_, i) => read!.lossMask[i] === 1).map((token) => token.text)
  expect(learned.join('')).toContain('n town 1.') // the tiny vocabulary has no capital I
  expect(learned.join('')).not.toContain('Where')
  expect((await failureOf(core.call('data.tokens', { id: 'd1', row: 2, model: 'm1' }))).next).toContain('1 to 1')
})

test('a row is mended; one that would say nothing is refused and the old one stays', async () => {
  await importFile(core, write('questions.jsonl', [question(1)]))
  const better = { kind: 'conversation' as const, messages: question(9).messages as never }
  expect((await core.call('data.edit', { id: 'd1', row: 1, example: better })).example).toEqual(better)
  const empty = { kind: 'conversation' as const, messages: [{ role: 'user' as const, content: 'Who?' }] }
  expect((await failureOf(core.call('data.edit', { id: 'd1', row: 1, example: empty }))).kind).toBe('BadExample')
  expect((await core.call('data.rows', { id: 'd1', query: 'town 9' })).total).toBe(1)
})

test('what Temper brings along is there at the first start, and what was removed does not come back', async () => {
  await core.close()
  const resources = join(home, 'resources')
  mkdirSync(join(resources, 'starter', 'data'), { recursive: true })
  cpSync(modelFolder, join(resources, 'starter', 'model'), { recursive: true })
  cpSync(write('x.jsonl', [question(1), question(2)]), join(resources, 'starter', 'data', 'prompts.jsonl'))
  core = await createCore({ home, log, resources })
  const { starter } = await core.call('app.overview', {})
  expect(starter).toMatchObject({ id: 'm1', name: 'Starter', builtIn: true })
  const [dataset] = await core.call('data.list', {})
  expect(dataset).toMatchObject({ name: 'Prompts', rows: 2, source: { made: 'the starter' } })
  expect((await failureOf(core.call('models.remove', { id: 'm1' }))).kind).toBe('BadOption')
  await core.call('data.remove', { id: dataset!.id })
  await core.close()
  core = await createCore({ home, log, resources })
  expect(await core.call('data.list', {})).toEqual([])
  expect(await core.call('models.list', {})).toHaveLength(1)
})

test('a second core on the same library is refused, and the first goes on', async () => {
  const failure = await failureOf(createCore({ home, log }))
  expect(failure).toMatchObject({ kind: 'Busy', where: home })
  expect(await core.call('settings.get', {})).toEqual({})
  expect(readFileSync(join(home, 'temper.pid'), 'utf8').trim()).toBe(String(process.pid))
})

test('doctor tells of the backends and of the library', async () => {
  const found = await core.call('app.doctor', {})
  expect(found.backends.find((one) => one.name === 'reference')).toMatchObject({ ok: true })
  expect(found.home).toMatchObject({ path: home, databaseVersion: 10 })
  expect(found.home.freeBytes).toBeGreaterThan(0)
})

test('Ctrl K finds by name, all kinds together', async () => {
  await core.call('models.add', { path: modelFolder, name: 'Renwe small' })
  await importFile(core, write('renwe-facts.jsonl', [question(1)]))
  const found = await core.call('app.find', { query: 'renwe' })
  expect(found.map(({ kind, name }) => [kind, name])).toEqual(
    expect.arrayContaining([
      ['model', 'Renwe small'],
      ['dataset', 'renwe-facts'],
    ]),
  )
})
