// All that stands between a job and its first step: read the start, render the rows, ask the reference, put back what an
// earlier part of the run left. Gives the parts of the loop, and how to keep and sample what it makes.
import { Failure } from '../contract/errors.ts'
import type { OptionValue } from '../contract/options.ts'
import type { Checkpoint, CheckpointReason, Example, Method, Sample, Split, Tune } from '../contract/records.ts'
import type { TrainingRow } from '../data/batch.ts'
import type { Backend } from '../engine/backend.ts'
import { answerQuestions } from '../generation/answer.ts'
import type { Question } from '../generation/answer.ts'
import { allMethods } from '../methods/all.ts'
import type { LoraSettings } from '../models/adapters.ts'
import { readAnswerer } from '../models/files/answerer.ts'
import type { AnswererFiles } from '../models/files/answerer.ts'
import type { ModelFolder } from '../models/files/folder.ts'
import { createTransformer } from '../models/transformer.ts'
import type { RenderOptions, TrainOn } from '../text/render.ts'
import { templateHash } from '../text/templates.ts'
import * as disk from './checkpoint.ts'
import { freshState, referenceSums, stepsOf } from './loop.ts'
import type { LoopParts, LoopState } from './loop.ts'
import { createOptimizer } from './optimizer.ts'
import { targetsOf } from './options.ts'
import type { LoopValues, LoraValues } from './options.ts'
import { renderRow } from './rows.ts'

export interface RunOrder {
  run: string
  runFolder: string
  method: Method
  tune: Tune
  seed: number
  options: Record<string, OptionValue>
  start: AnswererFiles
  resume: boolean
}

type KeptCheckpoint = Omit<Checkpoint, 'id' | 'run' | 'createdAt'>

export interface PreparedRun {
  parts: LoopParts
  state: LoopState
  steps: number
  /** The checkpoint that it goes on from. */
  resumed: KeptCheckpoint | null
  /** Writes the state as it is now. */
  keep(reasons: CheckpointReason[]): Promise<KeptCheckpoint>
  /** Answers the sample prompts, greedily; those that `signal` cut off are left out. */
  sample(signal: AbortSignal): Promise<Sample[]>
}

/**
 * Opens everything. `heard` is asked now and then; where it says to stop, the answer is null.
 * Throws BadExample when nothing can be learned, ModelMismatch when start or data changed under a resumed run.
 */
export async function prepareRun(
  backend: Backend,
  order: RunOrder,
  incoming: AsyncIterable<{ row: number; split: Split; example: Example }[]>,
  heard: () => Promise<boolean>,
): Promise<PreparedRun | null> {
  const { run, runFolder, tune, seed, start } = order
  const method = allMethods[order.method]
  const values = order.options as LoopParts['values'] & LoraValues
  const folder = readAnswerer(start)
  try {
    const data = await renderAll(folder, order, values, incoming, heard)
    if (data === null) return null

    const base = disk.fingerprinted(folder.weights)
    const lora: LoraSettings | null =
      tune === 'lora' ? { rank: values.rank, alpha: values.alpha, targets: targetsOf(values.targets), seed } : null
    const model = createTransformer(backend, folder.config, base.weights, { tune, ...(lora && { lora }) })
    const same = { base: base.fingerprint(), rows: data.fingerprint }
    const found = order.resume ? disk.newestState(runFolder) : null
    if (found) disk.checkSame(found.card, found.resume, same)

    // The reference is the start itself: asked now, before anything of the run changes it.
    let reference: LoopParts['reference'] = null
    if (method.needsReference) {
      const key = disk.hashOf(same.base, same.rows)
      if (disk.readReference(runFolder, key) === null) {
        const sums = await askReference(model, data, values, heard)
        if (sums === null) return null
        disk.writeReference(runFolder, key, sums)
      }
      reference = disk.readReference(runFolder, key)
    }

    const optimizer = createOptimizer(backend, model.parameters)
    const state = found ? found.resume.loop : freshState()
    if (found) disk.restoreState(found.path, model, optimizer, tune)
    const clock = (): number => performance.now()
    const { rows, heldOut } = data
    const parts: LoopParts = {
      ...{ backend, policy: model, optimizer, method, values, seed },
      ...{ rows, heldOut, reference, state, clock },
    }
    const cardOf = (reasons: CheckpointReason[]): disk.CheckpointCard => ({
      ...{ format: 1, run, step: state.step, method: order.method, tune, base: start },
      ...{ baseFingerprint: same.base, templateHash: templateHash(folder.text.template ?? ''), reasons },
      ...{ trainLoss: state.lastLoss, heldOutLoss: state.checkedStep === state.step ? state.lastHeldOut : null },
    })
    return {
      parts,
      state,
      steps: stepsOf(values, rows.length),
      resumed: found && {
        ...{ step: found.card.step, reasons: found.card.reasons, path: found.path, bytes: disk.keptBytes(found.path) },
        ...{ trainLoss: found.card.trainLoss, heldOutLoss: found.card.heldOutLoss },
      },
      async keep(reasons) {
        const card = cardOf(reasons)
        const resume: disk.ResumeCard = {
          ...{ format: 1, loop: state, seed, options: order.options },
          ...{ backend: backend.name, threads: backend.threads, rowsFingerprint: same.rows },
        }
        const { path, bytes } = await disk.writeCheckpoint(runFolder, { model, optimizer, folder, lora, card, resume })
        return { step: state.step, reasons, path, bytes, trainLoss: card.trainLoss, heldOutLoss: card.heldOutLoss }
      },
      async sample(signal) {
        const settings = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, maxTokens: 64, seed: 0 }
        const more = { stopTokens: folder.stopTokens, alternatives: 0 }
        const answers = await answerQuestions(model, folder.text, data.questions, { ...settings, ...more }, { signal })
        return answers.flatMap(({ text, finishReason }, i) =>
          finishReason === 'stopped'
            ? []
            : { step: state.step, prompt: data.questions[i]!.messages.at(-1)!.content, text },
        )
      },
    }
  } finally {
    folder.close()
  }
}

