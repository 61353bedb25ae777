// The web shell: the same window in a browser, for machines without Electron's binary and for boxes reached over SSH.
// It listens on 127.0.0.1 only, and answers only whoever holds this start's token, from its own address (Host and Origin
// are checked against DNS rebinding and foreign pages). Files: exactly those of the build.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { WebSocketServer, type WebSocket } from 'ws'
import type { CommandName, Input } from '../../contract/commands.ts'
import { Failure, toWire } from '../../contract/errors.ts'
import { eventNames, type AnswerFrame, type RequestFrame } from '../../contract/events.ts'
import type { Core } from '../../core.ts'
import { contentSecurityPolicy, type Page } from '../pages.ts'

export interface WebShell {
  /** With the token in its hash, which browsers never send to a server. */
  url: string
  port: number
  close(): Promise<void>
}

const largestFrameBytes = 64 * 2 ** 20
/** A window that reads too slowly misses events (each is whole) rather than filling our memory. */
const backlogBytes = 4 * 2 ** 20

/** @param home the library's folder: uploads wait in `home/uploads` until their import has read them */
export async function serve(core: Core, pages: Map<string, Page>, home: string, port = 0): Promise<WebShell> {
  const token = randomBytes(24).toString('base64url')
  const uploads = join(home, 'uploads')
  rmSync(uploads, { recursive: true, force: true })

  const here = (): string => `127.0.0.1:${(http.address() as AddressInfo).port}`
  const mine = (request: IncomingMessage): boolean => request.headers.host === here()
  const fromHere = (request: IncomingMessage): boolean => request.headers.origin === `http://${here()}`
  const knows = (given: string | undefined): boolean =>
    given !== undefined && given.length === token.length && timingSafeEqual(Buffer.from(given), Buffer.from(token))

  const http = createServer((request, response) => {
    respond(request, response).catch((thrown: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ failure: toWire(thrown) }))
    })
  })

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!mine(request)) return void response.writeHead(403).end()
    const url = new URL(request.url ?? '/', `http://${here()}`)
    if (request.method === 'POST' && url.pathname === '/upload') return upload(request, response, url)
    const page = request.method === 'GET' || request.method === 'HEAD' ? pages.get(url.pathname) : undefined
    if (!page) return void response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.')
    response
      .writeHead(200, {
        'content-type': page.type,
        'content-length': page.body.length,
        'content-security-policy': contentSecurityPolicy(`ws://${here()}`),
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      })
      .end(request.method === 'HEAD' ? undefined : page.body)
  }

  /** A file chosen in the browser, streamed to disk so that the core can open it by path. */
  async function upload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const given = request.headers['x-temper-token']
    if (!fromHere(request) || !knows(typeof given === 'string' ? given : undefined))
      return void response.writeHead(403).end()
    const name =
      basename(url.searchParams.get('name') ?? 'upload')
        .replace(/[^\p{L}\p{N}._ -]/gu, '_')
        .slice(0, 120) || 'upload'
    const folder = join(uploads, randomBytes(8).toString('hex'))
    mkdirSync(folder, { recursive: true })
    const file = join(folder, name)
    try {
      await pipeline(request, createWriteStream(file))
    } catch (thrown) {
      rmSync(folder, { recursive: true, force: true })
      throw thrown
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ path: file }))
  }

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: largestFrameBytes,
    handleProtocols: (offered) => [...offered].find((p) => p.startsWith('t.')) ?? false,
  })
  http.on('upgrade', (request, socket, head) => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim())
    const given = offered.find((p) => p.startsWith('t.'))?.slice(2)
    if (!mine(request) || !fromHere(request) || !knows(given)) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    sockets.handleUpgrade(request, socket, head, (window) => attend(core, window))
  })

  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new Failure('BadOption', `A port is a whole number from 0 to 65535, not ${port}.`, {
      where: '--port',
      next: 'Leave --port out for any free one.',
    })
  await new Promise<void>((ok, bad) => {
    http.once('error', (error: NodeJS.ErrnoException) => bad(portTaken(error, port)))
    http.listen(port, '127.0.0.1', ok)
  })
  return {
    url: `http://${here()}/#t=${token}`,
    port: (http.address() as AddressInfo).port,
    close: async () => {
      for (const window of sockets.clients) window.terminate()
      rmSync(uploads, { recursive: true, force: true })
      await new Promise<void>((ok) => {
        http.close(() => ok())
        http.closeAllConnections()
      })
    },
  }
}

function portTaken(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error
  const why = error.code === 'EACCES' ? 'may not be used by this user' : 'is in use by another program'
  return new Failure('Busy', `Port ${port} ${why}.`, {
    where: `127.0.0.1:${port}`,
    next: 'Choose another with --port, or leave --port out for any free one.',
    cause: error,
  })
}

/** One window on its socket: frames in, answers and events out. */
function attend(core: Core, window: WebSocket): void {
  const send = (frame: object): void => window.send(JSON.stringify(frame))
  const off = eventNames.map((event) =>
    core.on(event, (payload) => {
      if (window.bufferedAmount < backlogBytes) send({ event, payload })
    }),
  )
  window.on('message', (data: Buffer) => {
    void answer(core, data).then((frame) => window.readyState === window.OPEN && send(frame))
  })
  window.on('close', () => off.forEach((stop) => stop()))
  window.on('error', () => window.terminate())
}

async function answer(core: Core, data: Buffer): Promise<AnswerFrame> {
  let id = -1
  try {
    const frame = JSON.parse(data.toString('utf8')) as RequestFrame
    if (typeof frame.id === 'number') id = frame.id
    const output = await core.call(String(frame.name) as CommandName, frame.input as Input<CommandName>)
    return { id, ok: true, output }
  } catch (thrown) {
    return { id, ok: false, failure: toWire(thrown) }
  }
}
