// One whole run through the same door as the worker's, in this process: what the tests stop, kill and compare. Started as a
// program (node steady-run.ts ORDER) it tells each step on a line and dawdles, so that it can be killed in between.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Example, Split } from '../../../src-main/contract/records.ts'
import { valuesOf } from '../../../src-main/contract/options.ts'
import { openBackend } from '../../../src-main/engine/backends/choose.ts'
import { train } from '../../../src-main/training/loop.ts'
import { resolveFor } from '../../../src-main/training/options.ts'
import { prepareRun } from '../../../src-main/training/prepare.ts'
import type { RunOrder } from '../../../src-main/training/prepare.ts'

export const startFolder = resolve(import.meta.dirname, '../../golden/llama-tied')

export function orderFor(
  runFolder: string,
  more: Partial<RunOrder> & { given?: Record<string, number | string> } = {},
): RunOrder {
  const { method = 'sft', tune = 'lora', given = {}, ...rest } = more
  const model = { parameters: 1e9, context: 64 } // no preset of small models
  const options = {
    learningRate: 0.01,
    maxSteps: 10,
    rowsPerStep: 6,
    accumulate: 2,
    checkpointEvery: 4,
    heldOutEvery: 5,
    samples: 0,
    ...given,
  }
  return {
    ...{ run: 'r1', runFolder, method, tune, seed: 3, resume: false },
    options: valuesOf(resolveFor(method, tune, model, options)),
    start: { modelPath: startFolder, checkpoints: [] },
    ...rest,
  }
}

const words = ['red', 'oak', 'sea', 'lamp', 'bird', 'stone', 'rain', 'bell']
export function rowsFor(method: RunOrder['method']): { row: number; split: Split; example: Example }[] {
  return Array.from({ length: 20 }, (_, i) => {
    const word = (n: number): string => words.slice(0, 1 + ((i + n) % 4)).join(' ')
    const prompt = [{ role: 'user' as const, content: `${word(i)}?` }]
    const answer = (n: number) => [{ role: 'assistant' as const, content: word(n) }]
    const example: Example =
      method === 'sft'
        ? { kind: 'conversation', messages: [...prompt, ...answer(i + 1)] }
        : { kind: 'preference', prompt, chosen: answer(i + 1), rejected: answer(i + 2) }
    return { row: i + 1, split: i % 5 === 0 ? 'held-out' : 'train', example }
  })
}

/** Runs until the end, or until `stopAfter` steps and one more half-done step; the latter with a checkpoint, as a stop does. */
export async function runWhole(
  order: RunOrder,
  how: { stopAfter?: number; onStep?: (step: number) => Promise<void> } = {},
) {
  const backend = await openBackend('native', { threads: 2 }).catch(() => openBackend('wasm'))
  async function* rows() {
    yield rowsFor(order.method)
  }
  const losses: number[] = []
  try {
    const run = (await prepareRun(backend, order, rows(), () => Promise.resolve(false)))!
    let breaths = 0
    for await (const one of train(run.parts)) {
      if (one.kind === 'checkpoint') await run.keep(one.reasons)
      if (one.kind === 'step') {
        losses.push(one.metrics['train/loss']!)
        await how.onStep?.(one.step)
      }
      if (one.kind === 'breath' && run.state.step === how.stopAfter && ++breaths > 1) {
        await run.keep(['last'])
        break
      }
    }
    return { losses, state: run.state, peakBytes: backend.peakBytes, rows: run.parts.rows.length }
  } finally {
    backend.close()
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await runWhole(JSON.parse(process.argv[2]!) as RunOrder, {
    async onStep(step) {
      process.stdout.write(`${step}\n`)
      await new Promise((next) => setTimeout(next, 40))
    },
  })
