// Every kernel of every compiled backend against the reference, on shapes that are odd on purpose: one row, one head, one
// token, lengths that fill no vector and no tile, ragged segments, cached decoding, grouped heads.
import { afterAll, describe, expect, test } from 'vitest'
import type { AttentionShape, Backend, Segments, Shape, Tensor } from '../../../src-main/engine/backend.ts'
import { openBackend, probeBackends } from '../../../src-main/engine/backends/choose.ts'
import { createNative } from '../../../src-main/engine/backends/native.ts'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { createWasm } from '../../../src-main/engine/backends/wasm.ts'
import { buildNative } from '../../../src-main/engine/kernels/build.ts'

const built = await buildNative({ quiet: true })
const hasNative = built.outcome === 'built' || built.outcome === 'up to date'
if (!hasNative) console.warn(`The native backend is left out of these tests. ${built.message}`)

const candidates: [name: string, open: () => Backend][] = [['wasm', createWasm]]
if (hasNative) {
  candidates.push(['native, 1 thread', () => createNative({ threads: 1 })])
  candidates.push(['native, 3 threads', () => createNative({ threads: 3 })])
  for (const level of ['plain', 'avx2'] as const)
    try {
      createNative({ threads: 2, level }).close()
      candidates.push([`native, ${level}, 2 threads`, () => createNative({ threads: 2, level })])
    } catch {
      // this machine has no such instructions
    }
}

/** Numbers about one in size, the same in each run (Mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * 2 - 1
  }
}
const size = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/** One backend at work on named arrays: each starts as random numbers that depend only on its name. */
type Work = (backend: Backend, array: (name: string, shape: Shape, factor?: number) => Tensor) => void

/** Runs the same work on both backends; every array that it touched must agree to `tolerance` of its largest number. */
async function agree(backend: Backend, work: Work, tolerance = 1e-4): Promise<void> {
  const run = async (on: Backend): Promise<Map<string, Float32Array>> => {
    const arrays = new Map<string, Tensor>()
    work(on, (name, shape, factor = 1) => {
      const next = random([...name].reduce((hash, c) => hash * 31 + c.charCodeAt(0), size(shape)))
      const t = on.alloc(shape)
      on.write(
        t,
        Float32Array.from({ length: size(shape) }, () => next() * factor),
      )
      arrays.set(name, t)
      return t
    })
    const read = new Map<string, Float32Array>()
    for (const [name, t] of arrays) read.set(name, await on.read(t))
    on.free(...arrays.values())
    return read
  }
  const judge = createReference()
  const wanted = await run(judge)
  const found = await run(backend)
  for (const [name, values] of wanted) {
    const got = found.get(name)!
    const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3)
    const worst = values.reduce((at, x, i) => (Math.abs(x - got[i]!) > Math.abs(values[at]! - got[at]!) ? i : at), 0)
    expect(got.some(Number.isNaN), `${name} has a NaN`).toBe(false)
    expect(Math.abs((values[worst] ?? 0) - (got[worst] ?? 0)), `${name}[${worst}]`).toBeLessThan(tolerance * largest)
  }
}

const sizes = [
  [1, 1, 1], [1, 5, 3], [2, 40, 7], [3, 3, 100], [4, 65, 33], [5, 17, 16], [8, 64, 8], [9, 8, 50], [14, 32, 64],
  [15, 33, 300], [64, 8, 256], [60, 16, 20], [131, 67, 259], [40, 130, 40], [700, 20, 2], [300, 24, 70],
  [16, 40, 33], [50, 16, 47],
] // prettier-ignore

