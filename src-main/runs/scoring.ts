// What can be asked of an answerer's numbers: exports, log-probabilities of a file, perplexity on a data set. Each runs in a
// thread of its own, so that the core keeps answering.
import { resolve } from 'node:path'
import { Failure } from '../contract/errors.ts'
import type { Example } from '../contract/records.ts'
import type { BackendName } from '../engine/backend.ts'
import { resolveAnswerer } from '../library/answerers.ts'
import type { ResolvedAnswerer } from '../library/answerers.ts'
import type { CoreContext, Handlers } from '../library/context.ts'
import { showDataset, walkRows } from '../store/datasets.ts'
import { showCheckpoint, showRun } from '../store/runs.ts'
import type { AnswererFiles } from '../models/files/answerer.ts'
import { score } from '../workers/scoring.ts'

type ScoringCommands = 'checkpoints.export' | 'logprobs.file' | 'eval.perplexity'

export function scoringHandlers(context: CoreContext): Pick<Handlers, ScoringCommands> {
  const { store } = context
  const closing = new AbortController()
  context.onClose(() => closing.abort())

  return {
    async 'checkpoints.export'({ id, format, out }) {
      const checkpoint = showCheckpoint(store, id)
      const run = showRun(store, checkpoint.run)
      const answerer = resolveAnswerer(store, id)
      const order = {
        kind: 'export' as const,
        format,
        out: resolve(out),
        card: cardOf(answerer, run.name, checkpoint.step),
      }
      const { files } = await score({ ...order, files: filesOf(answerer), backend: 'auto' }, closing.signal)
      return { out: order.out, files }
    },
    async 'logprobs.file'({ answerer, file, backend }) {
      const files = filesOf(resolveAnswerer(store, answerer))
      const on = backend as 'auto' | BackendName
      return await score({ kind: 'logprobs', files, backend: on, file: resolve(file) }, closing.signal)
    },
    async 'eval.perplexity'({ answerer, dataset, split }) {
      const { name, kind } = showDataset(store, dataset)
      if (kind === 'prompt')
        throw new Failure('BadOption', `“${name}” holds prompts alone: there is no answer to measure.`, {
          where: dataset,
          next: 'Choose a data set with texts or answers.',
        })
      const examples: Example[] = []
      let seen = 0
      for (const row of walkRows(store, dataset, split)) {
        examples.push(row.example)
        if (++seen % 500 === 0) await new Promise((next) => setImmediate(next))
      }
      if (examples.length === 0)
        throw new Failure('BadExample', `“${name}” has no ${split === 'held-out' ? 'held-out ' : ''}rows to measure.`, {
          where: dataset,
          next: 'Choose another data set or split.',
        })
      const files = filesOf(resolveAnswerer(store, answerer))
      return await score({ kind: 'perplexity', files, backend: 'auto', examples }, closing.signal)
    },
  }
}

const filesOf = ({ modelPath, checkpoints }: ResolvedAnswerer): AnswererFiles => ({
  modelPath,
  checkpoints: checkpoints.map(({ path, tune }) => ({ path, tune })),
})

/** README.md of an export: what it is and how it came to be. */
function cardOf({ model, checkpoints }: ResolvedAnswerer, run: string, step: number): string {
  return [
    `# ${run}, step ${step}`,
    '',
    `Fine-tuned from ${model.name} with Temper.`,
    '',
    ...checkpoints.map(
      ({ tune, step: at }, i) => `${i + 1}. ${tune === 'lora' ? 'LoRA adapter' : 'All weights'}, step ${at}`,
    ),
    '',
  ].join('\n')
}
