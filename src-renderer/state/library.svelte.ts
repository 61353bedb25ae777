// What the library holds, as lists that every page shares. Read whole at the start and again when the core says `changed`.
import { api, toFailure } from '../api.ts'
import type { Overview } from '../../src-main/contract/commands.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
import type { Answerer, Chat, Dataset, Model, PairSet, Run } from '../../src-main/contract/records.ts'

interface Library {
  overview: Overview | null
  models: Model[]
  datasets: Dataset[]
  runs: Run[]
  pairSets: PairSet[]
  chats: Chat[]
  answerers: Answerer[]
  /** True once every list was asked for; until then nothing is "empty". */
  ready: boolean
  failure: Failure | null
}

export const library = $state<Library>({
  overview: null,
  models: [],
  datasets: [],
  runs: [],
  pairSets: [],
  chats: [],
  answerers: [],
  ready: false,
  failure: null,
})

const readers = {
  overview: async () => void (library.overview = await api.call('app.overview', {})),
  models: async () => void (library.models = await api.call('models.list', {})),
  datasets: async () => void (library.datasets = await api.call('data.list', {})),
  runs: async () => void (library.runs = await api.call('runs.list', {})),
  pairs: async () => void (library.pairSets = await api.call('pairs.list', {})),
  chats: async () => void (library.chats = await api.call('chats.list', {})),
  answerers: async () => void (library.answerers = await api.call('answerers.list', {})),
}
type Part = keyof typeof readers

/** Which lists a change touches. */
const touched: Record<string, Part[]> = {
  models: ['models', 'answerers', 'overview'],
  datasets: ['datasets', 'overview'],
  runs: ['runs', 'answerers', 'overview'],
  pairs: ['pairs', 'overview'],
  labels: ['pairs', 'overview'],
  chats: ['chats', 'overview'],
}

/** Reads some lists again, or all. Failures are kept in `library.failure` and shown by the frame. */
export async function refresh(parts: Part[] = Object.keys(readers) as Part[]): Promise<void> {
  const failures: Failure[] = []
  await Promise.all(
    parts.map((part) => readers[part]().catch((thrown: unknown) => void failures.push(toFailure(thrown)))),
  )
  library.failure = failures[0] ?? null
  if (parts.length === Object.keys(readers).length) library.ready = true
}

const due = new Set<Part>()
let timer: ReturnType<typeof setTimeout> | null = null

/** Gathers what came within a tenth of a second into one reading. */
export function hearChanged(what: string): void {
  for (const part of touched[what] ?? []) due.add(part)
  timer ??= setTimeout(() => {
    timer = null
    const parts = [...due]
    due.clear()
    void refresh(parts)
  }, 100)
}

/** Keeps the list of runs at the figures of a `run` event. */
export function hearRun(run: Run): void {
  const at = library.runs.findIndex((one) => one.id === run.id)
  if (at === -1) library.runs = [run, ...library.runs]
  else library.runs[at] = run
}
