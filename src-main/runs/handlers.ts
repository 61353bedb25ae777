// The part of the core that trains: options, plan, start; runs and what can be done with them; what a checkpoint gives.
import type { OptionList } from '../contract/commands.ts'
import { Failure } from '../contract/errors.ts'
import type { CommandName } from '../contract/commands.ts'
import { resolveAnswerer } from '../library/answerers.ts'
import type { CoreContext, Handlers } from '../library/context.ts'
import { listDatasets } from '../store/datasets.ts'
import { runFolder } from '../store/files.ts'
import * as saved from '../store/runs.ts'
import { removeRunFolder } from '../training/checkpoint.ts'
import { optionsFor, presetFor } from '../training/options.ts'
import { makePlan, refuseUnlessOk } from './plan.ts'
import type { TrainRequest } from './plan.ts'
import { createQueue } from './queue.ts'
import { scoringHandlers } from './scoring.ts'
import { checkAsk } from './states.ts'

type RunCommands = Extract<
  CommandName,
  `train.${string}` | `runs.${string}` | 'checkpoints.export' | 'logprobs.file' | 'eval.perplexity'
>

export function runHandlers(context: CoreContext): Pick<Handlers, RunCommands> {
  const { store, home, clock, emit } = context
  const queue = createQueue(context)
  const show = (id: string) => saved.showRun(store, id)

  return {
    'train.options': ({ method, tune, start }) => {
      const preset = presetFor(method, tune, start === undefined ? undefined : resolveAnswerer(store, start).model)
      return Object.entries(optionsFor(method, tune)).map(([name, one]): OptionList[number] => ({
        name,
        ...one,
        ...(Object.hasOwn(preset.values, name) && { default: preset.values[name]!, source: preset.sources[name]! }),
      }))
    },
    'train.plan': async (request) => (await makePlan(context, request)).plan,
    'train.start': async (request) => {
      const { plan, answerer, dataset, options } = await makePlan(context, request)
      refuseUnlessOk(plan)
      const run = saved.addRun(store, {
        name: request.name ?? freshName(request, dataset.name),
        ...{ method: request.method, tune: request.tune, backend: request.backend, start: request.start },
        ...{ model: answerer.model.id, dataset: dataset.id, seed: request.seed, options },
        ...{ state: 'queued', step: 0, steps: plan.steps, failure: null, createdAt: clock() },
        ...{ startedAt: null, endedAt: null, trainingMs: 0, lastLoss: null, bestHeldOut: null },
      })
      queue.add(run.id, false)
      return run
    },

    'runs.list': () => saved.listRuns(store),
    'runs.show': ({ id }) => ({
      ...show(id),
      checkpoints: saved.listCheckpoints(store, id),
      samples: saved.listSamples(store, id),
    }),
    'runs.metrics': ({ id, afterStep, points }) => {
      show(id)
      return saved.listMetrics(store, id, afterStep, points)
    },
    'runs.pause': ({ id }) => {
      checkAsk(show(id), 'pause')
      queue.pause(id)
      return show(id)
    },
    'runs.resume': ({ id }) => {
      const run = show(id)
      checkAsk(run, 'resume')
      if (run.state === 'paused') queue.goOn(id)
      else {
        if (!listDatasets(store).some((one) => one.id === run.dataset))
          throw new Failure('NotFound', `The data set of “${run.name}” was removed.`, {
            where: run.dataset,
            next: 'Start a new run from its last checkpoint, on another data set.',
          })
        saved.changeRun(store, id, { state: 'queued', endedAt: null, failure: null })
        queue.add(id, true)
      }
      return show(id)
    },
    'runs.stop': ({ id }) => {
      checkAsk(show(id), 'stop')
      queue.stop(id)
      return show(id)
    },
    'runs.rename': ({ id, name }) => {
      const run = saved.changeRun(store, id, { name })
      emit('changed', { what: 'runs' })
      return run
    },
    'runs.remove': ({ id }) => {
      const run = show(id)
      checkAsk(run, 'remove')
      const upon = saved.listCheckpoints(store, id).flatMap((one) => saved.runsUpon(store, one.id))
      if (upon.length > 0)
        throw new Failure('Busy', `“${upon[0]!.name}” began with a checkpoint of “${run.name}”.`, {
          where: upon.map((one) => one.id).join(', '),
          next: `Remove “${upon[0]!.name}” first: without this run its checkpoints cannot answer.`,
        })
      saved.removeRun(store, id)
      removeRunFolder(runFolder(home, id))
      emit('changed', { what: 'runs' })
      return null
    },
    ...scoringHandlers(context),
  }

  /** "Questions, SFT", and a number where that is taken. */
  function freshName({ method }: TrainRequest, dataset: string): string {
    const taken = new Set(saved.listRuns(store).map((run) => run.name))
    const name = `${dataset}, ${method.toUpperCase()}`.slice(0, 110)
    if (!taken.has(name)) return name
    for (let n = 2; ; n++) if (!taken.has(`${name} ${n}`)) return `${name} ${n}`
  }
}
