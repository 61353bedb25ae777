// Whether the core answers. Electron's preload is always open; a socket comes and goes.

export interface Link {
  /** `refused`: the key in the address is missing or no longer good, so trying again is of no use. */
  state: 'connecting' | 'open' | 'lost' | 'refused'
  /** When trying again next, in ms from now; null when no try is planned. */
  retryMs: number | null
}

export const openLink: Link = { state: 'open', retryMs: null }
