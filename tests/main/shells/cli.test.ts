// The command line as scripts meet it: real processes, real files, the starter. What stdout carries, how it exits, what is
// left after bad input, Ctrl C and kill -9.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { WireFailure } from '../../../src-main/contract/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'temper-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const home = join(folder, 'home')

function start(args: string[], at = home): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [resolve('src-main/shells/cli/main.ts'), '--home', at, ...args])
}
interface Ended {
  code: number | null
  out: string
  err: string
}
function endOf(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const ended: Ended = { code: null, out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => (ended.out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (ended.err += data.toString()))
  return new Promise((done) => child.once('close', (code) => done({ ...ended, code })))
}
const temper = (...args: string[]): Promise<Ended> => endOf(start(args))
/** stdout as one JSON document a line; fails where anything else stands there. */
const json = <T = Record<string, unknown>>({ out }: Ended): T[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
const errorOf = (ended: Ended): WireFailure => json<{ error: WireFailure }>(ended).at(-1)!.error

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const row = (i: number): string => `{"prompt":"Question ${i}?","completion":"Answer ${i}."}\n`

let data = '' // the id of the sample dataset of questions
beforeAll(async () => {
  const [list] = json<{ id: string; name: string }[]>(await temper('data', 'list', '--json'))
  data = list!.find((one) => one.name === 'Questions')!.id
})
const quick = ['samples=0', 'heldOutRows=16'].flatMap((one) => ['--set', one])
/** Waits until the child has printed `text`. */
const printed = (child: ChildProcessWithoutNullStreams, text: string): Promise<void> =>
  new Promise((done) => {
    let seen = ''
    child.stdout.on('data', (data: Buffer) => {
      seen += data.toString()
      if (seen.includes(text)) done()
    })
  })

test('with --json a list is one document of records with ids; without it, a table', async () => {
  const models = await temper('models', 'list', '--json')
  expect(models.code).toBe(0)
  expect(json(models)).toEqual([[expect.objectContaining({ id: 'm1', name: 'Starter' })]])
  const shown = await temper('models', 'list')
  expect(shown.out).toMatch(/^id +name +family/)
  expect(shown.err).toBe('')
})

test('what is asked wrongly is said, all of it at once, with exit 1 and nothing begun', async () => {
  const [unknown, missing, plan, start] = await Promise.all(
    [
      ['train', '--nosuch', '3', 'word', '--seed', '--json'],
      ['train', '--json'],
      ['nonsense', '--json'],
      ['--home', '--json'],
    ].map((args) => endOf(spawn(process.execPath, [resolve('src-main/shells/cli/main.ts'), ...args]))),
  )
  expect([unknown!.code, missing!.code, plan!.code, start!.code]).toEqual([1, 1, 1, 1])
  expect(errorOf(unknown!).problems!.map((one) => one.where)).toEqual(['--nosuch', 'word', '--seed'])
  expect(errorOf(missing!).problems!.map((one) => one.where)).toEqual(['--method', '--model', '--data'])
  expect(errorOf(plan!)).toMatchObject({ kind: 'NotFound', where: 'nonsense', next: expect.stringContaining('models') })

  const asked = ['train', '--method', 'sft', '--model', 'm1', '--data', data]
  const bad = ['--set', 'rank=0', '--set', 'nosuch=1', '--set', 'learningRate=99', '--backend', 'tensorflow']
  const refused = await temper(...asked, ...bad, '--json')
  expect(refused.code).toBe(1)
  expect(errorOf(refused).problems!.map((one) => one.where)).toEqual(['nosuch', 'learningRate', 'rank', 'backend'])
  expect(json(await temper('runs', 'list', '--json'))).toEqual([[]])

  const planned = await temper(...asked, ...bad, '--plan', '--json')
  expect(planned.code).toBe(1)
  expect(json(planned)[0]).toMatchObject({ ok: false, error: { message: errorOf(refused).message } })
})

test('bad files are refused with what, where and what next, and leave nothing; refused rows are listed', async () => {
  const before = json(await temper('data', 'list', '--json'))
  const cut = await temper('data', 'import', write('cut.jsonl', row(1) + row(2).slice(0, 20)), '--json')
  expect(cut.code).toBe(1)
  expect(errorOf(cut)).toMatchObject({ kind: 'BadFile', where: expect.stringMatching(/cut.jsonl, line 2$/) })
  expect(errorOf(cut).next).toContain('download it again')
  expect(json(await temper('data', 'list', '--json'))).toEqual(before)

  const ragged = await temper(
    'data',
    'import',
    write('ragged.csv', 'prompt,completion\na,b\nc\nd,e,f\ng,h\n'),
    '--json',
  )
  expect(ragged.code).toBe(0)
  expect(json(ragged)).toEqual([
    expect.objectContaining({
      ...{ rows: 2, refused: 2 },
      refusals: [expect.objectContaining({ line: 3 }), expect.objectContaining({ line: 4 })],
    }),
  ])
})

test('a reader that goes away ends the command without a stack', async () => {
  const child = start(['data', 'show', data, '--rows', '1-1000', '--json'])
  child.stdout.once('data', () => child.stdout.destroy())
  const { code, err } = await endOf(child)
  expect(err).toBe('')
  expect(code).toBe(141)
})

test('one library, one Temper: the second is told who has it', async () => {
  const first = start([
    'train',
    '--method',
    'sft',
    '--model',
    'm1',
    '--data',
    data,
    '--steps',
    '500',
    ...quick,
    '--json',
  ])
  const ended = endOf(first)
  await printed(first, '"step":2')
  const second = await temper('models', 'list', '--json')
  expect(second.code).toBe(1)
  expect(errorOf(second)).toMatchObject({ kind: 'Busy', where: home })

  // Ctrl C stops after the step in hand, and keeps it.
  first.kill('SIGINT')
  const stopped = await ended
  expect(stopped.code).toBe(0)
  const lines = json<{ step?: number; loss?: number; start?: object; run?: { state: string }; checkpoint?: object }>(
    stopped,
  )
  const steps = lines.slice(1, -1)
  expect(lines[0]).toEqual({ start: { 'held-out/loss': expect.any(Number) } })
  expect(steps.map((line) => line.step)).toEqual(steps.map((_, i) => i + 1))
  expect(steps.every((line) => typeof line.loss === 'number')).toBe(true)
  expect(lines.at(-1)).toMatchObject({
    ...{ run: { state: 'stopped' }, checkpoint: { id: expect.stringMatching(/^c\d+$/), step: steps.length } },
    metrics: { 'train/loss': steps.at(-1)!.loss },
  })
})

test('after kill -9 a run goes on bit for bit where its last checkpoint stood', async () => {
  const options = [...quick, '--set', 'checkpointEvery=3', '--set', 'heldOutEvery=6']
  const asked = ['train', '--method', 'sft', '--model', 'm1', '--data', data, '--steps', '12', '--seed', '5', '--json']
  const whole = await temper(...asked, ...options)
  expect(whole.code, whole.err).toBe(0)
  const child = start([...asked, ...options])
  const killed = endOf(child)
  await printed(child, '"step":5')
  child.kill('SIGKILL')
  await killed
  type Shown = { run: { id: string; state: string }; checkpoint: { path: string } }
  const [runs] = json<{ id: string; state: string }[]>(await temper('runs', 'list', '--json'))
  expect(runs![0]!.state).toBe('interrupted')
  const resumed = await temper('runs', 'resume', runs![0]!.id, '--json')
  expect(resumed.code, resumed.err).toBe(0)
  const of = (ended: Ended): Shown => json<Shown>(ended).at(-1)!
  expect(of(resumed).run).toMatchObject({ id: runs![0]!.id, state: 'finished' })
  for (const file of ['adapter_model.safetensors', 'state/optimizer.safetensors']) {
    const [a, b] = [of(whole), of(resumed)].map(({ checkpoint }) => readFileSync(join(checkpoint.path, file)))
    expect(a!.equals(b!), file).toBe(true)
  }
})

test('logprobs, chat, perplexity and export keep their shapes', async () => {
  const rows = write('rows.jsonl', row(1) + row(2))
  const scored = json<{ tokens: number[]; logprobs: (number | null)[]; lossMask: number[] }>(
    await temper('logprobs', '--model', 'm1', '--file', rows, '--json'),
  )
  expect(scored).toHaveLength(2)
  for (const { tokens, logprobs, lossMask } of scored) {
    expect(logprobs[0]).toBeNull()
    expect(logprobs.slice(1).every((one) => typeof one === 'number' && one < 0)).toBe(true)
    expect([logprobs.length, lossMask.length]).toEqual([tokens.length, tokens.length])
    expect(new Set(lossMask)).toEqual(new Set([0, 1]))
  }
  const set = ['--set', 'temperature=0', '--set', 'maxTokens=4']
  const chat = await temper('chat', '--model', 'm1', '--prompt', '- 2 + 2?', ...set, '--json')
  expect(json(chat)).toEqual([
    { text: expect.any(String), tokens: expect.any(Array), finishReason: expect.stringMatching(/^(stop|length)$/) },
  ])
  const [list] = json<{ id: string; tune: string; state: string }[]>(await temper('runs', 'list', '--json'))
  const [run] = json<{ checkpoints: { id: string }[] }>(await temper('runs', 'show', list![0]!.id, '--json'))
  const checkpoint = run!.checkpoints.at(-1)!.id
  const out = join(folder, 'adapter')
  const exported = await temper('export', '--checkpoint', checkpoint, '--format', 'adapter', '--out', out, '--json')
  expect(json(exported)).toEqual([{ out, files: readdirSync(out).toSorted() }])
  const again = await temper('export', '--checkpoint', checkpoint, '--format', 'adapter', '--out', out, '--json')
  expect(again.code).toBe(1)
  expect(errorOf(again)).toMatchObject({ kind: 'BadOption', where: out })
})
