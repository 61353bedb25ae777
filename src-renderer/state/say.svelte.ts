// What a screen reader is told, politely, without moving the focus.
import { untrack } from 'svelte'

export const said = $state({ text: '' })

/** Announces a sentence. The same sentence twice is announced twice. May be called within an effect. */
export function say(text: string): void {
  untrack(() => (said.text = said.text === text ? `${text}\u00a0` : text))
}
