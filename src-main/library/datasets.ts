// The person's datasets: import in the background, and what labels become. A dataset is shown once it is whole.
import { basename, extname } from 'node:path'
import { Failure, toWire } from '../contract/errors.ts'
import type { Events } from '../contract/events.ts'
import type { Dataset, Example, Mapping, Row, Run, Split } from '../contract/records.ts'
import { likeliestMapping } from '../data/import/preview.ts'
import { splitOf } from '../data/split.ts'
import {
  addDataset,
  addRefusals,
  addRows,
  beginDataset,
  finishDataset,
  listDatasets,
  removeDataset,
  renameDataset,
  replaceRows,
  sweepDatasets,
  walkRows,
} from '../store/datasets.ts'
import { freeBytes } from '../store/files.ts'
import { runsOn } from '../store/runs.ts'
import { runImport } from '../workers/importing.ts'
import type { CoreContext } from './context.ts'

/** Windows hear of an import at most this often. */
const tellEveryMs = 200

export interface ImportOrder {
  path: string
  name?: string | undefined
  mapping?: Mapping | undefined
  heldOutRatio: number
  seed: number
}

/** Lets the core answer what has been asked meanwhile: without it, batches would follow one another without a gap. */
const othersFirst = (): Promise<void> => new Promise((done) => setImmediate(done))

/** An import ends while the library can still be written to: with nothing left, not even its rows could be removed. */
const reserveBytes = 16 * 2 ** 20
function refuseNearlyFull(home: string): void {
  if (freeBytes(home) >= reserveBytes) return
  throw new Failure('DiskFull', 'The disk of the library is nearly full.', {
    where: home,
    next: 'Free some space, then import again. Nothing of this file was kept.',
  })
}

const nameOf = (path: string): string => basename(path, extname(path)).slice(0, 120) || basename(path)

/** Imports a file, all of it or nothing; `tell` hears how far it is. Throws what the file's fault is, or Stopped. */
export async function importDataset(
  { store, clock }: Pick<CoreContext, 'store' | 'clock'>,
  { path, name = nameOf(path), mapping: asked, heldOutRatio, seed }: ImportOrder,
  tell: (progress: { bytes: number; totalBytes: number; rows: number; refused: number }) => void,
  signal: AbortSignal,
): Promise<Dataset> {
  const mapping = asked ?? (await likeliestMapping(path)).mapping
  const source = { file: path, bytes: 0, sha256: '' } // known in full at the end
  const id = beginDataset(store, { name, kind: mapping.kind, source, mapping, createdAt: clock() })
  try {
    let rows = 0
    let firstReason = ''
    const summary = await runImport(
      { path, mapping },
      {
        onRows: async (batch) => {
          refuseNearlyFull(store.home)
          const split = (example: Example): Split => splitOf(example, seed, heldOutRatio)
          addRows(
            store,
            id,
            batch.map(({ line, example }) => ({ row: ++rows, line, split: split(example), example })),
          )
          await othersFirst()
        },
        onRefused: async (batch) => {
          firstReason ||= `line ${batch[0]!.line}: ${batch[0]!.reason}`
          addRefusals(store, id, batch)
          await othersFirst()
        },
        onProgress: tell,
      },
      signal,
    )
    if (summary.rows === 0)
      throw new Failure('BadFile', `None of the ${summary.refused} rows can be used; ${firstReason}`, {
        where: path,
        next: 'Look at the mapping in the preview, or mend the file.',
      })
    const { bytes, sha256 } = summary
    return finishDataset(store, id, { source: { file: path, bytes, sha256 } })
  } catch (error) {
    try {
      removeDataset(store, id)
    } catch {
      // On a full disk even this may fail: the dataset stays unseen, and the next start sweeps it out.
    }
    throw error
  }
}

/** Starts an import that goes on after the answer; `import` events tell of it. Throws what is wrong at first sight. */
export async function startImport(context: CoreContext, asked: ImportOrder): Promise<string> {
  const { emit, clock } = context
  const order = { ...asked, mapping: asked.mapping ?? (await likeliestMapping(asked.path)).mapping }
  const name = order.name ?? nameOf(order.path)
  return context.jobs.start(async (signal, job) => {
    let last: Events['import'] = {
      ...{ job, name, state: 'working', dataset: null },
      ...{ bytes: 0, totalBytes: 0, rows: 0, refused: 0 },
    }
    let toldAt = 0
    const tell = (change: Partial<Events['import']>): void => {
      last = { ...last, ...change }
      if (last.state === 'working' && clock() - toldAt < tellEveryMs) return
      toldAt = clock()
      emit('import', last)
    }
    try {
      const dataset = await importDataset(context, order, tell, signal)
      const bytes = 'file' in dataset.source ? dataset.source.bytes : last.bytes
      tell({ state: 'done', dataset: dataset.id, bytes, rows: dataset.rows, refused: dataset.refused })
    } catch (thrown) {
      const failure = toWire(thrown)
      if (failure.kind === 'Stopped') tell({ state: 'stopped' })
      else tell({ state: 'failed', failure })
      sweepRemoved(context)
    }
    emit('changed', { what: 'datasets' })
  })
}

/** Deletes the rows of removed datasets, a little at a time, so that nobody waits for it. */
export function sweepRemoved({ jobs, store }: CoreContext): void {
  jobs.start(async (signal) => {
    while (!signal.aborted && sweepDatasets(store)) await othersFirst()
  })
}

/** A run that may still read this dataset's rows. */
export const unfinishedRunOn = ({ store }: Pick<CoreContext, 'store'>, id: string): Run | undefined =>
  runsOn(store, id).find((run) => !['finished', 'failed', 'stopped'].includes(run.state))

/** Removes a dataset; throws Busy while a run still needs its rows. */
export function forgetDataset(context: CoreContext, id: string): void {
  const run = unfinishedRunOn(context, id)
  if (run)
    throw new Failure('Busy', `“${run.name}” still trains on this dataset.`, {
      where: id,
      next: 'Stop the run, or wait for its end, then remove the dataset.',
    })
  removeDataset(context.store, id)
  sweepRemoved(context)
}

/**
 * A dataset of examples that labels gave, under one name. Asked again with the same labels it is the same dataset; with
 * others its rows are replaced, unless a run was trained on them: that dataset stays as it was, renamed, beside a new one.
 */
export function makeDataset(
  { store, clock }: Pick<CoreContext, 'store' | 'clock'>,
  what: { name: string; made: string; kind: Dataset['kind']; examples: readonly Example[]; heldOutRatio: number },
): Dataset {
  const rows: Row[] = what.examples.map((example, i) => ({
    row: i + 1,
    line: i + 1,
    split: splitOf(example, 0, what.heldOutRatio),
    example,
  }))
  const { name, kind, made } = what
  const latest = listDatasets(store).find((one) => 'made' in one.source && one.source.made === made)
  if (latest !== undefined) {
    if (JSON.stringify([...walkRows(store, latest.id)]) === JSON.stringify(rows)) return latest
    if (runsOn(store, latest.id).length === 0) return replaceRows(store, latest.id, rows)
    renameDataset(store, latest.id, `${name} (${latest.rows === 1 ? '1 row' : `${latest.rows} rows`})`)
  }
  return addDataset(store, { name, kind, source: { made }, mapping: null, createdAt: clock() }, rows)
}
