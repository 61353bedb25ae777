// Which parts an example of each kind may be fed with, and how a mapping changes when a person corrects it.
import type { ExampleKind, Mapping } from '../../../src-main/contract/records.ts'

const parts: Record<ExampleKind, readonly string[]> = {
  text: ['text'],
  conversation: ['messages', 'system', 'history'],
  completion: ['prompt', 'input', 'response', 'system', 'history'],
  preference: ['prompt', 'input', 'chosen', 'rejected', 'system', 'messages', 'strength'],
  thumb: ['prompt', 'response', 'label', 'system', 'messages'],
  prompt: ['prompt', 'input', 'system', 'messages'],
}

export const partsOf = (kind: ExampleKind): readonly string[] => parts[kind]

/** The part that a key feeds: itself, or something within it ("input.messages"). */
export function partOf(mapping: Mapping, key: string): string | null {
  const found = Object.entries(mapping.parts).find(([, path]) => path === key || path.startsWith(`${key}.`))
  return found?.[0] ?? null
}

/** `key` feeds `part` from now on, and nothing else; another key that fed it is set free. null: it is not used. */
export function withPart(mapping: Mapping, key: string, part: string | null): Mapping {
  const kept = Object.entries(mapping.parts).filter(
    ([name, path]) => path !== key && !path.startsWith(`${key}.`) && name !== part,
  )
  return { ...mapping, parts: { ...Object.fromEntries(kept), ...(part !== null && { [part]: key }) } }
}

/** Another kind of example: parts that it lacks are set free; an only text or answer finds its like. */
export function withKind(mapping: Mapping, kind: ExampleKind): Mapping {
  const allowed = parts[kind]
  const next: Record<string, string> = {}
  for (const [name, path] of Object.entries(mapping.parts)) {
    const like = { response: 'chosen', chosen: 'response', text: 'response' }[name]
    if (allowed.includes(name)) next[name] = path
    else if (like !== undefined && allowed.includes(like)) next[like] ??= path
  }
  if (kind === 'text' && next['text'] === undefined) {
    const path = mapping.parts['response'] ?? mapping.parts['prompt'] ?? Object.values(mapping.parts)[0]
    if (path !== undefined) next['text'] = path
  }
  return { ...mapping, kind, parts: next }
}
