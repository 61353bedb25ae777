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

/** A line longer than this is thinned by half: no screen has room for more. */
const mostPoints = 4000
const thin = <T>(all: readonly T[]): T[] => all.filter((_, i) => i % 2 === 0 || i === all.length - 1)

/** Metrics by name; a step told twice (a resume from a checkpoint) counts as told last. Adds to `lines` in place. */
export function linesOf(metrics: readonly Metric[], lines: Record<string, Line> = {}): Record<string, Line> {
  for (const m of metrics) {
    let line = (lines[m.name] ??= emptyLine())
    let at = line.steps.length
    while (at > 0 && line.steps[at - 1]! > m.step) at--
    const told = line.steps[at - 1] === m.step ? 1 : 0
    line.steps.splice(at - told, told, m.step)
    line.tokens.splice(at - told, told, m.tokens)
    line.times.splice(at - told, told, m.atMs / 1000)
    line.values.splice(at - told, told, m.value)
    if (line.steps.length <= mostPoints) continue
    const { steps, tokens, times, values } = line
    line = lines[m.name] = { steps: thin(steps), tokens: thin(tokens), times: thin(times), values: thin(values) }
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

  #lines: Record<string, Line> = {}
  /** What was heard while the whole was being read. */
  #heard: Metric[] | null = null
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
      // A new checkpoint may have taken the place of others, so the list is read again.
      api.on('checkpoint', ({ run }) => {
        if (run === this.id) void this.#readCheckpoints()
      }),
      api.on('sample', ({ run, sample }) => {
        if (run === this.id) this.samples = [...this.samples, sample]
      }),
    ]
    await this.read()
  }

  async read(): Promise<void> {
    this.#heard ??= []
    try {
      const { checkpoints, samples, ...run } = await api.call('runs.show', { id: this.id })
      this.run = run
      this.checkpoints = checkpoints
      this.samples = samples
      const metrics = await api.call('runs.metrics', { id: this.id })
      this.#lines = linesOf(this.#heard ?? [], linesOf(metrics))
      this.#draw()
      this.failure = null
    } catch (thrown) {
      this.failure = toFailure(thrown)
    } finally {
      this.#heard = null
    }
  }

  async #readCheckpoints(): Promise<void> {
    try {
      this.checkpoints = (await api.call('runs.show', { id: this.id })).checkpoints
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
    const before = this.run?.state ?? run.state
    this.run = run
    this.tokensPerSecond = tokensPerSecond ?? this.tokensPerSecond
    this.leftMs = leftMs
    linesOf(metrics, this.#lines)
    this.#heard?.push(...metrics)
    // A run that goes on from a checkpoint has forgotten what it did after it.
    if (before === 'starting' && run.state === 'training') return void this.read()
    const due = this.#drawnAt + drawEveryMs - performance.now()
    const checked = metrics.some((m) => m.name === 'held-out/loss')
    if (before !== run.state || checked || due <= 0) this.#draw()
    else this.#timer ??= setTimeout(() => this.#draw(), due)
  }
  #draw(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#drawnAt = performance.now()
    this.lines = Object.fromEntries(
      Object.entries(this.#lines).map(([name, { steps, tokens, times, values }]) => [
        name,
        { steps: [...steps], tokens: [...tokens], times: [...times], values: [...values] },
      ]),
    )
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
