// Makes pairs to judge: each prompt answered twice, by one answerer with two seeds or by two with the same seed.
// Answers that come out the same are asked for again with other seeds; a prompt that stays undecided is skipped, counted.
import { defaultSampling, type Checked } from '../contract/commands.ts'
import { Failure, toWire } from '../contract/errors.ts'
import type { Events } from '../contract/events.ts'
import type { Dataset, Example, Message, PairSet, SamplingSettings } from '../contract/records.ts'
import { createRandom } from '../engine/random.ts'
import { nameOfAnswerer, resolveAnswerer, type ResolvedAnswerer } from '../library/answerers.ts'
import type { CoreContext } from '../library/context.ts'
import { showDataset, showRow } from '../store/datasets.ts'
import { addPairs, addPairSet, removePairSet, showPairSet, type MadePair } from '../store/pairs.ts'

interface Prompt {
  messages: Message[]
  plain: boolean
}
const tries = 3
/** Prompts at a time: few at first, so that judging can begin; then more, so that models change places seldom. */
const batchSize = (batch: number): number => Math.min(64, 4 ** (batch + 1))

/** Which side the second answer is shown on: the same for the same set and place, whenever it is asked. */
export const isSwapped = (seed: number, position: number): boolean => createRandom(seed, position).below(2) === 1

/** What there is to answer in an example: its prompt, or a conversation up to its first answer. */
export function promptOf(example: Example): Prompt | null {
  if (example.kind === 'text') return null
  if (example.kind === 'conversation') {
    const end = example.messages.findIndex((message) => message.role === 'assistant')
    const messages = end === -1 ? example.messages : example.messages.slice(0, end)
    return messages.some((message) => message.role === 'user') ? { messages, plain: false } : null
  }
  return example.prompt.length === 0 ? null : { messages: example.prompt, plain: example.plain === true }
}

/** `count` different prompts of a dataset's training rows (all rows where none are), drawn by the seed. */
export function drawPrompts(context: CoreContext, dataset: Dataset, count: number, seed: number): Prompt[] {
  const numbers = Int32Array.from({ length: dataset.rows }, (_, i) => i + 1)
  createRandom(seed).shuffle(numbers)
  const onlyTrain = dataset.rows > dataset.heldOut
  const seen = new Set<string>()
  const prompts: Prompt[] = []
  for (const number of numbers) {
    if (prompts.length === count) break
    const { example, split } = showRow(context.store, dataset.id, number)
    const prompt = onlyTrain && split === 'held-out' ? null : promptOf(example)
    const key = JSON.stringify(prompt)
    if (prompt === null || seen.has(key)) continue
    seen.add(key)
    prompts.push(prompt)
  }
  return prompts
}

/** Checks what can be checked, makes the set, and goes on in the background. */
export function makePairs(context: CoreContext, order: Checked<'pairs.make'>): { job: string; set: PairSet } {
  const { store, clock } = context
  const settings = order.settings ?? defaultSampling
  const dataset = showDataset(store, order.dataset)
  const answerers = [...new Set(order.answerers)].map((id) => resolveAnswerer(store, id))
  if (answerers.length === 1 && settings.temperature === 0)
    throw new Failure('BadOption', 'At temperature 0 one answerer always says the same, so there would be no pairs.', {
      where: 'settings.temperature',
      next: 'Raise the temperature (0.7 is a good start), or choose a second answerer.',
    })
  const prompts = drawPrompts(context, dataset, order.count, order.seed)
  if (prompts.length === 0)
    throw new Failure('BadExample', `“${dataset.name}” has no prompts to answer.`, {
      where: dataset.id,
      next: 'Choose a dataset of prompts, conversations, prompts with answers, or preferences.',
    })
  const set = addPairSet(store, {
    name: order.name ?? answerers.map((one) => nameOfAnswerer(store, one.id)).join(' against '),
    source: 'generated',
    dataset: dataset.id,
    answerers: answerers.map((one) => one.id),
    seed: order.seed,
    createdAt: clock(),
  })
  context.emit('changed', { what: 'pairs' })
  const job = context.jobs.start((signal, name) => run(context, name, set, prompts, answerers, settings, signal))
  return { job, set }
}