describe.each(candidates)('%s', (_name, open) => {
  const backend = open()
  afterAll(() => backend.close())

  test('matrix products in every arrangement', async () => {
    for (const [m, n, k] of sizes as [number, number, number][])
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const)
        for (const [scale, accumulate] of [
          [1, false],
          [-0.5, true],
        ] as const)
          await agree(backend, (on, array) => {
            const a = array('a', transposeA ? [k, m] : [m, k])
            const b = array('b', transposeB ? [n, k] : [k, n])
            on.matmul(array('out', [m, n]), a, b, { transposeA, transposeB, scale, accumulate })
          })
  })

  test('a product wider than one block of columns', () =>
    agree(backend, (on, array) => {
      on.matmul(array('out', [20, 2100]), array('a', [20, 30]), array('b', [2100, 30]), { transposeB: true })
    }))

  test('rows of a larger array as operands', () =>
    agree(backend, (on, array) => {
      const [out, a, b] = [array('out', [10, 6]), array('a', [20, 5]), array('b', [12, 5])]
      on.matmul(on.rows(out, 3, 4), on.rows(a, 7, 4), on.rows(b, 5, 6), { transposeB: true })
      on.fill(on.rows(out, 9, 1), 2.5)
      on.copy(on.rows(out, 0, 2), on.rows(out, 4, 2))
    }))

  test('plain arithmetic', async () => {
    for (const n of [1, 7, 16, 1000, 40_000])
      await agree(backend, (on, array) => {
        const [x, y] = [array('x', [n]), array('y', [n])]
        on.add(x, y, -0.3)
        on.scale(y, 1.5)
        on.copy(array('z', [n]), x)
      })
    const t = backend.alloc([40_000])
    backend.fill(t, 0.1)
    expect(await backend.sumSquares([t, t])).toBeCloseTo(80_000 * Math.fround(0.1) ** 2, 6)
    backend.free(t)
  })

  test('embedding and picked rows, with rows named twice', async () => {
    for (const width of [1, 9, 130])
      await agree(backend, (on, array) => {
        const ids = Int32Array.of(3, 0, 3, 6, 2, 3)
        on.embed(array('embedded', [6, width]), array('table', [7, width]), ids)
        on.embedBackward(array('dTable', [7, width]), ids, array('dOut', [6, width]))
        on.gatherRows(array('gathered', [2, width]), array('x', [6, width]), Int32Array.of(5, 1))
        on.scatterAddRows(array('sum', [6, width]), array('from', [2, width]), Int32Array.of(4, 4))
      })
  })

  test('norm and its gradient', async () => {
    for (const [N, D] of [
      [1, 1],
      [1, 16],
      [3, 7],
      [70, 40],
      [200, 576],
    ] as const)
      await agree(backend, (on, array) => {
        const [x, weight, r, dY] = [array('x', [N, D]), array('weight', [D]), array('r', [N]), array('dY', [N, D])]
        on.rmsNorm(array('y', [N, D]), r, x, weight, 1e-5)
        on.rmsNormBackward(array('dX', [N, D]), array('dWeight', [D]), dY, x, weight, r)
        on.rmsNormBackward(array('dX alone', [N, D]), null, dY, x, weight, r)
      })
  })

  test('rotation there and back', async () => {
    for (const [N, heads, C] of [
      [1, 1, 2],
      [5, 3, 6],
      [40, 2, 64],
    ] as const)
      await agree(backend, (on, array) => {
        const positions = Int32Array.from({ length: N }, (_, n) => (n * 7) % 50)
        on.rotary(array('x', [N, heads * C]), array('table', [50, C]), positions, C, 1)
        on.rotary(array('y', [N, heads * C]), array('table again', [50, C]), positions, C, -1)
      })
  })

  const attentions: [what: string, shape: [H: number, K: number, C: number], segments: number[]][] = [
    ['one token, one head', [1, 1, 4], [0, 1, 0, 1]],
    ['ragged sequences', [2, 2, 8], [0, 5, 0, 5, 5, 1, 5, 1, 6, 33, 6, 33, 39, 90, 39, 90]],
    ['grouped heads', [6, 2, 16], [0, 17, 0, 17, 17, 60, 17, 60]],
    ['wide heads', [3, 1, 64], [0, 130, 0, 130]],
    ['a head width that fills no vector', [2, 1, 10], [0, 37, 0, 37]],
    ['cached decoding, with rows between', [4, 2, 32], [0, 1, 2, 40, 1, 1, 50, 7, 2, 3, 60, 100]],
    ['cached prefill', [2, 1, 64], [0, 30, 0, 100]],
    ['keys that two segments share', [2, 1, 8], [0, 10, 0, 30, 10, 20, 0, 30]],
  ]
  test.each(attentions)('attention and its gradient: %s', async (_what, [H, K, C], segments) => {
    const at = (first: number): number =>
      segments.reduce((most, _, i) => (i % 4 === first ? Math.max(most, segments[i]! + segments[i + 1]!) : most), 0)
    const [Nq, Nk] = [at(0), at(2)]
    const shape: AttentionShape = { heads: H, keyValueHeads: K, headWidth: C, scale: 1 / Math.sqrt(C) }
    await agree(backend, (on, array) => {
      const q = array('q', [Nq, H * C], 3)
      const [k, v] = [array('k', [Nk, K * C], 3), array('v', [Nk, K * C])]
      const [out, logSums] = [array('out', [Nq, H * C]), array('logSums', [Nq, H])]
      const ranges: Segments = Int32Array.from(segments)
      on.attention(out, logSums, q, k, v, ranges, shape)
      const grads = { dQ: array('dQ', [Nq, H * C]), dK: array('dK', [Nk, K * C]), dV: array('dV', [Nk, K * C]) }
      on.attentionBackward(grads, array('dOut', [Nq, H * C]), { out, logSums, q, k, v }, ranges, shape)
    })
  })

  test('gated activation, its gradient written over what it came from', async () => {
    for (const n of [1, 15, 64, 20_001])
      await agree(backend, (on, array) => {
        const [gate, up, dH] = [array('gate', [1, n], 20), array('up', [1, n]), array('dH', [1, n])]
        on.gatedSilu(array('h', [1, n]), gate, up)
        on.gatedSiluBackward(dH, array('dUp', [1, n]), dH, gate, up)
      })
  })

  test('log-probabilities of the vocabulary and their gradient', async () => {
    for (const [M, V] of [
      [1, 1],
      [1, 3],
      [5, 40],
      [33, 1003],
    ] as const)
      await agree(backend, (on, array) => {
        const scores = array('scores', [M, V], 8)
        const targets = Int32Array.from({ length: M }, (_, m) => (m * 37) % V)
        const logSums = array('logSums', [M])
        const out = {
          logprobs: array('logprobs', [M]),
          logSums,
          entropy: array('entropy', [M]),
          best: array('best', [M]),
        }
        on.logprobs(out, scores, targets)
        on.logprobs({ ...out, entropy: null, best: null }, scores, targets)
        on.logprobsBackward(
          scores,
          logSums,
          targets,
          Float32Array.from(targets, (t) => t / V - 0.3),
        )
      })
  })

  test('scores too far apart for a plain exponential', async () => {
    const scores = backend.alloc([1, 3])
    backend.write(scores, Float32Array.of(1000, 0, -1000))
    const [logprobs, logSums] = [backend.alloc([1]), backend.alloc([1])]
    backend.logprobs({ logprobs, logSums, entropy: null, best: null }, scores, Int32Array.of(1))
    expect([...(await backend.read(logprobs)), ...(await backend.read(logSums))]).toEqual([-1000, 1000])
    backend.write(scores, Float32Array.of(1, NaN, 2))
    backend.logprobs({ logprobs, logSums, entropy: null, best: null }, scores, Int32Array.of(0))
    expect((await backend.read(logprobs))[0], 'a model that diverged is seen to').toBeNaN()
    backend.free(scores, logprobs, logSums)
  })

  test('AdamW over three steps', async () => {
    for (const n of [1, 30, 10_000])
      await agree(
        backend,
        (on, array) => {
          const [w, g, m, v] = [array('w', [n]), array('g', [n]), array('m', [n], 0), array('v', [n], 0)]
          const how = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 }
          for (const step of [1, 2, 3]) on.adamW(w, g, m, v, { ...how, step, gradientScale: 0.5 })
        },
        1e-5,
      )
  })

  test('memory is zeroed, counted, reused, and refused when there is none', async () => {
    const before = backend.bytesInUse
    const a = backend.alloc([1000])
    expect(backend.bytesInUse).toBe(before + 4000)
    backend.fill(a, 1)
    backend.free(a)
    backend.free(a)
    expect(backend.bytesInUse).toBe(before)
    expect(backend.peakBytes).toBeGreaterThanOrEqual(before + 4000)
    const again = backend.alloc([1000])
    expect((await backend.read(again)).every((x) => x === 0)).toBe(true)
    backend.free(again)
    expect(() => backend.alloc([2 ** 24, 2 ** 24])).toThrow(/no memory/i)
    const numbers = backend.alloc([3], 'i32')
    backend.write(numbers, Int32Array.of(4, -5, 6))
    expect([...(await backend.read(numbers))]).toEqual([4, -5, 6])
    backend.free(numbers)
  })

  test('what would reach outside an array is refused before it reaches C', () => {
    const [x, y] = [backend.alloc([4, 6]), backend.alloc([4, 5])]
    const shape = { heads: 1, keyValueHeads: 1, headWidth: 6, scale: 1 }
    const sums = backend.alloc([4])
    const attend = (...segments: number[]): void =>
      backend.attention(x, sums, x, x, x, Int32Array.from(segments), shape)
    expect(() => backend.matmul(x, x, y)).toThrow('does not give [4, 6]')
    expect(() => backend.add(x, y, 1)).toThrow('24 elements')
    expect(() => backend.embed(x, y, Int32Array.of(0, 1, 2, 3))).toThrow('20 elements')
    expect(() => backend.gatherRows(x, x, Int32Array.of(0, 1, 2, 4))).toThrow('not in 0 .. 3')
    expect(() => backend.gatherRows(x, x, Int32Array.of(0, -1, 2, 3))).toThrow('not in 0 .. 3')
    expect(() => attend(0, 4, 1, 4)).toThrow('leaves 4 queries')
    expect(() => attend(0, 3, 0, 2)).toThrow('leaves 4 queries')
    expect(() => attend(0, 3, 0, 3, 2, 1, 3, 1)).toThrow('in common')
    expect(() => backend.rows(x, 3, 2)).toThrow('no rows 3 .. 4')
    expect(() => backend.write(x, Int32Array.from({ length: 24 }))).toThrow('i32')
    const view = backend.rows(x, 0, 1)
    backend.free(x)
    expect(() => backend.fill(view, 0)).toThrow('was freed')
    expect(() => backend.fill(createReference().alloc([1]), 0)).toThrow('another backend')
    backend.free(y, sums)
  })
})

