// The judge is judged: every kernel's way back against central differences of its way there, and each against its
// definition where it is short enough to write down.
import { expect, test } from 'vitest'
import type { Segments, Tensor } from '../../../src-main/engine/backend.ts'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { createRandom } from '../../../src-main/engine/random.ts'

const backend = createReference()
const random = createRandom(2)
const draw = (size: number): Float32Array => new Float32Array(size).map(() => random.normal())
function tensor(...shape: number[]): Tensor {
  const t = backend.alloc(shape)
  backend.write(t, draw(t.size))
  return t
}
const filled = (data: number[], ...shape: number[]): Tensor => {
  const t = backend.alloc(shape)
  backend.write(t, Float32Array.from(data))
  return t
}

/** Checks `gradient` (read after `backward` ran) of sum(out * dOut) by every element of `input`. */
async function check(input: Tensor, gradient: Tensor, out: Tensor, dOut: Float32Array, run: () => void): Promise<void> {
  const found = await backend.read(gradient)
  const start = await backend.read(input)
  const value = async (): Promise<number> => {
    run()
    return (await backend.read(out)).reduce((sum, x, i) => sum + x * dOut[i]!, 0)
  }
  for (let i = 0; i < start.length; i++) {
    const at = async (w: number): Promise<number> => {
      const moved = Float32Array.from(start)
      moved[i] = w
      backend.write(input, moved)
      return value()
    }
    const [up, down] = [Math.fround(start[i]! + 0.01), Math.fround(start[i]! - 0.01)]
    const slope = ((await at(up)) - (await at(down))) / (up - down)
    expect(
      Math.abs(slope - found[i]!),
      `element ${i}: ${slope} by differences, ${found[i]} by the kernel`,
    ).toBeLessThan(2e-3 * Math.max(1, Math.abs(slope)))
  }
  backend.write(input, start)
  run()
}

test('matmul: all four orientations, scaled and added', async () => {
  const [a, b] = [
    [1, 2, 3, 4, 5, 6],
    [1, 0, 2, -1, 3, 1],
  ] // a [2,3], b [3,2]
  const product = [1 + 4 + 9, -2 + 3, 4 + 10 + 18, -5 + 6]
  const turned = (m: number[], rows: number, columns: number): number[] =>
    Array.from({ length: m.length }, (_, i) => m[(i % rows) * columns + Math.floor(i / rows)]!)
  for (const transposeA of [false, true])
    for (const transposeB of [false, true]) {
      const x = transposeA ? filled(turned(a!, 2, 3), 3, 2) : filled(a!, 2, 3)
      const y = transposeB ? filled(turned(b!, 3, 2), 2, 3) : filled(b!, 3, 2)
      const out = filled([1, 1, 1, 1], 2, 2)
      backend.matmul(out, x, y, { transposeA, transposeB, scale: 2, accumulate: true })
      expect([...(await backend.read(out))]).toEqual(product.map((p) => 1 + 2 * p))
      backend.matmul(out, x, y, { transposeA, transposeB })
      expect([...(await backend.read(out))]).toEqual(product)
    }
  expect(() => backend.matmul(filled([0], 1, 1), tensor(1, 2), tensor(3, 1))).toThrow(RangeError)
})

test('embedding and its way back', async () => {
  const [table, out, dTable] = [tensor(5, 3), tensor(4, 3), backend.alloc([5, 3])]
  const [ids, dOut] = [Int32Array.of(2, 0, 2, 4), tensor(4, 3)]
  backend.embedBackward(dTable, ids, dOut)
  await check(table, dTable, out, await backend.read(dOut), () => backend.embed(out, table, ids))
})

test('root-mean-square norm and its way back, which adds', async () => {
  const [x, weight, y, r] = [tensor(3, 6), tensor(6), tensor(3, 6), tensor(3)]
  const [dX, dWeight, dY] = [backend.alloc([3, 6]), backend.alloc([6]), tensor(3, 6)]
  const run = (): void => backend.rmsNorm(y, r, x, weight, 1e-5)
  run()
  backend.rmsNormBackward(dX, dWeight, dY, x, weight, r)
  await check(x, dX, y, await backend.read(dY), run)
  await check(weight, dWeight, y, await backend.read(dY), run)
  const once = await backend.read(dX)
  backend.rmsNormBackward(dX, null, dY, x, weight, r)
  ;(await backend.read(dX)).forEach((g, i) => expect(g).toBeCloseTo(2 * once[i]!, 5))
})

