// Files on their way in: chosen or dropped, handed to the core, previewed, then imported or let go. One is looked at at a
// time; the rest wait their turn.
import { api, toFailure } from '../api.ts'
import type { Preview } from '../../src-main/contract/commands.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
import type { Mapping } from '../../src-main/contract/records.ts'
import { go } from './router.svelte.ts'

interface Importing {
  /** Chosen in the window; null when the path was given (importing again). */
  file: File | null
  name: string
  path: string | null
  /** How much was handed over, in the web shell. */
  sentRatio: number
  preview: Preview | null
  /** True while a preview is being made anew; the last one stays to be seen. */
  reading: boolean
  failure: Failure | null
  job: string | null
}

export const importing = $state<{ now: Importing | null; next: File[] }>({ now: null, next: [] })

/** Begins with the first file and keeps the others waiting. Opens the import page. */
export async function beginImport(files: readonly File[]): Promise<void> {
  const [first, ...others] = files
  if (first === undefined) return
  importing.next = [...importing.next, ...others]
  importing.now = blank(first.name, first)
  const now = importing.now
  go('data', 'import')
  try {
    now.path = await api.pathOf(first, (ratio) => (now.sentRatio = ratio))
    now.sentRatio = 1
  } catch (thrown) {
    now.failure = toFailure(thrown)
    return
  }
  await preview()
}

/** Begins with a path on the core's machine. */
export async function beginImportOf(path: string): Promise<void> {
  importing.now = { ...blank(path.split(/[\\/]/).at(-1) ?? path, null), path, sentRatio: 1 }
  go('data', 'import')
  await preview()
}

/** Reads the beginning of the file anew, under `mapping` where a person corrected it. */
export async function preview(mapping?: Mapping): Promise<void> {
  const now = importing.now
  if (now?.path == null) return
  now.reading = true
  try {
    now.preview = await api.call('data.preview', { path: now.path, ...(mapping && { mapping }) })
    now.failure = null
  } catch (thrown) {
    now.failure = toFailure(thrown)
  }
  now.reading = false
}

/** Starts the import as previewed. Progress comes by events; the page follows `job`. */
export async function keep(name: string, heldOutRatio: number): Promise<void> {
  const now = importing.now
  if (now?.path == null || now.preview === null) return
  try {
    const mapping = $state.snapshot(now.preview.mapping)
    now.failure = null
    now.job = (await api.call('data.import', { path: now.path, name, mapping, heldOutRatio })).job
  } catch (thrown) {
    now.failure = toFailure(thrown)
  }
}

/** Lets the present file go; the next one waiting comes forward. Answers whether there was one. */
export function letGo(): boolean {
  const [next, ...others] = importing.next
  importing.now = null
  importing.next = others
  if (next === undefined) return false
  void beginImport([next])
  return true
}

function blank(name: string, file: File | null): Importing {
  return { file, name, path: null, sentRatio: 0, preview: null, reading: false, failure: null, job: null }
}
