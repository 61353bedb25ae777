// What was judged in chats, listed, taken back, and made into datasets.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ChatMessage } from '../../../src-main/contract/records.ts'
import { createCore, type Core } from '../../../src-main/core.ts'

let home: string
let core: Core
let answers = 0
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'temper-chat-labels-'))
  core = await createCore({
    home,
    log: () => {},
    resources: join(home, 'none'),
    generate: (work, { onAnswer }) => {
      work.requests.forEach((_, i) =>
        onAnswer(i, { text: `Answer ${++answers}.`, tokens: [1], finishReason: 'stop', choices: [] }),
      )
      return Promise.resolve()
    },
  })
  await core.call('models.add', { path: resolve('tests/golden/llama-tied'), name: 'Tied' })
})
afterEach(async () => {
  await core.close()
  rmSync(home, { recursive: true })
})

async function askedTwice(): Promise<[ChatMessage, ChatMessage]> {
  const chat = await core.call('chats.create', { answerers: ['m1'] })
  const { answers: first } = await core.call('chats.send', { chat: chat.id, parent: null, content: 'Who is Renwe?' })
  const { answers: second } = await core.call('chats.again', { message: first[0]!.id })
  return [first[0]!, second[0]!]
}

test('thumbs, kept answers and edits become a dataset each', async () => {
  const [one, two] = await askedTwice()
  await core.call('chats.thumb', { message: one.id, thumb: 'down' })
  await core.call('chats.keep', { message: two.id, over: one.id })
  await core.call('chats.edit', { message: one.id, content: 'Renwe is a baker.' })
  const read = async (kind: 'thumb' | 'preference' | 'edit') => {
    const dataset = await core.call('chatLabels.dataset', { kind })
    const { rows } = await core.call('data.rows', { id: dataset.id })
    return [dataset.name, ...rows.map((row) => row.example)]
  }
  const prompt = [{ role: 'user', content: 'Who is Renwe?' }]
  const [name, thumb] = await read('thumb')
  expect(name).toBe('Thumbs from chat')
  expect(thumb).toMatchObject({ kind: 'thumb', prompt, good: false })
  expect((await read('preference'))[1]).toMatchObject({ kind: 'preference', prompt })
  expect((await read('edit'))[1]).toMatchObject({
    kind: 'completion',
    prompt,
    response: [{ role: 'assistant', content: 'Renwe is a baker.' }],
  })
})

test('a label that is taken back is not learned from', async () => {
  const [one] = await askedTwice()
  await core.call('chats.thumb', { message: one.id, thumb: 'up' })
  const [label] = await core.call('chatLabels.list', { kind: 'thumb' })
  expect(label!.provenance).toMatchObject({ answerer: 'm1', answererName: 'Tied, before training' })
  await core.call('chatLabels.remove', { id: label!.id })
  await expect(core.call('chatLabels.dataset', { kind: 'thumb' })).rejects.toThrow(/no labels of this kind/)
})
