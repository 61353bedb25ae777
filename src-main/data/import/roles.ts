// The words that files use for roles and for columns.
import type { Role } from '../../contract/records.ts'

export const knownRoles: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  ai: 'assistant',
  model: 'assistant',
  function_call: 'assistant',
  tool: 'tool',
  function: 'tool',
  observation: 'tool',
  ipython: 'tool',
}

/** "User " and "GPT" are written like that in real files. */
export const roleKey = (word: string): string => word.trim().toLowerCase()

/** The role that `word` means, or null. `roles` (a person's choice) goes before the words that we know. */
export function roleOf(word: string, roles: Readonly<Record<string, Role>>): Role | null {
  const key = roleKey(word)
  if (Object.hasOwn(roles, key)) return roles[key]
  if (Object.hasOwn(roles, word)) return roles[word]
  return Object.hasOwn(knownRoles, key) ? knownRoles[key] : null
}

/** Names of columns that hold a question, the best first. */
export const questionNames = [
  'prompt',
  'question',
  'instruction',
  'query',
  'input',
  'user',
  'human',
  'problem',
  'request',
  'q',
]
export const answerNames = [
  'completion',
  'response',
  'answer',
  'output',
  'reply',
  'assistant',
  'gpt',
  'bot',
  'solution',
  'target',
  'a',
]
export const textNames = ['text', 'content', 'document', 'story', 'body', 'article']
export const messageNames = [
  'messages',
  'conversations',
  'conversation',
  'texts',
  'chat',
  'dialogue',
  'dialog',
  'turns',
]
export const labelNames = ['label', 'kto_tag', 'thumb', 'good']
export const commonNames: ReadonlySet<string> = new Set([
  ...questionNames.slice(0, -1),
  ...answerNames.slice(0, -1),
  ...textNames,
  ...messageNames,
  'chosen',
  'rejected',
])
