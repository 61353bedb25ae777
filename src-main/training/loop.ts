// The only training loop: every method of this house learns here. It is an async generator of what happened; others write
// it down. To pause is to stop pulling; to stop is to leave off. Between two pulls its state is whole: a checkpoint written
// then resumes bit for bit, because micro-batches that were begun are simply read again.
import { Failure } from '../contract/errors.ts'
import type { CheckpointReason } from '../contract/records.ts'
import type { OptionValue } from '../contract/options.ts'
import { batchOf, microBatches, stepRows, stepsPerEpoch } from '../data/batch.ts'
import type { Cursor, TrainingRow } from '../data/batch.ts'
import type { Backend } from '../engine/backend.ts'
import { clipByGlobalNorm } from '../engine/clip.ts'
import { scheduleFactor } from '../engine/schedule.ts'
import type { ScheduleName } from '../engine/schedule.ts'
import type { Transformer } from '../models/transformer.ts'
import { sequenceSums } from '../methods/method.ts'
import type { Method } from '../methods/method.ts'
import type { LoopValues } from './options.ts'
import type { Optimizer } from './optimizer.ts'

/** The model as the loop sees it: tokens in, log-probabilities out, and the way back. */
export type Policy = Pick<Transformer, 'parameters' | 'forward' | 'backward' | 'zeroGradients'>

/** Where a run stands, as plain data. */
export interface LoopState {
  step: number
  cursor: Cursor
  /** Tokens read so far. */
  tokens: number
  /** Time spent training so far, without pauses. */
  trainingMs: number
  lastLoss: number | null
  lastHeldOut: number | null
  bestHeldOut: { step: number; loss: number } | null
  /** The loss that it all began with: held-out, or of the first step where nothing is held out. */
  startLoss: { loss: number; heldOut: boolean } | null
  /** The step whose held-out loss was measured last; -1 at first. */
  checkedStep: number
}

export const freshState = (): LoopState => ({
  step: 0,
  cursor: { epoch: 0, position: 0 },
  tokens: 0,
  trainingMs: 0,
  lastLoss: null,
  lastHeldOut: null,
  bestHeldOut: null,
  startLoss: null,
  checkedStep: -1,
})

export interface LoopParts {
  backend: Backend
  policy: Policy
  optimizer: Optimizer
  method: Method
  /** The method's own settings and the loop's, resolved. */
  values: LoopValues & Readonly<Record<string, OptionValue>>
  seed: number
  rows: readonly TrainingRow[]
  heldOut: readonly TrainingRow[]
  /** Sums of the reference model for `rows` and for `heldOut`: sequencesPerRow numbers a row; null where none are needed. */
  reference: { rows: Float64Array; heldOut: Float64Array } | null
  state: LoopState
  /** Milliseconds of any steady clock. */
  clock: () => number
}

export type Progress =
  /** Work was done; a good moment to look up. */
  | { kind: 'breath' }
  | { kind: 'step'; step: number; metrics: Record<string, number>; tokensPerSecond: number }
  | { kind: 'held-out'; step: number; metrics: Record<string, number> }
  /** The state is to be kept now. */
  | { kind: 'checkpoint'; step: number; reasons: CheckpointReason[] }

/** Updates of the whole run. */
export function stepsOf(values: Pick<LoopValues, 'maxSteps' | 'epochs' | 'rowsPerStep'>, rows: number): number {
  return values.maxSteps > 0
    ? values.maxSteps
    : Math.max(1, Math.ceil(values.epochs * stepsPerEpoch(rows, values.rowsPerStep)))
}

/** Steps between held-out checks and between checkpoints, where 0 was left to us: then checkpoints fall on checks. */
export function rhythmOf(values: Pick<LoopValues, 'heldOutEvery' | 'checkpointEvery'>, steps: number) {
  const heldOutEvery = values.heldOutEvery || Math.max(1, Math.ceil(steps / 12))
  const quarter = Math.max(1, Math.ceil(steps / 4))
  const onCheck = Math.ceil(quarter / heldOutEvery) * heldOutEvery
  return { heldOutEvery, checkpointEvery: values.checkpointEvery || (onCheck < steps ? onCheck : quarter) }
}

