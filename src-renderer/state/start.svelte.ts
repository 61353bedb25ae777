// Wires the shared state to the core, once, before the frame is mounted.
import { api } from '../api.ts'
import { hearChanged, hearRun, library, refresh } from './library.svelte.ts'
import { link } from './link.svelte.ts'
import { hearImport, hearLiveRun, hearPairs, readLive } from './live.svelte.ts'
import { readHash } from './router.svelte.ts'
import { readSettings } from './settings.svelte.ts'

const machineEveryMs = 15_000

async function readAll(): Promise<void> {
  await Promise.all([refresh(), readSettings().catch(() => undefined)])
  await readLive(library.runs).catch(() => undefined)
}

export function startState(): void {
  readHash()
  window.addEventListener('hashchange', readHash)
  api.on('changed', ({ what }) => {
    if (what === 'settings') void readSettings().catch(() => undefined)
    else hearChanged(what)
  })
  api.on('run', (event) => {
    hearRun(event.run)
    hearLiveRun(event)
  })
  api.on('import', hearImport)
  api.on('pairs', hearPairs)
  // A lost core may come back with other figures: everything is asked again at each opening.
  api.onLink((next) => {
    const opened = next.state === 'open' && link.now.state !== 'open'
    link.now = next
    if (next.state === 'open') link.wasOpen = true
    if (opened) void readAll()
  })
  setInterval(() => {
    if (!document.hidden && link.now.state === 'open') void refresh(['overview'])
  }, machineEveryMs)
}
