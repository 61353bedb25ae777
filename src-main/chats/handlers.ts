// Chatting: questions go in, answers stream out by events, and everything is in the store before it is on the screen.
import { defaultSampling, type Output } from '../contract/commands.ts'
import { Failure, toWire } from '../contract/errors.ts'
import type { ChatMessage, Message, Provenance, SamplingSettings } from '../contract/records.ts'
import { resolveAnswerer, showAnswerer } from '../library/answerers.ts'
import type { CoreContext, Handlers } from '../library/context.ts'
import {
  addChat,
  addMessage,
  changeChat,
  changeMessage,
  listChats,
  listChoices,
  listMessages,
  removeChat,
  setChoices,
  showChat,
  showMessage,
  unfinishedMessages,
} from '../store/chats.ts'
import { templateHash } from '../text/templates.ts'
import { keep, keepEdit, thumb } from './chat-labels.ts'
import { beside, historyOf, titleOf } from './tree.ts'

type ChatCommands = Extract<keyof Handlers, `chats.${string}` | `answer.${string}`>

/** Streamed text reaches windows at most this often. */
const streamEveryMs = 50

export function chatHandlers(context: CoreContext): Pick<Handlers, ChatCommands> {
  const { store, clock, emit } = context
  /** Answers being written, by message id. */
  const writing = new Map<string, AbortController>()

  // Answers that were being written when Temper last ended keep what they had.
  for (const message of unfinishedMessages(store)) changeMessage(store, message.id, { finishReason: 'stopped' })
  context.onClose(() => writing.forEach((abort) => abort.abort()))

  const changed = (): void => emit('changed', { what: 'chats' })

  /** Adds an empty answer below `parent` and starts writing it. */
  function answer(chatId: string, parent: string, answererId: string, side: 0 | 1 | null, seed: number): ChatMessage {
    const chat = showChat(store, chatId)
    const answerer = resolveAnswerer(store, answererId)
    const provenance: Provenance = {
      answerer: answererId,
      answererName: answerer.name,
      template: answerer.template === null ? '' : templateHash(answerer.template),
      settings: { ...chat.settings, seed },
      seed,
    }
    const messages = historyOf(listMessages(store, chatId), parent, side, chat.system)
    const message = addMessage(store, {
      chat: chatId,
      parent,
      role: 'assistant',
      content: '',
      side,
      provenance,
      finishReason: null,
      tokens: 0,
      tookMs: 0,
      thumb: null,
      createdAt: clock(),
    })
    const abort = new AbortController()
    writing.set(message.id, abort)
    const began = clock()
    let text = ''
    let shownAt = 0
    const end = (change: Partial<ChatMessage>): void => {
      writing.delete(message.id)
      // The chat may have been removed while its answer was being written.
      try {
        emit('chat', {
          message: changeMessage(store, message.id, { content: text, tookMs: clock() - began, ...change }),
        })
      } catch (thrown) {
        context.log(toWire(thrown).message)
      }
    }
    const request = { messages, plain: false, seed }
    context
      .generate(
        { answerer, requests: [request], settings: provenance.settings, choices: 5 },
        {
          onText: (_, so) => {
            text = so
            if (clock() - shownAt < streamEveryMs) return
            shownAt = clock()
            emit('chat', { message: { ...message, content: text, tookMs: clock() - began } })
          },
          onAnswer: (_, whole) => {
            text = whole.text
            setChoices(store, message.id, whole.choices)
            end({ finishReason: whole.finishReason, tokens: whole.tokens.length })
          },
        },
        abort.signal,
      )
      .catch((thrown: unknown) => {
        const failure = toWire(thrown)
        if (failure.kind !== 'Stopped') context.log(`${message.id}: ${failure.message}`)
        if (failure.kind !== 'Stopped' && text === '') text = [failure.message, failure.next].filter(Boolean).join(' ')
        end({ finishReason: failure.kind === 'Stopped' ? 'stopped' : 'failed' })
      })
    return message
  }

  /** Has every answerer of the chat answer the question. */
  function answerAll(chatId: string, question: string): ChatMessage[] {
    const { answerers, settings } = showChat(store, chatId)
    return answerers.map((id, i) =>
      answer(chatId, question, id, answerers.length === 1 ? null : (i as 0 | 1), settings.seed),
    )
  }

  /** One answer to each prompt, in their order, without a chat. */
  async function answersTo(
    id: string,
    prompts: readonly Message[][],
    given: Partial<SamplingSettings>,
    onText?: (text: string) => void,
  ): Promise<Output<'answer.many'>> {
    const settings = { ...defaultSampling, ...given }
    const answers: Output<'answer.many'> = []
    await context.generate(
      {
        answerer: resolveAnswerer(store, id),
        requests: prompts.map((messages, i) => ({ messages, plain: false, seed: settings.seed + i })),
        settings,
        choices: 0,
      },
      {
        ...(onText && { onText: (_: number, text: string) => onText(text) }),
        onAnswer: (index, { text, tokens, finishReason }) => (answers[index] = { text, tokens, finishReason }),
      },
      new AbortController().signal, // the generator itself ends these when the core closes
    )
    return answers
  }

  function addQuestion(chatId: string, parent: string | null, content: string): ChatMessage {
    if (content.trim() === '')
      throw new Failure('BadExample', 'The question is empty.', { next: 'Write something, then send it.' })
    if (parent !== null) {
      const above = showMessage(store, parent)
      if (above.chat !== chatId)
        throw new Failure('NotFound', `The message ${parent} is not in this chat.`, { where: parent })
      if (above.finishReason === null && above.role === 'assistant')
        throw new Failure('Busy', 'The answer above is still being written.', { next: 'Wait for its end, or stop it.' })
    }
    const chat = showChat(store, chatId)
    const message = addMessage(store, {
      chat: chatId,
      parent,
      role: 'user',
      content,
      side: null,
      provenance: null,
      finishReason: 'stop',
      tokens: 0,
      tookMs: 0,
      thumb: null,
      createdAt: clock(),
    })
    changeChat(store, chatId, { updatedAt: clock(), ...(chat.title === '' && { title: titleOf(content) }) })
    changed()
    return message
  }

  return {
    'chats.list': ({ query }) => listChats(store, query),
    'chats.create': ({ title, system, answerers, settings }) => {
      for (const id of answerers) showAnswerer(store, id)
      const now = clock()
      const chat = addChat(store, {
        title: title ?? '',
        system,
        answerers,
        settings: settings ?? defaultSampling,
        createdAt: now,
        updatedAt: now,
      })
      changed()
      return chat
    },
    'chats.show': ({ id }) => ({ chat: showChat(store, id), messages: listMessages(store, id) }),
    'chats.change': ({ id, title, system, answerers, settings }) => {
      for (const one of answerers ?? []) showAnswerer(store, one)
      const chat = changeChat(store, id, {
        ...(title !== undefined && { title }),
        ...(system !== undefined && { system }),
        ...(answerers !== undefined && { answerers }),
        ...(settings !== undefined && { settings }),
        updatedAt: clock(),
      })
      changed()
      return chat
    },
    'chats.remove': ({ id }) => {
      for (const message of listMessages(store, id)) writing.get(message.id)?.abort()
      removeChat(store, id)
      changed()
      return null
    },
    'chats.send': ({ chat, parent, content }) => {
      const message = addQuestion(chat, parent, content)
      return { message, answers: answerAll(chat, message.id) }
    },
    'chats.again': ({ message: id }) => {
      const message = showMessage(store, id)
      if (message.role !== 'assistant' || message.parent === null || message.provenance === null)
        throw new Failure('BadExample', 'Only an answer can be given again.', { where: id })
      const { parent, side, chat } = message
      const before = listMessages(store, chat).filter((m) => m.parent === parent && m.provenance !== null)
      const seed = (Math.max(...before.map((m) => m.provenance!.seed)) + 1) >>> 0
      return { answers: [answer(chat, parent, message.provenance.answerer, side, seed)] }
    },
    'chats.edit': ({ message: id, content }) => {
      const message = showMessage(store, id)
      if (message.role === 'user') {
        const edited = addQuestion(message.chat, message.parent, content)
        return { message: edited, answers: answerAll(message.chat, edited.id) }
      }
      if (content.trim() === '')
        throw new Failure('BadExample', 'The answer is empty.', { next: 'Write how it should read.' })
      if (message.finishReason === null)
        throw new Failure('Busy', 'This answer is still being written.', { next: 'Wait for its end, or stop it.' })
      const edited = store.transaction(() => {
        const { chat, parent, role, side, provenance } = message
        const added = addMessage(store, {
          ...{ chat, parent, role, side, provenance, content },
          finishReason: 'stop',
          tokens: 0,
          tookMs: 0,
          thumb: null,
          createdAt: clock(),
        })
        keepEdit(context, message, added)
        return added
      })
      emit('changed', { what: 'labels' })
      return { message: edited, answers: [] }
    },
    'chats.stop': ({ chat }) => {
      for (const message of listMessages(store, chat)) writing.get(message.id)?.abort()
      return null
    },
    'chats.thumb': ({ message: id, thumb: given }) => {
      const message = showMessage(store, id)
      const done = thumb(context, message, given)
      // One turn, one preference: the other side's thumb no longer says anything of its own.
      const other = given === null ? null : beside(listMessages(store, message.chat), message)
      if (other !== null && other.thumb !== null && done.label?.kind === 'preference')
        emit('chat', { message: thumb(context, other, null).message })
      emit('chat', { message: done.message })
      emit('changed', { what: 'labels' })
      return done
    },
    'chats.keep': ({ message, over }) => {
      const label = keep(context, showMessage(store, message), showMessage(store, over))
      emit('changed', { what: 'labels' })
      return label
    },
    'chats.choices': ({ message }) => listChoices(store, message),

    'answer.once': async ({ answerer: id, messages, settings, stream }) => {
      if (stream === undefined) return (await answersTo(id, [messages], settings))[0]!
      const tell = (text: string, done: boolean): void => emit('answer', { stream, text, done })
      const [answer] = await answersTo(id, [messages], settings, (text) => tell(text, false))
      tell(answer!.text, true)
      return answer!
    },
    'answer.many': ({ answerer: id, prompts, settings }) => answersTo(id, prompts, settings),
  }
}
