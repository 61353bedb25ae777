// temper train, runs, export
import { resolve } from 'node:path'
import type { Checkpoint, Run } from '../../contract/records.ts'
import { methods, tunes } from '../../contract/records.ts'
import { Failure, fromWire, type WireFailure } from '../../contract/errors.ts'
import type { Core } from '../../core.ts'
import {
  bytes,
  duration,
  need,
  read,
  refuseProblems,
  settings,
  table,
  whenInterrupted,
  whole,
  type Terminal,
} from './terminal.ts'

const usage =
  'train --method sft|dpo --model ID --data ID [--tune lora|full] [--backend B] [--steps N] [--seed N] [--name N] [--set option=value]... [--plan]'

export async function train(args: string[], terminal: Terminal): Promise<void> {
  const { values } = read(
    args,
    {
      method: { type: 'string' },
      model: { type: 'string' },
      checkpoint: { type: 'string' },
      data: { type: 'string' },
      tune: { type: 'string' },
      backend: { type: 'string' },
      steps: { type: 'string' },
      seed: { type: 'string' },
      name: { type: 'string' },
      set: { type: 'string', multiple: true },
      plan: { type: 'boolean' },
    },
    usage,
    0,
  )
  const method = methods.find((m) => m === values.method)
  const tune = tunes.find((t) => t === (values.tune ?? 'lora'))
  const start = values.model ?? values.checkpoint
  const wrong: { where: string; message: string }[] = []
  const instead = (given: string | undefined): string => (given === undefined ? '' : `, not “${given}”`)
  if (!method)
    wrong.push({
      where: '--method',
      message: `--method must be one of ${methods.join(', ')}${instead(values.method)}.`,
    })
  if (!tune)
    wrong.push({ where: '--tune', message: `--tune must be one of ${tunes.join(', ')}${instead(values.tune)}.` })
  if (!start) wrong.push({ where: '--model', message: '--model is missing.' })
  if (!values.data) wrong.push({ where: '--data', message: '--data is missing.' })
  refuseProblems(wrong, `Usage: temper ${usage}`)
  const steps = whole(values.steps, '--steps')
  const core = await terminal.core()
  const request = {
    method: method!,
    tune: tune!,
    start: start!,
    dataset: values.data!,
    ...(values.name !== undefined && { name: values.name }),
    ...(values.backend !== undefined && { backend: values.backend }),
    seed: whole(values.seed, '--seed') ?? 0,
    options: { ...settings(values.set), ...(steps !== undefined && { maxSteps: steps }) },
  }
  if (values.plan) {
    const plan = await core.call('train.plan', request)
    const { problems } = plan
    const error: WireFailure = {
      kind: 'BadOption',
      message: problems.map(({ message }) => message).join(' '),
      where: problems.map(({ where }) => where).join(', '),
      next: [...new Set(problems.flatMap(({ next }) => next ?? []))].join(' ') || 'Change these settings.',
      problems,
    }
    terminal.result(plan.ok ? plan : { ...plan, error }, () =>
      [
        plan.ok ? 'This run can start.' : 'This run would be refused.',
        ...[...plan.problems, ...plan.warnings].map((p) => `  ${p.where}: ${p.message} ${p.next ?? ''}`.trimEnd()),
        `Memory at peak ${bytes(plan.peakBytes)} of ${bytes(plan.machineBytes)}: ${plan.memory.map((m) => `${m.name} ${bytes(m.bytes)}`).join(', ')}`,
        `${plan.steps} steps, about ${duration(plan.estimatedMs)} at ${Math.round(plan.tokensPerSecond)} tokens/s (${plan.speedSource})`,
        `${plan.rows} rows, ${plan.heldOutRows} held out, ${plan.tokensPerEpoch} tokens an epoch, ${plan.trainedTokensPerEpoch} of them trained on`,
        table(
          ['option', 'value', 'from'],
          Object.entries(plan.options).map(([name, o]) => [name, String(o.value), o.from]),
        ),
      ].join('\n'),
    )
    if (!plan.ok) process.exitCode = 1
    return
  }
  await follow(core, terminal, () => core.call('train.start', request))
}

