// Models on the person's disk: looked at once when they are added, then remembered by their path; nothing is copied.
import { basename, resolve } from 'node:path'
import { Failure } from '../contract/errors.ts'
import type { Model } from '../contract/records.ts'
import { countParameters } from '../models/families.ts'
import { readModelFolder, type ModelFolder } from '../models/files/folder.ts'
import { addModel, changeModel, modelAt, removeModel, showModel } from '../store/models.ts'
import { runsUpon } from '../store/runs.ts'
import type { CoreContext } from './context.ts'

/** What a folder says of its model. Throws BadFile or ModelMismatch, all that is wrong at once. */
function lookAtModel(path: string): Omit<Model, 'id' | 'name' | 'builtIn' | 'createdAt'> {
  const folder = readModelFolder(path, { numbers: true })
  folder.close()
  const { config } = folder
  return {
    family: config.modelType,
    path,
    parameters: countParameters(config),
    bytes: folder.bytes,
    context: config.maxPositionEmbeddings,
    vocabulary: config.vocabSize,
    width: config.hiddenSize,
    layers: config.numHiddenLayers,
    template: folder.text.template,
    card: folder.card,
  }
}

/** Adds the folder at `path`; one that is there already is looked at again and keeps its id. */
export function addModelFolder(
  { store, clock }: Pick<CoreContext, 'store' | 'clock'>,
  { path: given, name, builtIn = false }: { path: string; name?: string | undefined; builtIn?: boolean },
): Model {
  const path = resolve(given)
  const seen = lookAtModel(path)
  open.delete(path) // its tokenizer may be another one now
  const known = modelAt(store, path)
  if (known) return changeModel(store, known.id, { ...seen, ...(name !== undefined && { name }) })
  return addModel(store, { ...seen, name: name ?? basename(path), builtIn, createdAt: clock() })
}

/** Forgets a model; its files stay where they are. Throws Busy while runs are built upon it. */
export function forgetModel({ store }: Pick<CoreContext, 'store'>, id: string): void {
  const model = showModel(store, id)
  if (model.builtIn)
    throw new Failure('BadOption', `“${model.name}” comes with Temper and cannot be removed.`, { where: id })
  const upon = runsUpon(store, id)
  if (upon.length > 0)
    throw new Failure(
      'Busy',
      `${upon.length === 1 ? 'A run is' : `${upon.length} runs are`} built upon “${model.name}”.`,
      {
        where: upon.map((run) => run.name).join(', '),
        next: 'Remove these runs first: without their model their checkpoints cannot answer.',
      },
    )
  removeModel(store, id)
}

/** A model without its weights: its shape, and what turns words into tokens for it. */
export type KnownModel = Pick<ModelFolder, 'config' | 'text'>

/** Tokenizers are dear to open and small to keep: the latest few stay open. */
const mostOpen = 3
const open = new Map<string, KnownModel>()

/** The shape and the words of the model in folder `path`, as they were when it was last opened or added. Throws BadFile. */
export function openModel(path: string): KnownModel {
  const model = open.get(path) ?? readWithoutWeights(path)
  open.delete(path)
  open.set(path, model) // the latest used stands last
  if (open.size > mostOpen) open.delete(open.keys().next().value!)
  return model
}

function readWithoutWeights(path: string): KnownModel {
  const { config, text, close } = readModelFolder(path)
  close()
  return { config, text }
}
