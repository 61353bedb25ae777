// Who answers a key now. Pages call `bindKeys` while they are mounted; the last one asked answers first.
import { onDestroy } from 'svelte'
import { isSingle, keymap, matches, parseKeys, showKeys, type KeyId } from './keymap.ts'
import { settings } from './settings.svelte.ts'

/** Answers false when it had nothing to do, so that another may. */
export type KeyHandler = (event: KeyboardEvent) => unknown
export type KeyHandlers = Partial<Record<KeyId, KeyHandler>>

export const mac = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform)
const bound: KeyHandlers[] = []

/** The keys of an action now: the table's, or what the person chose instead. */
export function keysFor(id: KeyId): string {
  return settings.keys[id] ?? keymap[id].keys
}

/** As shown beside a button; empty where single keys are turned off. */
export function keyLabel(id: KeyId): string {
  const keys = keysFor(id)
  return isSingle(keys) && !settings.singleKeys ? '' : showKeys(keys, mac)
}

/** Call while a component is made; the keys are let go when it is destroyed. */
export function bindKeys(handlers: KeyHandlers): void {
  bound.push(handlers)
  onDestroy(() => void bound.splice(bound.indexOf(handlers), 1))
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'range', 'button', 'file'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
}

/** Enter and Space belong to the thing that has the focus, if it is something to press. */
function isPressable(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('button, a[href], summary, [role="option"], [role="slider"]') !== null
  )
}

/** The window's one listener. */
export function hearKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return
  const inDialog = document.querySelector('dialog[open]') !== null
  for (const handlers of bound.toReversed())
    for (const [id, handler] of Object.entries(handlers) as [KeyId, KeyHandler][]) {
      const keys = keysFor(id)
      const press = parseKeys(keys)
      if (!matches(event, press, mac)) continue
      if (inDialog && !id.startsWith('find.')) continue
      const plain = !press.mod && !press.alt
      if (isSingle(keys) && !settings.singleKeys) continue
      if (plain && !/^f\d+$/.test(press.key) && isTyping(event.target)) continue
      if (plain && (press.key === 'enter' || press.key === ' ') && isPressable(event.target)) continue
      if (handler(event) === false) continue
      event.preventDefault()
      return
    }
}