/**
 * Trains until the last step. `parts.state` is changed in place. Throws BadOption when loss or gradient are no longer
 * numbers, or the loss stays far above where it began: before the weights of that step are touched.
 */
export async function* train(parts: LoopParts): AsyncGenerator<Progress, void> {
  const { backend, policy, optimizer, method, values, seed, rows, heldOut, reference, state, clock } = parts
  const steps = stepsOf(values, rows.length)
  const rhythm = rhythmOf(values, steps)
  const schedule = { name: values.schedule as ScheduleName, steps, warmupRatio: values.warmupRatio }
  const watch = divergenceWatch(state)
  const order = stepRows(rows.length, values.rowsPerStep, seed, state.cursor)

  const fresh = state.step === 0 && state.checkedStep === -1
  if (heldOut.length > 0 && state.checkedStep < 0) yield* check()
  if (fresh) yield { kind: 'checkpoint', step: 0, reasons: ['start'] }

  while (state.step < steps) {
    const { rows: chosen, cursor } = order.next().value
    const learningRate = values.learningRate * scheduleFactor(schedule, state.step)
    const sums: Record<string, number> = {}
    let [loss, weight, tokens, spentMs] = [0, 0, 0, 0]
    policy.zeroGradients() // also those of a step that was left half-way
    for (const micro of microBatches(rows, chosen, values.accumulate, values.tokensAtOnce)) {
      const begun = clock()
      const batch = batchOf(rows, micro)
      const { logprobs } = await policy.forward(batch, { keep: true })
      const one = method.loss({ ...batch, logprobs, reference: pick(reference?.rows, micro) }, values)
      loss += one.sum
      weight += one.weight
      tokens += batch.tokens.length
      for (const [name, sum] of Object.entries(one.metrics)) sums[name] = (sums[name] ?? 0) + sum
      policy.backward(one.dLogprobs)
      spentMs += clock() - begun
      yield { kind: 'breath' }
    }

    const begun = clock()
    const squares = await backend.sumSquares(policy.parameters.map((p) => p.grad!))
    const { gradientNorm, gradientScale } = clipByGlobalNorm(squares, 1 / weight, values.maxGradientNorm)
    watch(state.step + 1, loss / weight, gradientNorm, values.learningRate)
    const { beta1, beta2, epsilon, weightDecay } = values
    optimizer.update({ learningRate, beta1, beta2, epsilon, weightDecay, step: state.step + 1, gradientScale })

    spentMs += clock() - begun
    state.step++
    state.cursor = cursor
    state.tokens += tokens
    state.trainingMs += spentMs
    state.lastLoss = loss / weight
    const metrics: Record<string, number> = {
      'train/loss': loss / weight,
      'learning-rate': learningRate,
      'gradient-norm': gradientNorm,
      'tokens-per-second': (tokens / Math.max(spentMs, 0.001)) * 1000,
    }
    for (const [name, sum] of Object.entries(sums)) metrics[`${method.name}/${name}`] = sum / weight
    yield { kind: 'step', step: state.step, metrics, tokensPerSecond: metrics['tokens-per-second']! }

    const last = state.step === steps
    const reasons: CheckpointReason[] = []
    if (heldOut.length > 0 && (last || state.step % rhythm.heldOutEvery === 0)) {
      yield* check()
      if (state.bestHeldOut?.step === state.step) reasons.push('best')
    }
    if (last) reasons.push('last')
    if (state.step % rhythm.checkpointEvery === 0) reasons.push('periodic')
    if (reasons.length > 0) yield { kind: 'checkpoint', step: state.step, reasons }
  }

  /** The method's loss over the held-out rows: nothing changes but `state`'s record of it. */
  async function* check(): AsyncGenerator<Progress, void> {
    const capped = Int32Array.from({ length: Math.min(heldOut.length, values.heldOutRows) }, (_, i) => i)
    const sums: Record<string, number> = {}
    let [loss, weight] = [0, 0]
    // No more rows at once than in training, so that a check never needs more memory than the plan said.
    const parts = Math.ceil(capped.length / rowsAtOnce(values))
    for (const micro of microBatches(heldOut, capped, parts, values.tokensAtOnce)) {
      const batch = batchOf(heldOut, micro)
      const { logprobs } = await policy.forward(batch, { keep: false })
      const one = method.loss({ ...batch, logprobs, reference: pick(reference?.heldOut, micro) }, values)
      loss += one.sum
      weight += one.weight
      for (const [name, sum] of Object.entries(one.metrics)) sums[name] = (sums[name] ?? 0) + sum
      yield { kind: 'breath' }
    }
    state.lastHeldOut = loss / weight
    state.checkedStep = state.step
    if (state.step === 0) state.startLoss = { loss: state.lastHeldOut, heldOut: true }
    if (state.bestHeldOut === null || state.lastHeldOut < state.bestHeldOut.loss)
      state.bestHeldOut = { step: state.step, loss: state.lastHeldOut }
    const metrics: Record<string, number> = { 'held-out/loss': state.lastHeldOut }
    for (const [name, sum] of Object.entries(sums)) metrics[`held-out/${name}`] = sum / weight
    yield { kind: 'held-out', step: state.step, metrics }
  }

  function pick(all: Float64Array | undefined, micro: readonly number[]): Float64Array | null {
    if (all === undefined) return null
    const width = method.sequencesPerRow
    return Float64Array.from(
      { length: micro.length * width },
      (_, i) => all[micro[Math.floor(i / width)]! * width + (i % width)]!,
    )
  }
}

