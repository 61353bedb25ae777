// The thread around data/import: one file, its rows as messages, and no more than two batches that are not yet taken.
import { parentPort, workerData } from 'node:worker_threads'
import { toWire } from '../contract/errors.ts'
import { importFile } from '../data/import/import-file.ts'
import type { FromImportWorker, ImportOrder, ToImportWorker } from './importing.ts'

const port = parentPort!
const { path, mapping } = workerData as ImportOrder
const unacknowledged = 2
const stop = new AbortController()
let waiting = 0
let goOn: (() => void) | null = null

port.on('message', (message: ToImportWorker) => {
  if (message.type === 'stop') stop.abort()
  else waiting--
  goOn?.()
})

const send = (message: FromImportWorker): void => port.postMessage(message)
async function sendBatch(message: FromImportWorker): Promise<void> {
  send(message)
  waiting++
  while (waiting >= unacknowledged && !stop.signal.aborted) await new Promise<void>((resolve) => (goOn = resolve))
  goOn = null
}

try {
  const summary = await importFile(
    path,
    mapping,
    {
      onRows: (batch) => sendBatch({ type: 'rows', batch }),
      onRefused: (batch) => sendBatch({ type: 'refused', batch }),
      onProgress: (progress) => send({ type: 'progress', progress }),
    },
    stop.signal,
  )
  send({ type: 'done', summary })
} catch (error) {
  send({ type: 'failed', failure: toWire(error) })
}
port.close()
