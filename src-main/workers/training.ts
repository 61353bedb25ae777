// Starts the thread that trains and turns its messages into calls. Rows go over in chunks, each when the last was taken, so
// that neither side holds a large data set twice or blocks for long.
import { Worker } from 'node:worker_threads'
import { Failure, fromWire } from '../contract/errors.ts'
import type { WireFailure } from '../contract/errors.ts'
import type { OptionValue } from '../contract/options.ts'
import type { Checkpoint, Example, Method, Metric, Sample, Split, Tune } from '../contract/records.ts'
import type { BackendName } from '../engine/backend.ts'
import type { AnswererFiles } from '../models/files/answerer.ts'
import type { LoopState } from '../training/loop.ts'

/** All that the thread needs to know; plain data. */
export interface TrainingJob {
  run: string
  /** Where its checkpoints go. */
  runFolder: string
  method: Method
  tune: Tune
  backend: 'auto' | BackendName
  seed: number
  options: Record<string, OptionValue>
  start: AnswererFiles
  /** Go on from the newest checkpoint in `runFolder`. */
  resume: boolean
}

export interface JobRow {
  row: number
  split: Split
  example: Example
}

export type ToTrainer = { type: 'rows'; rows: JobRow[]; last: boolean } | { type: 'pause' | 'go-on' | 'stop' }

export interface TrainerProgress {
  state: LoopState
  steps: number
  metrics: Metric[]
  tokensPerSecond: number | null
  leftMs: number | null
}
export type FromTrainer =
  | { type: 'more' }
  | { type: 'ready'; backend: BackendName; summary: string; steps: number; step: number; rows: number }
  | { type: 'state'; state: 'training' | 'paused' }
  | { type: 'progress'; progress: TrainerProgress }
  | { type: 'checkpoint'; checkpoint: Omit<Checkpoint, 'id' | 'run' | 'createdAt'> }
  | { type: 'samples'; samples: Sample[] }
  | { type: 'ended'; outcome: 'finished' | 'stopped' }
  | { type: 'failed'; failure: WireFailure }

export interface TrainingHandlers {
  onReady?: (ready: Extract<FromTrainer, { type: 'ready' }>) => void
  onState?: (state: 'training' | 'paused') => void
  onProgress?: (progress: TrainerProgress) => void
  onCheckpoint?: (checkpoint: Omit<Checkpoint, 'id' | 'run' | 'createdAt'>) => void
  onSamples?: (samples: Sample[]) => void
}

export interface Training {
  pause(): void
  goOn(): void
  /** Ends after the step in hand, with a checkpoint. */
  stop(): void
  /** Ends the thread at once, as a crash would: nothing is written. */
  kill(): Promise<void>
  /** How it ended. Rejects with the Failure that ended it. */
  readonly done: Promise<'finished' | 'stopped'>
}

const rowsAtOnce = 500

/** Trains in a thread of its own. `rows` are pulled as the thread takes them. */
export function startTraining(job: TrainingJob, rows: Iterable<JobRow>, handlers: TrainingHandlers): Training {
  const entry = new URL(
    import.meta.url.endsWith('.ts') ? './training-worker.ts' : './training-worker.js',
    import.meta.url,
  )
  const worker = new Worker(entry, { workerData: job })
  const tell = (message: ToTrainer): void => worker.postMessage(message)
  const source = rows[Symbol.iterator]()
  const done = new Promise<'finished' | 'stopped'>((resolve, reject) => {
    const hear = (message: FromTrainer): void => {
      switch (message.type) {
        case 'more': {
          const chunk: JobRow[] = []
          let last = false
          while (chunk.length < rowsAtOnce && !last) {
            const next = source.next()
            if (next.done) last = true
            else chunk.push(next.value)
          }
          return tell({ type: 'rows', rows: chunk, last })
        }
        case 'ready':
          return handlers.onReady?.(message)
        case 'state':
          return handlers.onState?.(message.state)
        case 'progress':
          return handlers.onProgress?.(message.progress)
        case 'checkpoint':
          return handlers.onCheckpoint?.(message.checkpoint)
        case 'samples':
          return handlers.onSamples?.(message.samples)
        case 'ended':
          return resolve(message.outcome)
        case 'failed':
          return reject(fromWire(message.failure))
      }
    }
    worker.on('message', (message: FromTrainer) => {
      try {
        hear(message)
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error))) // a full disk under the library, say
      }
    })
    worker.on('error', (error: Error) => reject(died(job, error)))
    worker.on('exit', (code) => reject(died(job, new Error(`exit ${code}`))))
  }).finally(() => worker.terminate())
  return {
    pause: () => tell({ type: 'pause' }),
    goOn: () => tell({ type: 'go-on' }),
    stop: () => tell({ type: 'stop' }),
    async kill() {
      await worker.terminate()
    },
    done,
  }
}

function died(job: TrainingJob, cause: Error): Failure {
  const memory = (cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
  return new Failure(memory ? 'OutOfMemory' : 'Bug', `The training thread ended before its time: ${cause.message}.`, {
    where: job.run,
    next: memory
      ? 'Lower “Tokens at once”, or close other programs, and resume the run.'
      : 'Resume the run: it goes on from its last checkpoint. If it happens again, please report it.',
    cause,
  })
}
