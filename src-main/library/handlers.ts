// The library's part of the contract: models, datasets, who can answer, settings, and the library at a glance.
import { resolve } from 'node:path'
import { Failure } from '../contract/errors.ts'
import { exportExamples } from '../data/export.ts'
import { preview } from '../data/import/preview.ts'
import {
  changeRow,
  listDatasets,
  listRefusals,
  listRows,
  renameDataset,
  showDataset,
  showRow,
  walkRows,
} from '../store/datasets.ts'
import { changeModel, listModels, showModel } from '../store/models.ts'
import { listSettings, setSetting } from '../store/settings.ts'
import { listAnswerers, resolveAnswerer } from './answerers.ts'
import type { CoreContext, Handlers } from './context.ts'
import { forgetDataset, startImport, unfinishedRunOn } from './datasets.ts'
import { checkedExample } from './examples.ts'
import { addModelFolder, forgetModel, openModel } from './models.ts'
import { doctor, find, overview } from './overview.ts'
import { tokensOf } from './tokens.ts'

type LibraryCommands = Extract<
  keyof Handlers,
  `app.${string}` | `settings.${string}` | `models.${string}` | `answerers.${string}` | `data.${string}`
>

export function libraryHandlers(context: CoreContext): Pick<Handlers, LibraryCommands> {
  const { store, emit } = context
  const changed = <T>(what: 'models' | 'datasets' | 'settings', answer: T): T => {
    emit('changed', { what })
    return answer
  }
  return {
    'app.overview': () => overview(context),
    'app.doctor': () => doctor(context),
    'app.find': ({ query }) => find(context, query),
    'settings.get': () => listSettings(store),
    'settings.set': ({ key, value }) => {
      setSetting(store, key, value)
      return changed('settings', null)
    },

    'models.list': () => listModels(store),
    'models.show': ({ id }) => showModel(store, id),
    'models.add': ({ path, name }) => changed('models', addModelFolder(context, { path, name })),
    'models.rename': ({ id, name }) => changed('models', changeModel(store, id, { name })),
    'models.remove': ({ id }) => {
      forgetModel(context, id)
      return changed('models', null)
    },
    'answerers.list': () => listAnswerers(store),

    'data.list': () => listDatasets(store),
    'data.show': ({ id }) => showDataset(store, id),
    'data.preview': ({ path, mapping }) => preview(resolve(path), mapping),
    'data.import': async (order) => ({ job: await startImport(context, { ...order, path: resolve(order.path) }) }),
    'data.cancel': ({ job }) => {
      context.jobs.cancel(job)
      return null
    },
    'data.rename': ({ id, name }) => changed('datasets', renameDataset(store, id, name)),
    'data.remove': ({ id }) => {
      forgetDataset(context, id)
      return changed('datasets', null)
    },
    'data.rows': ({ id, from, count, query, split }) =>
      listRows(store, id, {
        from,
        count,
        ...(query !== undefined && { query }),
        ...(split !== undefined && { split }),
      }),
    'data.refusals': ({ id, from, count }) => listRefusals(store, id, from, count),
    'data.tokens': ({ id, row, model, maxTokens, trainOn }) => {
      const answerer = resolveAnswerer(store, model)
      const { example } = showRow(store, id, row)
      return tokensOf(example, openModel(answerer.modelPath).text, {
        maxTokens: maxTokens ?? answerer.model.context,
        trainOn,
      })
    },
    'data.edit': ({ id, row, example }) => {
      const { kind } = showDataset(store, id)
      const run = unfinishedRunOn(context, id)
      if (run)
        throw new Failure('Busy', `“${run.name}” trains on this dataset, which must not change under it.`, {
          where: `${id}, row ${row}`,
          next: 'Stop the run, or wait for its end.',
        })
      return changed('datasets', changeRow(store, id, row, checkedExample(example, kind, `${id}, row ${row}`)))
    },
    'data.export': async ({ id, format, out }) => {
      showDataset(store, id)
      const examples = function* () {
        for (const { example } of walkRows(store, id)) yield example
      }
      const { file, rows, leftOut } = await exportExamples(examples(), format, resolve(out))
      return { file, rows, leftOut }
    },
  }
}
