// The one door from the window to the core: typed by the contract, the same over Electron's preload and the web shell.
// Every failure leaves here as a Failure: what happened, where, and what to do next.
import type { Bridge, CommandName, Input, Output } from '../src-main/contract/commands.ts'
import type { EventName, Events } from '../src-main/contract/events.ts'
import { Failure, failureKinds, fromWire, type WireFailure } from '../src-main/contract/errors.ts'
import { socketBridge } from './api/socket-bridge.ts'
import { openLink, type Link } from './api/link.ts'

declare global {
  interface Window {
    /** Set by Electron's preload; absent in a browser, where the socket takes its place. */
    temper?: Bridge
  }
}

type LinkHandler = (link: Link) => void

let bridge: Bridge | null = null
let link: Link = openLink
const linkHandlers = new Set<LinkHandler>()
/** Handlers asked for before the bridge was there. */
const waiting: (() => void)[] = []

function hearLink(next: Link): void {
  link = next
  for (const handler of linkHandlers) handler(next)
}

function ready(): Bridge {
  if (bridge === null) throw new Failure('Bug', 'The window asked the core before it was connected.')
  return bridge
}

/** Turns whatever was thrown on the way (a broken channel, a refused file) into a Failure. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  const wire = thrown as Partial<WireFailure> | null
  if (typeof wire?.kind === 'string' && (failureKinds as readonly string[]).includes(wire.kind))
    return fromWire(wire as WireFailure)
  return new Failure('Bug', wire?.message ?? String(thrown), {
    next: 'This is a fault in Temper. Please report it with what you did before.',
    cause: thrown,
  })
}

export const api = {
  /** Takes `given` (tests), Electron's preload, or a socket to the address this page came from. Call once, first. */
  connect(given: Bridge | undefined = window.temper): Bridge {
    bridge = given ?? socketBridge(hearLink)
    for (const subscribe of waiting.splice(0)) subscribe()
    return bridge
  },

  get shell(): Bridge['shell'] {
    return ready().shell
  },

  /** Asks the core. Rejects with a Failure, never with anything else. */
  async call<N extends CommandName>(name: N, input: Input<N>): Promise<Output<N>> {
    const answer = await ready()
      .call(name, input)
      .catch((thrown: unknown) => Promise.reject(toFailure(thrown)))
    if (!answer.ok) throw fromWire(answer.failure)
    return answer.output
  },

  /** Hears an event of the core until the returned function is called. */
  on<E extends EventName>(event: E, handler: (payload: Events[E]) => void): () => void {
    if (bridge !== null) return bridge.on(event, handler)
    let off: (() => void) | null = null
    let gone = false
    waiting.push(() => {
      if (!gone) off = ready().on(event, handler)
    })
    return () => {
      gone = true
      off?.()
    }
  },

  /** A path that the core can open, for a dropped or chosen file. Rejects with a Failure. */
  async pathOf(file: File, onProgress?: (sentRatio: number) => void): Promise<string> {
    try {
      return await ready().pathOf(file, onProgress)
    } catch (thrown) {
      throw toFailure(thrown)
    }
  },

  /** Hears whether the core answers; calls at once with the present state. */
  onLink(handler: LinkHandler): () => void {
    linkHandlers.add(handler)
    handler(link)
    return () => linkHandlers.delete(handler)
  },
}