test.runIf(hasNative)('equal calls give equal bits, whatever the number of threads', async () => {
  const results: Float32Array[] = []
  for (const threads of [1, 2, 5]) {
    const backend = createNative({ threads })
    const next = random(5)
    const array = (...shape: number[]): Tensor => {
      const t = backend.alloc(shape)
      backend.write(
        t,
        Float32Array.from({ length: size(shape) }, () => next()),
      )
      return t
    }
    const [N, D, H] = [150, 128, 4]
    const [a, b, out, weight, r] = [array(N, D), array(D, D), array(N, D), array(D), array(N)]
    const [dQ, dK, dV, logSums] = [array(N, D), array(N, D), array(N, D), array(N, H)]
    const shape = { heads: H, keyValueHeads: H, headWidth: D / H, scale: 0.2 }
    const segments = Int32Array.of(0, 50, 0, 50, 50, 100, 50, 100)
    backend.matmul(out, a, b, { accumulate: true })
    backend.rmsNorm(a, r, out, weight, 1e-5)
    backend.attention(out, logSums, a, a, a, segments, shape)
    backend.attentionBackward({ dQ, dK, dV }, a, { out, logSums, q: a, k: a, v: a }, segments, shape)
    backend.rmsNormBackward(dK, weight, dV, dQ, weight, r)
    const sum = await backend.sumSquares([dQ, dK, dV, weight])
    results.push(Float32Array.from([sum, ...(await backend.read(dK)), ...(await backend.read(weight))]))
    backend.close()
  }
  expect(results[1]).toEqual(results[0])
  expect(results[2]).toEqual(results[0])
})

test('auto opens a backend that works, and doctor hears about each one', async () => {
  const backend = await openBackend('auto', { threads: 1 })
  expect(backend.name).toBe(hasNative ? 'native' : 'wasm')
  backend.close()
  expect(() => backend.alloc([1])).toThrow('closed')
  const found = await probeBackends()
  expect(found.map(({ name }) => name)).toEqual(['native', 'wasm', 'reference', 'tensorflow', 'webgpu'])
  for (const { name, ok, why, next } of found) {
    expect(why, name).not.toBe('')
    expect(ok || next !== '', `${name} says what to do`).toBe(true)
  }
  await expect(openBackend('webgpu')).rejects.toThrow('not built yet')
})
