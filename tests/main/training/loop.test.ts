import { expect, test } from 'vitest'
import { rhythmOf, train, referenceSums } from '../../../src-main/training/loop.ts'
import type { LoopParts, Progress } from '../../../src-main/training/loop.ts'
import type { Transformer } from '../../../src-main/models/transformer.ts'
import { ragged, tinyParts } from './tiny.ts'
import type { TinyRun } from './tiny.ts'

async function all(parts: LoopParts): Promise<Progress[]> {
  const seen: Progress[] = []
  for await (const one of train(parts)) seen.push(one)
  return seen
}
const losses = (seen: Progress[]): number[] =>
  seen.flatMap((one) => (one.kind === 'step' ? [one.metrics['train/loss']!] : []))
async function weights(model: Transformer): Promise<Float32Array> {
  const parts = await Promise.all(model.parameters.map((p) => model.read(p.name)))
  return Float32Array.from(parts.flatMap((part) => [...part]))
}
async function sumsOf(model: Transformer, rows: TinyRun['rows']): Promise<Float64Array> {
  const asked = referenceSums(model, rows, { rowsPerStep: 8, accumulate: 1, tokensAtOnce: 64 })
  for (;;) {
    const next = await asked.next()
    if (next.done) return next.value
  }
}

test('4 micro-batches of 2 make the same update as 1 of 8, on ragged rows', async () => {
  const rows = ragged(16, 3)
  const [whole, parted] = [1, 4].map((accumulate) =>
    tinyParts({ rows, options: { rowsPerStep: 8, accumulate, maxSteps: 4 } }),
  ) as [ReturnType<typeof tinyParts>, ReturnType<typeof tinyParts>]
  const a = losses(await all(whole.parts))
  const b = losses(await all(parted.parts))
  a.forEach((loss, i) => expect(b[i]! / loss).toBeCloseTo(1, 5))
  const [w, p] = [await weights(whole.model), await weights(parted.model)]
  expect(Math.max(...w.map((x, i) => Math.abs(x - p[i]!)))).toBeLessThan(2e-4)
})

test('the same holds for pairs, and where the cap on tokens cuts instead', async () => {
  const rows = ragged(8, 4, 2)
  const runs = await Promise.all(
    ([{ accumulate: 1 }, { accumulate: 4 }, { tokensAtOnce: 30 }] as Record<string, number>[]).map(async (options) => {
      const first = tinyParts({ method: 'dpo', rows })
      const reference = { rows: await sumsOf(first.model, rows), heldOut: new Float64Array(0) }
      const run = tinyParts({ method: 'dpo', rows, reference, options: { rowsPerStep: 8, nllWeight: 1, ...options } })
      return losses(await all(run.parts))
    }),
  )
  for (const other of runs.slice(1)) other.forEach((loss, i) => expect(loss / runs[0]![i]!).toBeCloseTo(1, 5))
})

test('learns eight rows by heart', async () => {
  const run = tinyParts({ rows: ragged(8, 9), options: { learningRate: 0.01, rowsPerStep: 8, maxSteps: 120 } })
  const seen = losses(await all(run.parts))
  expect(seen[0]).toBeGreaterThan(3)
  expect(seen.at(-1)).toBeLessThan(0.15)
})

test('learns with an adapter too, and leaves the base as it was', async () => {
  const options = { learningRate: 0.03, rowsPerStep: 8, maxSteps: 80 }
  const run = tinyParts({ tune: 'lora', rows: ragged(8, 9), options })
  const before = await run.model.read('model.layers.0.mlp.up_proj.weight')
  const seen = losses(await all(run.parts))
  expect(seen.at(-1)! / seen[0]!).toBeLessThan(0.7) // a random frozen vocabulary allows no more
  expect(await run.model.read('model.layers.0.mlp.up_proj.weight')).toEqual(before)
})

test('DPO begins at log 2 and widens the margin', async () => {
  const rows = ragged(8, 4, 2)
  const first = tinyParts({ method: 'dpo', rows })
  const reference = { rows: await sumsOf(first.model, rows), heldOut: await sumsOf(first.model, rows) }
  const run = tinyParts({
    method: 'dpo',
    tune: 'lora',
    rows,
    heldOut: rows,
    reference,
    options: { maxSteps: 30, rowsPerStep: 8, learningRate: 0.01 },
  })
  const seen = await all(run.parts)
  expect(losses(seen)[0]).toBeCloseTo(Math.log(2), 4)
  const held = seen.filter((one) => one.kind === 'held-out')
  expect(held[0]!.metrics['held-out/margin']).toBeCloseTo(0, 4)
  expect(held.at(-1)!.metrics['held-out/accuracy']).toBe(1)
  expect(held.at(-1)!.metrics['held-out/margin']).toBeGreaterThan(0.5)
})

test('asks for checkpoints at the start, in between, at the best held-out loss and at the end', async () => {
  const run = tinyParts({
    rows: ragged(8, 9),
    heldOut: ragged(4, 9),
    options: { maxSteps: 8, rowsPerStep: 8, heldOutEvery: 2, checkpointEvery: 4 },
  })
  const asked = (await all(run.parts)).flatMap((one) => (one.kind === 'checkpoint' ? [one] : []))
  expect(asked[0]).toEqual({ kind: 'checkpoint', step: 0, reasons: ['start'] })
  expect(asked.find((one) => one.step === 4)!.reasons).toContain('periodic')
  expect(asked.at(-1)!.reasons).toContain('last')
  expect(asked.some((one) => one.reasons.includes('best'))).toBe(true)
})

test('a loss that stays above twice what it began with stops the run after 20 steps', async () => {
  const { parts } = tinyParts({
    rows: ragged(8, 9),
    heldOut: ragged(8, 10),
    options: { maxSteps: 200, rowsPerStep: 8 },
  })
  const said = (nats: number) => (batch: { tokens: Int32Array }) =>
    Promise.resolve({ logprobs: new Float32Array(batch.tokens.length).fill(-nats) })
  const forward = (batch: { tokens: Int32Array }) => said(parts.state.step < 3 ? 3 : 8)(batch)
  const run = { ...parts, policy: { ...parts.policy, forward, backward: () => {} } }
  await expect(all(run)).rejects.toMatchObject({ message: /step 23: the loss rose from 3.00 to 8.00 and stayed there/ })
})

test('a learning rate that wrecks the model stops the run before it is no longer a number', async () => {
  const run = tinyParts({
    rows: ragged(8, 9),
    options: { learningRate: 10, maxSteps: 200, rowsPerStep: 8, schedule: 'constant', maxGradientNorm: 0 },
  })
  await expect(all(run.parts)).rejects.toMatchObject({
    kind: 'BadOption',
    where: 'learningRate',
    next: /Lower the learning rate to 1 /,
  })
  for (const number of await weights(run.model)) expect(Number.isFinite(number)).toBe(true)
})

test('left to us, every checkpoint falls on a held-out check, so that each has its loss', () => {
  for (const steps of [1, 5, 60, 120, 1503]) {
    const { heldOutEvery, checkpointEvery } = rhythmOf({ heldOutEvery: 0, checkpointEvery: 0 }, steps)
    expect(checkpointEvery % heldOutEvery).toBe(0)
    expect(checkpointEvery).toBeLessThanOrEqual(Math.max(1, steps))
  }
  expect(rhythmOf({ heldOutEvery: 7, checkpointEvery: 20 }, 100)).toEqual({ heldOutEvery: 7, checkpointEvery: 20 })
})
