// A real window for the end-to-end tests: the built web shell in a child process, and Debian's Chromium on it.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'

const root = resolve(import.meta.dirname, '../..')
const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
export const browserPath = places.find((p) => p !== undefined && existsSync(p))
/** Why the tests that need a browser are left out, or false. */
export const noBrowser =
  browserPath === undefined && 'no Chromium found (Debian: apt-get install chromium, or set CHROMIUM to its path)'

export interface Shell {
  url: string
  child: ChildProcess
  /** As kill -9 would: no goodbye. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Starts `out/main/web.js` on a library and waits for its address. */
export async function startShell(home: string): Promise<Shell> {
  const child = spawn(process.execPath, [join(root, 'out/main/web.js'), '--home', home], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const url = await new Promise<string>((ok, bad) => {
    const timer = setTimeout(() => bad(new Error(`no address within 30 s: ${said}`)), 30_000)
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /http:\/\/127\.0\.0\.1:\d+\/#t=\S+/.exec(said)
      if (!found) return
      clearTimeout(timer)
      ok(found[0])
    })
    child.once('exit', (code) => bad(new Error(`the shell ended with ${code}: ${said}`)))
  })
  const end = (signal: NodeJS.Signals) => async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((done) => child.once('exit', done))
    child.kill(signal)
    await ended
  }
  return { url, child, kill: end('SIGKILL'), stop: end('SIGTERM') }
}

export interface Browser {
  page: Page
  /** Errors of the page and its console since the start. */
  errors: string[]
  close(): Promise<void>
}

export async function openBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'temper-browser-'))
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath!,
    viewport: { width: 1360, height: 860 },
    args: [
      '--headless=new',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const page = context.pages()[0] ?? (await context.newPage())
  page.setDefaultTimeout(20_000)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  return {
    page,
    errors,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

export const scratch = (): string => mkdtempSync(join(tmpdir(), 'temper-e2e-'))
