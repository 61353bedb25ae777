// How much memory training will take, before it starts: the same arrays that transformer.ts takes, counted. What the
// program itself and the kernels' packing buffers need (tens of megabytes) is not in it.
import { adapterShapes, adapterTargets } from './adapters.ts'
import type { LoraSettings } from './adapters.ts'
import type { ModelConfig } from './config.ts'
import { countParameters } from './families.ts'
import type { LinearName } from './families.ts'
import type { Tuning } from './weights.ts'

export const defaultScoresBudgetBytes = 128 * 2 ** 20

export interface MemoryQuestion {
  tune: Tuning
  lora?: Pick<LoraSettings, 'rank' | 'targets'>
  /** N: tokens of the largest micro-batch. */
  tokens: number
  /** M: how many of them are scored. */
  scored: number
  /** Tokens of the longest sequence (default: all). */
  longest?: number
  /** Passes that keep nothing run too: a reference model, a held-out loss. */
  passing?: boolean
  scoresBudgetBytes?: number
}

export interface MemoryEstimate {
  weightsBytes: number
  gradientsBytes: number
  /** AdamW's two moments. */
  optimizerBytes: number
  activationsBytes: number
  /** Scores over the vocabulary. */
  scoresBytes: number
  totalBytes: number
  trainedParameters: number
}

export function estimateBytes(config: ModelConfig, question: MemoryQuestion): MemoryEstimate {
  const { tune, lora, tokens: N, scored: M, longest = N, passing = false } = question
  const { vocabSize: V, hiddenSize: D, intermediateSize: F, headDim: C, numHiddenLayers, numAttentionHeads: H } = config
  const [queryWidth, keyWidth, rank] = [H * C, config.numKeyValueHeads * C, lora?.rank ?? 0]
  const adapter = lora ? adapterShapes(config, lora).reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0) : 0
  const base = countParameters(config)
  const trained = tune === 'full' ? base : tune === 'lora' ? adapter : 0

  // Numbers a layer takes for a token before and after its attention; the last layer goes on with the scored ones only.
  const targets = lora ? adapterTargets(lora.targets) : []
  const lows = (...names: LinearName[]): number => rank * targets.filter((name) => names.includes(name)).length
  const before = D + 2 * queryWidth + 2 * keyWidth + H + 1 + lows('q_proj', 'k_proj', 'v_proj') // x, q attention, k v, logSums, r
  const after = D + 2 * F + 1 + lows('o_proj', 'gate_proj', 'up_proj', 'down_proj') // mid, gate up, r
  const inner = numHiddenLayers > 1 ? N : M
  const shared = N * before + inner * after // what layers have in common where nothing is kept
  const layers = trained > 0 ? (numHiddenLayers - 1) * N * (before + after) + N * before + M * after : shared
  const scratch = N * D + inner * F // normed, h
  const perScored = queryWidth + 2 * D + 2 // of the last layer: attention, x, normed, r, logSums
  const backward = N * (2 * D + 2 * queryWidth + 2 * keyWidth + rank) + inner * F + M * (2 * D + queryWidth) // gradients of all these
  const activations =
    layers + scratch + M * (perScored + 1) + (trained > 0 ? backward + (passing ? shared + M * perScored : 0) : 0)
  const rotations = Math.min(config.maxPositionEmbeddings, Math.max(256, 2 ** Math.ceil(Math.log2(longest)))) * C
  const scoresRows = Math.max(1, Math.floor((question.scoresBudgetBytes ?? defaultScoresBudgetBytes) / (4 * V)))

  const weightsBytes = 4 * (base + adapter)
  const gradientsBytes = 4 * trained
  const optimizerBytes = 8 * trained
  const activationsBytes = 4 * (activations + rotations)
  const scoresBytes = 4 * V * Math.min(M, scoresRows)
  const totalBytes = weightsBytes + gradientsBytes + optimizerBytes + activationsBytes + scoresBytes
  return {
    weightsBytes,
    gradientsBytes,
    optimizerBytes,
    activationsBytes,
    scoresBytes,
    totalBytes,
    trainedParameters: trained,
  }
}
