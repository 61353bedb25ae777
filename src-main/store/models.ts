// Models: where their folders lie and what was read of them when they were added.
import { actualPath, storedPath } from './files.ts'
import { found, newId } from './ids.ts'
import type { Model } from '../contract/records.ts'
import type { Store } from './open.ts'

interface ModelRow extends Omit<Model, 'builtIn' | 'createdAt'> {
  built_in: 0 | 1
  created_at: number
}
const toModel = (store: Store, { built_in, created_at, path, ...rest }: ModelRow): Model => ({
  ...rest,
  path: actualPath(store.home, path),
  builtIn: built_in === 1,
  createdAt: created_at,
})

export function addModel(store: Store, model: Omit<Model, 'id'>): Model {
  return store.transaction(() => {
    const id = newId(store, 'model')
    store.run(
      `INSERT INTO models (id, name, family, path, parameters, bytes, context, vocabulary, width, layers, template, built_in,
         card, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      model.name,
      model.family,
      storedPath(store.home, model.path),
      model.parameters,
      model.bytes,
      model.context,
      model.vocabulary,
      model.width,
      model.layers,
      model.template,
      model.builtIn ? 1 : 0,
      model.card,
      model.createdAt,
    )
    return showModel(store, id)
  })
}

export function showModel(store: Store, id: string): Model {
  return toModel(store, found(store.get<ModelRow>('SELECT * FROM models WHERE id = ?', id), 'model', id))
}

/** All models, the built-in one first, then by age. */
export function listModels(store: Store): Model[] {
  return store.all<ModelRow>('SELECT * FROM models ORDER BY built_in DESC, rowid').map((row) => toModel(store, row))
}

export function modelAt(store: Store, path: string): Model | undefined {
  const row = store.get<ModelRow>('SELECT * FROM models WHERE path = ?', storedPath(store.home, path))
  return row && toModel(store, row)
}

/** Changes what was read of a model, or its name or place: the built-in one moves with the application. */
export function changeModel(store: Store, id: string, change: Partial<Omit<Model, 'id' | 'createdAt'>>): Model {
  const model = { ...showModel(store, id), ...change }
  store.run(
    `UPDATE models SET name = ?, family = ?, path = ?, parameters = ?, bytes = ?, context = ?, vocabulary = ?, width = ?,
       layers = ?, template = ?, built_in = ?, card = ? WHERE id = ?`,
    model.name,
    model.family,
    storedPath(store.home, model.path),
    model.parameters,
    model.bytes,
    model.context,
    model.vocabulary,
    model.width,
    model.layers,
    model.template,
    model.builtIn ? 1 : 0,
    model.card,
    id,
  )
  return showModel(store, id)
}

/** Removes the record; the model's own files are the person's and stay. */
export function removeModel(store: Store, id: string): void {
  if (store.run('DELETE FROM models WHERE id = ?', id) === 0) found(undefined, 'model', id)
}
