// What a person's hand says of an answer becomes something to learn from: a thumb, a preference between two answers to
// one question, an edited answer. Each label keeps where it came from (checkpoint, template, settings, seed).
import { Failure } from '../contract/errors.ts'
import type { ChatLabel, ChatMessage, Message, Provenance } from '../contract/records.ts'
import type { CoreContext } from '../library/context.ts'
import {
  addChatLabel,
  changeMessage,
  labelsOfMessage,
  listMessages,
  removeChatLabel,
  showChat,
} from '../store/chats.ts'
import { beside, historyOf } from './tree.ts'

function provenanceOf(message: ChatMessage): Provenance {
  if (message.role !== 'assistant' || message.provenance === null)
    throw new Failure('BadExample', 'Only an answer that a model gave can be judged.', { where: message.id })
  if (message.finishReason === null)
    throw new Failure('Busy', 'This answer is still being written.', {
      where: message.id,
      next: 'Wait for its end, or stop it.',
    })
  return message.provenance
}

/** The question as this answer's side read it. */
function promptOf(context: CoreContext, message: ChatMessage): Message[] {
  const { system } = showChat(context.store, message.chat)
  return historyOf(listMessages(context.store, message.chat), message.parent, message.side, system)
}

const answerOf = (message: ChatMessage): Message[] => [{ role: 'assistant', content: message.content }]

/**
 * A thumb on an answer, or its removal. On a side-by-side turn it is a preference: this answer over the other one, or
 * the other over this. A new thumb takes the place of an earlier one.
 */
export function thumb(
  context: CoreContext,
  message: ChatMessage,
  given: 'up' | 'down' | null,
): { message: ChatMessage; label: ChatLabel | null } {
  const provenance = provenanceOf(message)
  return context.store.transaction(() => {
    for (const old of labelsOfMessage(context.store, message.id))
      if (old.kind === 'thumb' || old.kind === 'preference') removeChatLabel(context.store, old.id)
    const changed = changeMessage(context.store, message.id, { thumb: given })
    if (given === null) return { message: changed, label: null }
    const other = beside(listMessages(context.store, message.chat), message)
    const prompt = promptOf(context, message)
    const pair =
      other !== null && other.finishReason !== null && other.content.trim() !== message.content.trim() ? other : null
    const [chosen, rejected] = given === 'up' ? [message, pair] : [pair, message]
    const example: ChatLabel['example'] = pair
      ? { kind: 'preference', prompt, chosen: answerOf(chosen!), rejected: answerOf(rejected!) }
      : { kind: 'thumb', prompt, response: answerOf(message), good: given === 'up' }
    const label = addChatLabel(context.store, {
      kind: pair ? 'preference' : 'thumb',
      chat: message.chat,
      message: message.id,
      example,
      provenance,
      createdAt: context.clock(),
    })
    return { message: changed, label }
  })
}

/** "I keep this one": a preference of `message` over `over`, another answer to the same question. */
export function keep(context: CoreContext, message: ChatMessage, over: ChatMessage): ChatLabel {
  const provenance = provenanceOf(message)
  provenanceOf(over)
  if (message.id === over.id || message.parent !== over.parent || message.chat !== over.chat)
    throw new Failure('BadExample', 'These two do not answer the same question.', {
      where: `${message.id}, ${over.id}`,
    })
  if (message.content.trim() === over.content.trim())
    throw new Failure('BadExample', 'Both answers say the same, so there is nothing to prefer.', { where: message.id })
  return addChatLabel(context.store, {
    kind: 'preference',
    chat: message.chat,
    message: message.id,
    example: {
      kind: 'preference',
      prompt: promptOf(context, message),
      chosen: answerOf(message),
      rejected: answerOf(over),
    },
    provenance,
    createdAt: context.clock(),
  })
}

/** An answer as the person would have had it: something to learn from by itself. */
export function keepEdit(context: CoreContext, original: ChatMessage, edited: ChatMessage): ChatLabel {
  return addChatLabel(context.store, {
    kind: 'edit',
    chat: edited.chat,
    message: edited.id,
    example: { kind: 'completion', prompt: promptOf(context, original), response: answerOf(edited) },
    provenance: provenanceOf(original),
    createdAt: context.clock(),
  })
}
