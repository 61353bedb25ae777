// Answers from a thread of its own: the core's thread stays free while a model writes. The thread starts at the first
// question; one that dies fails what it was doing and is started anew at the next.
import { Worker } from 'node:worker_threads'
import { Failure, fromWire, type WireFailure } from '../contract/errors.ts'
import type { Message, SamplingSettings, TokenChoice } from '../contract/records.ts'
import type { AnswererFiles } from '../models/files/answerer.ts'

export interface GenerationWork {
  answerer: AnswererFiles
  requests: { messages: Message[]; plain: boolean; seed: number }[]
  settings: SamplingSettings
  /** How many of the likeliest tokens to tell of at each place; 0: none. */
  choices: number
  /** Tell of the text as it grows. */
  stream: boolean
}
export interface WholeAnswer {
  text: string
  tokens: number[]
  finishReason: 'stop' | 'length'
  choices: TokenChoice[]
}

export type ToGeneration = { type: 'answer'; id: number; work: GenerationWork } | { type: 'stop'; id: number }
export type FromGeneration =
  | { type: 'text'; id: number; index: number; text: string }
  | { type: 'answer'; id: number; index: number; answer: WholeAnswer }
  | { type: 'done'; id: number }
  | { type: 'stopped'; id: number }
  | { type: 'failed'; id: number; failure: WireFailure }

export interface Generator {
  /**
   * Answers every request, telling of each as it is whole. Throws Stopped when `signal` says so, what a handler throws,
   * and what the thread throws: BadExample for a prompt that does not fit, BadFile and ModelMismatch for files that do not.
   */
  answer(
    work: Omit<GenerationWork, 'stream'>,
    handlers: {
      onText?: (index: number, text: string) => void
      onAnswer: (index: number, answer: WholeAnswer) => void
    },
    signal: AbortSignal,
  ): Promise<void>
  close(): Promise<void>
}

export function createGenerator(): Generator {
  type Waiting = { hear: (message: FromGeneration) => void; fail: (thrown: Error) => void }
  const waiting = new Map<number, Waiting>()
  let worker: Worker | null = null
  let last = 0
  let closed = false

  function start(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './generation-worker.ts' : './generation-worker.js'
    const started = new Worker(new URL(file, import.meta.url))
    const die = (cause: unknown): void => {
      if (worker === started) worker = null
      const failure = new Failure('Bug', 'The thread that answers ended unexpectedly.', {
        next: 'Ask again; it starts anew.',
        cause,
      })
      for (const one of waiting.values()) one.fail(failure)
      waiting.clear()
    }
    started.on('message', (message: FromGeneration) => waiting.get(message.id)?.hear(message))
    started.on('error', die)
    started.on('exit', (code) => die(new Error(`exit ${code}`)))
    started.unref()
    return started
  }

  return {
    async answer({ answerer, requests, settings, choices }, handlers, signal) {
      if (requests.length === 0) return
      if (closed || signal.aborted) throw stopped()
      worker ??= start()
      const [to, id] = [worker, ++last]
      // Only what the thread needs crosses: an answerer's record may hold more.
      const checkpoints = answerer.checkpoints.map(({ path, tune }) => ({ path, tune }))
      const files = { modelPath: answerer.modelPath, checkpoints }
      const stop = (): void => to.postMessage({ type: 'stop', id } satisfies ToGeneration)
      to.ref()
      try {
        await new Promise<void>((done, fail) => {
          const hear = (message: FromGeneration): void => {
            try {
              if (message.type === 'text') handlers.onText?.(message.index, message.text)
              else if (message.type === 'answer') handlers.onAnswer(message.index, message.answer)
              else if (message.type === 'done') done()
              else fail(message.type === 'stopped' ? stopped() : fromWire(message.failure))
            } catch (error) {
              fail(error) // a full disk under the library, say: it fails this answer and not the program
              stop()
            }
          }
          waiting.set(id, { hear, fail })
          signal.addEventListener('abort', stop, { once: true })
          const work = { answerer: files, requests, settings, choices, stream: handlers.onText !== undefined }
          to.postMessage({ type: 'answer', id, work } satisfies ToGeneration)
        })
      } finally {
        waiting.delete(id)
        signal.removeEventListener('abort', stop)
        if (waiting.size === 0) to.unref()
      }
    },
    async close() {
      closed = true
      const closing = worker
      worker = null
      for (const one of waiting.values()) one.fail(stopped())
      waiting.clear()
      await closing?.terminate()
    },
  }
}

const stopped = (): Failure => new Failure('Stopped', 'The answer was stopped.')
