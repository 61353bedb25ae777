// Gathers what a plan needs: the start, the lengths of the rows, the speed that was reached before. Counting goes in slices,
// so that the core keeps answering; very large data sets are counted on a part, spread evenly.
import { availableParallelism, totalmem } from 'node:os'
import type { Checked, Plan } from '../contract/commands.ts'
import { Failure, toWire } from '../contract/errors.ts'
import type { OptionValue, Resolved } from '../contract/options.ts'
import type { Dataset, Row } from '../contract/records.ts'
import { countLengths } from '../data/encode.ts'
import type { LengthStatistics } from '../data/encode.ts'
import { checkBackend } from '../engine/backends/choose.ts'
import { resolveAnswerer } from '../library/answerers.ts'
import type { ResolvedAnswerer } from '../library/answerers.ts'
import type { CoreContext } from '../library/context.ts'
import { openModel } from '../library/models.ts'
import { allMethods } from '../methods/all.ts'
import { listRows, showDataset, showRow } from '../store/datasets.ts'
import { freeBytes } from '../store/files.ts'
import { listSettings, setSetting } from '../store/settings.ts'
import type { RenderOptions, TextModel, TrainOn } from '../text/render.ts'
import { planOf } from '../training/estimate.ts'
import { resolveFor } from '../training/options.ts'

export type TrainRequest = Checked<'train.start'>

/** A request with everything that it names looked up. */
export interface Planned {
  plan: Plan
  answerer: ResolvedAnswerer
  dataset: Dataset
  options: Record<string, Resolved>
}

const mostCounted = 4000 // rows
const sliceMs = 12

/** Throws NotFound for a start or data set that does not exist; all else that is wrong stands in the plan's problems. */
export async function makePlan({ store, home }: CoreContext, request: TrainRequest): Promise<Planned> {
  const { method, tune } = request
  const answerer = resolveAnswerer(store, request.start)
  const dataset = showDataset(store, request.dataset)
  const [first] = answerer.checkpoints
  const { config, text } = openModel(first?.tune === 'full' ? first.path : answerer.modelPath)
  const model = { parameters: answerer.model.parameters, context: config.maxPositionEmbeddings }
  const { options, problems } = resolveAll(request, model)

  await checkBackend(request.backend).catch((error: unknown) => {
    const { message, next } = toWire(error)
    problems.push({ where: 'backend', message, ...(next !== undefined && { next }) })
  })
  if (!allMethods[method].reads.includes(dataset.kind))
    problems.push({
      where: 'dataset',
      message: `${allMethods[method].title} reads ${wordsOf(allMethods[method].reads)}; “${dataset.name}” holds ${wordsOf([dataset.kind])}.`,
      next:
        method === 'dpo' ? 'Label some pairs first, or import preferences.' : 'Choose another data set, or train DPO.',
    })
  const counted =
    problems.some((p) => p.where === 'dataset') || (text.template === null && dataset.kind === 'conversation')
      ? null
      : await countRows({ store }, dataset, answerer, text, {
          trainOn: (options['trainOn']?.value as TrainOn | undefined) ?? 'answers',
          maxTokens: Math.min(options['maxTokens']!.value as number, config.maxPositionEmbeddings),
        }).catch((error: unknown) => {
          if (!(error instanceof Failure) || error.kind !== 'ModelMismatch') throw error
          problems.push({
            where: 'model',
            message: error.message,
            ...(error.next !== undefined && { next: error.next }),
          })
          return null
        })
  if (text.template === null && dataset.kind === 'conversation')
    problems.push({
      where: 'model',
      message: 'This model has no chat template, so it cannot read conversations.',
      next: 'Choose a model with a chat template, or plain examples.',
    })
  const plan = planOf({
    config,
    method,
    tune,
    options,
    lengths: counted?.lengths ?? nothingCounted,
    scale: counted?.scale ?? 1,
    heldOutRows: dataset.heldOut,
    measured: knownSpeed({ store }, request, model.parameters),
    threads: availableParallelism(),
    machineBytes: totalmem(),
    freeDiskBytes: freeBytes(home),
  })
  // What stands above explains why nothing was counted.
  const own = counted === null ? plan.problems.filter((p) => p.where !== 'rows') : plan.problems
  const all = [...problems, ...own]
  const warnings =
    counted !== null && counted.scale > 1
      ? [
          ...plan.warnings,
          { where: 'rows', message: `Counted on ${mostCounted} rows of ${dataset.rows}; the figures are estimates.` },
        ]
      : plan.warnings
  return { plan: { ...plan, ok: all.length === 0, problems: all, warnings }, answerer, dataset, options }
}