test('rotary turns each pair by its angle, and -1 turns it back', async () => {
  const angle = 0.7 // one pair of one head; the second position is turned
  const table = filled([1, 0, Math.cos(angle), Math.sin(angle)], 2, 2)
  const x = filled([1, 2, 3, 4], 2, 2)
  backend.rotary(x, table, Int32Array.of(0, 1), 2, 1)
  const [a, b, c, d] = await backend.read(x)
  expect([a, b]).toEqual([1, 2])
  expect(c).toBeCloseTo(3 * Math.cos(angle) - 4 * Math.sin(angle), 6)
  expect(d).toBeCloseTo(4 * Math.cos(angle) + 3 * Math.sin(angle), 6)
  backend.rotary(x, table, Int32Array.of(0, 1), 2, -1)
  ;(await backend.read(x)).forEach((value, i) => expect(value).toBeCloseTo(i + 1, 6))
})

for (const [name, segments, queries, keys] of [
  ['training: two sequences', Int32Array.of(0, 3, 0, 3, 3, 1, 3, 1), 4, 4],
  ['decoding: queries at the end of a longer cache, rows between unused', Int32Array.of(0, 1, 4, 3, 1, 2, 0, 3), 3, 8],
] as [string, Segments, number, number][])
  test(`attention and its way back, ${name}`, async () => {
    const shape = { heads: 4, keyValueHeads: 2, headWidth: 2, scale: 0.6 }
    const [q, k, v] = [tensor(queries, 8), tensor(keys, 4), tensor(keys, 4)]
    const [out, logSums, dOut] = [tensor(queries, 8), tensor(queries, 4), tensor(queries, 8)]
    const [dQ, dK, dV] = [backend.alloc([queries, 8]), backend.alloc([keys, 4]), backend.alloc([keys, 4])]
    const run = (): void => backend.attention(out, logSums, q, k, v, segments, shape)
    run()
    backend.attentionBackward({ dQ, dK, dV }, dOut, { out, logSums, q, k, v }, segments, shape)
    const d = await backend.read(dOut)
    await check(q, dQ, out, d, run)
    await check(k, dK, out, d, run)
    await check(v, dV, out, d, run)
  })

test('attention sees no later token and no other sequence', async () => {
  const shape = { heads: 1, keyValueHeads: 1, headWidth: 2, scale: 1 }
  const segments = Int32Array.of(0, 2, 0, 2, 2, 2, 2, 2)
  const [q, k, v, out, logSums] = [tensor(4, 2), tensor(4, 2), tensor(4, 2), tensor(4, 2), tensor(4, 1)]
  backend.attention(out, logSums, q, k, v, segments, shape)
  const before = await backend.read(out)
  const changed = await backend.read(v)
  changed.set([100, 100], 2) // the second token of the first sequence
  backend.write(v, changed)
  backend.attention(out, logSums, q, k, v, segments, shape)
  const after = await backend.read(out)
  expect(before.slice(0, 2)).toEqual(after.slice(0, 2))
  expect(before.slice(4)).toEqual(after.slice(4))
  expect(before.slice(2, 4)).not.toEqual(after.slice(2, 4))
  expect(before.slice(0, 2)).toEqual((await backend.read(v)).slice(0, 2)) // the first token sees only itself
})

test('gated activation and its way back, also in place', async () => {
  const [h, gate, up, dH] = [tensor(2, 3), tensor(2, 3), tensor(2, 3), tensor(2, 3)]
  const [dGate, dUp] = [tensor(2, 3), tensor(2, 3)]
  const run = (): void => backend.gatedSilu(h, gate, up)
  backend.gatedSiluBackward(dGate, dUp, dH, gate, up)
  const d = await backend.read(dH)
  await check(gate, dGate, h, d, run)
  await check(up, dUp, h, d, run)
  const expected = await backend.read(dGate)
  backend.gatedSiluBackward(dH, dUp, dH, gate, up)
  expect(await backend.read(dH)).toEqual(expected)
})

