// temper train, runs, export
import { resolve } from 'node:path'
import type { Checkpoint, Run } from '../../contract/records.ts'
import { methods, tunes } from '../../contract/records.ts'
import { Failure, fromWire } from '../../contract/errors.ts'
import type { Core } from '../../core.ts'
import { bytes, duration, need, read, settings, table, whole, type Terminal } from './terminal.ts'

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
  )
  const method = methods.find((m) => m === values.method)
  const tune = tunes.find((t) => t === (values.tune ?? 'lora'))
  if (!method)
    throw new Failure('BadOption', `--method must be one of ${methods.join(', ')}, not “${values.method ?? ''}”.`, {
      where: '--method',
      next: `Usage: temper ${usage}`,
    })
  if (!tune)
    throw new Failure('BadOption', `--tune must be one of ${tunes.join(', ')}, not “${values.tune}”.`, {
      where: '--tune',
    })
  const steps = whole(values.steps, '--steps')
  const core = await terminal.core()
  const request = {
    method,
    tune,
    start: need(values.model ?? values.checkpoint, '--model', usage),
    dataset: need(values.data, '--data', usage),
    ...(values.name !== undefined && { name: values.name }),
    ...(values.backend !== undefined && { backend: values.backend }),
    seed: whole(values.seed, '--seed') ?? 0,
    options: { ...settings(values.set), ...(steps !== undefined && { maxSteps: steps }) },
  }
  if (values.plan) {
    const plan = await core.call('train.plan', request)
    terminal.result(plan, () =>
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
  let seen = -1
  const off = core.on('run', ({ run, metrics, tokensPerSecond, leftMs }) => {
    if (id !== null && run.id !== id) return
    const steps = new Map<number, Record<string, number>>()
    for (const m of metrics) steps.set(m.step, { ...steps.get(m.step), [m.name]: m.value })
    for (const [step, values] of steps) {
      if (terminal.json) terminal.stream({ step, loss: values['train/loss'], ...values }, () => '')
      seen = Math.max(seen, step)
    }
    if (run.lastLoss !== null)
      terminal.progress(
        `step ${run.step} of ${run.steps}  loss ${run.lastLoss.toFixed(4)}` +
          (tokensPerSecond === null ? '' : `  ${Math.round(tokensPerSecond)} tokens/s`) +
          (leftMs === null ? '' : `  ${duration(leftMs)} left`),
      )
    if (endStates.includes(run.state)) ended.resolve(run)
  })
  const stop = (): void => void (id !== null && core.call('runs.stop', { id }).catch(() => {}))
  process.once('SIGINT', stop)
  try {
    const begun = await begin()
    id = begun.id
    const now = await core.call('runs.show', { id })
    const run = endStates.includes(now.state) ? now : await ended.promise
    if (run.id !== id) throw new Failure('Bug', `Heard the end of ${run.id} while waiting for ${id}.`)
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
    process.off('SIGINT', stop)
    off()
  }
}

const runsUsage = 'runs list | show ID | stop ID | resume ID | remove ID'

export async function runs(args: string[], terminal: Terminal): Promise<void> {
  const { positionals } = read(args, {}, runsUsage)
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
      throw new Failure('BadOption', `runs does not know “${verb}”.`, { next: `Usage: temper ${runsUsage}` })
  }
}

const exportUsage = 'export --checkpoint ID --format adapter|merged --out DIR'

export async function exportCheckpoint(args: string[], terminal: Terminal): Promise<void> {
  const { values } = read(
    args,
    { checkpoint: { type: 'string' }, format: { type: 'string' }, out: { type: 'string' } },
    exportUsage,
  )
  const format = values.format ?? 'adapter'
  if (format !== 'adapter' && format !== 'merged')
    throw new Failure('BadOption', `--format must be adapter or merged, not “${format}”.`, { where: '--format' })
  const core = await terminal.core()
  const done = await core.call('checkpoints.export', {
    id: need(values.checkpoint, '--checkpoint', exportUsage),
    format,
    out: resolve(need(values.out, '--out', exportUsage)),
  })
  terminal.result(done, () => `Reloaded and compared. In ${done.out}: ${done.files.join(', ')}`)
}