async function run(
  context: CoreContext,
  job: string,
  set: PairSet,
  prompts: Prompt[],
  answerers: ResolvedAnswerer[],
  settings: SamplingSettings,
  signal: AbortSignal,
): Promise<void> {
  const { store, emit } = context
  const counts = { made: 0, total: prompts.length, skipped: 0 }
  const tell = (state: Events['pairs']['state'], failure?: Events['pairs']['failure']): void =>
    emit('pairs', { job, state, set: set.id, ...counts, ...(failure && { failure }) })
  try {
    for (let from = 0, batch = 0; from < prompts.length; batch++) {
      const some = prompts.slice(from, from + batchSize(batch))
      const pairs = await answerTwice(context, some, from, answerers, settings, set.seed, signal)
      if (!stillThere(context, set.id)) throw new Failure('Stopped', 'The set was removed while it was being filled.')
      const whole = pairs.filter((pair) => pair !== null)
      addPairs(
        store,
        set.id,
        whole.map((pair, i) => ({ ...pair, swapped: isSwapped(set.seed, counts.made + i + 1) })),
      )
      from += some.length
      counts.made += whole.length
      counts.skipped += some.length - whole.length
      tell('working')
    }
    if (counts.made === 0)
      throw new Failure('BadExample', 'No prompt was answered in two different ways, so there are no pairs.', {
        where: set.name,
        next: 'Raise the temperature, or choose two answerers that differ more.',
      })
    tell('done')
  } catch (thrown) {
    const failure = toWire(thrown)
    // What was made stays and can be judged; a set without pairs is of no use.
    if (counts.made === 0 && stillThere(context, set.id)) removePairSet(store, set.id)
    if (failure.kind === 'Stopped') tell('stopped')
    else tell('failed', failure)
  }
  emit('changed', { what: 'pairs' })
}

const stillThere = ({ store }: CoreContext, set: string): boolean => {
  try {
    return showPairSet(store, set).id === set
  } catch (error) {
    if (error instanceof Failure && error.kind === 'NotFound') return false
    throw error
  }
}

type Written = Omit<MadePair, 'id' | 'set' | 'position' | 'swapped'>

/** Both answers to each prompt; null where they are the same at every try. `from` is the number of the first prompt. */
async function answerTwice(
  context: CoreContext,
  prompts: Prompt[],
  from: number,
  answerers: ResolvedAnswerer[],
  settings: SamplingSettings,
  seed: number,
  signal: AbortSignal,
): Promise<(Written | null)[]> {
  const [first, second] = [answerers[0]!, answerers[1] ?? answerers[0]!]
  const chances = prompts.map((_, i) => createRandom(seed, from + i + 1))
  const nextSeed = (i: number): number => chances[i]!.below(2 ** 32)
  const ask = async (answerer: ResolvedAnswerer, which: number[], seeds: Map<number, number>): Promise<string[]> => {
    if (signal.aborted) throw new Failure('Stopped', 'Making pairs was stopped.')
    const texts: string[] = []
    const requests = which.map((i) => ({ ...prompts[i]!, seed: seeds.get(i)! }))
    await context.generate(
      { answerer, requests, settings, choices: 0 },
      { onAnswer: (index, { text }) => void (texts[index] = text) },
      signal,
    )
    return texts
  }
  const all = prompts.map((_, i) => i)
  const firstSeeds = new Map(all.map((i) => [i, nextSeed(i)]))
  const secondSeeds = new Map(all.map((i) => [i, answerers.length === 1 ? nextSeed(i) : firstSeeds.get(i)!]))
  const firsts = await ask(first, all, firstSeeds)
  const seconds = await ask(second, all, secondSeeds)
  const isSame = (i: number): boolean => firsts[i]!.trim() === seconds[i]!.trim()
  for (let again = 0; again < tries && settings.temperature > 0; again++) {
    const same = all.filter(isSame)
    if (same.length === 0) break
    for (const i of same) secondSeeds.set(i, nextSeed(i))
    const texts = await ask(second, same, secondSeeds)
    same.forEach((i, place) => (seconds[i] = texts[place]!))
  }
  return all.map((i) =>
    isSame(i)
      ? null
      : {
          prompt: prompts[i]!.messages,
          plain: prompts[i]!.plain,
          first: [{ role: 'assistant', content: firsts[i]! }],
          second: [{ role: 'assistant', content: seconds[i]! }],
          writers: [first.id, second.id],
          seeds: [firstSeeds.get(i)!, secondSeeds.get(i)!],
        },
  )
}