test('log-probabilities, entropy and best, and the way back', async () => {
  const [M, V] = [3, 5]
  const [scores, targets] = [tensor(M, V), Int32Array.of(4, 0, 2)]
  const out = { logprobs: tensor(M), logSums: tensor(M), entropy: tensor(M), best: tensor(M) }
  const run = (): void => backend.logprobs(out, scores, targets)
  run()
  const [rows, logprobs, entropy, best] = [
    await backend.read(scores),
    await backend.read(out.logprobs),
    await backend.read(out.entropy),
    await backend.read(out.best),
  ]
  for (let m = 0; m < M; m++) {
    const row = [...rows.subarray(m * V, (m + 1) * V)]
    const sum = row.reduce((a, s) => a + Math.exp(s), 0)
    const p = row.map((s) => Math.exp(s) / sum)
    expect(logprobs[m]).toBeCloseTo(Math.log(p[targets[m]!]!), 5)
    expect(entropy[m]).toBeCloseTo(-p.reduce((a, x) => a + x * Math.log(x), 0), 5)
    expect(best[m]).toBe(row[targets[m]!] === Math.max(...row) ? 1 : 0)
  }
  const dLogprobs = draw(M)
  const dScores = backend.alloc([M, V])
  backend.copy(dScores, scores)
  backend.logprobsBackward(dScores, out.logSums, targets, dLogprobs)
  await check(scores, dScores, out.logprobs, dLogprobs, run)
})

test('log-probabilities of scores in the thousands stay finite', async () => {
  const scores = filled([5000, 4000, -5000], 1, 3)
  const out = { logprobs: tensor(1), logSums: tensor(1), entropy: tensor(1), best: tensor(1) }
  backend.logprobs(out, scores, Int32Array.of(1))
  expect((await backend.read(out.logprobs))[0]).toBeCloseTo(-1000, 3)
  expect((await backend.read(out.entropy))[0]).toBeCloseTo(0, 6)
})

test('AdamW: two updates by hand', async () => {
  const [w, g, m, v] = [filled([1], 1), filled([2], 1), backend.alloc([1]), backend.alloc([1])]
  const how = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.5, gradientScale: 0.5 }
  backend.adamW(w, g, m, v, { ...how, step: 1 })
  // The scaled gradient is 1, so both corrected moments are 1: w - 0.1 (1 + 0.5 * 1)
  expect((await backend.read(w))[0]).toBeCloseTo(0.85, 6)
  backend.write(g, Float32Array.of(-4))
  backend.adamW(w, g, m, v, { ...how, step: 2 })
  const first = (0.9 * 0.1 + 0.1 * -2) / (1 - 0.81)
  const second = (0.99 * 0.01 + 0.01 * 4) / (1 - 0.99 ** 2)
  expect((await backend.read(w))[0]).toBeCloseTo(0.85 - 0.1 * (first / Math.sqrt(second) + 0.5 * 0.85), 5)
})

test('plain arithmetic, rows and memory in use', async () => {
  const fresh = createReference()
  const t = fresh.alloc([3, 2])
  expect(fresh.bytesInUse).toBe(24)
  fresh.fill(fresh.rows(t, 1, 1), 3)
  const other = fresh.alloc([3, 2])
  fresh.copy(other, t)
  fresh.add(other, t, 2)
  fresh.scale(other, 0.5)
  expect([...(await fresh.read(other))]).toEqual([0, 0, 4.5, 4.5, 0, 0])
  expect(await fresh.sumSquares([t, other])).toBeCloseTo(2 * 9 + 2 * 20.25)
  fresh.gatherRows(fresh.rows(other, 0, 2), t, Int32Array.of(1, 1))
  fresh.scatterAddRows(t, fresh.rows(other, 0, 2), Int32Array.of(0, 0))
  expect([...(await fresh.read(t))]).toEqual([6, 6, 3, 3, 0, 0])
  fresh.free(other, other, fresh.rows(t, 0, 1))
  expect([fresh.bytesInUse, fresh.peakBytes]).toEqual([24, 48])
  fresh.close()
  expect(fresh.bytesInUse).toBe(0)
})
