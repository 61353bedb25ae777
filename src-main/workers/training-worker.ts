// The thread that trains: opens the device and the model, renders the rows that the core sends, runs the loop, writes
// checkpoints, and says what happened. It never opens the library's database.
import { parentPort, workerData } from 'node:worker_threads'
import { toWire } from '../contract/errors.ts'
import type { Metric } from '../contract/records.ts'
import { openBackend } from '../engine/backends/choose.ts'
import { newestState } from '../training/checkpoint.ts'
import { prepareRun } from '../training/prepare.ts'
import type { PreparedRun } from '../training/prepare.ts'
import { train } from '../training/loop.ts'
import type { FromTrainer, JobRow, ToTrainer, TrainingJob } from './training.ts'

const port = parentPort!
const job = workerData as TrainingJob
const say = (message: FromTrainer): void => port.postMessage(message)

// ---- What the person asks of a run ---------------------------------------------------------------------------------

const asked = { pause: false, stop: false }
let wake: (() => void) | null = null
/** Sample answers are cut off when the person wants something. */
let sampling: AbortController | null = null
let taken: ((message: Extract<ToTrainer, { type: 'rows' }>) => void) | null = null
port.on('message', (message: ToTrainer) => {
  if (message.type === 'rows') return taken?.(message)
  if (message.type === 'stop') asked.stop = true
  else asked.pause = message.type === 'pause'
  if (message.type !== 'go-on') sampling?.abort()
  wake?.()
})

/** Lets messages in; waits while paused. True when the run is to stop. */
async function heard(): Promise<boolean> {
  await new Promise((next) => setImmediate(next))
  if (asked.pause && !asked.stop) {
    send.flush()
    say({ type: 'state', state: 'paused' })
    while (asked.pause && !asked.stop) await new Promise<void>((next) => (wake = next))
    say({ type: 'state', state: 'training' })
  }
  return asked.stop
}

async function* rowsOfCore(): AsyncGenerator<JobRow[]> {
  for (;;) {
    say({ type: 'more' })
    const { rows, last } = await new Promise<Extract<ToTrainer, { type: 'rows' }>>((next) => (taken = next))
    yield rows
    if (last) return
  }
}

// ---- Progress, at most a few times a second --------------------------------------------------------------------------

const send = createSender()
function createSender() {
  const everyMs = 500
  let waiting: Metric[] = []
  let sentAt = 0
  let run: PreparedRun | null = null
  /** Speed of late, in steps and tokens: a mean that forgets. */
  let [msPerStep, tokensPerSecond, weight] = [0, 0, 0]
  const flush = (): void => {
    if (run === null) return
    const { state, steps } = run
    sentAt = performance.now()
    const leftMs = msPerStep > 0 ? msPerStep * (steps - state.step) : null
    say({
      type: 'progress',
      progress: { state, steps, metrics: waiting, tokensPerSecond: tokensPerSecond || null, leftMs },
    })
    waiting = []
  }
  return {
    flush,
    begin: (prepared: PreparedRun) => void (run = prepared),
    add(step: number, values: Record<string, number>) {
      const { trainingMs: atMs, tokens } = run!.state
      for (const [name, value] of Object.entries(values)) waiting.push({ step, name, value, atMs, tokens })
    },
    step(tookMs: number, speed: number) {
      weight = 0.9 * weight + 1 // the first steps count no more than later ones
      msPerStep += (tookMs - msPerStep) / weight
      tokensPerSecond += (speed - tokensPerSecond) / weight
      if (weight === 1 || performance.now() - sentAt >= everyMs) flush()
    },
  }
}

// ---- The run ---------------------------------------------------------------------------------------------------------

async function main(): Promise<'finished' | 'stopped'> {
  // Equal bits need the same backend and number of threads as before.
  const before = job.resume ? newestState(job.runFolder)?.resume : undefined
  const backend = await openBackend(before?.backend ?? job.backend, before ? { threads: before.threads } : {})
  try {
    const run = await prepareRun(backend, job, rowsOfCore(), heard)
    if (run === null) return 'stopped' // before its first step: what is on the disk stays as it was
    send.begin(run)
    const { state, steps } = run
    say({
      type: 'ready',
      backend: backend.name,
      summary: backend.summary,
      steps,
      step: state.step,
      rows: run.parts.rows.length,
    })
    if (run.resumed) say({ type: 'checkpoint', checkpoint: run.resumed })
    let lastMs = state.trainingMs
    let kept = run.resumed === null ? -1 : state.step
    for await (const one of train(run.parts)) {
      if (one.kind === 'step') {
        send.add(one.step, one.metrics)
        send.step(state.trainingMs - lastMs, one.tokensPerSecond)
        lastMs = state.trainingMs
      } else if (one.kind === 'held-out') {
        send.add(one.step, one.metrics)
        send.flush()
      } else if (one.kind === 'checkpoint') {
        send.flush()
        say({ type: 'checkpoint', checkpoint: await run.keep(one.reasons) })
        kept = one.step
        sampling = new AbortController()
        const samples = await run.sample(sampling.signal)
        sampling = null
        if (samples.length > 0) say({ type: 'samples', samples })
      }
      if (await heard()) {
        send.flush()
        if (state.step === steps && kept === steps) break
        say({ type: 'checkpoint', checkpoint: await run.keep(['last']) })
        return 'stopped'
      }
    }
    send.flush()
    return 'finished'
  } finally {
    send.flush()
    backend.close()
  }
}

try {
  const outcome = await main()
  say({ type: 'ended', outcome })
} catch (error) {
  say({ type: 'failed', failure: toWire(error) })
}
port.close()
