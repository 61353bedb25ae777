// What a device must be able to do: the few large kernels from which every model and every method here is built.
// Each backend offers the same list; `backends/reference.ts` is the judge of the others.
//
// Sequences are ragged: a batch of B sequences is one axis of N = sum of their lengths, with no padding anywhere.
// Shape letters (used everywhere): N tokens of the batch, D width, H query heads, K key/value heads, C head width,
// F feed-forward width, V vocabulary, M rows whose next token is scored, R adapter rank, S segments.
//
// Every sum has a fixed order for a given backend and thread count, so equal calls give equal bits.

export type BackendName = 'reference' | 'native' | 'wasm' | 'tensorflow' | 'webgpu'
export type Shape = readonly number[]

/** A dense row-major array on the device. Only its backend can look inside. */
export interface Tensor {
  readonly shape: Shape
  readonly dtype: 'f32' | 'i32'
  /** Elements: the product of `shape`. */
  readonly size: number
}

/**
 * Which query rows see which key rows. Four numbers a sequence: queryStart, queryCount, keyStart, keyCount.
 * Query j of a segment (0 <= j < queryCount) sees keys 0 .. keyCount - queryCount + j of it, that is, causally with
 * the queries at the end. Training: both ranges are the sequence. Decoding: one query, the whole cache.
 */
export type Segments = Int32Array // [S*4]

export interface AttentionShape {
  heads: number // H
  keyValueHeads: number // K, divides H
  headWidth: number // C
  /** Factor on the scores, usually 1/sqrt(C). */
  scale: number
}

export interface AdamWStep {
  learningRate: number
  beta1: number
  beta2: number
  epsilon: number
  /** Decoupled: w -= learningRate * weightDecay * w (Loshchilov & Hutter 2019). */
  weightDecay: number
  /** 1 for the first update; for the bias corrections. */
  step: number
  /** Multiplies the gradient first: where 1/weight and clipping come in. */
  gradientScale: number
}

export interface Backend {
  readonly name: BackendName
  readonly threads: number
  /** What a person should know of it: "AVX2, 2 threads". */
  readonly summary: string

  // Memory. Bytes are what the device holds for this backend now and at most so far.
  readonly bytesInUse: number
  readonly peakBytes: number
  /** A new array of zeros. Throws OutOfMemory. */
  alloc(shape: Shape, dtype?: 'f32' | 'i32'): Tensor
  free(...tensors: Tensor[]): void
  /** The same memory under another shape: rows `from .. from+count` of the first axis of t, shared, never freed by itself. */
  rows(t: Tensor, from: number, count: number): Tensor
  write(t: Tensor, data: Float32Array | Int32Array): void
  read(t: Tensor): Promise<Float32Array>
  /** Frees everything and ends the device's threads. */
  close(): void

  // Plain arithmetic
  fill(t: Tensor, value: number): void
  copy(to: Tensor, from: Tensor): void
  /** to += scale * from */
  add(to: Tensor, from: Tensor, scale: number): void
  scale(t: Tensor, factor: number): void
  /** Sum of squares of all elements of all tensors, accumulated in double. */
  sumSquares(tensors: readonly Tensor[]): Promise<number>

  /**
   * out (+)= scale * op(a) op(b), row-major. out [m,n], op(a) [m,k], op(b) [k,n]; transposeA means that a is stored
   * [k,m], transposeB that b is stored [n,k] (a weight [out,in] is used with transposeB).
   */
  matmul(
    out: Tensor,
    a: Tensor,
    b: Tensor,
    how?: { transposeA?: boolean; transposeB?: boolean; scale?: number; accumulate?: boolean },
  ): void

  // Token embedding
  /** out [N,D] = table[ids[n]] */
  embed(out: Tensor, table: Tensor, ids: Int32Array): void
  /** dTable[ids[n]] += dOut[n], in order of n */
  embedBackward(dTable: Tensor, ids: Int32Array, dOut: Tensor): void

  // Root-mean-square norm (Zhang & Sennrich 2019): y = x * r * weight, r = 1/sqrt(mean(x^2) + epsilon)
  /** x, y [N,D]; weight [D]; r [N] is kept for the way back. */
  rmsNorm(y: Tensor, r: Tensor, x: Tensor, weight: Tensor, epsilon: number): void
  /** dX += ..., dWeight += ... (where given) */
  rmsNormBackward(dX: Tensor, dWeight: Tensor | null, dY: Tensor, x: Tensor, weight: Tensor, r: Tensor): void

  /**
   * Rotary position embedding (Su et al. 2021), half-split as in Hugging Face's Llama, in place. x [N, heads*C];
   * table [positions, C]: cos of C/2 angles, then sin of them; direction -1 turns back (the backward pass).
   */
  rotary(x: Tensor, table: Tensor, positions: Int32Array, headWidth: number, direction: 1 | -1): void

  /**
   * Causal grouped-query attention within segments. q, out [Nq, H*C]; k, v [Nk, K*C]; logSums [Nq, H] keeps the log of
   * each row's sum of exponentials for the way back. Never stores an N x N matrix per head.
   */
  attention(
    out: Tensor,
    logSums: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    segments: Segments,
    shape: AttentionShape,
  ): void
  /** dQ, dK, dV are added to. */
  attentionBackward(
    grads: { dQ: Tensor; dK: Tensor; dV: Tensor },
    dOut: Tensor,
    saved: { out: Tensor; logSums: Tensor; q: Tensor; k: Tensor; v: Tensor },
    segments: Segments,
    shape: AttentionShape,
  ): void

  // Gated activation (SwiGLU, Shazeer 2020): h = silu(gate) * up, all [N,F]
  gatedSilu(h: Tensor, gate: Tensor, up: Tensor): void
  /** Overwrites dGate and dUp; either may be the same tensor as dH. */
  gatedSiluBackward(dGate: Tensor, dUp: Tensor, dH: Tensor, gate: Tensor, up: Tensor): void

  /** out [M,D] = x[rows[m]] */
  gatherRows(out: Tensor, x: Tensor, rows: Int32Array): void
  /** x[rows[m]] += from [M,D], in order of m */
  scatterAddRows(x: Tensor, from: Tensor, rows: Int32Array): void

  // The vocabulary: scores [M,V] -> log-probability of each row's target
  /**
   * logprobs [M], logSums [M], entropy [M] (nats; null to skip), best [M] (1 where the target has the highest score; null
   * to skip). Scores are only read.
   */
  logprobs(
    out: { logprobs: Tensor; logSums: Tensor; entropy: Tensor | null; best: Tensor | null },
    scores: Tensor,
    targets: Int32Array,
  ): void
  /** In place, scores become dScores = dLogprobs[m] * (onehot(target) - softmax). dLogprobs is plain numbers [M]. */
  logprobsBackward(scores: Tensor, logSums: Tensor, targets: Int32Array, dLogprobs: Float32Array): void

  /** One AdamW update of w with gradient g and moments m, v, all of one size. */
  adamW(w: Tensor, g: Tensor, m: Tensor, v: Tensor, how: AdamWStep): void
}
