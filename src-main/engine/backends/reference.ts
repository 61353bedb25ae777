// The judge: every kernel of engine/backend.ts as the plainest loop that is right. Numbers are stored in f32 and summed
// in f64, in order. Slow by design; the other backends are compared with it. Left out: everything that makes it fast.
import { Failure } from '../../contract/errors.ts'
import type { AdamWStep, AttentionShape, Backend, Segments, Shape, Tensor } from '../backend.ts'

interface Plain extends Tensor {
  readonly data: Float32Array | Int32Array
  /** A view made by `rows`: shares memory, is never freed by itself. */
  readonly view: boolean
}
const f32 = (t: Tensor): Float32Array => (t as Plain).data as Float32Array
const product = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/** The plain TypeScript backend: one thread, any machine. Calls are synchronous; equal calls give equal bits. */
export function createReference(): Backend {
  let bytesInUse = 0
  let peakBytes = 0
  const live = new Set<Tensor>()

  function alloc(shape: Shape, dtype: 'f32' | 'i32' = 'f32'): Tensor {
    const size = product(shape)
    let data: Float32Array | Int32Array
    try {
      data = dtype === 'f32' ? new Float32Array(size) : new Int32Array(size)
    } catch (cause) {
      throw new Failure('OutOfMemory', `There is no room for an array of ${size * 4} bytes.`, {
        where: `reference backend, shape [${shape.join(', ')}]`,
        next: 'Use a smaller model, shorter sequences or a smaller batch.',
        cause,
      })
    }
    const tensor: Plain = { shape: [...shape], dtype, size, data, view: false }
    live.add(tensor)
    bytesInUse += size * 4
    peakBytes = Math.max(peakBytes, bytesInUse)
    return tensor
  }
  function free(...tensors: Tensor[]): void {
    for (const t of tensors) if (live.delete(t)) bytesInUse -= t.size * 4
  }

  return {
    name: 'reference',
    threads: 1,
    summary: 'plain TypeScript, 1 thread',
    get bytesInUse() {
      return bytesInUse
    },
    get peakBytes() {
      return peakBytes
    },
    alloc,
    free,
    rows(t, from, count) {
      const width = product(t.shape.slice(1))
      if (from < 0 || from + count > t.shape[0]!)
        throw new RangeError(`rows ${from}+${count} of [${t.shape.join(', ')}]`)
      const data = (t as Plain).data.subarray(from * width, (from + count) * width)
      const view: Plain = { shape: [count, ...t.shape.slice(1)], dtype: t.dtype, size: count * width, data, view: true }
      return view
    },
    write: (t, data) => (t as Plain).data.set(data),
    read: (t) => Promise.resolve(Float32Array.from((t as Plain).data)),
    close() {
      free(...live)
    },
    fill: (t, value) => void (t as Plain).data.fill(value),
    copy: (to, from) => (to as Plain).data.set((from as Plain).data),
    add(to, from, scale) {
      const [x, y] = [f32(to), f32(from)]
      for (let i = 0; i < x.length; i++) x[i] = x[i]! + scale * y[i]!
    },
    scale(t, factor) {
      const x = f32(t)
      for (let i = 0; i < x.length; i++) x[i] = x[i]! * factor
    },
    sumSquares(tensors) {
      let sum = 0
      for (const t of tensors) for (const x of f32(t)) sum += x * x
      return Promise.resolve(sum)
    },
    matmul,
    embed: (out, table, ids) => gatherRows(out, table, ids),
    embedBackward: (dTable, ids, dOut) => scatterAddRows(dTable, dOut, ids),
    rmsNorm,
    rmsNormBackward,
    rotary,
    attention,
    attentionBackward,
    gatedSilu,
    gatedSiluBackward,
    gatherRows,
    scatterAddRows,
    logprobs,
    logprobsBackward,
    adamW,
  }
}

// ---- Matrix product -------------------------------------------------------------------------------------------------

function matmul(
  out: Tensor, // [m,n]
  a: Tensor,
  b: Tensor,
  how: { transposeA?: boolean; transposeB?: boolean; scale?: number; accumulate?: boolean } = {},
): void {
  const { transposeA = false, transposeB = false, scale = 1, accumulate = false } = how
  const [m, n] = out.shape as [number, number]
  const k = a.shape[transposeA ? 0 : 1]!
  if (a.shape[transposeA ? 1 : 0] !== m || b.shape[transposeB ? 0 : 1] !== n || b.shape[transposeB ? 1 : 0] !== k)
    throw new RangeError(
      `matmul [${a.shape.join()}]${transposeA ? "'" : ''} [${b.shape.join()}]${transposeB ? "'" : ''} -> [${m},${n}]`,
    )
  const [x, y, z] = [f32(a), f32(b), f32(out)]
  const [aRow, aColumn] = transposeA ? [1, m] : [k, 1]
  const [bRow, bColumn] = transposeB ? [1, k] : [n, 1]
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let p = 0; p < k; p++) sum += x[i * aRow + p * aColumn]! * y[p * bRow + j * bColumn]!
      z[i * n + j] = (accumulate ? z[i * n + j]! : 0) + scale * sum
    }
}

