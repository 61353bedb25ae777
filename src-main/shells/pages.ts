// The built window's files, read once: a shell serves these by exact name and nothing else, so no path can escape.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { Failure } from '../contract/errors.ts'

export interface Page {
  type: string
  body: Buffer
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** @param connect where the window may connect to, beside its own address */
export const contentSecurityPolicy = (connect = ''): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ${connect}`.trimEnd(),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/** The built window: beside the bundle, or in out/ when the sources run as they stand. */
export function builtPages(): string {
  const places = [join(import.meta.dirname, '../renderer'), join(import.meta.dirname, '../../out/renderer')]
  const found = places.find((place) => existsSync(join(place, 'index.html')))
  if (found === undefined)
    throw new Failure('NotFound', 'The window is not built yet.', {
      where: places.at(-1)!,
      next: 'Run `npm run build`, then try again.',
    })
  return found
}

/** URL path ("/assets/x.js") -> file. "/" is index.html. */
export function readPages(folder: string): Map<string, Page> {
  const pages = new Map<string, Page>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const file = join(entry.parentPath, entry.name)
    pages.set('/' + relative(folder, file).split(sep).join('/'), { type, body: readFileSync(file) })
  }
  const index = pages.get('/index.html')
  if (index) pages.set('/', index)
  return pages
}
