// What works now: the run that trains (or has just ended, until it was seen) and the jobs that import or make pairs.
// The job strip and Home read this; the Run page reads its own metrics.
import { api } from '../api.ts'
import type { Events } from '../../src-main/contract/events.ts'
import type { Run, RunState } from '../../src-main/contract/records.ts'

const sparkPoints = 120
const working: RunState[] = ['queued', 'starting', 'training', 'paused', 'stopping']
export const isWorking = (run: Run): boolean => working.includes(run.state)
export const hasEnded = (run: Run): boolean => !isWorking(run)

interface Live {
  run: Run | null
  /** Training losses so far, thinned: for the strip's line. */
  losses: number[]
  tokensPerSecond: number | null
  leftMs: number | null
  imports: Events['import'][]
  pairs: Events['pairs'][]
}

export const live = $state<Live>({ run: null, losses: [], tokensPerSecond: null, leftMs: null, imports: [], pairs: [] })

/** Finds the run that works now, after a start or a reload. */
export async function readLive(runs: Run[]): Promise<void> {
  const run = runs.find((one) => isWorking(one) && one.state !== 'queued') ?? runs.find(isWorking) ?? null
  if (run === null) {
    if (live.run !== null && isWorking(live.run)) live.run = runs.find((one) => one.id === live.run?.id) ?? null
    return
  }
  live.run = run
  const metrics = await api.call('runs.metrics', { id: run.id, points: sparkPoints })
  live.losses = metrics.filter((m) => m.name === 'train/loss').map((m) => m.value)
}

export function hearLiveRun({ run, metrics, tokensPerSecond, leftMs }: Events['run']): void {
  const other = live.run !== null && live.run.id !== run.id
  if (other && isWorking(live.run!) && live.run!.state !== 'queued' && run.state === 'queued') return
  if (other && hasEnded(run)) return
  if (other) live.losses = []
  live.run = run
  live.tokensPerSecond = tokensPerSecond ?? live.tokensPerSecond
  live.leftMs = leftMs
  const fresh = metrics.filter((m) => m.name === 'train/loss').map((m) => m.value)
  const all = [...live.losses, ...fresh]
  live.losses = all.length <= sparkPoints * 2 ? all : all.filter((_, i) => i % 2 === 0 || i === all.length - 1)
}

/** A run that has ended leaves the strip once it was looked at. */
export function seen(id: string): void {
  if (live.run?.id === id && hasEnded(live.run)) live.run = null
}

/** Keeps a job's latest word; those that ended stay until `forget`. */
export function hearImport(progress: Events['import']): void {
  live.imports = [...live.imports.filter((one) => one.job !== progress.job), progress]
}
export function hearPairs(progress: Events['pairs']): void {
  live.pairs = [...live.pairs.filter((one) => one.job !== progress.job), progress]
}
export function forget(job: string): void {
  live.imports = live.imports.filter((one) => one.job !== job)
  live.pairs = live.pairs.filter((one) => one.job !== job)
}
