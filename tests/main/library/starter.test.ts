// The starter as it is shipped: the model that is in resources/ can be opened, and every sample is what it says.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Dataset } from '../../../src-main/contract/records.ts'
import { createCore, type Core } from '../../../src-main/core.ts'

let home: string
let core: Core
const lines: string[] = []
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'temper-starter-'))
  core = await createCore({ home, log: (line) => void lines.push(line) })
})
afterAll(async () => {
  await core.close()
  rmSync(home, { recursive: true })
})

test('the starter model is there, small, with a template and a card', async () => {
  expect(lines.filter((line) => line.includes('left out'))).toEqual([])
  const [model] = await core.call('models.list', {})
  expect(model).toMatchObject({ name: 'Starter', builtIn: true, family: 'llama' })
  expect(model!.parameters).toBeLessThan(3_000_000)
  expect(model!.bytes).toBeLessThan(8 * 2 ** 20)
  expect(model!.template).toContain('assistant')
  expect(model!.card).toContain('# Starter')
})

test('its samples come in the order in which one would use them, with others’ rows held out', async () => {
  const list = await core.call('data.list', {})
  expect(list.map(({ name, kind }) => [name, kind])).toEqual([
    ['Questions', 'conversation'],
    ['Polite answers', 'preference'],
    ['Short answers', 'preference'],
    ['Prompts', 'prompt'],
    ['Thumbs', 'thumb'],
    ['Questions for the last test', 'conversation'],
  ])
  for (const { heldOut, rows } of list.slice(0, 3)) {
    expect(heldOut).toBeGreaterThan(50)
    expect(rows - heldOut).toBeGreaterThan(heldOut)
  }
  expect(list[5]!.heldOut).toBe(list[5]!.rows)
})

test('at the first start every station is open and nothing was touched yet', async () => {
  const { stations, recent, starter } = await core.call('app.overview', {})
  expect(Object.values(stations).map(({ ready, done }) => [ready, done])).toEqual(Array(4).fill([true, false]))
  expect(stations.import.note).toBe('6 sample datasets to begin with, or a file of your own')
  expect(recent).toEqual([])
  expect(starter?.id).toBe('m1')
})

test('no question that is held out is asked in training', async () => {
  const [{ id, rows }] = (await core.call('data.list', {})) as [Dataset, ...Dataset[]]
  const asked = async (split: 'train' | 'held-out'): Promise<string[]> => {
    const found: string[] = []
    for (let from = 0; from < rows; from += 1000) {
      const page = await core.call('data.rows', { id, split, from, count: 1000 })
      for (const { example } of page.rows) if (example.kind === 'conversation') found.push(example.messages[0]!.content)
    }
    return found.filter((question) => /^(Where|Who|What (?!is \d|is the sum))/.test(question))
  }
  const train = new Set(await asked('train'))
  const heldOut = await asked('held-out')
  expect(heldOut.length).toBeGreaterThan(200)
  expect(heldOut.filter((question) => train.has(question))).toEqual([])
})

test('a row of the samples fits the starter and teaches its answer', async () => {
  const [dataset] = await core.call('data.list', {})
  const [read] = await core.call('data.tokens', { id: dataset!.id, row: 1, model: 'm1' })
  expect(read!.truncated).toBe(false)
  expect(read!.lossMask.filter((one) => one === 1).length).toBeGreaterThan(1)
})
