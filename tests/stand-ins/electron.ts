// A stand-in for the `electron` module: one process plays main and renderer, and what crosses between them goes through
// structuredClone, as it does in Electron. It records what the shell asked for, so that tests can hold it to its promises.
import { EventEmitter } from 'node:events'

type Handler = (event: unknown, ...args: unknown[]) => unknown
const clone = <T>(x: T): T => structuredClone(x)
const handlers = new Map<string, Handler>()

export const exposed: Record<string, unknown> = {}
export const windows: BrowserWindow[] = []
export const schemes = new Map<string, (request: { url: string }) => Response | Promise<Response>>()
export const privileged: unknown[] = []
export const opened: string[] = []
export const permissions: { request?: Handler; check?: Handler } = {}
/** The page that the stand-in renderer pretends to be. */
export const page = { url: 'temper://window/' }

export const ipcRenderer = Object.assign(new EventEmitter(), {
  invoke: async (channel: string, ...args: unknown[]) => {
    const handler = handlers.get(channel)
    if (!handler) throw new Error(`No handler registered for '${channel}'`)
    return clone(await handler({ senderFrame: { url: page.url } }, ...clone(args)))
  },
})
export const ipcMain = Object.assign(new EventEmitter(), {
  handle: (channel: string, handler: Handler) => {
    if (handlers.has(channel)) throw new Error(`A second handler for ${channel}`)
    handlers.set(channel, handler)
  },
})
export const contextBridge = { exposeInMainWorld: (name: string, value: unknown) => void (exposed[name] = value) }
export const webUtils = { getPathForFile: (file: { path?: string }) => file.path ?? '' }

class WebContents extends EventEmitter {
  openHandler: ((details: { url: string }) => { action: string }) | undefined
  send(channel: string, message: unknown): void {
    ipcRenderer.emit(channel, {}, clone(message))
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler
  }
}
export class BrowserWindow extends EventEmitter {
  loaded = ''
  webContents = new WebContents()
  readonly options: { webPreferences?: Record<string, unknown>; minWidth?: number; minHeight?: number }
  constructor(options: BrowserWindow['options']) {
    super()
    this.options = options
    windows.push(this)
  }
  loadURL(url: string): Promise<void> {
    this.loaded = url
    return Promise.resolve()
  }
  isDestroyed(): boolean {
    return false
  }
  isMinimized(): boolean {
    return false
  }
  restore(): void {}
  focus(): void {}
  show(): void {}
}
export const app = Object.assign(new EventEmitter(), {
  whenReady: () => Promise.resolve(),
  requestSingleInstanceLock: () => true,
  quit: () => {},
})
export const protocol = {
  registerSchemesAsPrivileged: (list: unknown[]) => void privileged.push(...list),
  handle: (scheme: string, handler: (request: { url: string }) => Response | Promise<Response>) =>
    void schemes.set(scheme, handler),
}
export const session = {
  defaultSession: {
    setPermissionRequestHandler: (handler: Handler) => void (permissions.request = handler),
    setPermissionCheckHandler: (handler: Handler) => void (permissions.check = handler),
  },
}
export const shell = { openExternal: (url: string) => void opened.push(url) }
export const dialog = { showErrorBox: (title: string, text: string) => void console.error(title, text) }
export const nativeTheme = { shouldUseDarkColors: false }
export const Menu = { setApplicationMenu: () => {}, buildFromTemplate: (template: unknown) => template }