interface RenderedData {
  rows: TrainingRow[]
  heldOut: TrainingRow[]
  questions: Question[]
  /** Of every token and mask, in order. */
  fingerprint: string
}

async function renderAll(
  folder: ModelFolder,
  order: RunOrder,
  values: LoopValues & Readonly<Record<string, OptionValue>>,
  incoming: AsyncIterable<{ row: number; split: Split; example: Example }[]>,
  heard: () => Promise<boolean>,
): Promise<RenderedData | null> {
  const options: RenderOptions = {
    trainOn: (values['trainOn'] as TrainOn | undefined) ?? 'answers',
    maxTokens: Math.min(values.maxTokens, folder.config.maxPositionEmbeddings),
  }
  const data: Omit<RenderedData, 'fingerprint'> = { rows: [], heldOut: [], questions: [] }
  const parts: (string | ArrayBufferView)[] = []
  const spare: Question[] = [] // from the training rows, where nothing is held out
  let left: string | null = null
  for await (const chunk of incoming) {
    for (const { row, split, example } of chunk) {
      const rendered = renderRow(row, example, folder.text, options)
      if (rendered.row === null) {
        left ??= `row ${row}: ${rendered.left}`
        continue
      }
      ;(split === 'held-out' ? data.heldOut : data.rows).push(rendered.row)
      for (const { tokens, lossMask } of rendered.row.sequences) parts.push(`${split} ${row}`, tokens, lossMask)
      const questions = split === 'held-out' ? data.questions : spare
      if (questions.length < values.samples) {
        const question = questionOf(example, options.maxTokens, folder)
        if (question) questions.push(question)
      }
    }
    if (await heard()) return null
  }
  if (data.rows.length === 0)
    throw new Failure('BadExample', 'This run would train on nothing: no row has an answer that the model can learn.', {
      ...(left !== null && { where: left }),
      next: 'Choose another data set, or raise “Longest row” where rows are cut.',
    })
  if (data.questions.length === 0) data.questions = spare
  return { ...data, fingerprint: disk.hashOf(...parts) }
}

/** What a person would ask to see this example's answer; null where there is nothing to ask. */
function questionOf(example: Example, maxTokens: number, folder: ModelFolder): Question | null {
  if (example.kind === 'text') return null
  const messages =
    example.kind === 'conversation'
      ? example.messages.slice(
          0,
          Math.max(
            0,
            example.messages.findLastIndex((m) => m.role === 'assistant'),
          ),
        )
      : example.prompt
  const plain = example.kind !== 'conversation' && example.plain === true
  if (messages.length === 0 || (!plain && messages.at(-1)!.role !== 'user')) return null
  const rendered = renderRow(
    0,
    { kind: 'completion', prompt: messages, response: [{ role: 'assistant', content: 'x' }], ...(plain && { plain }) },
    folder.text,
    { trainOn: 'answers', maxTokens: Number.MAX_SAFE_INTEGER },
  )
  return rendered.row !== null && rendered.row.sequences[0]!.tokens.length < maxTokens
    ? { messages, plain, seed: 0 }
    : null
}

async function askReference(
  model: Parameters<typeof referenceSums>[0],
  data: RenderedData,
  values: LoopValues,
  heard: () => Promise<boolean>,
): Promise<{ rows: Float64Array; heldOut: Float64Array } | null> {
  const sums: Float64Array[] = []
  for (const rows of [data.rows, data.heldOut]) {
    const asking = referenceSums(model, rows, values)
    for (;;) {
      const next = await asking.next()
      if (next.done) {
        sums.push(next.value)
        break
      }
      if (await heard()) return null
    }
  }
  return { rows: sums[0]!, heldOut: sums[1]! }
}
