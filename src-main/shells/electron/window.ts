// The Electron shell: one sandboxed window over the core. Nothing remote is ever loaded: pages come from the build by
// the scheme temper://, links open in the person's browser, every permission is refused.
import { join } from 'node:path'
import { app, BrowserWindow, dialog, ipcMain, Menu, nativeTheme, protocol, session, shell } from 'electron'
import type { CommandName, Input } from '../../contract/commands.ts'
import { toWire } from '../../contract/errors.ts'
import { eventNames, type AnswerFrame, type RequestFrame } from '../../contract/events.ts'
import { createCore, type Core } from '../../core.ts'
import { defaultHome } from '../../store/files.ts'
import { contentSecurityPolicy, readPages } from '../pages.ts'
import { menu } from './menu.ts'

const scheme = 'temper'
const address = `${scheme}://window/`

protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true } }])

export async function openWindow(core: Core): Promise<BrowserWindow> {
  const dark = nativeTheme.shouldUseDarkColors
  const window = new BrowserWindow({
    width: 1360,
    height: 860,
    minWidth: 1000,
    minHeight: 700,
    show: false,
    title: 'Temper',
    backgroundColor: dark ? '#14161a' : '#efece6',
    titleBarStyle: process.platform === 'darwin' ? 'hiddenInset' : 'hidden',
    titleBarOverlay: { height: 40, color: dark ? '#14161a' : '#efece6', symbolColor: dark ? '#cfcbc4' : '#3c4048' },
    webPreferences: {
      preload: join(import.meta.dirname, '../preload/bridge.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    },
  })
  window.webContents.setWindowOpenHandler(({ url }) => {
    if (/^https:\/\//.test(url)) void shell.openExternal(url)
    return { action: 'deny' }
  })
  window.webContents.on('will-navigate', (event, url) => {
    if (!url.startsWith(address)) event.preventDefault()
  })
  window.webContents.on('will-attach-webview', (event) => event.preventDefault())
  const off = eventNames.map((event) =>
    core.on(event, (payload) => {
      if (!window.isDestroyed()) window.webContents.send('temper:event', { event, payload })
    }),
  )
  window.on('closed', () => off.forEach((stop) => stop()))
  window.once('ready-to-show', () => window.show())
  await window.loadURL(address)
  return window
}

/** Answers the window's calls; a frame from any other page is refused. */
export function answerCalls(core: Core): void {
  ipcMain.handle('temper:call', async (event, frame: RequestFrame): Promise<AnswerFrame> => {
    try {
      if (!event.senderFrame?.url.startsWith(address)) throw new Error('This page may not ask the core anything.')
      return {
        id: frame.id,
        ok: true,
        output: await core.call(frame.name as CommandName, frame.input as Input<CommandName>),
      }
    } catch (thrown) {
      return { id: frame.id, ok: false, failure: toWire(thrown) }
    }
  })
}

function servePages(folder: string): void {
  const pages = readPages(folder)
  protocol.handle(scheme, (request) => {
    const page = pages.get(new URL(request.url).pathname)
    if (!page) return new Response('There is no such page.', { status: 404 })
    return new Response(new Uint8Array(page.body), {
      headers: {
        'content-type': page.type,
        'content-security-policy': contentSecurityPolicy(),
        'x-content-type-options': 'nosniff',
      },
    })
  })
}

/** @param pages the folder of the built window */
export async function start(pages: string): Promise<void> {
  if (!app.requestSingleInstanceLock()) return app.quit()
  await app.whenReady()
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
  servePages(pages)
  let core: Core
  try {
    core = await createCore({ home: process.env['TEMPER_HOME'] ?? defaultHome(), log: (line) => console.error(line) })
  } catch (thrown) {
    const { message, where, next } = toWire(thrown)
    dialog.showErrorBox('Temper could not open its library', [message, where, next].filter(Boolean).join('\n\n'))
    return app.quit()
  }
  answerCalls(core)
  Menu.setApplicationMenu(Menu.buildFromTemplate(menu(process.platform === 'darwin')))
  let window = await openWindow(core)
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on('activate', () => {
    if (window.isDestroyed()) void openWindow(core).then((opened) => (window = opened))
  })
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  let closing = false
  app.on('before-quit', (event) => {
    if (closing) return
    closing = true
    event.preventDefault()
    void core.close().finally(() => app.quit())
  })
}
