// What the person set for the application: a key and any plain value.
import type { Store } from './open.ts'

export function listSettings(store: Store): Record<string, unknown> {
  const rows = store.all<{ key: string; value: string }>('SELECT key, value FROM settings ORDER BY key')
  return Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value)]))
}

/** Keeps a value; null or undefined takes the key away. */
export function setSetting(store: Store, key: string, value: unknown): void {
  if (value === null || value === undefined) store.run('DELETE FROM settings WHERE key = ?', key)
  else store.run('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)', key, JSON.stringify(value))
}
