// What Temper brings along: the starter model and sample datasets about its world, so that everything works offline in
// the first minute. Registered when a library is first opened; a dataset that the person removed does not come back.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { toWire } from '../contract/errors.ts'
import type { Dataset, Row, Split } from '../contract/records.ts'
import { importFile } from '../data/import/import-file.ts'
import { likeliestMapping } from '../data/import/preview.ts'
import { addDataset } from '../store/datasets.ts'
import { changeModel, listModels } from '../store/models.ts'
import { listSettings, setSetting } from '../store/settings.ts'
import type { CoreContext } from './context.ts'
import { addModelFolder } from './models.ts'

/**
 * The samples, in the order in which lists show them (latest first, so the last is added first). What is held out is
 * about other people: a loss measured on it tells whether the way of answering was learned, and not the answers.
 */
const samples: { name: string; files: { file: string; split: Split }[] }[] = [
  {
    name: 'Questions',
    files: [
      { file: 'questions.jsonl', split: 'train' },
      { file: 'questions-validation.jsonl', split: 'held-out' },
    ],
  },
  {
    name: 'Polite answers',
    files: [
      { file: 'polite-pairs.jsonl', split: 'train' },
      { file: 'polite-pairs-held-out.jsonl', split: 'held-out' },
    ],
  },
  {
    name: 'Short answers',
    files: [
      { file: 'short-pairs.jsonl', split: 'train' },
      { file: 'short-pairs-held-out.jsonl', split: 'held-out' },
    ],
  },
  { name: 'Prompts', files: [{ file: 'prompts.jsonl', split: 'train' }] },
  { name: 'Thumbs', files: [{ file: 'thumbs.jsonl', split: 'train' }] },
  { name: 'Questions for the last test', files: [{ file: 'questions-held-out.jsonl', split: 'held-out' }] },
]
const shownSetting = 'starter.datasets'
const made = 'the starter'

export const isSample = ({ source }: Dataset): boolean => 'made' in source && source.made === made

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
  const shown = (listSettings(store)[shownSetting] ?? []) as string[]
  for (const { name, files } of samples.toReversed()) {
    const paths = files.map(({ file, split }) => ({ path: join(resources, 'starter', 'data', file), split }))
    if (shown.includes(name) || !paths.every(({ path }) => existsSync(path))) continue
    try {
      await addSample(context, name, paths)
      shown.push(name)
      setSetting(store, shownSetting, shown)
    } catch (error) {
      log(`the sample dataset “${name}” was left out: ${toWire(error).message}`)
    }
  }
}

async function addSample(
  { store, clock }: CoreContext,
  name: string,
  files: { path: string; split: Split }[],
): Promise<void> {
  const { mapping } = await likeliestMapping(files[0]!.path)
  const rows: Row[] = []
  for (const { path, split } of files)
    await importFile(path, mapping, {
      onRows: (batch) => void batch.forEach((one) => rows.push({ ...one, row: rows.length + 1, split })),
      onRefused: (batch) => {
        throw new Error(`${path}, line ${batch[0]!.line}: ${batch[0]!.reason}`)
      },
    })
  addDataset(store, { name, kind: mapping.kind, source: { made }, mapping, createdAt: clock() }, rows)
}
