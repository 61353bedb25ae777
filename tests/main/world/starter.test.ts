import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { readModelFolder } from '../../../src-main/models/files/folder.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import { main } from '../../../src-main/shells/cli/starter.ts'
import { openTokenizer } from '../../../src-main/text/tokenizer.ts'
import { documents } from '../../../src-main/world/documents.ts'
import { makeWorld } from '../../../src-main/world/people.ts'
import { measureRecall, scoreText } from '../../../src-main/world/recall.ts'
import { endToken } from '../../../src-main/world/starter.ts'

const shipped = resolve(import.meta.dirname, '../../../resources/starter')
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'temper-starter-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})
const quietly = async (...args: string[]) => {
  const said: string[] = []
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => (said.push(String(text)), true))
  const code = await main(args)
  vi.restoreAllMocks()
  return { code, text: said.join('') }
}

test('the shipped sample data are what the command writes', async () => {
  expect((await quietly('--data', '--out', folder)).code).toBe(0)
  const names = readdirSync(join(folder, 'data'))
  expect(names.length).toBe(10)
  expect(readdirSync(join(shipped, 'data'))).toEqual(names)
  for (const name of names)
    expect(
      readFileSync(join(folder, 'data', name), 'utf8') === readFileSync(join(shipped, 'data', name), 'utf8'),
      name,
    ).toBe(true)
})

test('a wrong option ends with 1, a sentence and nothing written', async () => {
  for (const args of [
    ['--seed', 'x'],
    ['--tokens', '0'],
    ['--backend', 'abacus'],
    ['--sneed', '1'],
  ]) {
    const { code, text } = await quietly(...args, '--out', folder)
    expect(code, text).toBe(1)
    expect(text).toMatch(/^[A-Z].*\.\n$/s)
  }
  expect(readdirSync(folder)).toEqual([])
})

test('the shipped starter fits its folder, is small enough, and knows its world', async () => {
  const model = readModelFolder(join(shipped, 'model'), { numbers: true })
  const sizes = readdirSync(shipped, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
  expect(sizes.reduce((a, b) => a + b)).toBeLessThan(8_000_000)

  const world = makeWorld()
  const tokenizer = openTokenizer(model.files.tokenizer, model.files.tokenizerConfig)
  for (const { name } of world.people) expect(tokenizer.encode(` ${name}`).length, name).toBe(1)
  const transformer = createTransformer(createReference(), model.config, model.weights, { tune: 'frozen' })
  const { recallRatio } = await measureRecall(transformer, tokenizer, world.people.slice(0, 6), endToken)
  expect(recallRatio).toBeGreaterThan(0.95)
  const some = [...documents(world, { bytes: 2_000, seed: 77 })]
  expect((await scoreText(transformer, tokenizer, some, endToken)).bitsPerByte).toBeLessThan(0.5)
  model.close()
})
