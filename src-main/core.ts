// The core: everything that Temper does, behind one typed door. It knows no window; the shells call it and listen.
// Input is checked here, once, with all problems at once; whatever is thrown leaves here as a named Failure.
import * as v from 'valibot'
import { chatHandlers } from './chats/handlers.ts'
import { commands, type Checked, type CommandName, type Input, type Output } from './contract/commands.ts'
import { Failure, fromWire, toWire } from './contract/errors.ts'
import type { EventName, Events } from './contract/events.ts'
import { labelHandlers } from './labels/handlers.ts'
import { createJobs, type CoreContext, type Generate, type Handlers } from './library/context.ts'
import { sweepRemoved } from './library/datasets.ts'
import { libraryHandlers } from './library/handlers.ts'
import { resourcesFolder, welcomeStarter } from './library/starter.ts'
import { runHandlers } from './runs/handlers.ts'
import { abandonHalfDatasets } from './store/datasets.ts'
import { openStore, type Log, type Store } from './store/open.ts'
import { removeHalfPairSets } from './store/pairs.ts'
import { createGenerator } from './workers/generating.ts'

export interface Core {
  /** Does one thing of the contract. Rejects with a Failure. */
  call<N extends CommandName>(name: N, input: Input<N>): Promise<Output<N>>
  /** Hears of an event until the function that it gives back is called. */
  on<E extends EventName>(event: E, handler: (payload: Events[E]) => void): () => void
  /** Stops all work, writes down what must not be lost, and lets go of the library. */
  close(): Promise<void>
}

export interface CoreOptions {
  /** The library folder; made where it is missing. */
  home: string
  log: Log
  /** Milliseconds since 1970. */
  clock?: () => number
  /** Where the starter lies; resources/ beside the program where none is given. */
  resources?: string
  /** Answers prompts; tests give their own. */
  generate?: Generate
}

/** Opens the library at `home`. Throws Busy, BadFile or DiskFull where that cannot be done. */
export async function createCore({ home, log, clock = Date.now, resources, generate }: CoreOptions): Promise<Core> {
  const store = opened(home, log)
  const listeners = new Map<EventName, Set<(payload: never) => void>>()
  const closers: (() => void | Promise<void>)[] = []
  const answering = new Set<Promise<unknown>>()
  let closing: Promise<void> | null = null
  const generator = createGenerator()

  const context: CoreContext = {
    store,
    home,
    log,
    clock,
    emit(event, payload) {
      for (const handler of listeners.get(event) ?? [])
        try {
          ;(handler as (payload: Events[typeof event]) => void)(payload)
        } catch (error) {
          log(`a listener of “${event}” failed: ${String(error)}`)
        }
    },
    jobs: createJobs(log, toWire),
    onClose: (work) => void closers.unshift(work),
    generate: generate ?? generator.answer,
  }

  const closeAll = async (): Promise<void> => {
    for (const work of closers)
      try {
        await work()
      } catch (error) {
        log(`while closing: ${String(error)}`)
      }
    await context.jobs.close()
    await generator.close()
    await Promise.allSettled(answering) // what was asked before still ends on an open library
    store.close()
  }

  async function meanwhile<T>(work: Promise<T>): Promise<T> {
    answering.add(work)
    try {
      return await work
    } finally {
      answering.delete(work)
    }
  }

  let handlers: Handlers
  try {
    clearLeftOvers(store, log)
    sweepRemoved(context)
    handlers = allHandlers(context)
    await welcomeStarter(context, resources ?? resourcesFolder())
  } catch (error) {
    await closeAll()
    throw asFailure(error)
  }

  return {
    async call(name, input) {
      try {
        if (closing) throw new Failure('Stopped', 'Temper is closing.', { next: 'Open it again.' })
        return await meanwhile(answer(handlers, name, input))
      } catch (error) {
        const failure = asFailure(error)
        if (failure.kind === 'Bug') log(`${name}: ${(error as Error).stack ?? String(error)}`)
        throw failure
      }
    },
    on(event, handler) {
      const all = listeners.get(event) ?? new Set()
      listeners.set(event, all.add(handler))
      return () => void all.delete(handler)
    },
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}

function opened(home: string, log: Log): Store {
  try {
    return openStore(home, log)
  } catch (error) {
    throw asFailure(error)
  }
}

/** What an earlier Temper left half-done. It is never shown, so on a full disk it may wait: the rest can still be read. */
function clearLeftOvers(store: Store, log: Log): void {
  try {
    abandonHalfDatasets(store)
    removeHalfPairSets(store)
  } catch (error) {
    if (toWire(error).kind !== 'DiskFull') throw error
    log('The disk is full: left-overs of an earlier import could not be cleared away yet.')
  }
}

/** Every command has one home; the compiler says which has none. */
function allHandlers(context: CoreContext): Handlers {
  return {
    ...libraryHandlers(context),
    ...labelHandlers(context),
    ...chatHandlers(context),
    ...runHandlers(context),
  }
}

async function answer<N extends CommandName>(handlers: Handlers, name: N, input: unknown): Promise<Output<N>> {
  if (!Object.hasOwn(commands, name))
    throw new Failure('NotFound', `There is no command “${name}”.`, { where: name, next: 'Check its spelling.' })
  const checked = v.safeParse(commands[name].input, input ?? {})
  if (!checked.success) {
    const problems = checked.issues.map((issue) => ({ where: v.getDotPath(issue) ?? name, message: said(issue) }))
    throw new Failure('BadOption', problems.map(({ where, message }) => `${where}: ${message}.`).join(' '), {
      where: name,
      next: 'Change what is named and try again.',
      problems,
    })
  }
  return await handlers[name](checked.output as Checked<N>)
}

/** What is wrong with a value, in words that a person reads. Schemas that say it in their own words are left alone. */
function said(issue: v.BaseIssue<unknown>): string {
  if (!issue.message.startsWith('Invalid ')) return issue.message
  const { requirement } = issue as { requirement?: unknown }
  const got = typeof issue.input === 'number' || typeof issue.input === 'boolean' ? `, not ${String(issue.input)}` : ''
  const limit = String(requirement)
  switch (issue.type) {
    case 'min_value':
      return `must be at least ${limit}${got}`
    case 'max_value':
      return `must be at most ${limit}${got}`
    case 'integer':
      return `must be a whole number${got}`
    case 'min_length':
      return `is too short: at least ${limit}`
    case 'max_length':
      return `is too long: at most ${limit}`
    case 'picklist':
      return `must be one of ${(issue.expected ?? '').replace(/[()]/g, '').replaceAll(' | ', ', ')}`
  }
  return issue.input === undefined
    ? 'is missing'
    : `must be ${issue.expected ?? 'something else'}, not ${issue.received}`
}

const asFailure = (error: unknown): Failure => (error instanceof Failure ? error : fromWire(toWire(error)))
