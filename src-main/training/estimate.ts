// What a run would take, before it starts: memory by part, steps, time; and why it would be refused. Pure arithmetic over
// what was counted (data/encode.ts), what the model is, and how fast this machine was last time.
import type { Plan } from '../contract/commands.ts'
import type { Resolved } from '../contract/options.ts'
import type { Method, Tune } from '../contract/records.ts'
import type { LengthStatistics } from '../data/encode.ts'
import type { ModelConfig } from '../models/config.ts'
import { estimateBytes } from '../models/estimate.ts'
import { countParameters } from '../models/families.ts'
import { valuesOf } from '../contract/options.ts'
import { rhythmOf, rowsAtOnce, stepsOf } from './loop.ts'
import { targetsOf } from './options.ts'
import type { LoopValues, LoraValues } from './options.ts'

export interface PlanQuestion {
  config: ModelConfig
  method: Method
  tune: Tune
  options: Record<string, Resolved>
  /** Of the training rows; `scale` where only a part was counted. */
  lengths: LengthStatistics
  scale: number
  heldOutRows: number
  /** Tokens a second that this machine reached on this model before; null: never measured. */
  measured: number | null
  threads: number
  machineBytes: number
  freeDiskBytes: number
}

type Remark = Plan['problems'][number]

/** A cautious guess of what one thread computes, in floating-point operations a second, where nothing was measured. */
const guessedFlops = 25e9

