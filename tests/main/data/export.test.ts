import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Example, ExampleKind, Message } from '../../../src-main/contract/records.ts'
import { exportExamples, exportFormats, type ExportFormat } from '../../../src-main/data/export.ts'
import { preview } from '../../../src-main/data/import/preview.ts'
import { imported } from './import/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'temper-export-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const out = (): string => join(folder, `${++count}.jsonl`)

const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })
const system = (content: string): Message => ({ role: 'system', content })
const odd = 'Zwei\nZeilen, “quoted" \\ \u2028 and 雪 👍 {"json": 1}'

const chats: Example[] = [
  { kind: 'conversation', messages: [system('Be kind.'), user('Hi'), assistant(odd), user('More?'), assistant('No.')] },
  { kind: 'conversation', messages: [user(odd), assistant('Hello.')] },
]
const completions: Example[] = [
  { kind: 'completion', prompt: [system('S'), user(odd)], response: [assistant('A')] },
  { kind: 'completion', prompt: [user('Q')], response: [assistant(odd)] },
]
const preferences: Example[] = [
  { kind: 'preference', prompt: [system('S'), user('Q')], chosen: [assistant(odd)], rejected: [assistant('B')] },
  { kind: 'preference', prompt: [user(odd)], chosen: [assistant('A')], rejected: [assistant('B')] },
]
const thumbs: Example[] = [
  { kind: 'thumb', prompt: [system('S'), user('Q')], response: [assistant(odd)], good: true },
  { kind: 'thumb', prompt: [user('Q')], response: [assistant('A')], good: false },
]
const prompts: Example[] = [
  { kind: 'prompt', prompt: [system('S'), user(odd)] },
  { kind: 'prompt', prompt: [user('Q'), assistant('A'), user('R')] },
]
const texts: Example[] = [
  { kind: 'text', text: odd },
  { kind: 'text', text: 'Once.' },
]
const plain: Example[] = [
  { kind: 'completion', prompt: [user('The sky is')], response: [assistant(' blue.')], plain: true },
  { kind: 'completion', prompt: [user('Grass is ')], response: [assistant('green.')], plain: true },
]
const plainPairs: Example[] = [
  {
    kind: 'preference',
    prompt: [user('The sky is')],
    chosen: [assistant(' blue.')],
    rejected: [assistant(' red.')],
    plain: true,
  },
]
const plainThumbs: Example[] = [
  { kind: 'thumb', prompt: [user('The sky is')], response: [assistant(' red.')], good: false, plain: true },
]
const strong: Example[] = preferences.map((one, i) => ({ ...one, strength: (i + 1) as 1 | 2 | 3 }) as Example)
const longPrompts: Example[] = [
  { kind: 'completion', prompt: [user('a'), assistant('b'), user('c')], response: [assistant('d')] },
]

const sets: Record<string, Example[]> = {
  chats,
  completions,
  preferences,
  thumbs,
  prompts,
  texts,
  plain,
  plainPairs,
  plainThumbs,
  strong,
  longPrompts,
}
/** What each form holds without loss; `as` where the file alone cannot tell the kind and a person chooses it. */
const holds: [ExportFormat, keyof typeof sets, ExampleKind?][] = [
  ...Object.keys(sets).map((name): [ExportFormat, string] => ['trl', name]),
  ['openai', 'chats'],
  ['openai', 'completions', 'completion'],
  ['openai', 'preferences'],
  ['alpaca', 'chats'],
  ['alpaca', 'completions'],
  ['alpaca', 'preferences'],
  ['alpaca', 'thumbs'],
  ['sharegpt', 'chats'],
  ['sharegpt', 'completions', 'completion'],
  ['sharegpt', 'preferences'],
  ['sharegpt', 'thumbs'],
]

describe('import(export(x)) = x', () => {
  test.each(holds)('%s holds %s', async (format, name, as) => {
    const file = out()
    const summary = await exportExamples(sets[name], format, file)
    expect(summary).toEqual({ file, rows: sets[name].length, leftOut: 0, reasons: [] })
    const found = await preview(file)
    const ways = [found.mapping, ...found.alternatives.map((one) => one.mapping)]
    const { rows, refusals } = await imported(file, as === undefined ? undefined : ways.find((one) => one.kind === as)!)
    expect(refusals).toEqual([])
    expect(rows.map((row) => row.example)).toEqual(sets[name])
  })
})

test('every kind is either held by a form or left out with a sentence; none is silently lost', async () => {
  const all = Object.values(sets).flat()
  for (const format of exportFormats) {
    const { rows, leftOut, reasons, file } = await exportExamples(all, format, out())
    expect(rows + leftOut).toBe(all.length)
    expect(reasons.reduce((sum, one) => sum + one.count, 0)).toBe(leftOut)
    for (const { reason } of reasons) expect(reason).toMatch(/^[A-Z].*\.$/)
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(rows)
  }
})

test('TRL’s form writes lists for chats and strings for plain text', async () => {
  const file = out()
  await exportExamples([preferences[1], plain[0]], 'trl', file)
  expect(
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { prompt: [user(odd)], chosen: [assistant('A')], rejected: [assistant('B')] },
    { prompt: 'The sky is', completion: ' blue.' },
  ])
})

test('reasons are counted, the commonest first', async () => {
  const { leftOut, reasons } = await exportExamples([...chats, ...texts, ...thumbs, texts[0]], 'openai', out())
  expect(leftOut).toBe(5)
  expect(reasons).toEqual([
    { reason: 'OpenAI’s form holds chats, not plain text.', count: 3 },
    { reason: 'OpenAI’s form has no thumbs.', count: 2 },
  ])
})

test('earlier answers in a question are not turned into lessons', async () => {
  for (const format of ['openai', 'alpaca', 'sharegpt'] as const) {
    const { reasons } = await exportExamples([...chats, ...longPrompts], format, out())
    expect(reasons[0]?.reason).toMatch(/would teach the earlier answers/)
  }
})

test('nothing is written when nothing fits, and what lay there before stays', async () => {
  const file = out()
  writeFileSync(file, 'before')
  await expect(exportExamples(texts, 'alpaca', file)).rejects.toMatchObject({
    kind: 'BadExample',
    message: expect.stringContaining('not plain text'),
  })
  expect(readFileSync(file, 'utf8')).toBe('before')
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('an export that fails half-way leaves nothing', async () => {
  const file = out()
  const failing = (async function* (): AsyncGenerator<Example> {
    yield chats[0]
    await Promise.resolve()
    throw new Error('store is gone')
  })()
  await expect(exportExamples(failing, 'trl', file)).rejects.toThrow('store is gone')
  expect(existsSync(file) || existsSync(`${file}.part`)).toBe(false)
})

test('a folder that is not there is named', async () => {
  await expect(exportExamples(chats, 'trl', join(folder, 'no', 'x.jsonl'))).rejects.toMatchObject({
    kind: 'NotFound',
    message: 'The folder to write into does not exist.',
  })
})

test('a folder in the place of the file is refused, and nothing is left beside it', async () => {
  const place = join(folder, 'a-folder')
  mkdirSync(place)
  await expect(exportExamples(chats, 'trl', place)).rejects.toMatchObject({
    kind: 'BadFile',
    message: 'This is a folder, not the name of a file to write.',
  })
  expect(existsSync(`${place}.part`)).toBe(false)
})
