import { expect, test } from 'vitest'
import { takeToken } from '../../src-renderer/api/socket-bridge.ts'
import { href, hrefOf, parseHash } from '../../src-renderer/state/router.svelte.ts'

test('an address survives being written and read', () => {
  for (const [page, id, query] of [
    ['data', 'd3', { row: '17' }],
    ['home', null, {}],
    ['train', null, { data: 'd1' }],
    ['chat', 'a/b c', {}],
  ] as const)
    expect(parseHash(href(page, id, query))).toEqual({ page, id, query })
})

test('an unknown or empty address is Home', () => {
  for (const hash of ['', '#', '#/', '#/nowhere/d1', '#t=secret']) expect(parseHash(hash).page).toBe('home')
})

test('each kind of record has its page', () => {
  expect(hrefOf('run', 'r2')).toBe('#/runs/r2')
  expect(hrefOf('pairs', 'p1')).toBe('#/label/p1')
})

test('the token leaves the address and stays in this tab', () => {
  const stored = new Map<string, string>()
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  } as Storage
  const shown: string[] = []
  const history = { replaceState: (_: unknown, __: string, url: string) => void shown.push(url) } as unknown as History
  const at = (hash: string): Location => ({ hash, pathname: '/', search: '' }) as Location
  expect(takeToken(at('#/data'), storage, history)).toBeNull()
  expect(takeToken(at('#t=abc_-9'), storage, history)).toBe('abc_-9')
  expect(shown).toEqual(['/#/'])
  expect(takeToken(at('#/data'), storage, history)).toBe('abc_-9')
})
