// Who can answer: each model as it came, and each checkpoint of each run upon it.
import { Failure } from '../contract/errors.ts'
import type { Answerer, Checkpoint, Model, Run, Tune } from '../contract/records.ts'
import { found, nounOf } from '../store/ids.ts'
import { listModels, showModel } from '../store/models.ts'
import type { Store } from '../store/open.ts'
import { listCheckpoints, listRuns, showCheckpoint, showRun } from '../store/runs.ts'

/** One checkpoint on the way from the model to the answerer: an adapter to merge, or a whole set of weights. */
export interface AppliedCheckpoint {
  id: string
  run: string
  step: number
  path: string
  tune: Tune
}

/**
 * All that a worker needs to load an answerer: begin with `modelPath`, then apply `checkpoints` in their order. A full
 * checkpoint replaces the weights, so whatever came before it is left out; only the first can be a full one.
 */
export interface ResolvedAnswerer {
  id: string
  name: string
  modelPath: string
  /** The chat template to render with; null where the model has none. */
  template: string | null
  model: Model
  checkpoints: AppliedCheckpoint[]
}

const asItCame = (model: Model): Answerer => ({
  id: model.id,
  name: `${model.name}, before training`,
  model: model.id,
  run: null,
  step: null,
})
const after = (run: Run, checkpoint: Checkpoint): Answerer => ({
  id: checkpoint.id,
  name: `${run.name}, step ${checkpoint.step}`,
  model: run.model,
  run: run.id,
  step: checkpoint.step,
})

/** Models first, then each run's checkpoints by step, oldest run first. */
export function listAnswerers(store: Store): Answerer[] {
  const runs = new Map(listRuns(store).map((run) => [run.id, run]))
  return [
    ...listModels(store).map(asItCame),
    ...listCheckpoints(store).map((checkpoint) => after(runs.get(checkpoint.run)!, checkpoint)),
  ]
}

export function showAnswerer(store: Store, id: string): Answerer {
  if (nounOf(id) === 'checkpoint') {
    const checkpoint = showCheckpoint(store, id)
    return after(showRun(store, checkpoint.run), checkpoint)
  }
  if (nounOf(id) === 'model') return asItCame(showModel(store, id))
  return found<Answerer>(undefined, 'model', id)
}

/** The answerer, or one that says that it is gone: history outlives runs. */
export function rememberedAnswerer(store: Store, id: string): Answerer {
  try {
    return showAnswerer(store, id)
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'NotFound') throw error
    return { id, name: `${id} (removed)`, model: '', run: null, step: null }
  }
}

export const nameOfAnswerer = (store: Store, id: string): string => rememberedAnswerer(store, id).name

/** Follows the runs back from `id` to the model that it all began with. Throws NotFound. */
export function resolveAnswerer(store: Store, id: string): ResolvedAnswerer {
  const { name } = showAnswerer(store, id)
  const checkpoints: AppliedCheckpoint[] = []
  let at = id
  while (nounOf(at) === 'checkpoint') {
    const { run: runId, step, path } = showCheckpoint(store, at)
    const run = showRun(store, runId)
    if (checkpoints[0]?.tune !== 'full') checkpoints.unshift({ id: at, run: run.id, step, path, tune: run.tune })
    at = run.start
  }
  const model = showModel(store, at)
  return { id, name, modelPath: model.path, template: model.template, model, checkpoints }
}
