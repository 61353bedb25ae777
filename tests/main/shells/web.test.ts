// The web shell's door: who gets in, and what is served.
import { mkdtempSync, existsSync, readFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Failure } from '../../../src-main/contract/errors.ts'
import type { Core } from '../../../src-main/core.ts'
import { serve, type WebShell } from '../../../src-main/shells/web/server.ts'

const home = mkdtempSync(join(tmpdir(), 'temper-web-'))
const heard: ((payload: unknown) => void)[] = []
const core = {
  call: async (name: string, input: unknown) => {
    if (name === 'models.list') return [input]
    throw new Failure('NotFound', `There is no command “${name}”.`, { where: name })
  },
  on: (event: string, handler: (payload: unknown) => void) => {
    if (event === 'changed') heard.push(handler)
    return () => {}
  },
  close: async () => {},
} as unknown as Core

let shell: WebShell
let token = ''
beforeAll(async () => {
  const pages = new Map([['/', { type: 'text/html; charset=utf-8', body: Buffer.from('<p>window</p>') }]])
  shell = await serve(core, pages, home)
  token = new URL(shell.url).hash.slice('#t='.length)
})
afterAll(() => shell.close())

const get = (
  path: string,
  headers: Record<string, string> = {},
  how: { method?: string; body?: string } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> =>
  new Promise((ok, bad) => {
    const asked = request(
      { host: '127.0.0.1', port: shell.port, path, method: how.method ?? 'GET', headers },
      (answer) => {
        let body = ''
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()))
        answer.on('end', () => ok({ status: answer.statusCode!, headers: answer.headers, body }))
      },
    )
    asked.on('error', bad)
    asked.end(how.body)
  })

const connect = (headers: Record<string, string>, protocols: string[]): Promise<WebSocket | number> =>
  new Promise((done) => {
    const socket = new WebSocket(`ws://127.0.0.1:${shell.port}/`, protocols, { headers })
    socket.on('open', () => done(socket))
    socket.on('unexpected-response', (_, answer) => done(answer.statusCode!))
    socket.on('error', () => done(0))
  })
const own = (): string => `http://127.0.0.1:${shell.port}`

test('it listens on the loopback address with its token in the hash only', () => {
  expect(shell.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]{32}$/)
})

test('the window comes with a strict content-security policy', async () => {
  const { status, headers, body } = await get('/')
  expect(status).toBe(200)
  expect(body).toBe('<p>window</p>')
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(headers['content-security-policy']).not.toContain('unsafe-')
  expect(headers['content-security-policy']).toContain(`connect-src 'self' ws://127.0.0.1:${shell.port};`)
  expect(headers['referrer-policy']).toBe('no-referrer')
  expect(headers['x-content-type-options']).toBe('nosniff')
})

test('another host name is refused, as DNS rebinding would bring it', async () => {
  expect((await get('/', { host: 'evil.test' })).status).toBe(403)
  expect((await get('/', { host: `localhost:${shell.port}` })).status).toBe(403)
})

test('nothing outside the build is served', async () => {
  for (const path of [
    '/../package.json',
    '/%2e%2e/package.json',
    '//etc/passwd',
    '/index.html%00',
    '/uploads',
    '/..%2f..%2fetc/passwd',
  ])
    expect((await get(path)).status, path).toBe(404)
})

test('a socket needs the token and comes from the window itself', async () => {
  expect(await connect({ origin: own() }, ['t.wrong'])).toBe(403)
  expect(await connect({ origin: own() }, [])).toBe(403)
  expect(await connect({ origin: 'http://evil.test' }, [`t.${token}`])).toBe(403)
  expect(await connect({}, [`t.${token}`])).toBe(403)
  const socket = await connect({ origin: own() }, [`t.${token}`])
  expect(socket).toBeInstanceOf(WebSocket)
  ;(socket as WebSocket).terminate()
})

test('calls are answered, failures cross as data, events arrive', async () => {
  const socket = (await connect({ origin: own() }, [`t.${token}`])) as WebSocket
  const frames: unknown[] = []
  const next = (): Promise<unknown> =>
    new Promise((done) => socket.once('message', (data: Buffer) => done(JSON.parse(data.toString()))))
  socket.send(JSON.stringify({ id: 1, name: 'models.list', input: { a: 1 } }))
  expect(await next()).toEqual({ id: 1, ok: true, output: [{ a: 1 }] })
  socket.send(JSON.stringify({ id: 2, name: 'no.such', input: {} }))
  expect(await next()).toMatchObject({ id: 2, ok: false, failure: { kind: 'NotFound', where: 'no.such' } })
  socket.send('not json')
  expect(await next()).toMatchObject({ id: -1, ok: false, failure: { kind: 'Bug' } })
  const event = next()
  heard.forEach((handler) => handler({ what: 'models' }))
  expect(await event).toEqual({ event: 'changed', payload: { what: 'models' } })
  expect(frames).toEqual([])
  socket.terminate()
})

test('an upload needs the token, keeps inside the uploads folder and gives a path', async () => {
  const upload = (name: string, headers: Record<string, string>) =>
    get(`/upload?name=${encodeURIComponent(name)}`, headers, { method: 'POST', body: '{"text":"hello"}\n' })
  expect((await upload('a.jsonl', { origin: own() })).status).toBe(403)
  expect((await upload('a.jsonl', { origin: 'http://evil.test', 'x-temper-token': token })).status).toBe(403)
  const good = await upload('../../évil name.jsonl', { origin: own(), 'x-temper-token': token })
  expect(good.status).toBe(200)
  const { path } = JSON.parse(good.body) as { path: string }
  expect(path.startsWith(join(home, 'uploads'))).toBe(true)
  expect(path.endsWith('évil name.jsonl')).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('{"text":"hello"}\n')
  expect(existsSync(path)).toBe(true)
})

test('a port that is taken, or is none, is said with what to do', async () => {
  const taken = serve(core, new Map(), join(home, 'other'), shell.port)
  await expect(taken).rejects.toMatchObject({ kind: 'Busy', next: expect.stringContaining('--port') })
  await expect(serve(core, new Map(), join(home, 'other'), 70_000)).rejects.toMatchObject({ kind: 'BadOption' })
})
