// Starts the thread that imports a file and turns its messages into calls.
import { Worker } from 'node:worker_threads'
import { Failure, fromWire, type WireFailure } from '../contract/errors.ts'
import type { Mapping, Refusal } from '../contract/records.ts'
import type { ImportedRow, ImportHandlers, ImportProgress, ImportSummary } from '../data/import/import-file.ts'

export interface ImportOrder {
  path: string
  mapping: Mapping
}
export type ToImportWorker = { type: 'taken' } | { type: 'stop' }
export type FromImportWorker =
  | { type: 'rows'; batch: ImportedRow[] }
  | { type: 'refused'; batch: Refusal[] }
  | { type: 'progress'; progress: ImportProgress }
  | { type: 'done'; summary: ImportSummary }
  | { type: 'failed'; failure: WireFailure }

/**
 * Imports a file in a thread of its own. Handlers are called one after another, in order; the thread waits for them.
 * Throws what importFile throws, what a handler throws, and Bug when the thread dies.
 */
export async function runImport(
  order: ImportOrder,
  handlers: ImportHandlers,
  signal?: AbortSignal,
): Promise<ImportSummary> {
  const entry = new URL(import.meta.url.endsWith('.ts') ? './import-worker.ts' : './import-worker.js', import.meta.url)
  const worker = new Worker(entry, { workerData: order })
  const tell = (message: ToImportWorker): void => worker.postMessage(message)
  const stop = (): void => tell({ type: 'stop' })
  let over = false
  try {
    return await new Promise<ImportSummary>((resolve, reject) => {
      let last: Promise<void> = Promise.resolve()
      const inOrder = (work: () => Promise<void> | void): void => {
        last = last.then(() => (over ? undefined : work())).catch(reject)
      }
      worker.on('message', (message: FromImportWorker) => {
        if (message.type === 'progress') inOrder(() => handlers.onProgress?.(message.progress))
        else if (message.type === 'done') inOrder(() => resolve(message.summary))
        else if (message.type === 'failed') inOrder(() => reject(fromWire(message.failure)))
        else
          inOrder(async () => {
            if (signal?.aborted !== true)
              await (message.type === 'rows' ? handlers.onRows(message.batch) : handlers.onRefused(message.batch))
            tell({ type: 'taken' })
          })
      })
      worker.on('error', (error: Error) => reject(died(order.path, error)))
      worker.on('exit', () => inOrder(() => reject(died(order.path))))
      signal?.addEventListener('abort', stop)
      if (signal?.aborted === true) stop()
    })
  } finally {
    over = true // what is still waiting in line is no longer handed over
    signal?.removeEventListener('abort', stop)
    await worker.terminate()
  }
}

function died(path: string, cause?: Error): Failure {
  const memory = (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return new Failure(
    memory ? 'OutOfMemory' : 'Bug',
    `The import ended before its time${cause === undefined ? '' : `: ${cause.message}`}.`,
    {
      where: path,
      next: memory
        ? 'Close other programs, or split the file, and import again.'
        : 'Import the file again. If it happens twice, please report it.',
      cause,
    },
  )
}
