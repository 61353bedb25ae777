// Which page is shown: kept in the address's hash (#/data/d3?row=17), so that reload and back work in every shell.

export const pages = ['home', 'models', 'data', 'train', 'runs', 'label', 'chat', 'settings'] as const
export type Page = (typeof pages)[number]

export interface Route {
  page: Page
  /** The record shown, or a word the page knows ("import"). */
  id: string | null
  query: Record<string, string>
}

/** "#/data/d3?row=17" -> its parts. An unknown page is Home. */
export function parseHash(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?')
  const [page = '', id = ''] = path.split('/').map(decodeURIComponent)
  return {
    page: (pages as readonly string[]).includes(page) ? (page as Page) : 'home',
    id: id === '' ? null : id,
    query: Object.fromEntries(new URLSearchParams(search)),
  }
}

/** The address of a page: href('data', 'd3', { row: '17' }). */
export function href(page: Page, id: string | null = null, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString()
  return `#/${page === 'home' ? '' : page}${id === null ? '' : `/${encodeURIComponent(id)}`}${search && `?${search}`}`
}

export const router = $state<{ route: Route }>({ route: parseHash('') })

export function go(page: Page, id: string | null = null, query: Record<string, string> = {}): void {
  location.hash = href(page, id, query)
}

/** Changes the address without a new entry in the history: for what is looked at within a page. */
export function goQuietly(page: Page, id: string | null = null, query: Record<string, string> = {}): void {
  history.replaceState(null, '', href(page, id, query))
  readHash()
}

/** Reads the address; call at the start and on `hashchange`. */
export function readHash(): void {
  router.route = parseHash(location.hash)
}

/** Where a record of the library is shown. */
export function hrefOf(kind: 'run' | 'dataset' | 'chat' | 'model' | 'pairs', id: string): string {
  const page: Record<typeof kind, Page> = {
    run: 'runs',
    dataset: 'data',
    chat: 'chat',
    model: 'models',
    pairs: 'label',
  }
  return href(page[kind], id)
}