/** Throws with every problem at once unless the run can start. */
export function refuseUnlessOk({ problems }: Plan): void {
  if (problems.length === 0) return
  const kind = problems.every(({ where }) => where === 'disk') ? 'DiskFull' : 'BadOption'
  throw new Failure(kind, problems.map(({ message }) => message).join(' '), {
    where: problems.map(({ where }) => where).join(', '),
    next:
      [...new Set(problems.flatMap(({ next }) => next ?? []))].join(' ') || 'Change these settings and start again.',
    problems: problems.map(({ where, message }) => ({ where, message })),
  })
}

/** Settings that are wrong are named and stand at their defaults for the rest of the plan. */
function resolveAll(
  { method, tune, options: given }: TrainRequest,
  model: { parameters: number; context: number },
): { options: Record<string, Resolved>; problems: Plan['problems'] } {
  try {
    return { options: resolveFor(method, tune, model, given), problems: [] }
  } catch (error) {
    if (!(error instanceof Failure) || error.problems === undefined) throw error
    const wrong = new Set(error.problems.map(({ where }) => where))
    const right = Object.fromEntries(Object.entries(given).filter(([name]) => !wrong.has(name))) as Record<
      string,
      OptionValue
    >
    return { options: resolveFor(method, tune, model, right), problems: error.problems }
  }
}

// ---- Lengths ---------------------------------------------------------------------------------------------------------

const nothingCounted: LengthStatistics = {
  ...{ rows: 0, tokens: 0, trained: 0, truncated: 0, untrained: 0 },
  ...{ unusable: [], longest: 0, histogram: [] },
}
const counts = new Map<string, { lengths: LengthStatistics; scale: number }>()

async function countRows(
  { store }: Pick<CoreContext, 'store'>,
  dataset: Dataset,
  answerer: ResolvedAnswerer,
  text: TextModel,
  options: RenderOptions,
): Promise<{ lengths: LengthStatistics; scale: number }> {
  const key = JSON.stringify([dataset.id, dataset.rows, dataset.bytes, answerer.modelPath, options])
  const known = counts.get(key)
  if (known !== undefined) return known
  const counter = countLengths(text, options)
  const training = dataset.rows - dataset.heldOut
  let sliceBegan = performance.now()
  let seen = 0
  for (const row of spread()) {
    if (row.split === 'train') {
      counter.add(row.example)
      seen++
    }
    if (performance.now() - sliceBegan > sliceMs) {
      await new Promise((next) => setImmediate(next))
      sliceBegan = performance.now()
    }
  }
  const counted = { lengths: counter.statistics(), scale: seen === 0 ? 1 : training / seen }
  if (counts.size >= 16) counts.delete(counts.keys().next().value!)
  counts.set(key, counted)
  return counted

  function* spread(): Generator<Row> {
    if (dataset.rows <= mostCounted) {
      for (let from = 0; from < dataset.rows; from += 200) yield* listRows(store, dataset.id, { from, count: 200 }).rows
      return
    }
    for (let i = 0; i < mostCounted; i++)
      yield showRow(store, dataset.id, 1 + Math.floor((i * dataset.rows) / mostCounted))
  }
}

// ---- Speed -----------------------------------------------------------------------------------------------------------

type SpeedOf = Pick<TrainRequest, 'backend' | 'method' | 'tune'>
const speedKey = ({ method, tune }: SpeedOf, parameters: number, backend: string): string =>
  `speed ${backend} ${method} ${tune} ${parameters}`

function knownSpeed({ store }: Pick<CoreContext, 'store'>, of: SpeedOf, parameters: number): number | null {
  const settings = listSettings(store)
  const backends = of.backend === 'auto' ? ['native', 'wasm'] : [of.backend]
  for (const backend of backends) {
    const speed = settings[speedKey(of, parameters, backend)]
    if (typeof speed === 'number' && speed > 0) return speed
  }
  return null
}

/** Remembers how fast a run was, for the next plan. */
export function rememberSpeed(
  { store }: Pick<CoreContext, 'store'>,
  of: SpeedOf,
  parameters: number,
  tokensPerSecond: number,
): void {
  setSetting(store, speedKey(of, parameters, of.backend), Math.round(tokensPerSecond))
}

const kindWords = {
  text: 'plain texts',
  conversation: 'conversations',
  completion: 'prompts with answers',
  preference: 'preferences',
  thumb: 'thumbs',
  prompt: 'prompts alone',
}
const wordsOf = (kinds: readonly (keyof typeof kindWords)[]): string => kinds.map((kind) => kindWords[kind]).join(', ')
