// One run as its page shows it: the record, its metrics as they come, and other runs laid over it.
import { api, toFailure } from '../api.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
import type { Events } from '../../src-main/contract/events.ts'
import type { Checkpoint, Metric, Run, Sample } from '../../src-main/contract/records.ts'

export type Axis = 'step' | 'tokens' | 'time'

/** Points of one metric in the order of steps. */
export interface Line {
  steps: number[]
  tokens: number[]
  times: number[] // seconds of training
  values: number[]
}
const emptyLine = (): Line => ({ steps: [], tokens: [], times: [], values: [] })

/** Metrics by name; a step told twice (a resume from a checkpoint) counts as told last. */
export function linesOf(metrics: readonly Metric[]): Record<string, Line> {
  const latest = new Map<string, Metric>()
  for (const metric of metrics) latest.set(`${metric.name} ${metric.step}`, metric)
  const lines: Record<string, Line> = {}
  for (const m of [...latest.values()].sort((a, b) => a.step - b.step)) {
    const line = (lines[m.name] ??= emptyLine())
    line.steps.push(m.step)
    line.tokens.push(m.tokens)
    line.times.push(m.atMs / 1000)
    line.values.push(m.value)
  }
  return lines
}

export function axisOf(line: Line, axis: Axis): number[] {
  return axis === 'step' ? line.steps : axis === 'tokens' ? line.tokens : line.times
}

/** Drawn at most once a second, however fast a run tells. */
const drawEveryMs = 1000

export class RunView {
  readonly id: string
  run = $state.raw<Run | null>(null)
  checkpoints = $state.raw<Checkpoint[]>([])
  samples = $state.raw<Sample[]>([])
  lines = $state.raw<Record<string, Line>>({})
  tokensPerSecond = $state<number | null>(null)
  leftMs = $state<number | null>(null)
  overlay = $state.raw<{ run: Run; lines: Record<string, Line> } | null>(null)
  failure = $state.raw<Failure | null>(null)

  #metrics: Metric[] = []
  #drawnAt = 0
  #timer: ReturnType<typeof setTimeout> | null = null
  #offs: (() => void)[] = []

  constructor(id: string) {
    this.id = id
  }

  /** Reads the run whole, then follows it. Call `close` when the page goes. */
  async open(): Promise<void> {
    this.#offs = [
      api.on('run', (event) => this.#hear(event)),
      api.on('checkpoint', ({ run, checkpoint }) => {
        if (run !== this.id) return
        this.checkpoints = [...this.checkpoints.filter((c) => c.id !== checkpoint.id), checkpoint].sort(
          (a, b) => a.step - b.step,
        )
      }),
      api.on('sample', ({ run, sample }) => {
        if (run === this.id) this.samples = [...this.samples, sample]
      }),
    ]
    await this.read()
  }

  async read(): Promise<void> {
    try {
      const { checkpoints, samples, ...run } = await api.call('runs.show', { id: this.id })
      this.run = run
      this.checkpoints = checkpoints
      this.samples = samples
      this.#metrics = await api.call('runs.metrics', { id: this.id })
      this.#draw()
      this.failure = null
    } catch (thrown) {
      this.failure = toFailure(thrown)
    }
  }

  close(): void {
    for (const off of this.#offs) off()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #hear({ run, metrics, tokensPerSecond, leftMs }: Events['run']): void {
    if (run.id !== this.id) return
    const ended = this.run !== null && this.run.state !== run.state
    this.run = run
    this.tokensPerSecond = tokensPerSecond ?? this.tokensPerSecond
    this.leftMs = leftMs
    this.#metrics.push(...metrics)
    const due = this.#drawnAt + drawEveryMs - performance.now()
    if (ended || due <= 0) this.#draw()
    else this.#timer ??= setTimeout(() => this.#draw(), due)
  }
  #draw(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#drawnAt = performance.now()
    this.lines = linesOf(this.#metrics)
  }

  async lay(id: string): Promise<void> {
    if (id === '') return void (this.overlay = null)
    try {
      const [{ checkpoints: _c, samples: _s, ...run }, metrics] = await Promise.all([
        api.call('runs.show', { id }),
        api.call('runs.metrics', { id }),
      ])
      this.overlay = { run, lines: linesOf(metrics) }
    } catch (thrown) {
      this.failure = toFailure(thrown)
    }
  }

  async ask(work: Promise<unknown>): Promise<boolean> {
    try {
      await work
      this.failure = null
      return true
    } catch (thrown) {
      this.failure = toFailure(thrown)
      return false
    }
  }
}
