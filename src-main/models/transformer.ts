// The model as one function: tokens in, the log-probability of each wanted token out; and its derivative, by hand.
// A Llama-like decoder (Touvron et al. 2023): token embedding; blocks of root-mean-square norm, rotary grouped attention
// and a gated feed-forward, each added to the stream; a last norm; scores over the vocabulary. There is no autograd: read
// `forward`, then `backward` from its end upwards. Sequences are ragged and packed; nothing is padded.
// Kept for the way back, a layer: x, q, k, v, attention, mid, gate, up. Norms and silu(gate) * up are made again instead.
// After the attention of the last layer only the rows that are scored go on: nobody asks for the others.
// Left out: biases, dropout, sharing the prompt of several answers.
//
// N tokens, D width, H heads, K key/value heads, C head width, F feed-forward width, R rank, V vocabulary,
// M rows whose next token is scored.
import { Failure } from '../contract/errors.ts'
import type { AttentionShape, Backend, Segments, Tensor } from '../engine/backend.ts'
import { createWorkspace } from '../engine/memory.ts'
import type { LoraSettings } from './adapters.ts'
import { checkBatch, checkTokens, wantedRows } from './batch.ts'
import type { Batch, Wanted } from './batch.ts'
import type { ModelConfig } from './config.ts'
import { defaultScoresBudgetBytes } from './estimate.ts'
import type { LinearName, WeightProvider } from './families.ts'
import { packPieces } from './kv-cache.ts'
import type { KvCache, Piece } from './kv-cache.ts'
import { isTrained, linear, linearBackward } from './linear.ts'
import type { Parameter } from './linear.ts'
import { createRotations } from './rotations.ts'
import { freeWeights, loadWeights } from './weights.ts'
import type { Tuning } from './weights.ts'

export type { Batch } from './batch.ts'

export interface ForwardOptions {
  /** Keep the activations, for `backward`. */
  keep: boolean
  /** false: without the adapter, which is the reference model of a preference method. Default true. */
  adapter?: boolean
  entropy?: boolean
  best?: boolean
}

export interface Scored {
  logprobs: Float32Array // [N] nats, 0 where not scored
  entropy?: Float32Array // [N] nats, of the distribution that the scored token was drawn from
  best?: Uint8Array // [N] 1 where the scored token was the likeliest
}

export interface TransformerSettings {
  tune: Tuning
  /** The adapter: needed for `lora`; with `frozen` it is used but not trained. `weights` in PEFT's names, else fresh. */
  lora?: LoraSettings & { weights?: WeightProvider }
  /** Scores [M,V] beyond this are made again, piece by piece, on the way back. */
  scoresBudgetBytes?: number
}

export interface Transformer {
  readonly config: ModelConfig
  readonly backend: Backend
  readonly tune: Tuning
  /** What is trained, each with its gradient. Adapter arrays carry PEFT's names. */
  readonly parameters: Parameter[]
  /** Throws BadExample for a sequence longer than the context or a token outside the vocabulary. */
  forward(batch: Batch, options: ForwardOptions): Promise<Scored>
  /** Adds the gradients of sum_n dLogprobs[n] * logprobs[n], for the last forward with `keep`. dLogprobs [N]. */
  backward(dLogprobs: Float32Array): void
  zeroGradients(): void
  /** Reads tokens on into a cache; scores [pieces, V] of the token after the last of each piece, row-major. */
  extend(cache: KvCache, pieces: readonly Piece[]): Promise<Float32Array>
  /** Names on disk of all tensors: the base's, then the adapter's. */
  readonly names: string[]
  /** The numbers of one tensor now. Throws NotFound. */
  read(name: string): Promise<Float32Array>
  /** Replaces the numbers of one tensor. */
  write(name: string, data: Float32Array): void
  /** Frees what this model holds; the backend stays open. */
  close(): void
}

/** What a forward pass leaves for its way back, besides the activations. */
interface Kept {
  ids: Int32Array // [N]
  positions: Int32Array // [N]
  segments: Segments
  adapter: boolean
  wanted: Wanted
  /** [M,V], where they fit the budget and nothing has overwritten them. */
  scores: Tensor | null
}

