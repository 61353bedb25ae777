// Starts a thread for one question about an answerer's numbers: log-probabilities of a file, perplexity, an export.
import { Worker } from 'node:worker_threads'
import { Failure, fromWire } from '../contract/errors.ts'
import type { WireFailure } from '../contract/errors.ts'
import type { Example } from '../contract/records.ts'
import type { BackendName } from '../engine/backend.ts'
import type { Perplexity } from '../eval/perplexity.ts'
import type { AnswererFiles } from '../models/files/answerer.ts'

export interface ScoredRow {
  tokens: number[]
  /** log p(tokens[i] | those before it), in nats; null for the first. */
  logprobs: (number | null)[]
  lossMask: number[]
}

export interface ScoringTasks {
  logprobs: { task: { file: string }; answer: ScoredRow[] }
  perplexity: { task: { examples: Example[] }; answer: Perplexity }
  export: { task: { format: 'adapter' | 'merged'; out: string; card: string }; answer: { files: string[] } }
}
export type ScoringOrder = {
  [K in keyof ScoringTasks]: { kind: K; files: AnswererFiles; backend: 'auto' | BackendName } & ScoringTasks[K]['task']
}[keyof ScoringTasks]
export type FromScoring = { answer: unknown } | { failure: WireFailure }

/** Does one task in a thread of its own. Throws what the task throws; ends early when `signal` says so. */
export async function score<K extends keyof ScoringTasks>(
  order: Extract<ScoringOrder, { kind: K }>,
  signal: AbortSignal,
): Promise<ScoringTasks[K]['answer']> {
  if (signal.aborted) throw closing()
  const entry = new URL(
    import.meta.url.endsWith('.ts') ? './scoring-worker.ts' : './scoring-worker.js',
    import.meta.url,
  )
  const worker = new Worker(entry, { workerData: order })
  let stop = (): void => {}
  try {
    return await new Promise((resolve, reject) => {
      stop = () => reject(closing())
      signal.addEventListener('abort', stop)
      worker.on('message', (message: FromScoring) => {
        if ('failure' in message) reject(fromWire(message.failure))
        else resolve(message.answer as ScoringTasks[K]['answer'])
      })
      const died = (cause: unknown): void =>
        reject(new Failure('Bug', 'The thread that scores ended unexpectedly.', { next: 'Try again.', cause }))
      worker.on('error', died)
      worker.on('exit', died)
    })
  } finally {
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}

const closing = (): Failure => new Failure('Stopped', 'Temper is closing.', { next: 'Open it again.' })
