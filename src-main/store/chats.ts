// Chats as trees of messages, and the labels that chatting gives.
import type { Chat, ChatLabel, ChatMessage, Role, TokenChoice } from '../contract/records.ts'
import { found, newId } from './ids.ts'
import type { Store } from './open.ts'

interface ChatRow {
  id: string
  title: string
  system: string
  answerers: string
  settings: string
  created_at: number
  updated_at: number
}
const toChat = (row: ChatRow): Chat => ({
  id: row.id,
  title: row.title,
  system: row.system,
  answerers: JSON.parse(row.answerers),
  settings: JSON.parse(row.settings),
  updatedAt: row.updated_at,
  createdAt: row.created_at,
})

export function addChat(store: Store, chat: Omit<Chat, 'id'>): Chat {
  return store.transaction(() => {
    const id = newId(store, 'chat')
    store.run(
      `INSERT INTO chats (id, title, system, answerers, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      id,
      chat.title,
      chat.system,
      JSON.stringify(chat.answerers),
      JSON.stringify(chat.settings),
      chat.createdAt,
      chat.updatedAt,
    )
    return showChat(store, id)
  })
}

export function changeChat(store: Store, id: string, change: Partial<Omit<Chat, 'id' | 'createdAt'>>): Chat {
  const chat = { ...showChat(store, id), ...change }
  store.run(
    'UPDATE chats SET title = ?, system = ?, answerers = ?, settings = ?, updated_at = ? WHERE id = ?',
    chat.title,
    chat.system,
    JSON.stringify(chat.answerers),
    JSON.stringify(chat.settings),
    chat.updatedAt,
    id,
  )
  return showChat(store, id)
}

export function showChat(store: Store, id: string): Chat {
  return toChat(found(store.get<ChatRow>('SELECT * FROM chats WHERE id = ?', id), 'chat', id))
}

/** Chats, latest changed first; with `query`, those whose title or messages hold it (upper and lower case alike in ASCII). */
export function listChats(store: Store, query = ''): Chat[] {
  if (query.trim() === '')
    return store.all<ChatRow>('SELECT * FROM chats ORDER BY updated_at DESC, rowid DESC').map(toChat)
  const like = `%${query.trim().replace(/[\\%_]/g, '\\$&')}%`
  return store
    .all<ChatRow>(
      `SELECT * FROM chats WHERE title LIKE ? ESCAPE '\\'
         OR EXISTS (SELECT 1 FROM messages WHERE messages.chat = chats.id AND content LIKE ? ESCAPE '\\')
       ORDER BY updated_at DESC, rowid DESC`,
      like,
      like,
    )
    .map(toChat)
}

/** Removes the chat and its messages. Labels that it gave stay. */
export function removeChat(store: Store, id: string): void {
  if (store.run('DELETE FROM chats WHERE id = ?', id) === 0) found(undefined, 'chat', id)
}

// ---- Messages -------------------------------------------------------------------------------------------------------

interface MessageRow {
  id: string
  chat: string
  parent: string | null
  role: Role
  content: string
  side: 0 | 1 | null
  provenance: string | null
  finish_reason: ChatMessage['finishReason']
  tokens: number
  took_ms: number
  thumb: ChatMessage['thumb']
  created_at: number
}
const messageColumns =
  'id, chat, parent, role, content, side, provenance, finish_reason, tokens, took_ms, thumb, created_at'
const toMessage = (row: MessageRow): ChatMessage => ({
  id: row.id,
  chat: row.chat,
  parent: row.parent,
  role: row.role,
  content: row.content,
  side: row.side,
  provenance: row.provenance === null ? null : JSON.parse(row.provenance),
  finishReason: row.finish_reason,
  tokens: row.tokens,
  tookMs: row.took_ms,
  thumb: row.thumb,
  createdAt: row.created_at,
})

export function addMessage(store: Store, message: Omit<ChatMessage, 'id'>): ChatMessage {
  return store.transaction(() => {
    const id = newId(store, 'message')
    store.run(
      `INSERT INTO messages (${messageColumns}, number)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT 1 + coalesce(max(number), 0) FROM messages WHERE chat = ?))`,
      id,
      message.chat,
      message.parent,
      message.role,
      message.content,
      message.side,
      message.provenance === null ? null : JSON.stringify(message.provenance),
      message.finishReason,
      message.tokens,
      message.tookMs,
      message.thumb,
      message.createdAt,
      message.chat,
    )
    return showMessage(store, id)
  })
}

/** Changes what is named: the text while it is written, its end, a thumb. */
export function changeMessage(
  store: Store,
  id: string,
  change: Partial<Pick<ChatMessage, 'content' | 'finishReason' | 'tokens' | 'tookMs' | 'thumb' | 'provenance'>>,
): ChatMessage {
  const message = { ...showMessage(store, id), ...change }
  store.run(
    'UPDATE messages SET content = ?, finish_reason = ?, tokens = ?, took_ms = ?, thumb = ?, provenance = ? WHERE id = ?',
    message.content,
    message.finishReason,
    message.tokens,
    message.tookMs,
    message.thumb,
    message.provenance === null ? null : JSON.stringify(message.provenance),
    id,
  )
  return message
}

export function showMessage(store: Store, id: string): ChatMessage {
  const row = store.get<MessageRow>(`SELECT ${messageColumns} FROM messages WHERE id = ?`, id)
  return toMessage(found(row, 'message', id))
}

/** All messages of a chat in the order in which they were written: a parent always stands before its children. */
export function listMessages(store: Store, chat: string): ChatMessage[] {
  return store
    .all<MessageRow>(`SELECT ${messageColumns} FROM messages WHERE chat = ? ORDER BY number`, chat)
    .map(toMessage)
}

/** Answers that were being written when the process ended. */
export function unfinishedMessages(store: Store): ChatMessage[] {
  return store
    .all<MessageRow>(`SELECT ${messageColumns} FROM messages WHERE finish_reason IS NULL AND role = 'assistant'`)
    .map(toMessage)
}

export function setChoices(store: Store, message: string, choices: readonly TokenChoice[]): void {
  store.run('UPDATE messages SET choices = ? WHERE id = ?', JSON.stringify(choices), message)
}

/** The likeliest tokens at each place of an answer; none where they were not kept. */
export function listChoices(store: Store, message: string): TokenChoice[] {
  const row = store.get<{ choices: string | null }>('SELECT choices FROM messages WHERE id = ?', message)
  const { choices } = found(row, 'message', message)
  return choices === null ? [] : JSON.parse(choices)
}

// ---- Labels ---------------------------------------------------------------------------------------------------------

interface LabelRow {
  id: string
  kind: ChatLabel['kind']
  chat: string
  message: string
  example: string
  provenance: string
  created_at: number
}
const toLabel = (row: LabelRow): ChatLabel => ({
  id: row.id,
  kind: row.kind,
  chat: row.chat,
  message: row.message,
  example: JSON.parse(row.example),
  provenance: JSON.parse(row.provenance),
  createdAt: row.created_at,
})

export function addChatLabel(store: Store, label: Omit<ChatLabel, 'id'>): ChatLabel {
  return store.transaction(() => {
    const id = newId(store, 'chatLabel')
    store.run(
      'INSERT INTO chat_labels (id, kind, chat, message, example, provenance, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      id,
      label.kind,
      label.chat,
      label.message,
      JSON.stringify(label.example),
      JSON.stringify(label.provenance),
      label.createdAt,
    )
    return { ...label, id }
  })
}

/** Labels in the order in which they were given, of one kind or all. */
export function listChatLabels(store: Store, kind?: ChatLabel['kind']): ChatLabel[] {
  const rows =
    kind === undefined
      ? store.all<LabelRow>('SELECT * FROM chat_labels ORDER BY rowid')
      : store.all<LabelRow>('SELECT * FROM chat_labels WHERE kind = ? ORDER BY rowid', kind)
  return rows.map(toLabel)
}

export function labelsOfMessage(store: Store, message: string): ChatLabel[] {
  return store.all<LabelRow>('SELECT * FROM chat_labels WHERE message = ? ORDER BY rowid', message).map(toLabel)
}

export function removeChatLabel(store: Store, id: string): void {
  if (store.run('DELETE FROM chat_labels WHERE id = ?', id) === 0) found(undefined, 'chatLabel', id)
}
