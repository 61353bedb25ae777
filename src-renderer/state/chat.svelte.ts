// One chat on the screen: its messages as they stream in, the branch that is shown, and every act upon them. A new chat is
// kept only when its first question is sent.
import { api, toFailure } from '../api.ts'
import { defaultSampling } from '../../src-main/contract/commands.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
import type { Chat, ChatLabel, ChatMessage, SamplingSettings } from '../../src-main/contract/records.ts'
import { choosePath, parentOfNext, turnsOf, type Chosen } from './message-tree.ts'

/** What the line above the composer says: a label that has just been kept, and how to take it back. */
export interface Kept {
  says: 'left' | 'right' | 'good' | 'poor' | 'over' | 'edit' | 'back'
  undo: (() => Promise<unknown>) | null
}
type Change = Partial<Pick<Chat, 'system' | 'answerers' | 'settings'>>
const changeAfterMs = 300
const numberOf = (message: ChatMessage): number => Number(message.id.slice(1))
const isBehind = (held: ChatMessage, come: ChatMessage): boolean =>
  held.finishReason === null && held.content.length <= come.content.length

export class ChatView {
  chat = $state.raw<Chat | null>(null)
  title = $state('')
  system = $state('')
  answerers = $state<string[]>([])
  settings = $state<SamplingSettings>({ ...defaultSampling })
  messages = $state.raw<ChatMessage[]>([])
  chosen = $state.raw<Chosen>({})
  kept = $state.raw<Kept | null>(null)
  failure = $state.raw<Failure | null>(null)
  ready = $state(false)
  sending = $state(false)
  readonly turns = $derived(turnsOf(this.messages, this.chosen))
  readonly writing = $derived(this.messages.some((m) => m.role === 'assistant' && m.finishReason === null))
  readonly last = $derived(this.turns.at(-1) ?? null)
  #timer: ReturnType<typeof setTimeout> | null = null
  #due: Change = {}

  async open(id: string): Promise<void> {
    try {
      const { chat, messages } = await api.call('chats.show', { id })
      this.failure = null
      this.#take(chat)
      this.messages = messages
    } catch (thrown) {
      this.failure = toFailure(thrown)
    }
    this.ready = true
  }

  /** A new chat with these answerers, or as the last one was. */
  draft(answerers: string[], like: Chat | null): void {
    this.answerers = answerers
    if (like !== null) this.settings = { ...like.settings }
    this.ready = true
  }

