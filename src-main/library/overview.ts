// The library at a glance: where one stands on the way from data to chat, what was touched last, what this machine can do.
import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { Doctor, Overview } from '../contract/commands.ts'
import { openBackend, probeBackends } from '../engine/backends/choose.ts'
import { listChats } from '../store/chats.ts'
import { listDatasets } from '../store/datasets.ts'
import { freeBytes } from '../store/files.ts'
import { listModels } from '../store/models.ts'
import { listPairSets } from '../store/pairs.ts'
import { listRuns } from '../store/runs.ts'
import type { CoreContext } from './context.ts'
import { isSample, resourcesFolder } from './starter.ts'

type Recent = Overview['recent'][number]
const mostRecent = 8
const mostFound = 20

const some = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

/** Everything that has a name, latest touched first; `own` leaves away what Temper brought along. */
function everything({ store }: CoreContext, which: 'all' | 'own' = 'all'): Recent[] {
  const datasets = listDatasets(store).filter((one) => which === 'all' || !isSample(one))
  const models = listModels(store).filter((one) => which === 'all' || !one.builtIn)
  return [
    ...listRuns(store).map((run): Recent => {
      const note =
        run.state === 'training' || run.state === 'paused'
          ? `${run.state}, step ${run.step} of ${run.steps}`
          : run.state
      return { kind: 'run', id: run.id, name: run.name, note, at: run.endedAt ?? run.startedAt ?? run.createdAt }
    }),
    ...datasets.map((one): Recent => {
      return { kind: 'dataset', id: one.id, name: one.name, note: some(one.rows, 'row'), at: one.createdAt }
    }),
    ...listPairSets(store).map((one): Recent => {
      return {
        kind: 'pairs',
        id: one.id,
        name: one.name,
        note: `${one.judged} of ${one.total} judged`,
        at: one.createdAt,
      }
    }),
    ...listChats(store).map((chat): Recent => {
      return { kind: 'chat', id: chat.id, name: chat.title, note: 'chat', at: chat.updatedAt }
    }),
    ...models.map((model): Recent => {
      const note = `${some(model.parameters, 'parameter')}`
      return { kind: 'model', id: model.id, name: model.name, note, at: model.createdAt }
    }),
  ].toSorted((one, other) => other.at - one.at)
}

/** Records whose name holds every word of the query, latest touched first. */
export function find(context: CoreContext, query: string): Omit<Recent, 'at'>[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  return everything(context)
    .filter(({ name, id }) => words.every((word) => name.toLowerCase().includes(word) || id === word))
    .slice(0, mostFound)
    .map(({ kind, id, name, note }) => ({ kind, id, name, note }))
}

export async function overview(context: CoreContext): Promise<Overview> {
  const { store, home } = context
  const models = listModels(store)
  const datasets = listDatasets(store)
  const runs = listRuns(store)
  const sets = listPairSets(store)
  const chats = listChats(store)
  return {
    version: version(),
    home,
    machine: await machine(),
    counts: {
      models: models.length,
      datasets: datasets.length,
      runs: runs.length,
      pairSets: sets.length,
      chats: chats.length,
    },
    stations: stationsOf({ models, datasets, runs, sets, chats }),
    recent: everything(context, 'own').slice(0, mostRecent),
    starter: models.find((model) => model.builtIn) ?? null,
  }
}

function stationsOf(all: {
  models: ReturnType<typeof listModels>
  datasets: ReturnType<typeof listDatasets>
  runs: ReturnType<typeof listRuns>
  sets: ReturnType<typeof listPairSets>
  chats: ReturnType<typeof listChats>
}): Overview['stations'] {
  const { models, datasets, runs, sets, chats } = all
  const imported = datasets.filter((one) => 'file' in one.source)
  const samples = datasets.filter(isSample)
  const trained = runs.filter((run) => run.state === 'finished')
  const going = runs.find((run) => run.state === 'training')
  const judged = sets.reduce((sum, set) => sum + set.judged, 0)
  const pairs = sets.reduce((sum, set) => sum + set.total, 0)
  const canAsk = datasets.some((one) => one.kind !== 'text')
  const canTrain = models.length > 0 && datasets.length > 0
  return {
    import: {
      done: imported.length > 0,
      ready: true,
      note:
        imported.length > 0
          ? `${some(imported.length, 'dataset')}, ${some(
              imported.reduce((sum, one) => sum + one.rows, 0),
              'row',
            )}`
          : samples.length > 0
            ? `${some(samples.length, 'sample dataset')} to begin with, or a file of your own`
            : 'JSONL, CSV, Parquet or plain text',
    },
    train: {
      done: trained.length > 0,
      ready: canTrain,
      note: going
        ? `${going.name} is at step ${going.step} of ${going.steps}`
        : trained.length > 0
          ? some(trained.length, 'finished run')
          : canTrain
            ? 'Teach a model from a dataset'
            : models.length === 0
              ? 'Opens when there is a model'
              : 'Opens when there is a dataset',
    },
    label: {
      done: judged > 0,
      ready: pairs > 0 || (canAsk && models.length > 0),
      note:
        pairs > 0
          ? `${judged.toLocaleString('en')} of ${some(pairs, 'pair')} judged`
          : canAsk
            ? 'Say which of two answers is better'
            : 'Opens when a dataset holds prompts or pairs',
    },
    chat: {
      done: chats.length > 0,
      ready: models.length > 0,
      note:
        chats.length > 0
          ? some(chats.length, 'chat')
          : models.length > 0
            ? 'Ask a model'
            : 'Opens when there is a model',
    },
  }
}

/** Which backend training will use here; asked once, since that takes a moment. */
let chosen: { backend: string; summary: string } | null = null
async function machine(): Promise<Overview['machine']> {
  if (chosen === null) {
    const backend = await openBackend('auto')
    chosen = { backend: backend.name, summary: backend.summary }
    backend.close()
  }
  return {
    ...chosen,
    threads: availableParallelism(),
    usedBytes: process.memoryUsage.rss(),
    totalBytes: totalmem(),
  }
}

export async function doctor({ store, home }: CoreContext): Promise<Doctor> {
  return {
    version: version(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    backends: await probeBackends(),
    home: { path: home, freeBytes: freeBytes(home), databaseVersion: store.version() },
  }
}

function version(): string {
  const file = join(dirname(resourcesFolder()), 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
