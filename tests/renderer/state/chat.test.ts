// A new chat against an in-memory core: when it is kept, and where its heading comes from.
import { beforeEach, expect, test, vi } from 'vitest'
import { defaultSampling } from '../../../src-main/contract/commands.ts'
import { Failure } from '../../../src-main/contract/errors.ts'
import type { Chat, ChatMessage } from '../../../src-main/contract/records.ts'
import { api } from '../../../src-renderer/api.ts'
import { ChatView } from '../../../src-renderer/state/chat.svelte.ts'
import { testBridge } from '../bridge.ts'

let chat: Chat | null = null
let readable = true
const message = (role: 'user' | 'assistant', content: string, parent: string | null): ChatMessage => ({
  id: role === 'user' ? 'g1' : 'g2',
  chat: 't1',
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
})

beforeEach(() => {
  chat = null
  readable = true
  api.connect(
    testBridge({
      'chats.create': ({ title = '', system = '', answerers }) => {
        chat = { id: 't1', title, system, answerers, settings: { ...defaultSampling }, createdAt: 1, updatedAt: 1 }
        return { ...chat }
      },
      'chats.send': ({ content }) => {
        chat!.title ||= content
        return { message: message('user', content, null), answers: [message('assistant', '', 'g1')] }
      },
      'chats.show': () => {
        if (!readable) throw new Failure('Busy', 'Not now.')
        return { chat: { ...chat! }, messages: [] }
      },
    }),
  )
})

test('the first question names a new chat, and the heading has the name without waiting for the list', async () => {
  const view = new ChatView()
  view.draft(['m1'], null)
  expect(view.title).toBe('')
  expect(await view.send('Where does Kelric live?')).toEqual({ ok: true, made: 't1' })
  await vi.waitFor(() => expect(view.title).toBe('Where does Kelric live?'))
  expect(view.messages.map((one) => one.id)).toEqual(['g1', 'g2'])
})

test('a name that was given before the first question stays', async () => {
  const view = new ChatView()
  view.draft(['m1'], null)
  await view.rename('Villages')
  await view.send('Where does Kelric live?')
  expect(view.title).toBe('Villages')
})

test('a name that cannot be read does not make the question unsent', async () => {
  readable = false
  const view = new ChatView()
  view.draft(['m1'], null)
  expect((await view.send('Where does Kelric live?')).ok).toBe(true)
  expect(view.failure).toBeNull()
})
