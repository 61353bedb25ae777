// Against TRL's own DPOTrainer (tests/golden/make-dpo.py): the same model, rows, adapter and numbers.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { TrainingRow } from '../../../src-main/data/batch.ts'
import { resolveOptions, valuesOf } from '../../../src-main/contract/options.ts'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { allMethods } from '../../../src-main/methods/all.ts'
import { dpo } from '../../../src-main/methods/dpo.ts'
import { readModelFolder } from '../../../src-main/models/files/folder.ts'
import { readAdapterFolder } from '../../../src-main/models/files/peft.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import { freshState, referenceSums, train } from '../../../src-main/training/loop.ts'
import type { LoopParts } from '../../../src-main/training/loop.ts'
import { createOptimizer } from '../../../src-main/training/optimizer.ts'
import { optionsFor } from '../../../src-main/training/options.ts'

interface Golden {
  beta: number
  rows: { prompt_ids: number[]; chosen_ids: number[]; rejected_ids: number[] }[]
  losses: Record<string, number>
  metrics: Record<string, number>
  pairs: { chosen: number; rejected: number; reference_chosen: number; reference_rejected: number }[]
  train: { settings: { learning_rate: number; max_steps: number }; log: Record<string, number>[] }
}
const place = resolve('tests/golden')
const golden = JSON.parse(readFileSync(join(place, 'dpo.json'), 'utf8')) as Golden

test('loss and rewards from TRL’s own log-probabilities are TRL’s', () => {
  const logprobs = Float32Array.from(golden.pairs.flatMap((p) => [0, p.chosen, 0, p.rejected]))
  const batch = {
    offsets: Int32Array.from({ length: 2 * golden.pairs.length + 1 }, (_, b) => 2 * b),
    scored: Uint8Array.from(logprobs, (_, i) => i % 2),
    logprobs,
    reference: Float64Array.from(golden.pairs.flatMap((p) => [p.reference_chosen, p.reference_rejected])),
  }
  const { sum, weight, metrics } = dpo.loss(batch, { beta: golden.beta, nllWeight: 0 })
  expect(sum / weight / golden.losses['sigmoid']!).toBeCloseTo(1, 4)
  expect(metrics['rewards-chosen']! / weight).toBeCloseTo(golden.metrics['rewards/chosen']!, 4)
  expect(metrics['rewards-rejected']! / weight).toBeCloseTo(golden.metrics['rewards/rejected']!, 4)
  expect(metrics['accuracy']! / weight).toBeCloseTo(golden.metrics['rewards/accuracies']!, 6)
  expect(metrics['margin']! / weight).toBeCloseTo(golden.metrics['rewards/margins']!, 4)
})

test('four steps of training log what TRL’s trainer logged: loss, gradient norm, margins', async () => {
  const folder = readModelFolder(join(place, 'llama-tied'))
  const adapter = readAdapterFolder(join(place, 'llama-adapter'), folder.config)
  const backend = createReference()
  const rows: TrainingRow[] = golden.rows.map(({ prompt_ids, chosen_ids, rejected_ids }, i) => ({
    row: i + 1,
    sequences: [chosen_ids, rejected_ids].map((answer) => ({
      tokens: Int32Array.from([...prompt_ids, ...answer]),
      lossMask: Uint8Array.from([...prompt_ids.map(() => 0), ...answer.map(() => 1)]),
    })),
  }))
  const base = createTransformer(backend, folder.config, folder.weights, { tune: 'frozen' })
  const asked = referenceSums(base, rows, { rowsPerStep: 6, accumulate: 1, tokensAtOnce: 10_000 })
  let next = await asked.next()
  while (!next.done) next = await asked.next()
  const model = createTransformer(backend, folder.config, folder.weights, {
    tune: 'lora',
    lora: { ...adapter, seed: 0 },
  })
  const { learning_rate: learningRate, max_steps: maxSteps } = golden.train.settings
  const given = { learningRate, maxSteps, rowsPerStep: 6, schedule: 'constant', beta: golden.beta }
  const parts: LoopParts = {
    ...{ backend, policy: model, optimizer: createOptimizer(backend, model.parameters), method: allMethods.dpo },
    values: valuesOf(resolveOptions(optionsFor('dpo', 'lora'), given)) as LoopParts['values'],
    ...{ seed: 0, rows, heldOut: [], reference: { rows: next.value, heldOut: new Float64Array(0) } },
    ...{ state: freshState(), clock: () => 0 },
  }
  const seen: Record<string, number>[] = []
  for await (const one of train(parts)) if (one.kind === 'step') seen.push(one.metrics)
  expect(seen).toHaveLength(golden.train.log.length)
  golden.train.log.forEach((trl, step) => {
    expect(seen[step]!['train/loss']! / trl['loss']!, `loss of step ${step + 1}`).toBeCloseTo(1, 4)
    expect(seen[step]!['gradient-norm']! / trl['grad_norm']!, `gradient of step ${step + 1}`).toBeCloseTo(1, 4)
    expect(seen[step]!['dpo/margin'], `margin of step ${step + 1}`).toBeCloseTo(trl['rewards/margins']!, 4)
  })
  expect(seen[0]!['train/loss']! / golden.losses['sigmoid']!).toBeCloseTo(1, 4)
})
