// What Temper brings along: the starter model and sample datasets about its world, so that everything works offline in
// the first minute. Registered when a library is first opened; a dataset that the person removed does not come back.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { toWire } from '../contract/errors.ts'
import { changeModel, listModels } from '../store/models.ts'
import { listSettings, setSetting } from '../store/settings.ts'
import type { CoreContext } from './context.ts'
import { importDataset } from './datasets.ts'
import { addModelFolder } from './models.ts'

const shownSetting = 'starter.datasets'
/** As much as an import holds out by itself. */
const heldOutRatio = 0.05

/** resources/ beside the program: the same two steps up from src-main/library and from out/main. */
export const resourcesFolder = (): string => resolve(import.meta.dirname, '../../resources')

/** Registers what lies in `resources`/starter. What is missing or damaged is left out with a line in the log. */
export async function welcomeStarter(context: CoreContext, resources: string): Promise<void> {
  const { store, log } = context
  const folder = join(resources, 'starter', 'model')
  try {
    const known = listModels(store).find((model) => model.builtIn)
    if (existsSync(join(folder, 'config.json'))) {
      if (known === undefined) addModelFolder(context, { path: folder, name: 'Starter', builtIn: true })
      else if (known.path !== folder) changeModel(store, known.id, { path: folder }) // the application was moved
    }
  } catch (error) {
    log(`the starter model was left out: ${toWire(error).message}`)
  }
  const data = join(resources, 'starter', 'data')
  if (!existsSync(data)) return
  const shown = (listSettings(store)[shownSetting] ?? []) as string[]
  for (const file of readdirSync(data).toSorted()) {
    if (!file.endsWith('.jsonl') || shown.includes(file)) continue
    const name = basename(file, '.jsonl').replaceAll('-', ' ')
    const order = { path: join(data, file), name: name[0]!.toUpperCase() + name.slice(1), made: 'the starter' }
    try {
      await importDataset(context, { ...order, heldOutRatio, seed: 0 }, () => {}, new AbortController().signal)
      shown.push(file)
      setSetting(store, shownSetting, shown)
    } catch (error) {
      log(`the sample dataset ${file} was left out: ${toWire(error).message}`)
    }
  }
}