// ---- Rows -----------------------------------------------------------------------------------------------------------

function gatherRows(out: Tensor, x: Tensor, rows: Int32Array): void {
  const width = x.size / x.shape[0]!
  const [from, to] = [f32(x), f32(out)]
  rows.forEach((row, m) => to.set(from.subarray(row * width, (row + 1) * width), m * width))
}

function scatterAddRows(x: Tensor, from: Tensor, rows: Int32Array): void {
  const width = x.size / x.shape[0]!
  const [to, source] = [f32(x), f32(from)]
  rows.forEach((row, m) => {
    for (let d = 0; d < width; d++) to[row * width + d] = to[row * width + d]! + source[m * width + d]!
  })
}

// ---- Norm -----------------------------------------------------------------------------------------------------------

function rmsNorm(y: Tensor, r: Tensor, x: Tensor, weight: Tensor, epsilon: number): void {
  const [N, D] = x.shape as [number, number]
  const [Y, R, X, W] = [f32(y), f32(r), f32(x), f32(weight)]
  for (let n = 0; n < N; n++) {
    let sum = 0
    for (let d = 0; d < D; d++) sum += X[n * D + d]! ** 2
    const factor = 1 / Math.sqrt(sum / D + epsilon)
    R[n] = factor
    for (let d = 0; d < D; d++) Y[n * D + d] = X[n * D + d]! * factor * W[d]!
  }
}

// y_d = x_d r w_d with r = (mean x^2 + e)^(-1/2), so dr/dx_d = -r^3 x_d / D.
function rmsNormBackward(dX: Tensor, dWeight: Tensor | null, dY: Tensor, x: Tensor, weight: Tensor, r: Tensor): void {
  const [N, D] = x.shape as [number, number]
  const [DX, DY, X, W, R] = [f32(dX), f32(dY), f32(x), f32(weight), f32(r)]
  for (let n = 0; n < N; n++) {
    const factor = R[n]!
    let dot = 0
    for (let d = 0; d < D; d++) dot += DY[n * D + d]! * W[d]! * X[n * D + d]!
    for (let d = 0; d < D; d++) {
      const i = n * D + d
      DX[i] = DX[i]! + factor * DY[i]! * W[d]! - (factor ** 3 * X[i]! * dot) / D
    }
  }
  if (dWeight === null) return
  const DW = f32(dWeight)
  for (let d = 0; d < D; d++) {
    let sum = 0
    for (let n = 0; n < N; n++) sum += DY[n * D + d]! * X[n * D + d]! * R[n]!
    DW[d] = DW[d]! + sum
  }
}

// ---- Attention ------------------------------------------------------------------------------------------------------

function rotary(x: Tensor, table: Tensor, positions: Int32Array, headWidth: number, direction: 1 | -1): void {
  const [X, angles] = [f32(x), f32(table)]
  const half = headWidth / 2
  const width = x.size / x.shape[0]!
  positions.forEach((position, n) => {
    for (let head = n * width; head < (n + 1) * width; head += headWidth)
      for (let c = 0; c < half; c++) {
        const cos = angles[position * headWidth + c]!
        const sin = direction * angles[position * headWidth + half + c]!
        const [low, high] = [X[head + c]!, X[head + half + c]!]
        X[head + c] = low * cos - high * sin
        X[head + half + c] = high * cos + low * sin
      }
  })
}

/** Calls `each` for every query row and head with the offsets of its query and of the keys that it sees. */
function eachQuery(
  segments: Segments,
  { heads, keyValueHeads, headWidth }: AttentionShape,
  each: (row: number, head: number, query: number, keys: Int32Array) => void,
): void {
  for (let s = 0; s < segments.length; s += 4) {
    const [queryStart, queryCount, keyStart, keyCount] = segments.subarray(s, s + 4) as unknown as number[]
    for (let j = 0; j < queryCount!; j++) {
      const row = queryStart! + j
      for (let head = 0; head < heads; head++) {
        const group = Math.floor(head / (heads / keyValueHeads))
        const seen = keyCount! - queryCount! + j + 1
        const keys = Int32Array.from({ length: seen }, (_, i) => ((keyStart! + i) * keyValueHeads + group) * headWidth)
        each(row, head, (row * heads + head) * headWidth, keys)
      }
    }
  }
}

const dot = (a: Float32Array, i: number, b: Float32Array, j: number, count: number): number => {
  let sum = 0
  for (let c = 0; c < count; c++) sum += a[i + c]! * b[j + c]!
  return sum
}

function attention(
  out: Tensor,
  logSums: Tensor,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  segments: Segments,
  shape: AttentionShape,
): void {
  const [O, L, Q, K, V] = [f32(out), f32(logSums), f32(q), f32(k), f32(v)]
  const { heads, headWidth: C, scale } = shape
  eachQuery(segments, shape, (row, head, query, keys) => {
    const scores = Array.from(keys, (key) => scale * dot(Q, query, K, key, C))
    const highest = Math.max(...scores)
    const logSum = highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0))
    L[row * heads + head] = logSum
    const p = scores.map((score) => Math.exp(score - logSum))
    for (let c = 0; c < C; c++) O[query + c] = p.reduce((sum, weight, i) => sum + weight * V[keys[i]! + c]!, 0)
  })
}

