// Runs one at a time: starts the thread for the next in the queue, writes down what it says, and tells the windows.
import { toWire } from '../contract/errors.ts'
import { valuesOf } from '../contract/options.ts'
import type { Checkpoint, Metric, Run, RunState } from '../contract/records.ts'
import type { BackendName } from '../engine/backend.ts'
import { resolveAnswerer } from '../library/answerers.ts'
import type { CoreContext } from '../library/context.ts'
import { walkRows } from '../store/datasets.ts'
import { runFolder } from '../store/files.ts'
import * as saved from '../store/runs.ts'
import { removeCheckpointFolder } from '../training/checkpoint.ts'
import { startTraining } from '../workers/training.ts'
import type { Training } from '../workers/training.ts'
import { rememberSpeed } from './plan.ts'
import { active, canBecome } from './states.ts'

type FreshCheckpoint = Omit<Checkpoint, 'id' | 'run' | 'createdAt'>

const writeAgainMs = 5000

export interface RunQueue {
  /** Queues a run that is written down already; it begins when none goes before it. */
  add(id: string, resume: boolean): void
  pause(id: string): void
  goOn(id: string): void
  stop(id: string): void
}

export function createQueue(context: CoreContext): RunQueue {
  const { store, home, clock, emit, log } = context
  const waiting: { id: string; resume: boolean }[] = []
  let current: { id: string; training: Training; asked: 'stop' | 'close' | null } | null = null
  let closing = false

  // What a Temper that crashed, or was killed, left in the middle.
  for (const run of saved.listRuns(store))
    try {
      if (active.includes(run.state)) saved.changeRun(store, run.id, { state: 'interrupted', endedAt: clock() })
    } catch (error) {
      if (toWire(error).kind !== 'DiskFull') throw error
      log(`The disk is full: “${run.name}” could not be marked as interrupted yet.`)
    }

  context.onClose(async () => {
    closing = true
    for (const { id } of waiting.splice(0)) become(id, 'interrupted')
    if (current === null) return
    current.asked = 'close'
    current.training.stop()
    await current.training.done.catch(() => {})
    await new Promise((next) => setImmediate(next)) // let its end be written down
  })

  function tell(
    run: Run,
    metrics: Metric[] = [],
    tokensPerSecond: number | null = null,
    leftMs: number | null = null,
  ): void {
    emit('run', { run, metrics, tokensPerSecond, leftMs })
  }

  function become(id: string, state: RunState, change: saved.RunChange = {}): void {
    const run = saved.showRun(store, id)
    if (!canBecome(run.state, state)) return log(`${id}: ${run.state} cannot become ${state}`)
    tell(saved.changeRun(store, id, { ...change, state }))
    emit('changed', { what: 'runs' })
  }

  /** Writes an end down. On a full disk it is told all the same, and written once there is room again. */
  function end(id: string, state: RunState, change: saved.RunChange, isRetry = false): void {
    if (closing && isRetry) return
    try {
      become(id, state, change)
    } catch (error) {
      if (!isRetry) {
        log(`${id}: its end could not be written down: ${toWire(error).message}`)
        tell({ ...saved.showRun(store, id), ...change, state: 'failed', failure: change.failure ?? toWire(error) })
      }
      setTimeout(() => end(id, state, change, true), writeAgainMs).unref()
    }
  }

  function next(): void {
    if (current !== null || closing) return
    const first = waiting.shift()
    if (first === undefined) return
    const { id, resume } = first
    try {
      begin(id, resume)
    } catch (error) {
      end(id, 'failed', { failure: toWire(error), endedAt: clock() })
      setImmediate(next)
    }
  }

  function begin(id: string, resume: boolean): void {
    const run = saved.showRun(store, id)
    become(id, 'starting', { startedAt: run.startedAt ?? clock(), endedAt: null, failure: null })
    const start = resolveAnswerer(store, run.start)
    const { parameters } = start.model
    const checkpoints = start.checkpoints.map(({ path, tune }) => ({ path, tune }))
    const rows = walkRows(store, run.dataset)
    let speed: number | null = null
    const training = startTraining(
      {
        run: id,
        runFolder: runFolder(home, id),
        ...{ method: run.method, tune: run.tune, seed: run.seed, resume },
        backend: run.backend as 'auto' | BackendName,
        options: valuesOf(run.options),
        start: { modelPath: start.modelPath, checkpoints },
      },
      rows,
      {
        onReady({ backend, steps, step }) {
          saved.forgetAfter(store, id, step)
          saved.changeRun(store, id, { backend, steps, step })
          if (saved.showRun(store, id).state === 'starting') become(id, 'training')
        },
        onState(state) {
          if (saved.showRun(store, id).state !== 'stopping') become(id, state)
        },
        onProgress({ state, steps, metrics, tokensPerSecond, leftMs }) {
          const { step, trainingMs, lastLoss, bestHeldOut } = state
          const now = store.transaction(() => {
            saved.addMetrics(store, id, metrics)
            return saved.changeRun(store, id, { step, steps, trainingMs, lastLoss, bestHeldOut })
          })
          speed = tokensPerSecond ?? speed
          tell(now, metrics, tokensPerSecond, leftMs)
        },
        onCheckpoint: (checkpoint) => keep(id, checkpoint),
        onSamples(samples) {
          saved.addSamples(store, id, samples)
          for (const sample of samples) emit('sample', { run: id, sample })
        },
      },
    )
    current = { id, training, asked: null }
    void training.done
      .then(
        (outcome) => {
          const closed = outcome === 'stopped' && current?.asked === 'close'
          if (outcome === 'stopped' && !closed && saved.showRun(store, id).state !== 'stopping') become(id, 'stopping')
          end(id, closed ? 'interrupted' : outcome, { endedAt: clock() })
          const { backend } = saved.showRun(store, id)
          if (speed !== null) rememberSpeed({ store }, { ...run, backend }, parameters, speed)
        },
        (error: unknown) => end(id, 'failed', { failure: advised(id, toWire(error)), endedAt: clock() }),
      )
      .catch((error: unknown) => log(`${id}: ${toWire(error).message}`))
      .finally(() => {
        current = null
        next()
      })
  }

  /** Names the checkpoint that a failed run can go on from. */
  function advised(id: string, failure: ReturnType<typeof toWire>): ReturnType<typeof toWire> {
    const safe = saved.listCheckpoints(store, id).at(-1)
    if (safe === undefined) return failure
    const message = `${failure.message} Step ${safe.step} is safe.`
    return { ...failure, message }
  }

  /** Writes a checkpoint down and lets go of those that are no longer wanted: never the best, the last or the start. */
  function keep(id: string, fresh: FreshCheckpoint): void {
    const gone: string[] = []
    const checkpoint = store.transaction(() => {
      const before = saved.listCheckpoints(store, id)
      const same = before.find((one) => one.step === fresh.step)
      const reasons = [...new Set([...(same?.reasons ?? []), ...fresh.reasons])]
      const unique: string[] = reasons.filter((one) => one === 'best' || one === 'last')
      const others = before
        .filter((one) => one.step !== fresh.step)
        .map((one) => ({ ...one, reasons: one.reasons.filter((reason) => !unique.includes(reason)) }))
      const { keepCheckpoints } = valuesOf(saved.showRun(store, id).options) as { keepCheckpoints: number }
      const periodic = others.filter((one) => one.reasons.join() === 'periodic')
      const tooMany = periodic.slice(0, Math.max(0, periodic.length + 1 - keepCheckpoints))
      for (const one of others) {
        const needed = saved.runsUpon(store, one.id).length > 0
        if (!needed && (one.reasons.length === 0 || tooMany.includes(one))) {
          saved.removeCheckpoint(store, one.id)
          gone.push(one.path)
        } else saved.changeCheckpoint(store, one.id, { reasons: one.reasons })
      }
      return saved.addCheckpoint(store, { ...fresh, reasons, run: id, createdAt: same?.createdAt ?? clock() })
    })
    for (const path of gone) removeCheckpointFolder(path)
    emit('checkpoint', { run: id, checkpoint })
    emit('changed', { what: 'runs' })
  }

  return {
    add(id, resume) {
      waiting.push({ id, resume })
      tell(saved.showRun(store, id))
      emit('changed', { what: 'runs' })
      setImmediate(next) // the request is answered first
    },
    pause(id) {
      if (current?.id === id) current.training.pause()
    },
    goOn(id) {
      if (current?.id === id) current.training.goOn()
    },
    stop(id) {
      const at = waiting.findIndex((one) => one.id === id)
      if (at !== -1) {
        waiting.splice(at, 1)
        become(id, 'stopped', { endedAt: clock() })
      } else if (current?.id === id) {
        current.asked = 'stop'
        become(id, 'stopping')
        current.training.stop()
      }
    },
  }
}
