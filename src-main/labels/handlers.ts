// Judging: sets of pairs, one pair after another, undo back to the first, and what can be learned from it all.
import { resolve } from 'node:path'
import { Failure } from '../contract/errors.ts'
import type { ChatLabel, Judgement, PairSet } from '../contract/records.ts'
import { nameOfAnswerer, rememberedAnswerer } from '../library/answerers.ts'
import type { CoreContext, Handlers } from '../library/context.ts'
import { makeDataset } from '../library/datasets.ts'
import { listChatLabels, removeChatLabel } from '../store/chats.ts'
import { showDataset, walkRows } from '../store/datasets.ts'
import { writeText } from '../store/files.ts'
import {
  addJudgement,
  addPairs,
  addPairSet,
  asJudged,
  changeJudgement,
  finishPairSet,
  listJudgedFigures,
  listJudgements,
  listPairSets,
  nextUnjudged,
  removeLatestJudgement,
  removePairSet,
  renamePairSet,
  showPairSet,
  walkJudged,
  type MadePair,
} from '../store/pairs.ts'
import { biasOf } from './bias.ts'
import { isSwapped, makePairs } from './make-pairs.ts'
import { preferenceOf, toTrl, type Preference } from './to-examples.ts'

type LabelCommands = Extract<keyof Handlers, `pairs.${string}` | `label.${string}` | `chatLabels.${string}`>

/** Of labels, which are few and dear, as much is held out as of imported rows. */
const heldOutRatio = 0.05
const importedWriters: Record<string, string> = { chosen: 'Chosen in the data', rejected: 'Rejected in the data' }
const chatDatasets: Record<ChatLabel['kind'], { name: string; kind: 'thumb' | 'preference' | 'completion' }> = {
  thumb: { name: 'Thumbs from chat', kind: 'thumb' },
  preference: { name: 'Preferences from chat', kind: 'preference' },
  edit: { name: 'Edits from chat', kind: 'completion' },
}

