// What every room of the core is given, and what each gives back. A room exports one function of its context,
// `libraryHandlers(context)`, `labelHandlers(context)`, `runHandlers(context)`, `chatHandlers(context)`, which answers
// with its part of the commands; core.ts puts the parts together, and the compiler says which command has no home.
import type { Checked, CommandName, Output } from '../contract/commands.ts'
import type { WireFailure } from '../contract/errors.ts'
import type { EventName, Events } from '../contract/events.ts'
import type { Message, SamplingSettings, TokenChoice } from '../contract/records.ts'
import type { Log, Store } from '../store/open.ts'
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

/** What one prompt is answered with. The same prompt, seed and settings give the same answer again. */
export interface AnswerRequest {
  messages: Message[]
  plain: boolean
  seed: number
}
export interface GeneratedAnswer {
  text: string
  tokens: number[]
  finishReason: 'stop' | 'length'
  /** The likeliest tokens at each place, where they were asked for. */
  choices: TokenChoice[]
}
/**
 * Answers every request by one answerer, in any order: `onText` with all of an answer so far as it grows, `onAnswer` as
 * it is whole. Ends when all are answered; throws Stopped when `signal` says so, having given whatever was whole.
 */
export type Generate = (
  work: {
    answerer: ResolvedAnswerer
    requests: AnswerRequest[]
    settings: SamplingSettings
    /** How many of the likeliest tokens to tell of at each place; 0: none. */
    choices: number
  },
  handlers: {
    onText?: (index: number, text: string) => void
    onAnswer: (index: number, answer: GeneratedAnswer) => void
  },
  signal: AbortSignal,
) => Promise<void>

/** Background work by name ("job1" ...): cancelled by name, and all at once when the core closes. */
export interface Jobs {
  /** Starts `work` after the command has answered. It must report its own end by an event; a throw reaches the log. */
  start(work: (signal: AbortSignal, job: string) => Promise<void>): string
  /** Asks a job to stop; false where no such job goes on. */
  cancel(job: string): boolean
  /** Stops all and waits for them. */
  close(): Promise<void>
}

export function createJobs(log: Log, describe: (thrown: unknown) => WireFailure): Jobs {
  let last = 0
  const going = new Map<string, { abort: AbortController; ended: Promise<void> }>()
  return {
    start(work) {
      const job = `job${++last}`
      const abort = new AbortController()
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
      const all = [...going.values()]
      for (const one of all) one.abort.abort()
      await Promise.all(all.map((one) => one.ended))
    },
  }
}
