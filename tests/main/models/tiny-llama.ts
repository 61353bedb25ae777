// A Llama small enough to differentiate by hand: grouped heads, a head width that is not width / heads, ragged sequences.
import type { ModelConfig } from '../../../src-main/models/config.ts'
import { parameterShapes } from '../../../src-main/models/families.ts'
import type { WeightProvider } from '../../../src-main/models/families.ts'
import { createRandom } from '../../../src-main/engine/random.ts'
import type { Batch } from '../../../src-main/models/transformer.ts'

export const tinyConfig: ModelConfig = {
  modelType: 'llama',
  vocabSize: 23,
  hiddenSize: 12,
  intermediateSize: 20,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 4,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: null,
  maxPositionEmbeddings: 64,
  tieWordEmbeddings: false,
  attentionBias: false,
  mlpBias: false,
  bosTokenId: 1,
  eosTokenIds: [2],
  padTokenId: null,
  initializerRange: 0.02,
}

/** Weights large enough that every part of the network matters: deviation 1/sqrt(in), 0.7 for the embedding, norms near 1. */
export function livelyWeights(config: ModelConfig, seed: number): WeightProvider {
  const shapes = parameterShapes(config)
  return (name) => {
    const index = shapes.findIndex((one) => one.name === name)
    const { shape } = shapes[index]!
    const random = createRandom(seed, index)
    const size = shape.reduce((a, b) => a * b, 1)
    const deviation = name.includes('embed') ? 0.7 : 1 / Math.sqrt(shape[1] ?? 1)
    const draw = (): number => (shape.length === 1 ? 1 + 0.2 * random.normal() : deviation * random.normal())
    return new Float32Array(size).map(draw)
  }
}

/** Sequences of random tokens, packed; `share` of the tokens after each first are scored. */
export function randomBatch(config: ModelConfig, lengths: number[], seed: number, share = 0.6): Batch {
  const random = createRandom(seed)
  const offsets = new Int32Array(lengths.length + 1)
  lengths.forEach((length, b) => (offsets[b + 1] = offsets[b]! + length))
  const tokens = new Int32Array(offsets.at(-1)!).map(() => random.below(config.vocabSize))
  const scored = new Uint8Array(tokens.length).map((_, n) => (!offsets.includes(n) && random.uniform() < share ? 1 : 0))
  return { tokens, offsets, scored }
}
