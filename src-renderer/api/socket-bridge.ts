// The web shell's bridge: one WebSocket to the address this page came from. The one-time token arrives in the URL's hash,
// moves to this tab's session storage and leaves the address bar; the socket carries it as its sub-protocol.
import type { Answered, Bridge } from '../../src-main/contract/commands.ts'
import type { AnswerFrame, EventFrame, RequestFrame } from '../../src-main/contract/events.ts'
import { Failure, fromWire, type WireFailure } from '../../src-main/contract/errors.ts'
import { openLink, type Link } from './link.ts'

const tokenKey = 'temper.token'
const firstRetryMs = 400
const longestRetryMs = 5_000

interface Waiting {
  frame: RequestFrame
  resolve: (answer: Answered<never>) => void
}

/** Takes the token out of `#t=TOKEN` (cleaning the address) or from this tab's storage. */
export function takeToken(place: Location, storage: Storage, history: History): string | null {
  const found = /^#t=([^&/]+)/.exec(place.hash)?.[1]
  if (found === undefined) return storage.getItem(tokenKey)
  storage.setItem(tokenKey, found)
  history.replaceState(null, '', place.pathname + place.search + '#/')
  return found
}

const gone: Answered<never> = {
  ok: false,
  failure: {
    kind: 'Stopped',
    message: 'Temper stopped answering before this was done.',
    next: 'Look at the terminal in which Temper was started. When it answers again, check whether this was done.',
  },
}

/** @param onLink hears every change of the connection. */
export function socketBridge(onLink: (link: Link) => void): Bridge {
  const token = takeToken(location, sessionStorage, history)
  const handlers = new Map<string, Set<(payload: never) => void>>()
  const waiting = new Map<number, Waiting>()
  let socket: WebSocket | null = null
  let retryMs = firstRetryMs
  let lastId = 0
  let link: Link = { state: 'connecting', retryMs: null }

  const say = (next: Link): void => {
    link = next
    onLink(next)
  }

  function open(): void {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
    socket = new WebSocket(`${scheme}//${location.host}/`, `t.${token}`)
    socket.onopen = () => {
      retryMs = firstRetryMs
      say(openLink)
      for (const { frame } of waiting.values()) socket?.send(JSON.stringify(frame))
    }
    socket.onmessage = (message) => hear(JSON.parse(String(message.data)) as AnswerFrame | EventFrame)
    socket.onclose = () => void close()
  }

  /** A socket that never opened while the page itself is served was refused: the key is wrong, so no retry helps. */
  async function close(): Promise<void> {
    const wasOpen = link.state === 'open'
    if (wasOpen) say({ state: 'lost', retryMs })
    for (const one of waiting.values()) one.resolve(gone)
    waiting.clear()
    const served =
      !wasOpen &&
      (await fetch(location.pathname, { method: 'HEAD' }).then(
        (r) => r.ok,
        () => false,
      ))
    if (served) return say({ state: 'refused', retryMs: null })
    say({ state: 'lost', retryMs })
    setTimeout(open, retryMs)
    retryMs = Math.min(longestRetryMs, retryMs * 1.6)
  }

  function hear(frame: AnswerFrame | EventFrame): void {
    if ('event' in frame) {
      for (const handler of handlers.get(frame.event) ?? []) handler(frame.payload as never)
      return
    }
    const one = waiting.get(frame.id)
    waiting.delete(frame.id)
    one?.resolve(frame as Answered<never>)
  }

  if (token === null) say({ state: 'refused', retryMs: null })
  else {
    say(link)
    open()
  }

  return {
    shell: 'web',
    call: (name, input) =>
      new Promise((resolve) => {
        if (link.state === 'lost' || link.state === 'refused') return resolve(gone)
        const frame: RequestFrame = { id: ++lastId, name, input }
        waiting.set(frame.id, { frame, resolve })
        if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
      }),
    on: (event, handler) => {
      const set = handlers.get(event) ?? new Set()
      handlers.set(event, set.add(handler as (payload: never) => void))
      return () => set.delete(handler as (payload: never) => void)
    },
    pathOf: (file, onProgress) => upload(file, token ?? '', onProgress),
  }
}

/** Sends a file to the core's machine (this one) and answers the path where it lies there. */
function upload(file: File, token: string, onProgress?: (sentRatio: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/upload?name=${encodeURIComponent(file.name)}`)
    request.setRequestHeader('x-temper-token', token)
    request.responseType = 'json'
    request.upload.onprogress = (event) => onProgress?.(event.total === 0 ? 1 : event.loaded / event.total)
    request.onerror = () =>
      reject(new Failure('Stopped', `${file.name} could not be handed to Temper.`, { next: 'Try once more.' }))
    request.onload = () => {
      const answer = request.response as { path?: string; failure?: WireFailure } | null
      if (request.status === 200 && answer?.path !== undefined) resolve(answer.path)
      else if (answer?.failure !== undefined) reject(fromWire(answer.failure))
      else
        reject(
          new Failure('BadFile', `Temper did not take ${file.name} (answer ${request.status}).`, {
            where: file.name,
            next: 'Try once more, or import it from the command line.',
          }),
        )
    }
    request.send(file)
  })
}
