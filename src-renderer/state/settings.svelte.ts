// What the person chose for the window itself. Kept by the core, so that every shell on one library agrees.
import { api } from '../api.ts'
import type { KeyId } from './keymap.ts'

export type Theme = 'system' | 'light' | 'dark'

interface Settings {
  theme: Theme
  singleKeys: boolean
  /** Actions whose keys the person changed. */
  keys: Partial<Record<KeyId, string>>
  /** The hash of the page seen last: where the window opens again. */
  lastPage: string
  ready: boolean
}

export const settings = $state<Settings>({ theme: 'system', singleKeys: true, keys: {}, lastPage: '', ready: false })

const names = {
  theme: 'window.theme',
  singleKeys: 'window.single-keys',
  keys: 'window.keys',
  lastPage: 'window.last-page',
} as const

export async function readSettings(): Promise<void> {
  const stored = await api.call('settings.get', {})
  const theme = stored[names.theme]
  if (theme === 'system' || theme === 'light' || theme === 'dark') settings.theme = theme
  if (typeof stored[names.singleKeys] === 'boolean') settings.singleKeys = stored[names.singleKeys] as boolean
  const keys = stored[names.keys]
  if (typeof keys === 'object' && keys !== null) settings.keys = keys as Settings['keys']
  if (typeof stored[names.lastPage] === 'string') settings.lastPage = stored[names.lastPage] as string
  settings.ready = true
  showTheme()
}

/** Changes one setting here at once and in the library. Rejects with a Failure when it could not be kept. */
export async function setSetting<K extends keyof typeof names>(key: K, value: Settings[K]): Promise<void> {
  Object.assign(settings, { [key]: value })
  if (key === 'theme') showTheme()
  await api.call('settings.set', { key: names[key], value: $state.snapshot(value) })
}

function showTheme(): void {
  if (settings.theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = settings.theme
}
