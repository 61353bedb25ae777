// Opens a library, serves its window on this machine, and opens a browser if there is one.
import { spawn } from 'node:child_process'
import { createCore } from '../../core.ts'
import { builtPages, readPages } from '../pages.ts'
import { serve, type WebShell } from './server.ts'

export async function serveHere(how: { home: string; port?: number; open?: boolean; json?: boolean }): Promise<void> {
  const core = await createCore({ home: how.home, log: (line) => console.error(line) })
  let shell: WebShell
  try {
    shell = await serve(core, readPages(builtPages()), how.home, how.port)
  } catch (error) {
    await core.close()
    throw error
  }
  if (how.json) console.log(JSON.stringify({ url: shell.url, port: shell.port }))
  else console.log(`Temper is open at ${shell.url}`)
  if (!how.json) console.log('Keep this running while you use it; Ctrl C ends it.')
  if (how.open) openBrowser(shell.url)
  let ending = false
  const end = (): void => {
    if (ending) return // the keyboard's Ctrl C and the one that npm passes on are one
    ending = true
    void shell
      .close()
      .then(() => core.close())
      .then(() => process.exit(0))
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}

/** The person's own browser, if this machine has a way to open one. Says nothing when it has not: the address is printed. */
function openBrowser(url: string): void {
  const [program, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url]]
        : ['xdg-open', [url]]
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return
  const child = spawn(program as string, args as string[], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