// With p = softmax(scores): dV = p dO, dP = dO.v, dScores = p (dP - dO.out), and the scores are scale q.k.
function attentionBackward(
  grads: { dQ: Tensor; dK: Tensor; dV: Tensor },
  dOut: Tensor,
  saved: { out: Tensor; logSums: Tensor; q: Tensor; k: Tensor; v: Tensor },
  segments: Segments,
  shape: AttentionShape,
): void {
  const [DQ, DK, DV, DO] = [f32(grads.dQ), f32(grads.dK), f32(grads.dV), f32(dOut)]
  const [O, L, Q, K, V] = [f32(saved.out), f32(saved.logSums), f32(saved.q), f32(saved.k), f32(saved.v)]
  const { heads, headWidth: C, scale } = shape
  eachQuery(segments, shape, (row, head, query, keys) => {
    const delta = dot(DO, query, O, query, C)
    for (const key of keys) {
      const p = Math.exp(scale * dot(Q, query, K, key, C) - L[row * heads + head]!)
      const dScore = scale * p * (dot(DO, query, V, key, C) - delta)
      for (let c = 0; c < C; c++) {
        DV[key + c] = DV[key + c]! + p * DO[query + c]!
        DQ[query + c] = DQ[query + c]! + dScore * K[key + c]!
        DK[key + c] = DK[key + c]! + dScore * Q[query + c]!
      }
    }
  })
}

// ---- Gated activation -----------------------------------------------------------------------------------------------

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

function gatedSilu(h: Tensor, gate: Tensor, up: Tensor): void {
  const [H, G, U] = [f32(h), f32(gate), f32(up)]
  for (let i = 0; i < H.length; i++) H[i] = G[i]! * sigmoid(G[i]!) * U[i]!
}

function gatedSiluBackward(dGate: Tensor, dUp: Tensor, dH: Tensor, gate: Tensor, up: Tensor): void {
  const [DG, DU, DH, G, U] = [f32(dGate), f32(dUp), f32(dH), f32(gate), f32(up)]
  for (let i = 0; i < DH.length; i++) {
    const [d, g, u, s] = [DH[i]!, G[i]!, U[i]!, sigmoid(G[i]!)]
    DG[i] = d * u * s * (1 + g * (1 - s))
    DU[i] = d * g * s
  }
}

// ---- Vocabulary -----------------------------------------------------------------------------------------------------

function logprobs(
  out: { logprobs: Tensor; logSums: Tensor; entropy: Tensor | null; best: Tensor | null },
  scores: Tensor,
  targets: Int32Array,
): void {
  const V = scores.shape[1]!
  targets.forEach((target, m) => {
    const row = f32(scores).subarray(m * V, (m + 1) * V)
    let highest = -Infinity
    for (const score of row) highest = Math.max(highest, score)
    let sum = 0
    for (const score of row) sum += Math.exp(score - highest)
    const logSum = highest + Math.log(sum)
    f32(out.logSums)[m] = logSum
    f32(out.logprobs)[m] = row[target]! - logSum
    if (out.entropy) {
      let mean = 0 // of the scores, under their own softmax
      for (const score of row) mean += Math.exp(score - logSum) * (score - logSum)
      f32(out.entropy)[m] = -mean
    }
    if (out.best) f32(out.best)[m] = row[target] === highest ? 1 : 0
  })
}

function logprobsBackward(scores: Tensor, logSums: Tensor, targets: Int32Array, dLogprobs: Float32Array): void {
  const V = scores.shape[1]!
  const [S, L] = [f32(scores), f32(logSums)]
  targets.forEach((target, m) => {
    for (let v = 0; v < V; v++)
      S[m * V + v] = dLogprobs[m]! * ((v === target ? 1 : 0) - Math.exp(S[m * V + v]! - L[m]!))
  })
}

// ---- Update ---------------------------------------------------------------------------------------------------------

function adamW(w: Tensor, g: Tensor, m: Tensor, v: Tensor, how: AdamWStep): void {
  const [W, G, M, S] = [f32(w), f32(g), f32(m), f32(v)]
  const first = 1 - how.beta1 ** how.step
  const second = 1 - how.beta2 ** how.step
  for (let i = 0; i < W.length; i++) {
    const gradient = G[i]! * how.gradientScale
    M[i] = how.beta1 * M[i]! + (1 - how.beta1) * gradient
    S[i] = how.beta2 * S[i]! + (1 - how.beta2) * gradient * gradient
    const update = M[i]! / first / (Math.sqrt(S[i]! / second) + how.epsilon)
    W[i] = W[i]! - how.learningRate * (update + how.weightDecay * W[i]!)
  }
}
