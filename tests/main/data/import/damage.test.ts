// Two thousand small files, each damaged at random places: reading ends, never crashes, and no record goes missing without
// a word. For JSON lines this is exact: records that are read and records that are refused add up to the lines.
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Failure } from '../../../../src-main/contract/errors.ts'
import { convert } from '../../../../src-main/data/import/convert.ts'
import { importFile } from '../../../../src-main/data/import/import-file.ts'
import { isRefusal, type Read } from '../../../../src-main/data/import/lines.ts'
import { likeliestMapping } from '../../../../src-main/data/import/preview.ts'
import { readCsv } from '../../../../src-main/data/import/read-csv.ts'
import { readJsonArray } from '../../../../src-main/data/import/read-json-array.ts'
import { readJsonl } from '../../../../src-main/data/import/read-jsonl.ts'
import type { Source } from '../../../../src-main/data/import/source.ts'
import { file, jsonl } from './files.ts'

let seed = 20_251
const random = (n: number): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) % n
}
const spice = [...'{}[]",:\\\n\r \t\0'].map((one) => one.charCodeAt(0)).concat([0xff, 0xc3, 0xed, 0xef, 0x80])

function damaged(text: string, allowed: (byte: number) => boolean = () => true): Buffer {
  let bytes = Buffer.from(text)
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(bytes.length)
    const byte = spice[random(spice.length)]
    if (!allowed(byte) || !allowed(bytes[at])) continue
    const way = random(4)
    if (way === 0) bytes[at] = byte
    else if (way === 1) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)])
    else if (way === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    else {
      bytes[at] ^= 1 << random(8)
      if (!allowed(bytes[at])) bytes[at] = 0x78
    }
  }
  return bytes
}

/** The bytes as a source, in chunks of random sizes. */
function sourceOf(bytes: Buffer): Source {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random(40)
      yield Buffer.from(bytes.subarray(at, at + size))
      at += size
      if (random(8) === 0) await Promise.resolve()
    }
  }
  return {
    path: '',
    name: 'x',
    totalBytes: bytes.length,
    head: bytes,
    headIsAll: true,
    skippedBytes: 0,
    chunks: chunks(),
    readBytes: () => 0,
    damage: () => null,
    sha256: () => '',
  }
}

async function all(batches: AsyncGenerator<Read[]>): Promise<{ kept: number; refused: number; reads: Read[] }> {
  const reads: Read[] = []
  for await (const batch of batches) reads.push(...batch)
  const refused = reads.filter(isRefusal).length
  return { kept: reads.length - refused, refused, reads }
}

const rows = Array.from({ length: 8 }, (_, i) => ({
  prompt: `Question ${i}, “é”?`,
  completion: `{${i}} "a", [b]\\`,
  label: i % 2 === 0,
}))

test('JSON lines: records and refusals add up to the lines that are not blank (700 files)', async () => {
  let total = 0
  for (let i = 0; i < 700; i++) {
    const bytes = damaged(jsonl(...rows))
    const lines = bytes.toString('latin1').split('\n')
    const blank = (line: string): boolean => [...line].every((one) => ' \t\r'.includes(one)) || line.trim() === ','
    const wanted = lines.filter((line) => !blank(line)).length
    const { kept, refused } = await all(readJsonl(sourceOf(bytes)))
    expect(kept + refused, bytes.toString()).toBe(wanted)
    total += kept
  }
  expect(total / 700).toBeGreaterThan(5) // of eight, with up to four damages each
})

test('a JSON list: damage costs its own records, and what is lost is told (500 files)', async () => {
  let kept = 0
  for (let i = 0; i < 500; i++) {
    const bytes = damaged(`[\n${rows.map((one) => ` ${JSON.stringify(one)}`).join(',\n')}\n]`)
    const result = await all(readJsonArray(sourceOf(bytes), true))
    if (result.kept < 8) expect(result.refused, bytes.toString()).toBeGreaterThan(0)
    kept += result.kept
  }
  expect(kept / 500).toBeGreaterThan(6) // of eight, with up to four damages each
})

test('a table: rows and refusals cover every line (500 files)', async () => {
  const quoted = (cell: unknown): string => `"${String(cell).replaceAll('"', '""')}"`
  const text = 'prompt,completion,label\n' + rows.map((one) => Object.values(one).map(quoted).join(',') + '\n').join('')
  const header = text.indexOf('\n') + 1
  let kept = 0
  for (let i = 0; i < 500; i++) {
    // The header stays whole, and line ends stay where they are: then eight rows must come out, kept or refused.
    const body = damaged(text.slice(header), (byte) => byte !== 10)
    const { kept: n, reads } = await all(readCsv(sourceOf(Buffer.concat([Buffer.from(text.slice(0, header)), body]))))
    expect(new Set(reads.map((one) => one.line)).size, body.toString()).toBe(8)
    kept += n
  }
  expect(kept / 500).toBeGreaterThan(5)
})

test('whole files, through recognition and import: an import, or a failure that says what to do (300 files)', async () => {
  const texts = [
    jsonl(...rows),
    JSON.stringify(rows, null, 1),
    'question,answer\n' + rows.map((_, i) => `Q ${i},A ${i}\n`).join(''),
    'One.\n\nTwo.\n',
  ]
  for (let i = 0; i < 300; i++) {
    const bytes = damaged(texts[i % texts.length])
    const path = file(
      ['a.jsonl', 'a.json', 'a.csv', 'a.txt', 'a.gz'][random(5)],
      i % 7 === 0 ? gzipSync(bytes).subarray(0, 60 + random(200)) : bytes,
    )
    try {
      const { mapping } = await likeliestMapping(path)
      let seen = 0
      const take = (batch: unknown[]): void => void (seen += batch.length)
      const { rows: kept, refused } = await importFile(path, mapping, { onRows: take, onRefused: take })
      expect(kept + refused).toBe(seen)
    } catch (error) {
      expect(error, bytes.toString()).toBeInstanceOf(Failure)
      expect((error as Failure).next).toMatch(/\.$/)
    }
  }
})

test('deep nesting and strange records do not break the reading', async () => {
  const deep = '['.repeat(50_000) + ']'.repeat(50_000)
  const strange = [
    '{"prompt":{"a":1},"completion":[]}',
    '{"prompt":[[]],"completion":[1]}',
    '[]',
    'null',
    '"x"',
    '7',
    '{}',
    '{"__proto__":{"prompt":"x"}}',
    `{"prompt":${deep}}`,
  ]
  const { kept, refused } = await all(readJsonl(sourceOf(Buffer.from(strange.join('\n')))))
  expect(kept + refused).toBe(strange.length)
  const mapping = {
    form: 'trl-prompt-completion',
    kind: 'completion' as const,
    parts: { prompt: 'prompt', response: 'completion' },
    roles: {},
    asChat: true,
  }
  for (const text of strange.slice(0, -1)) expect(convert(JSON.parse(text), mapping)).toHaveProperty('reason')
})

beforeAll(() => void vi.setConfig({ testTimeout: 20_000 }))
afterAll(() => void vi.resetConfig())
