// The Electron shell against a stand-in `electron`: the same core through main and preload, and the window's locks.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { Bridge } from '../../../src-main/contract/commands.ts'
import { app, exposed, opened, page, permissions, privileged, schemes, windows } from '../../stand-ins/electron.ts'

let bridge: Bridge
beforeAll(async () => {
  process.env['TEMPER_HOME'] = mkdtempSync(join(tmpdir(), 'temper-electron-'))
  const pages = mkdtempSync(join(tmpdir(), 'temper-pages-'))
  writeFileSync(join(pages, 'index.html'), '<p>window</p>')
  const { start } = await import('../../../src-main/shells/electron/window.ts')
  await start(pages)
  await import('../../../src-preload/bridge.ts')
  bridge = exposed['temper'] as Bridge
  return () => void app.emit('before-quit', { preventDefault: () => {} })
}, 30_000)

test('the window is sandboxed, isolated and without Node', () => {
  expect(windows[0]!.options.webPreferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webSecurity: true,
    webviewTag: false,
  })
  expect(windows[0]!.options).toMatchObject({ minWidth: 1000, minHeight: 700 })
})

test('only the build is ever loaded, with a strict content-security policy', async () => {
  expect(windows[0]!.loaded).toBe('temper://window/')
  expect(privileged).toEqual([{ scheme: 'temper', privileges: { standard: true, secure: true } }])
  const serve = schemes.get('temper')!
  const home = await serve({ url: 'temper://window/' })
  expect(home.status).toBe(200)
  expect(home.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect((await serve({ url: 'temper://window/../../package.json' })).status).toBe(404)
})

test('the window cannot leave, open others or ask for permissions', () => {
  const { webContents } = windows[0]!
  let prevented = false
  webContents.emit('will-navigate', { preventDefault: () => (prevented = true) }, 'https://example.com/')
  expect(prevented).toBe(true)
  expect(webContents.openHandler!({ url: 'https://example.com/' })).toEqual({ action: 'deny' })
  expect(webContents.openHandler!({ url: 'file:///etc/passwd' })).toEqual({ action: 'deny' })
  expect(opened).toEqual(['https://example.com/'])
  let granted: unknown = null
  permissions.request!({}, 'media', (decision: unknown) => (granted = decision))
  expect(granted).toBe(false)
})

test('the preload gives the bridge and nothing else, and the core answers through it', async () => {
  expect(Object.keys(exposed)).toEqual(['temper'])
  expect(Object.keys(bridge).sort()).toEqual(['call', 'on', 'pathOf', 'shell'])
  expect(await bridge.call('data.list', {})).toMatchObject({ ok: true })
  expect(await bridge.call('data.show', { id: 'd999' })).toMatchObject({ ok: false, failure: { kind: 'NotFound' } })
  expect(await bridge.call('data.show', { id: '../etc' })).toMatchObject({ ok: false })
})

test('events reach the window', async () => {
  const heard: unknown[] = []
  const off = bridge.on('changed', (payload) => heard.push(payload))
  expect(await bridge.call('settings.set', { key: 'theme', value: 'dark' })).toMatchObject({ ok: true })
  await expect.poll(() => heard.length).toBeGreaterThan(0)
  off()
})

test('a page from anywhere else is not answered', async () => {
  page.url = 'https://evil.test/'
  expect(await bridge.call('data.list', {})).toMatchObject({ ok: false })
  page.url = 'temper://window/'
})
