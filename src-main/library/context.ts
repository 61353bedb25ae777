// What every room of the core is given, and what each gives back. A room exports one function of its context,
// `libraryHandlers(context)`, `labelHandlers(context)`, `runHandlers(context)`, `chatHandlers(context)`, which answers
// with its part of the commands; core.ts puts the parts together, and the compiler says which command has no home.
import type { Checked, CommandName, Output } from '../contract/commands.ts'
import { Failure, type WireFailure } from '../contract/errors.ts'
import type { EventName, Events } from '../contract/events.ts'
import type { Log, Store } from '../store/open.ts'
import type { GenerationWork, WholeAnswer } from '../workers/generating.ts'
import type { ResolvedAnswerer } from './answerers.ts'

/** One function a command: checked input in, answer out. It throws Failures; core.ts turns them into plain data. */
export type Handlers = {
  [N in CommandName]: (input: Checked<N>) => Output<N> | Promise<Output<N>>
}

export interface CoreContext {
  readonly store: Store
  /** The library folder, absolute. */
  readonly home: string
  readonly log: Log
  /** Milliseconds since 1970. */
  readonly clock: () => number
  emit<E extends EventName>(event: E, payload: Events[E]): void
  /** Work that goes on after a command has answered; see Jobs. */
  readonly jobs: Jobs
  /** Called once when the core closes, latest first, and waited for: stop workers, write down what must not be lost. */
  onClose(work: () => void | Promise<void>): void
  /** Answers prompts in a worker. */
  readonly generate: Generate
}

/**
 * Answers every request by one answerer, in any order: `onText` with all of an answer so far as it grows, `onAnswer` as
 * it is whole. Ends when all are answered; throws Stopped when `signal` says so, having given whatever was whole.
 * The same prompt, seed and settings give the same answer again.
 */
export type Generate = (
  work: Omit<GenerationWork, 'answerer' | 'stream'> & { answerer: ResolvedAnswerer },
  handlers: {
    onText?: (index: number, text: string) => void
    onAnswer: (index: number, answer: WholeAnswer) => void
  },
  signal: AbortSignal,
) => Promise<void>

/** Background work by name ("job1" ...): cancelled by name, and all at once when the core closes. */
export interface Jobs {
  /**
   * Starts `work` after the command has answered. It must report its own end by an event; a throw reaches the log. While
   * the core closes, its signal says so from the start; throws Stopped once all is closed.
   */
  start(work: (signal: AbortSignal, job: string) => Promise<void>): string
  /** Asks a job to stop; false where no such job goes on. */
  cancel(job: string): boolean
  /** Stops all, also what they start meanwhile, and waits for them. */
  close(): Promise<void>
}

export function createJobs(log: Log, describe: (thrown: unknown) => WireFailure): Jobs {
  let last = 0
  let state: 'open' | 'closing' | 'closed' = 'open'
  const going = new Map<string, { abort: AbortController; ended: Promise<void> }>()
  return {
    start(work) {
      if (state === 'closed') throw new Failure('Stopped', 'Temper is closing.', { next: 'Open it again.' })
      const job = `job${++last}`
      const abort = new AbortController()
      if (state === 'closing') abort.abort()
      const ended = new Promise<void>((done) => setImmediate(done))
        .then(() => work(abort.signal, job))
        .catch((thrown: unknown) => log(`${job}: ${describe(thrown).message}`))
        .finally(() => going.delete(job))
      going.set(job, { abort, ended })
      return job
    },
    cancel(job) {
      const one = going.get(job)
      one?.abort.abort()
      return one !== undefined
    },
    async close() {
      state = 'closing'
      while (going.size > 0) {
        const all = [...going.values()]
        for (const one of all) one.abort.abort()
        await Promise.all(all.map((one) => one.ended))
      }
      state = 'closed'
    },
  }
}