export function labelHandlers(context: CoreContext): Pick<Handlers, LabelCommands> {
  const { store, clock, emit } = context
  /** Jobs that make pairs, by the set that they fill. */
  const making = new Map<string, string>()
  const changed = (): void => emit('changed', { what: 'pairs' })
  const judged = <T>(answer: T): T => {
    emit('changed', { what: 'labels' })
    return answer
  }

  const writersOf = (pair: MadePair): [string, string] => {
    const names = pair.writers.map((one) => importedWriters[one] ?? nameOfAnswerer(store, one))
    return (pair.swapped ? names.reverse() : names) as [string, string]
  }

  function preferencesOf(set: PairSet): { preferences: Preference[]; leftOut: number } {
    const all = walkJudged(store, set.id)
    const preferences = all.map(({ judgement, pair }) => preferenceOf(judgement, pair)).filter((one) => one !== null)
    if (preferences.length === 0)
      throw new Failure('BadExample', `“${set.name}” has no judgement yet that prefers one answer.`, {
        where: set.id,
        next: 'Judge some pairs first: keys 1 to 3 and 5 to 7 prefer an answer.',
      })
    return { preferences, leftOut: all.length - preferences.length }
  }

  return {
    'pairs.list': () => listPairSets(store),
    'pairs.show': ({ id }) => {
      const set = showPairSet(store, id)
      return {
        ...set,
        models: set.answerers.map((one) => rememberedAnswerer(store, one)),
        ...biasOf(listJudgedFigures(store, id)),
      }
    },
    'pairs.make': (order) => {
      const { job, set } = makePairs(context, order)
      making.set(set.id, job)
      return { job, set }
    },
    'pairs.import': async ({ name, dataset: id, seed }) => {
      const set = await importPairs(context, id, name, seed)
      changed()
      return set
    },
    'pairs.cancel': ({ job }) => {
      context.jobs.cancel(job)
      return null
    },
    'pairs.rename': ({ id, name }) => {
      const set = renamePairSet(store, id, name)
      changed()
      return set
    },
    'pairs.remove': ({ id }) => {
      const job = making.get(id)
      if (job !== undefined) context.jobs.cancel(job)
      making.delete(id)
      removePairSet(store, id)
      changed()
      return null
    },

    'label.next': ({ set, after }) => {
      showPairSet(store, set)
      const pair = nextUnjudged(store, set, after)
      return pair && asJudged(pair)
    },
    'label.judge': (judgement) => judged(addJudgement(store, { ...judgement, judgedAt: clock() })),
    'label.undo': ({ set }) => {
      showPairSet(store, set)
      const pair = removeLatestJudgement(store, set)
      return judged(pair && asJudged(pair))
    },
    'label.history': ({ set, from, count, query }) => {
      showPairSet(store, set)
      const { judged: all, total } = listJudgements(store, set, { from, count, query: query ?? '' })
      return {
        judgements: all.map(({ judgement, pair }) => {
          const { prompt, a, b } = asJudged(pair)
          return { ...judgement, prompt: prompt.map((m) => m.content).join('\n\n'), a, b, writers: writersOf(pair) }
        }),
        total,
      }
    },
    'label.edit': ({ id, verdict, reasons, note }) => {
      const change: Partial<Judgement> = { verdict }
      if (reasons !== undefined) change.reasons = reasons
      if (note !== undefined) change.note = note
      return judged(changeJudgement(store, id, change))
    },
    'label.dataset': ({ set: id }) => {
      const set = showPairSet(store, id)
      const { preferences } = preferencesOf(set)
      const dataset = store.transaction(() =>
        makeDataset(context, {
          name: `Judged: ${set.name}`,
          made: `judgements of ${set.id}`,
          kind: 'preference',
          examples: preferences,
          heldOutRatio,
        }),
      )
      emit('changed', { what: 'datasets' })
      return dataset
    },
    'label.export': ({ set: id, out }) => {
      const { preferences, leftOut } = preferencesOf(showPairSet(store, id))
      const file = resolve(out)
      writeText(file, preferences.map((one) => `${toTrl(one)}\n`).join(''))
      return { file, rows: preferences.length, leftOut }
    },

    'chatLabels.list': ({ kind }) => listChatLabels(store, kind),
    'chatLabels.remove': ({ id }) => {
      removeChatLabel(store, id)
      return judged(null)
    },
    'chatLabels.dataset': ({ kind }) => {
      const labels = listChatLabels(store, kind)
      if (labels.length === 0)
        throw new Failure('BadExample', `There are no labels of this kind from chats yet (${kind}).`, {
          next: 'Judge, keep or edit an answer in a chat first.',
        })
      // A thumb on a side-by-side turn is kept as a preference; what a label holds decides where it can be learned from.
      const { name, kind: wanted } = chatDatasets[kind]
      const examples = labels.map((label) => label.example).filter((example) => example.kind === wanted)
      const dataset = store.transaction(() =>
        makeDataset(context, { name, made: `chat labels: ${kind}`, kind: wanted, examples, heldOutRatio }),
      )
      emit('changed', { what: 'datasets' })
      return dataset
    },
  }
}

/** The pairs of an imported preference dataset, its own verdicts hidden: in short steps, and seen once all are there. */
async function importPairs(
  { store, clock }: CoreContext,
  id: string,
  name: string | undefined,
  seed: number,
): Promise<PairSet> {
  const dataset = showDataset(store, id)
  if (dataset.kind !== 'preference')
    throw new Failure('BadExample', `“${dataset.name}” holds no pairs: its rows are of the kind “${dataset.kind}”.`, {
      where: id,
      next: 'Choose a preference dataset, or have a model answer its prompts twice.',
    })
  const set = addPairSet(
    store,
    { name: name ?? dataset.name, source: 'imported', dataset: id, answerers: [], seed, createdAt: clock() },
    'filling',
  )
  try {
    let batch: Omit<MadePair, 'id' | 'set' | 'position'>[] = []
    const handOver = async (): Promise<void> => {
      addPairs(store, set.id, batch)
      batch = []
      await new Promise((done) => setImmediate(done))
    }
    for (const { row, example } of walkRows(store, id)) {
      if (example.kind !== 'preference') continue
      batch.push({
        prompt: example.prompt,
        plain: example.plain === true,
        first: example.chosen,
        second: example.rejected,
        writers: ['chosen', 'rejected'],
        seeds: null,
        swapped: isSwapped(seed, row),
      })
      if (batch.length === 500) await handOver()
    }
    await handOver()
    return finishPairSet(store, set.id)
  } catch (error) {
    removePairSet(store, set.id)
    throw error
  }
}