export function planOf(question: PlanQuestion): Plan {
  const { config, method, tune, options, lengths, scale, heldOutRows, measured, machineBytes } = question
  const values = valuesOf(options) as LoopValues & LoraValues
  const problems: Remark[] = []
  const warnings: Remark[] = []
  const unusable = lengths.unusable.reduce((sum, { count }) => sum + count, 0)
  const usable = lengths.rows - unusable - lengths.untrained
  const leftOut = lengths.rows - usable
  const rows = Math.round(usable * scale)
  const context = config.maxPositionEmbeddings
  const longest = Math.min(lengths.longest, values.maxTokens)

  if (values.maxTokens > context)
    problems.push({
      where: 'maxTokens',
      message: `This model reads at most ${context} tokens; “Longest row” asks for ${values.maxTokens}.`,
      next: `Set it to ${context} or less.`,
    })
  if (usable === 0) problems.push(nothingToTrain(lengths, values.maxTokens, context))
  else {
    if (leftOut > 0)
      warnings.push({
        where: 'rows',
        message: `${plural(Math.round(leftOut * scale), 'row')} will be left out: ${lengths.unusable[0]?.reason ?? 'no answer to learn remains'}`,
        next: 'Look at these rows in Data, or raise “Longest row”.',
      })
    if (lengths.truncated > 0)
      warnings.push({
        where: 'maxTokens',
        message: `${plural(Math.round(lengths.truncated * scale), 'row')} will be cut at ${values.maxTokens} tokens; the longest has ${lengths.longest}.`,
        next: longest < context ? 'Raise “Longest row” if their ends matter.' : 'The model cannot read more at once.',
      })
    if (heldOutRows === 0)
      warnings.push({
        where: 'held-out',
        message: 'No rows are held out, so nothing will show when the model begins to learn by heart.',
        next: 'Import with a held-out share.',
      })
  }

  const steps = stepsOf(values, Math.max(1, rows))
  const meanTokens = lengths.tokens / Math.max(1, usable)
  const perRow = method === 'dpo' ? 2 : 1
  // The longest micro-batch of many: the mean and some deviations, never more than all rows at their longest.
  const many = rowsAtOnce(values) * perRow
  const likely = many * (meanTokens / perRow) + 2 * Math.sqrt(many) * (longest - meanTokens / perRow)
  const tokensAtOnce = Math.ceil(
    Math.max(longest * perRow, Math.min(values.tokensAtOnce, many * longest, Math.max(0, likely))),
  )
  const trainedRatio = lengths.trained / Math.max(1, lengths.tokens)
  const lora = tune === 'lora' ? { rank: values.rank, targets: targetsOf(values.targets) } : undefined
  const estimate = estimateBytes(config, {
    tune,
    ...(lora && { lora }),
    tokens: Math.max(1, tokensAtOnce),
    scored: Math.max(1, Math.ceil(tokensAtOnce * Math.min(1, 1.25 * trainedRatio))),
    longest: Math.max(1, longest),
    passing: true,
  })
  const memory = [
    { name: 'Weights', bytes: estimate.weightsBytes },
    { name: 'Gradients', bytes: estimate.gradientsBytes },
    { name: 'Optimizer', bytes: estimate.optimizerBytes },
    { name: 'Activations', bytes: estimate.activationsBytes },
    { name: 'Scores', bytes: estimate.scoresBytes },
  ]
  const peakBytes = estimate.totalBytes
  const lower = { where: 'tokensAtOnce', next: 'Lower “Tokens at once” or “Longest row”, or tune with LoRA.' }
  if (peakBytes > machineBytes)
    problems.push({
      ...lower,
      message: `This run needs ${gigabytes(peakBytes)}; the machine has ${gigabytes(machineBytes)}.`,
    })
  else if (peakBytes > 0.7 * machineBytes)
    warnings.push({
      ...lower,
      message: `This run needs ${gigabytes(peakBytes)} of ${gigabytes(machineBytes)}; other programs may have to make room.`,
    })

  // Forward 2, backward 2 through what is frozen and 2 more where weights learn: floating-point operations a weight, a token.
  const perToken = countParameters(config) * (tune === 'full' ? 6 : 4.3)
  const tokensPerSecond = measured ?? (guessedFlops * question.threads) / perToken
  const { heldOutEvery, checkpointEvery } = rhythmOf(values, steps)
  const checksPerRun = heldOutRows > 0 ? Math.ceil(steps / heldOutEvery) + 1 : 0
  const trainTokens = steps * values.rowsPerStep * meanTokens
  const checkTokens = (checksPerRun * Math.min(heldOutRows, values.heldOutRows) * meanTokens) / 3 // forward only
  const referenceTokens = method === 'dpo' ? ((rows + heldOutRows) * meanTokens) / 3 : 0

  const weights = tune === 'full' ? 4 * countParameters(config) : 4 * estimate.trainedParameters
  const checkpoints = Math.min(values.keepCheckpoints + 3, Math.ceil(steps / checkpointEvery) + 2)
  const diskBytes = checkpoints * weights + 2 * weights
  if (diskBytes > question.freeDiskBytes)
    problems.push({
      where: 'disk',
      message: `The checkpoints need ${gigabytes(diskBytes)}; the disk has ${gigabytes(question.freeDiskBytes)} left.`,
      next: 'Free some space, or keep fewer checkpoints.',
    })
  return {
    ok: problems.length === 0,
    problems,
    warnings,
    memory,
    peakBytes,
    machineBytes,
    steps,
    tokensPerEpoch: Math.round(lengths.tokens * scale),
    trainedTokensPerEpoch: Math.round(lengths.trained * scale),
    tokensPerSecond,
    speedSource: measured === null ? 'estimated' : 'measured',
    estimatedMs: ((trainTokens + checkTokens + referenceTokens) / tokensPerSecond) * 1000,
    checkpointBytes: weights,
    checkpoints,
    rows,
    heldOutRows,
    truncatedRows: Math.round(lengths.truncated * scale),
    leftOutRows: Math.round(leftOut * scale),
    longestTokens: lengths.longest,
    options,
  }
}

function nothingToTrain(lengths: LengthStatistics, maxTokens: number, context: number): Remark {
  const where = 'rows'
  if (lengths.rows === 0)
    return { where, message: 'This data set has no rows to train on.', next: 'Import some, or hold out fewer.' }
  if (lengths.unusable.length > 0)
    return {
      where,
      message: `This run would train on nothing: ${lengths.unusable[0]!.reason}`,
      next: 'Choose another data set, or a model whose template fits it.',
    }
  if (lengths.truncated >= lengths.untrained && lengths.truncated > 0)
    return {
      where: 'maxTokens',
      message: `This run would train on nothing: every row is cut at ${maxTokens} tokens before its answer.`,
      next: maxTokens < context ? 'Raise “Longest row”.' : 'Shorten the rows; the model cannot read more.',
    }
  return {
    where,
    message: 'This run would train on nothing: no row has an answer.',
    next: 'Choose a data set with answers.',
  }
}

const plural = (count: number, noun: string): string => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
const gigabytes = (bytes: number): string =>
  bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
