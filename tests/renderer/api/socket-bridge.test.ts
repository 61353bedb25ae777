// The web shell's bridge against a socket that the test plays: what is sent, answered, lost, refused and tried again.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { socketBridge } from '../../../src-renderer/api/socket-bridge.ts'
import type { Link } from '../../../src-renderer/api/link.ts'

class PlayedSocket {
  static readonly OPEN = 1
  static all: PlayedSocket[] = []
  readyState = 0
  sent: { id: number; name: string; input: unknown }[] = []
  onopen: (() => void) | null = null
  onmessage: ((message: { data: string }) => void) | null = null
  onclose: (() => void) | null = null
  readonly address: string
  readonly protocol: string
  constructor(address: string, protocol: string) {
    this.address = address
    this.protocol = protocol
    PlayedSocket.all.push(this)
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as PlayedSocket['sent'][number])
  }
  open(): void {
    this.readyState = 1
    this.onopen?.()
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
  close(): void {
    this.readyState = 3
    this.onclose?.()
  }
}

let links: Link['state'][] = []
let served = false

beforeEach(() => {
  vi.useFakeTimers()
  PlayedSocket.all = []
  links = []
  served = false
  vi.stubGlobal('WebSocket', PlayedSocket)
  vi.stubGlobal('location', { hash: '#t=key', pathname: '/', search: '', protocol: 'http:', host: '127.0.0.1:4000' })
  vi.stubGlobal('history', { replaceState: () => undefined })
  vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined })
  vi.stubGlobal('fetch', () => (served ? Promise.resolve({ ok: true }) : Promise.reject(new Error('nobody there'))))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const start = () => {
  const bridge = socketBridge((link) => void links.push(link.state))
  return { bridge, socket: PlayedSocket.all[0]! }
}

test('what is asked before the socket opens is sent when it does, with the token as its protocol', async () => {
  const { bridge, socket } = start()
  const answer = bridge.call('models.list', {})
  expect(socket).toMatchObject({ address: 'ws://127.0.0.1:4000/', protocol: 't.key', sent: [] })
  socket.open()
  expect(socket.sent).toEqual([{ id: 1, name: 'models.list', input: {} }])
  socket.say({ id: 1, ok: true, output: [] })
  expect(await answer).toEqual({ id: 1, ok: true, output: [] })
  expect(links).toEqual(['connecting', 'open'])
})

test('answers find their questions in any order, and events their handlers until those let go', async () => {
  const { bridge, socket } = start()
  socket.open()
  const [first, second] = [bridge.call('models.list', {}), bridge.call('runs.list', {})]
  socket.say({ id: 2, ok: true, output: ['b'] })
  socket.say({ id: 1, ok: false, failure: { kind: 'Busy', message: 'Not now.' } })
  expect(await second).toMatchObject({ output: ['b'] })
  expect(await first).toMatchObject({ ok: false, failure: { kind: 'Busy' } })
  const heard: string[] = []
  const off = bridge.on('changed', ({ what }) => void heard.push(what))
  socket.say({ event: 'changed', payload: { what: 'runs' } })
  off()
  socket.say({ event: 'changed', payload: { what: 'chats' } })
  expect(heard).toEqual(['runs'])
})

test('a lost core ends what was asked in words, refuses more, and is tried again until it answers', async () => {
  const { bridge, socket } = start()
  socket.open()
  const answer = bridge.call('models.list', {})
  socket.close()
  expect(await answer).toMatchObject({ ok: false, failure: { kind: 'Stopped' } })
  expect(await bridge.call('models.list', {})).toMatchObject({ ok: false })
  await vi.advanceTimersByTimeAsync(1000)
  expect(PlayedSocket.all).toHaveLength(2)
  PlayedSocket.all[1]!.open()
  expect(links.at(-1)).toBe('open')
})

test('a socket refused by a server that is there is not tried again: the key is wrong', async () => {
  served = true
  const { socket } = start()
  socket.close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(links.at(-1)).toBe('refused')
  expect(PlayedSocket.all).toHaveLength(1)
})

test('without a token nothing is tried', () => {
  vi.stubGlobal('location', { hash: '', pathname: '/', search: '', protocol: 'http:', host: '127.0.0.1:4000' })
  start()
  expect(links).toEqual(['refused'])
  expect(PlayedSocket.all).toHaveLength(0)
})