  #take(chat: Chat): void {
    this.chat = chat
    this.title = chat.title
    this.system = chat.system
    this.answerers = [...chat.answerers]
    this.settings = { ...chat.settings }
  }

  /** A `chat` event: the message, whole, as it is now. */
  hear(message: ChatMessage): void {
    if (message.chat !== this.chat?.id) return
    this.#put([message])
  }

  #put(some: readonly ChatMessage[]): void {
    const next = [...this.messages]
    for (const message of some) {
      const at = next.findIndex((m) => m.id === message.id)
      if (at === -1) next.push(message)
      // A reply may cross with later words of the same answer on the way: it must not take them back.
      else if (message.finishReason !== null || isBehind(next[at]!, message)) next[at] = message
    }
    this.messages = next.sort((a, b) => numberOf(a) - numberOf(b))
  }

  #show(id: string): void {
    this.chosen = choosePath(this.messages, this.chosen, id)
  }

  /** Runs an act; what went wrong is kept for the page. True where it went well. */
  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      this.failure = null
      await work()
      return true
    } catch (thrown) {
      this.failure = toFailure(thrown)
      return false
    }
  }

  /** Sends a question; answers the id of a chat that was made for it, or null. */
  async send(content: string): Promise<{ ok: boolean; made: string | null }> {
    let made: string | null = null
    this.sending = true
    const ok = await this.#try(async () => {
      if (this.chat === null) {
        const chat = await api.call('chats.create', {
          system: this.system,
          answerers: [...this.answerers],
          settings: { ...this.settings },
          ...(this.title && { title: this.title }),
        })
        this.chat = chat
        made = chat.id
      } else await this.#flush()
      const parent = parentOfNext(this.turns)
      const { message, answers } = await api.call('chats.send', { chat: this.chat.id, parent, content })
      this.#put([message, ...answers])
      this.#show(message.id)
      this.kept = null
      // The core names a chat after its first question; the heading is to have the name with it.
      if (this.title === '') void this.#readTitle(this.chat.id)
    })
    this.sending = false
    return { ok, made }
  }

  /** A name that cannot be read now is no reason to call the question unsent. */
  async #readTitle(id: string): Promise<void> {
    const { chat } = await api.call('chats.show', { id }).catch(() => ({ chat: null }))
    if (chat !== null && this.title === '') this.title = chat.title
  }

  async stop(): Promise<void> {
    await this.#try(async () => void (this.chat && (await api.call('chats.stop', { chat: this.chat.id }))))
  }

  /** A further answer beside each of these. */
  async again(messages: readonly ChatMessage[]): Promise<void> {
    await this.#try(async () => {
      await this.#flush()
      for (const { id } of messages) {
        const { answers } = await api.call('chats.again', { message: id })
        this.#put(answers)
        for (const answer of answers) this.#show(answer.id)
      }
    })
  }

  async edit(message: ChatMessage, content: string): Promise<boolean> {
    return await this.#try(async () => {
      await this.#flush()
      const edited = await api.call('chats.edit', { message: message.id, content })
      this.#put([edited.message, ...edited.answers])
      this.#show(edited.message.id)
      if (message.role !== 'assistant') return
      const labels = await api.call('chatLabels.list', { kind: 'edit' })
      const label = labels.find((one) => one.message === edited.message.id)
      this.kept = { says: 'edit', undo: label ? () => this.#dropLabel(label) : null }
    })
  }

  async thumb(message: ChatMessage, thumb: 'up' | 'down'): Promise<void> {
    const given = message.thumb === thumb ? null : thumb
    await this.#try(async () => {
      const { message: changed, label } = await api.call('chats.thumb', { message: message.id, thumb: given })
      this.#put([changed])
      if (label === null) return void (this.kept = given === null ? { says: 'back', undo: null } : null)
      const rightWon = (message.side === 1) === (thumb === 'up')
      this.kept = {
        says: label.kind === 'preference' ? (rightWon ? 'right' : 'left') : thumb === 'up' ? 'good' : 'poor',
        undo: async () => {
          const back = await api.call('chats.thumb', { message: message.id, thumb: null })
          this.#put([back.message])
        },
      }
    })
  }

  async keep(message: ChatMessage, over: ChatMessage): Promise<void> {
    await this.#try(async () => {
      const label = await api.call('chats.keep', { message: message.id, over: over.id })
      this.kept = { says: 'over', undo: () => this.#dropLabel(label) }
    })
  }

  async #dropLabel(label: ChatLabel): Promise<void> {
    await api.call('chatLabels.remove', { id: label.id })
  }

  async takeBack(): Promise<void> {
    const undo = this.kept?.undo
    if (!undo) return
    await this.#try(async () => {
      await undo()
      this.kept = { says: 'back', undo: null }
    })
  }

  /** Shows the sibling `by` places away of a question or an answer. */
  step(siblings: readonly ChatMessage[], shown: ChatMessage, by: 1 | -1): boolean {
    const next = siblings[siblings.indexOf(shown) + by]
    if (next === undefined) return false
    this.#show(next.id)
    return true
  }

  showBranch(id: string): void {
    this.#show(id)
  }

  /** Settings are kept a moment after the last change, so that a slider does not write at every step. */
  change(change: Change): void {
    Object.assign(this, change)
    if (this.chat === null) return
    Object.assign(this.#due, change)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#try(() => this.#flush()), changeAfterMs)
  }

  async #flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const due = $state.snapshot(this.#due)
    this.#due = {}
    if (this.chat === null || Object.keys(due).length === 0) return
    this.chat = await api.call('chats.change', { id: this.chat.id, ...due })
  }

  /** Call when the page is left, so that the last change is not lost. */
  close(): void {
    void this.#flush().catch(() => undefined)
  }

  async rename(title: string): Promise<boolean> {
    return await this.#try(async () => {
      if (this.chat !== null) this.chat = await api.call('chats.change', { id: this.chat.id, title })
      this.title = title
    })
  }
}