/** Rows of one micro-batch. */
export function rowsAtOnce(values: Pick<LoopValues, 'rowsPerStep' | 'accumulate'>): number {
  return Math.ceil(values.rowsPerStep / values.accumulate)
}

/** Asks the model as it is now for the sums that a method compares with; yields as it goes, gives them at the end. */
export async function* referenceSums(
  policy: Pick<Policy, 'forward'>,
  rows: readonly TrainingRow[],
  values: Pick<LoopValues, 'rowsPerStep' | 'accumulate' | 'tokensAtOnce'>,
): AsyncGenerator<Progress, Float64Array> {
  const all = Int32Array.from(rows, (_, i) => i)
  const sums: number[] = []
  for (const micro of microBatches(rows, all, Math.ceil(rows.length / rowsAtOnce(values)), values.tokensAtOnce)) {
    const batch = batchOf(rows, micro)
    const { logprobs } = await policy.forward(batch, { keep: false })
    sums.push(...sequenceSums({ ...batch, logprobs }).sums)
    yield { kind: 'breath' }
  }
  return Float64Array.from(sums)
}

/** Stops a run that left the rails: see `train`. A mean over the held-out rows tells sooner than the first batch does. */
function divergenceWatch(state: LoopState): (step: number, loss: number, norm: number, learningRate: number) => void {
  let [far, above] = [0, 0] // steps in a row
  return (step, loss, norm, learningRate) => {
    const stop = (what: string): Failure =>
      new Failure('BadOption', `Training stopped at step ${step}: ${what}.`, {
        where: 'learningRate',
        next: `Lower the learning rate to ${Number((learningRate / 10).toPrecision(2))} and start again from the last good checkpoint.`,
      })
    if (!Number.isFinite(loss)) throw stop('the loss was no longer a number')
    if (!Number.isFinite(norm)) throw stop('the gradient was no longer a number')
    state.startLoss ??= { loss, heldOut: false }
    const start = state.startLoss
    far = loss > 5 * Math.max(start.loss, 1) + 5 ? far + 1 : 0
    above = start.heldOut && loss > 2 * start.loss + 1 ? above + 1 : 0
    if (far >= 5 || above >= 20)
      throw stop(`the loss rose from ${start.loss.toFixed(2)} to ${loss.toFixed(2)} and stayed there`)
  }
}