/** A model on a device. `weights` gives each base tensor by its Hugging Face name. Throws ModelMismatch, OutOfMemory. */
export function createTransformer(
  backend: Backend,
  config: ModelConfig,
  weights: WeightProvider,
  { tune, lora, scoresBudgetBytes = defaultScoresBudgetBytes }: TransformerSettings,
): Transformer {
  const { vocabSize: V, hiddenSize: D, intermediateSize: F, headDim: C, rmsNormEps } = config
  const queryWidth = config.numAttentionHeads * C // H*C
  const keyWidth = config.numKeyValueHeads * C // K*C
  const rank = lora?.rank ?? 0
  const shape: AttentionShape = {
    heads: config.numAttentionHeads,
    keyValueHeads: config.numKeyValueHeads,
    headWidth: C,
    scale: 1 / Math.sqrt(C),
  }
  const { embed, layers, norm, head, all, trained } = loadWeights(backend, config, weights, tune, lora)
  const space = createWorkspace(backend)
  const rotations = createRotations(backend, config)
  const scoresRows = Math.max(1, Math.floor(scoresBudgetBytes / (4 * V)))

  /** What the last forward with `keep` left behind. */
  let kept: Kept | null = null

  // ---- Forward ------------------------------------------------------------------------------------------------------

  /** The activations of layer i; without `keep`, all layers share one set. n is N, in the last layer M. */
  const activations = (N: number, n: number, i: number, keep: boolean) => {
    const at = keep ? `layer ${i}` : 'passing'
    return {
      x: space.take(`${at} x`, N, D), // the stream as the layer finds it
      r1: space.take(`${at} r1`, N),
      q: space.take(`${at} q`, N, queryWidth),
      k: space.take(`${at} k`, N, keyWidth),
      v: space.take(`${at} v`, N, keyWidth),
      attention: space.take(`${at} attention`, N, queryWidth),
      logSums: space.take(`${at} logSums`, N, shape.heads),
      mid: space.take(`${at} mid`, n, D), // the stream between attention and feed-forward
      r2: space.take(`${at} r2`, n),
      gate: space.take(`${at} gate`, n, F),
      up: space.take(`${at} up`, n, F),
      low: (name: LinearName, rows: number) => space.take(`${at} ${name} low`, rows, rank), // x A' of an adapter
    }
  }

  /**
   * tokens -> the stream after the last block, at `rows` only: [M,D]. With a cache, keys and values go into its rows `into`.
   */
  function runLayers(
    ids: Int32Array, // [N]
    positions: Int32Array, // [N]
    segments: Segments,
    rows: Int32Array, // [M]
    { keep, adapter, cache, into }: { keep: boolean; adapter: boolean; cache?: KvCache; into?: Int32Array },
  ): Tensor {
    const [N, M] = [ids.length, rows.length]
    const table = rotations.upTo(positions)
    let x = activations(N, N, 0, keep).x
    backend.embed(x, embed.value, ids)

    layers.forEach((layer, i) => {
      const last = i === layers.length - 1
      const n = last ? M : N
      const at = activations(N, n, i, keep)
      const apply = (out: Tensor, input: Tensor, name: LinearName, accumulate = false): void => {
        const low = adapter && layer[name].adapter ? at.low(name, input.shape[0]!) : null
        linear(backend, out, input, layer[name], low, accumulate)
      }

      const normed = space.take('normed', N, D)
      backend.rmsNorm(normed, at.r1, x, layer.inputNorm.value, rmsNormEps) // [N,D]
      apply(at.q, normed, 'q_proj') // [N,H*C]
      apply(at.k, normed, 'k_proj') // [N,K*C]
      apply(at.v, normed, 'v_proj') // [N,K*C]
      backend.rotary(at.q, table, positions, C, 1)
      backend.rotary(at.k, table, positions, C, 1)
      if (cache && into) {
        backend.scatterAddRows(cache.keys[i]!, at.k, into)
        backend.scatterAddRows(cache.values[i]!, at.v, into)
      }
      const [keys, values] = cache ? [cache.keys[i]!, cache.values[i]!] : [at.k, at.v]
      backend.attention(at.attention, at.logSums, at.q, keys, values, segments, shape) // [N,H*C]

      if (last) backend.gatherRows(at.mid, x, rows)
      else backend.copy(at.mid, x)
      apply(at.mid, last ? attentionAt(rows, at.attention, keep) : at.attention, 'o_proj', true) // mid = x + attention Wo' [n,D]

      const normedMid = space.take('normed', n, D)
      const h = space.take('h', n, F)
      backend.rmsNorm(normedMid, at.r2, at.mid, layer.postAttentionNorm.value, rmsNormEps)
      apply(at.gate, normedMid, 'gate_proj') // [n,F]
      apply(at.up, normedMid, 'up_proj') // [n,F]
      backend.gatedSilu(h, at.gate, at.up)
      x = last
        ? space.take(keep ? 'last x' : 'passing last x', M, D)
        : keep
          ? space.take(`layer ${i + 1} x`, N, D)
          : at.x
      backend.copy(x, at.mid)
      apply(x, h, 'down_proj', true) // next x = mid + h Wdown' [n,D]
    })
    return x
  }

  /** The rows of the last layer's attention that go on: [M,H*C]. */
  function attentionAt(rows: Int32Array, attention: Tensor, keep: boolean): Tensor {
    const gathered = space.take(keep ? 'last attention' : 'passing last attention', rows.length, queryWidth)
    backend.gatherRows(gathered, attention, rows)
    return gathered
  }

  /** The last norm: [M,D]. */
  function lastNorm(x: Tensor, at: string): Tensor {
    const normed = space.take(`${at} last normed`, x.shape[0]!, D)
    backend.rmsNorm(normed, space.take(`${at} last r`, x.shape[0]!), x, norm.value, rmsNormEps)
    return normed
  }

  async function forward(
    batch: Batch,
    { keep, adapter = true, entropy = false, best = false }: ForwardOptions,
  ): Promise<Scored> {
    const { positions, segments } = checkBatch(batch, config)
    const N = batch.tokens.length
    const at = keep ? 'kept' : 'passing'
    const wanted = wantedRows(batch)
    const M = wanted.rows.length
    const answer: Scored = {
      logprobs: new Float32Array(N),
      ...(entropy && { entropy: new Float32Array(N) }),
      ...(best && { best: new Uint8Array(N) }),
    }
    if (keep) kept = { ids: batch.tokens, positions, segments, adapter, wanted, scores: null }
    else if (kept) kept.scores = null // the scores' array is about to be overwritten
    if (M === 0) return answer

    const normed = lastNorm(runLayers(batch.tokens, positions, segments, wanted.rows, { keep, adapter }), at)
    const out = {
      logprobs: space.take('logprobs', M),
      logSums: space.take(`${at} last logSums`, M),
      entropy: entropy ? space.take('entropy', M) : null,
      best: best ? space.take('best', M) : null,
    }
    let scores: Tensor | null = null
    for (let from = 0; from < M; from += scoresRows) {
      const count = Math.min(scoresRows, M - from)
      const part = (t: Tensor): Tensor => backend.rows(t, from, count)
      scores = space.take('scores', count, V)
      backend.matmul(scores, part(normed), head.value, { transposeB: true }) // [count,V]
      backend.logprobs(
        {
          logprobs: part(out.logprobs),
          logSums: part(out.logSums),
          entropy: out.entropy && part(out.entropy),
          best: out.best && part(out.best),
        },
        scores,
        wanted.targets.subarray(from, from + count),
      )
    }
    if (keep) kept!.scores = M <= scoresRows ? scores : null

    const fetch = async (values: Tensor | null, into: Float32Array | Uint8Array | undefined): Promise<void> => {
      if (values && into) (await backend.read(values)).forEach((value, m) => (into[wanted.rows[m]! + 1] = value))
    }
    await fetch(out.logprobs, answer.logprobs)
    await fetch(out.entropy, answer.entropy)
    await fetch(out.best, answer.best)
    return answer
  }

  // ---- Backward -----------------------------------------------------------------------------------------------------

  function backward(dLogprobs: Float32Array): void {
    if (kept === null)
      throw new Failure('Bug', 'There is no kept forward pass to go back through.', { where: 'Transformer.backward' })
    if (trained.length === 0)
      throw new Failure('Bug', 'A frozen model has nothing to learn.', { where: 'Transformer.backward' })
    if (kept.wanted.rows.length > 0) {
      let dX = scoresBackward(kept.wanted, dLogprobs) // the gradient of the stream, from the last block to the first
      for (let i = layers.length - 1; i >= 0; i--) dX = layerBackward(dX, i, kept)
      if (embed.grad) backend.embedBackward(embed.grad, kept.ids, dX)
    }
    kept = null
  }

  /** From the log-probabilities through the vocabulary and the last norm: the stream's gradient at the scored rows [M,D]. */
  function scoresBackward({ rows, targets }: Wanted, dLogprobs: Float32Array): Tensor {
    const M = rows.length
    const normed = space.take('kept last normed', M, D)
    const logSums = space.take('kept last logSums', M)
    const dNormed = space.take('dLast normed', M, D)
    const dRows = Float32Array.from(rows, (row) => dLogprobs[row + 1]!)
    for (let from = 0; from < M; from += scoresRows) {
      const count = Math.min(scoresRows, M - from)
      const part = (t: Tensor): Tensor => backend.rows(t, from, count)
      const scores = kept!.scores ?? space.take('scores', count, V)
      if (kept!.scores === null) backend.matmul(scores, part(normed), head.value, { transposeB: true })
      backend.logprobsBackward(
        scores,
        part(logSums),
        targets.subarray(from, from + count),
        dRows.subarray(from, from + count),
      )
      if (head.grad) backend.matmul(head.grad, scores, part(normed), { transposeA: true, accumulate: true })
      backend.matmul(part(dNormed), scores, head.value) // dScores W [count,D]
    }
    const dX = space.take('dLast x', M, D)
    backend.fill(dX, 0)
    const [x, r] = [space.take('last x', M, D), space.take('kept last r', M)]
    backend.rmsNormBackward(dX, norm.grad, dNormed, x, norm.value, r)
    return dX
  }

  /**
   * dX: the gradient of the layer's output [n,D], n = M in the last layer, else N. Returns that of its input [N,D], which
   * is not finished where nothing below learns.
   */
  function layerBackward(dX: Tensor, i: number, { ids, positions, segments, adapter, wanted }: Kept): Tensor {
    const [N, n] = [ids.length, dX.shape[0]!]
    const layer = layers[i]!
    const last = i === layers.length - 1
    const at = activations(N, n, i, true)
    const learns = (...names: LinearName[]): boolean => names.some((name) => isTrained(layer[name]))
    const below = i > 0 || embed.grad !== null
    const throughAttention = below || learns('q_proj', 'k_proj', 'v_proj')
    const throughMid = throughAttention || learns('o_proj')
    const back = (dInput: Tensor | null, dY: Tensor, input: Tensor, name: LinearName, accumulate = false): void => {
      const rows = dY.shape[0]!
      const low = adapter && layer[name].adapter
      const lows = low ? { kept: at.low(name, rows), gradient: space.take('dLow', rows, rank) } : null
      linearBackward(backend, dInput, dY, input, layer[name], lows, accumulate)
    }

    // Feed-forward: next x = mid + (silu(gate) * up) Wdown'
    const [h, dGate] = [space.take('h', n, F), space.take('dGate', n, F)]
    if (learns('down_proj')) backend.gatedSilu(h, at.gate, at.up)
    back(dGate, dX, h, 'down_proj') // for now dH
    backend.gatedSiluBackward(dGate, h, dGate, at.gate, at.up) // h becomes dUp
    const [normedMid, dNormedMid] = [space.take('normed', n, D), throughMid ? space.take('dNormed', n, D) : null]
    if (learns('gate_proj', 'up_proj'))
      backend.rmsNorm(normedMid, at.r2, at.mid, layer.postAttentionNorm.value, rmsNormEps)
    back(dNormedMid, dGate, normedMid, 'gate_proj')
    back(dNormedMid, h, normedMid, 'up_proj', true)
    if (dNormedMid === null) return dX
    backend.rmsNormBackward(dX, layer.postAttentionNorm.grad, dNormedMid, at.mid, layer.postAttentionNorm.value, at.r2)

    // Attention: mid = x + attention Wo'. What the last layer left out has no gradient.
    let dAttention = throughAttention ? space.take(last ? 'dLast attention' : 'dAttention', n, queryWidth) : null
    back(dAttention, dX, last ? space.take('last attention', n, queryWidth) : at.attention, 'o_proj')
    if (dAttention === null) return dX
    if (last) {
      dX = spread(dX, space.take('dX', N, D), wanted.rows)
      dAttention = spread(dAttention, space.take('dAttention', N, queryWidth), wanted.rows)
    }
    const [dQ, dK, dV] = [space.take('dQ', N, queryWidth), space.take('dK', N, keyWidth), space.take('dV', N, keyWidth)]
    for (const t of [dQ, dK, dV]) backend.fill(t, 0)
    const saved = { out: at.attention, logSums: at.logSums, q: at.q, k: at.k, v: at.v }
    backend.attentionBackward({ dQ, dK, dV }, dAttention, saved, segments, shape)
    const table = rotations.upTo(positions)
    backend.rotary(dQ, table, positions, C, -1)
    backend.rotary(dK, table, positions, C, -1)
    const [normed, dNormed] = [space.take('normed', N, D), below ? space.take('dNormed', N, D) : null]
    if (learns('q_proj', 'k_proj', 'v_proj')) backend.rmsNorm(normed, at.r1, at.x, layer.inputNorm.value, rmsNormEps)
    back(dNormed, dQ, normed, 'q_proj')
    back(dNormed, dK, normed, 'k_proj', true)
    back(dNormed, dV, normed, 'v_proj', true)
    if (dNormed) backend.rmsNormBackward(dX, layer.inputNorm.grad, dNormed, at.x, layer.inputNorm.value, at.r1)
    return dX
  }

  /** `into` [N,...] = `from` [M,...] at its rows, zero elsewhere. */
  function spread(from: Tensor, into: Tensor, rows: Int32Array): Tensor {
    backend.fill(into, 0)
    backend.scatterAddRows(into, from, rows)
    return into
  }

  // ---- Reading on with a cache --------------------------------------------------------------------------------------

  async function extend(cache: KvCache, pieces: readonly Piece[]): Promise<Float32Array> {
    const { ids, positions, segments, into, last } = packPieces(cache, pieces)
    checkTokens(ids, config)
    const x = runLayers(ids, positions, segments, last, { keep: false, adapter: true, cache, into })
    for (const { sequence, tokens } of pieces) cache.lengths[sequence]! += tokens.length
    const normed = lastNorm(x, 'passing')
    const scores = space.take('next scores', pieces.length, V)
    backend.matmul(scores, normed, head.value, { transposeB: true })
    return backend.read(scores)
  }

  const named = (name: string): Parameter => {
    const found = all.get(name)
    if (found === undefined) throw new Failure('NotFound', `This model has no tensor ${name}.`, { where: name })
    return found
  }
  return {
    config,
    backend,
    tune,
    parameters: trained,
    forward,
    backward,
    zeroGradients: () => trained.forEach(({ grad }) => backend.fill(grad!, 0)),
    extend,
    names: [...all.keys()],
    read: (name) => backend.read(named(name).value),
    write: (name, data) => backend.write(named(name).value, data),
    close() {
      freeWeights(backend, all)
      space.free()
      rotations.free()
    },
  }
}
