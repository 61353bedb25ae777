// The thread behind scoring.ts: opens the answerer on a backend of its own, does one task, answers, ends.
import { readdirSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { Failure, toWire } from '../contract/errors.ts'
import type { Example } from '../contract/records.ts'
import { batchOf, microBatches } from '../data/batch.ts'
import type { Sequence, TrainingRow } from '../data/batch.ts'
import { importFile } from '../data/import/import-file.ts'
import { likeliestMapping } from '../data/import/preview.ts'
import type { Backend } from '../engine/backend.ts'
import { openBackend } from '../engine/backends/choose.ts'
import { perplexityOf } from '../eval/perplexity.ts'
import { readAnswerer } from '../models/files/answerer.ts'
import type { ModelFolder } from '../models/files/folder.ts'
import { createTransformer, type Transformer } from '../models/transformer.ts'
import type { TextModel } from '../text/render.ts'
import { exportCheckpoint } from '../training/export.ts'
import { renderRow } from '../training/rows.ts'
import type { FromScoring, ScoredRow, ScoringOrder } from './scoring.ts'

const order = workerData as ScoringOrder
const tokensAtOnce = 2048

/** Two sequences for a pair, one for all else. Throws BadExample for a row that cannot be scored. */
function sequencesOf(example: Example, where: string, text: TextModel, maxTokens: number): Sequence[] {
  const rendered = renderRow(0, example, text, { trainOn: 'answers', maxTokens })
  if (rendered.row === null)
    throw new Failure('BadExample', `A row cannot be scored: ${rendered.left}.`, {
      where,
      next: 'Change or remove it.',
    })
  return rendered.row.sequences
}

async function readFile(file: string): Promise<{ line: number; example: Example }[]> {
  const { mapping } = await likeliestMapping(file)
  const rows: { line: number; example: Example }[] = []
  await importFile(file, mapping, {
    onRows: (batch) => void rows.push(...batch),
    onRefused([refused]) {
      throw new Failure('BadExample', `A row cannot be read: ${refused!.reason}`, {
        where: `${file}, line ${refused!.line}`,
        next: 'Every row is scored or none: repair or remove this one.',
      })
    },
  })
  return rows
}

/** The answerer on the device, and its words. */
function openAnswerer(backend: Backend): { folder: ModelFolder; model: Transformer } {
  const folder = readAnswerer(order.files)
  try {
    return { folder, model: createTransformer(backend, folder.config, folder.weights, { tune: 'frozen' }) }
  } finally {
    folder.close()
  }
}

async function scoreFile(backend: Backend, file: string): Promise<ScoredRow[]> {
  const { folder, model } = openAnswerer(backend)
  const context = folder.config.maxPositionEmbeddings
  const sequences = (await readFile(file)).flatMap(({ line, example }) =>
    sequencesOf(example, `${file}, line ${line}`, folder.text, context),
  )
  // Every token is scored here; the loss mask goes along for whoever sums.
  const rows: TrainingRow[] = sequences.map(({ tokens }, i) => ({
    row: i + 1,
    sequences: [{ tokens, lossMask: new Uint8Array(tokens.length).fill(1) }],
  }))
  const scored: ScoredRow[] = []
  const all = Int32Array.from(rows, (_, i) => i)
  for (const micro of microBatches(rows, all, 1, tokensAtOnce)) {
    const batch = batchOf(rows, micro)
    const { logprobs } = await model.forward(batch, { keep: false })
    micro.forEach((r, b) => {
      const { tokens, lossMask } = sequences[r]!
      const own = logprobs.subarray(batch.offsets[b], batch.offsets[b + 1])
      scored.push({
        tokens: [...tokens],
        logprobs: Array.from(own, (x, i) => (i === 0 ? null : x)),
        lossMask: [...lossMask],
      })
    })
  }
  return scored
}

async function perplexity(backend: Backend, examples: readonly Example[]) {
  const { folder, model } = openAnswerer(backend)
  const sequences = examples.flatMap((example) => {
    const rendered = renderRow(0, example, folder.text, { trainOn: 'answers', maxTokens: Number.MAX_SAFE_INTEGER })
    return rendered.row?.sequences[0] ?? []
  })
  if (sequences.length === 0)
    throw new Failure('BadExample', 'No row of this data set has an answer to measure.', {
      next: 'Choose another data set or split.',
    })
  return await perplexityOf(model, folder.text.tokenizer, sequences, tokensAtOnce)
}

async function work(): Promise<unknown> {
  const backend = await openBackend(order.backend)
  try {
    if (order.kind === 'logprobs') return await scoreFile(backend, order.file)
    if (order.kind === 'perplexity') return await perplexity(backend, order.examples)
    await exportCheckpoint(backend, order)
    return { files: readdirSync(order.out).toSorted() }
  } finally {
    backend.close()
  }
}

const say = (message: FromScoring): void => parentPort!.postMessage(message)
try {
  say({ answer: await work() })
} catch (error) {
  say({ failure: toWire(error) })
}