/** Starts or resumes a run, prints its progress, and ends with {run, checkpoint, metrics}. Ctrl C stops and keeps. */
export async function follow(
  core: Core,
  terminal: Terminal,
  begin: () => Promise<Run>,
): Promise<{ run: Run; checkpoint: Checkpoint | null }> {
  const ended = Promise.withResolvers<Run>()
  let id: string | null = null
  const endStates: Run['state'][] = ['finished', 'stopped', 'failed']
  // A step's line waits for the next step, because its held-out loss is measured after it.
  let line: { step: number; values: Record<string, number> } | null = null
  const print = (): void => {
    if (line === null || !terminal.json) return
    const { 'train/loss': loss, ...others } = line.values
    // What is measured before the first step is no progress, so it has no step.
    if (loss === undefined) terminal.stream({ start: others }, () => '')
    else terminal.stream({ step: line.step, loss, ...line.values }, () => '')
    line = null
  }
  const off = core.on('run', ({ run, metrics, tokensPerSecond, leftMs }) => {
    if (id !== null && run.id !== id) return
    for (const { step, name, value } of metrics) {
      if (line?.step !== step) print()
      line ??= { step, values: {} }
      line.values[name] = value
    }
    if (run.lastLoss !== null)
      terminal.progress(
        `step ${run.step} of ${run.steps}  loss ${run.lastLoss.toFixed(4)}` +
          (tokensPerSecond === null ? '' : `  ${Math.round(tokensPerSecond)} tokens/s`) +
          (leftMs === null ? '' : `  ${duration(leftMs)} left`),
      )
    if (endStates.includes(run.state)) ended.resolve(run)
  })
  let stopAsked = false
  const stop = (run: string): void => void core.call('runs.stop', { id: run }).catch(() => {}) // it may have ended by itself meanwhile
  const offInterrupt = whenInterrupted(() => {
    stopAsked = true
    terminal.say('Stopping after this step; what was learned so far is kept.')
    if (id !== null) stop(id)
  })
  try {
    const begun = await begin()
    id = begun.id
    if (stopAsked) stop(id)
    const now = await core.call('runs.show', { id })
    const run = endStates.includes(now.state) ? now : await ended.promise
    if (run.id !== id) throw new Failure('Bug', `Heard the end of ${run.id} while waiting for ${id}.`)
    print()
    if (run.failure) throw fromWire({ ...run.failure, kind: run.failure.kind as 'Bug' })
    const shown = await core.call('runs.show', { id })
    const checkpoint = shown.checkpoints.find((c) => c.reasons.includes('last')) ?? shown.checkpoints.at(-1) ?? null
    const metrics: Record<string, number> = {}
    for (const m of await core.call('runs.metrics', { id })) metrics[m.name] = m.value
    terminal.stream({ run: shown, checkpoint, metrics }, () =>
      [
        `${shown.id}  ${shown.name}: ${shown.state} at step ${shown.step} of ${shown.steps} after ${duration(shown.trainingMs)}.`,
        checkpoint ? `Checkpoint ${checkpoint.id} in ${checkpoint.path}` : 'No checkpoint was kept.',
        table(
          ['metric', 'last'],
          Object.entries(metrics).map(([name, value]) => [name, value.toPrecision(5)]),
        ),
      ].join('\n'),
    )
    return { run: shown, checkpoint }
  } finally {
    offInterrupt()
    off()
  }
}

const runsUsage = 'runs list | show ID | stop ID | resume ID | remove ID'

export async function runs(args: string[], terminal: Terminal): Promise<void> {
  const { positionals } = read(args, {}, runsUsage, 2)
  const [verb = 'list', subject] = positionals
  const core = await terminal.core()
  switch (verb) {
    case 'list': {
      const list = await core.call('runs.list', {})
      return terminal.result(list, () =>
        table(
          ['id', 'name', 'method', 'tune', 'state', 'step', 'steps', 'loss', 'held-out'],
          list.map((r) => [
            r.id,
            r.name,
            r.method,
            r.tune,
            r.state,
            r.step,
            r.steps,
            r.lastLoss?.toFixed(4) ?? '',
            r.bestHeldOut?.loss.toFixed(4) ?? '',
          ]),
        ),
      )
    }
    case 'show': {
      const run = await core.call('runs.show', { id: need(subject, 'The id', runsUsage) })
      return terminal.result(run, () =>
        [
          `${run.id}  ${run.name}: ${run.method}, ${run.tune}, ${run.backend}; ${run.state} at step ${run.step} of ${run.steps}`,
          run.failure ? `${run.failure.message} ${run.failure.next ?? ''}` : '',
          table(
            ['checkpoint', 'step', 'why', 'train loss', 'held-out loss', 'size'],
            run.checkpoints.map((c) => [
              c.id,
              c.step,
              c.reasons.join(', '),
              c.trainLoss?.toFixed(4) ?? '',
              c.heldOutLoss?.toFixed(4) ?? '',
              bytes(c.bytes),
            ]),
          ),
        ].join('\n'),
      )
    }
    case 'stop': {
      const run = await core.call('runs.stop', { id: need(subject, 'The id', runsUsage) })
      return terminal.result(run, () => `${run.id} is ${run.state}.`)
    }
    case 'resume': {
      const id = need(subject, 'The id', runsUsage)
      await follow(core, terminal, () => core.call('runs.resume', { id }))
      return
    }
    case 'remove': {
      const id = need(subject, 'The id', runsUsage)
      await core.call('runs.remove', { id })
      return terminal.result({ removed: id }, () => `${id} and its checkpoints are gone.`)
    }
    default:
      throw new Failure('BadOption', `runs does not know “${verb}”.`, {
        where: verb,
        next: `Usage: temper ${runsUsage}`,
      })
  }
}

const exportUsage = 'export --checkpoint ID --format adapter|merged --out DIR'

export async function exportCheckpoint(args: string[], terminal: Terminal): Promise<void> {
  const { values } = read(
    args,
    { checkpoint: { type: 'string' }, format: { type: 'string' }, out: { type: 'string' } },
    exportUsage,
    0,
  )
  const format = values.format ?? 'adapter'
  if (format !== 'adapter' && format !== 'merged')
    throw new Failure('BadOption', `--format must be adapter or merged, not “${format}”.`, {
      where: '--format',
      next: `Usage: temper ${exportUsage}`,
    })
  const core = await terminal.core()
  const done = await core.call('checkpoints.export', {
    id: need(values.checkpoint, '--checkpoint', exportUsage),
    format,
    out: resolve(need(values.out, '--out', exportUsage)),
  })
  terminal.result(done, () => `Reloaded and compared. In ${done.out}: ${done.files.join(', ')}`)
}
