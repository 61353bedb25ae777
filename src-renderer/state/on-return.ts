// Hears when the core answers again after it was lost: what a page shows may then be old.
import { api } from '../api.ts'

/** Calls `handler` at each return of the core, until the returned function is called. */
export function onReturn(handler: () => void): () => void {
  let lost = false
  const off = api.onLink(({ state }) => {
    if (state === 'lost') lost = true
    else if (state === 'open' && lost) {
      lost = false
      handler()
    }
  })
  return () => void off()
}
