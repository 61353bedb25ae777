import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ChatMessage } from '../../../src-main/contract/records.ts'
import {
  addChat,
  addChatLabel,
  addMessage,
  changeMessage,
  listChatLabels,
  listChats,
  listChoices,
  listMessages,
  removeChat,
  setChoices,
  unfinishedMessages,
} from '../../../src-main/store/chats.ts'
import { openStore, type Store } from '../../../src-main/store/open.ts'
import { aChat } from './records.ts'

let home: string
let store: Store
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temper-chats-'))
  store = openStore(home)
})
afterEach(() => {
  store.close()
  rmSync(home, { recursive: true })
})

const message = (chat: string, parent: string | null, role: 'user' | 'assistant', content: string) =>
  ({
    chat,
    parent,
    role,
    content,
    side: null,
    provenance: null,
    finishReason: role === 'user' ? 'stop' : null,
    tokens: 0,
    tookMs: 0,
    thumb: null,
    createdAt: 1,
  }) satisfies Omit<ChatMessage, 'id'>

test('a chat is a tree: branches share a parent and come back in the order of writing', () => {
  const chat = addChat(store, aChat)
  const question = addMessage(store, message(chat.id, null, 'user', 'Where does Renwe live?'))
  const one = addMessage(store, message(chat.id, question.id, 'assistant', ''))
  const two = addMessage(store, message(chat.id, question.id, 'assistant', 'In Olm.'))
  expect(unfinishedMessages(store).map((m) => m.id)).toEqual([one.id, two.id])
  changeMessage(store, one.id, { content: 'She lives in Olm.', finishReason: 'stop', tokens: 6, tookMs: 40 })
  const all = listMessages(store, chat.id)
  expect(all.map((m) => m.parent)).toEqual([null, question.id, question.id])
  expect(all[1]).toMatchObject({ content: 'She lives in Olm.', finishReason: 'stop', tokens: 6 })
  expect(unfinishedMessages(store).map((m) => m.id)).toEqual([two.id])
})

test('chats are found by their title and by what was said in them, with signs of LIKE taken as they are', () => {
  const one = addChat(store, aChat)
  const two = addChat(store, { ...aChat, title: '100% sure', updatedAt: 2 })
  addMessage(store, message(one.id, null, 'user', 'What pet has Odmar?'))
  expect(listChats(store, 'odmar').map((chat) => chat.id)).toEqual([one.id])
  expect(listChats(store, '0%').map((chat) => chat.id)).toEqual([two.id])
  expect(listChats(store).map((chat) => chat.id)).toEqual([two.id, one.id])
})

test('labels outlive the chat that gave them', () => {
  const chat = addChat(store, aChat)
  const answer = addMessage(store, message(chat.id, null, 'assistant', 'In Olm.'))
  setChoices(store, answer.id, [{ token: 3, text: 'In', logprob: -0.1, top: [] }])
  expect(listChoices(store, answer.id)).toHaveLength(1)
  const label = addChatLabel(store, {
    kind: 'thumb',
    chat: chat.id,
    message: answer.id,
    example: { kind: 'thumb', prompt: [], response: [{ role: 'assistant', content: 'In Olm.' }], good: true },
    provenance: { answerer: 'm1', answererName: 'Starter', template: 'abc', settings: aChat.settings, seed: 7 },
    createdAt: 4,
  })
  removeChat(store, chat.id)
  expect(listMessages(store, chat.id)).toEqual([])
  expect(listChatLabels(store, 'thumb')).toEqual([label])
  expect(listChatLabels(store, 'edit')).toEqual([])
})
