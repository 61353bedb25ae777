// A model of a few thousand numbers on the reference backend, and rows of random tokens to train it on.
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { createRandom } from '../../../src-main/engine/random.ts'
import type { TrainingRow } from '../../../src-main/data/batch.ts'
import type { ModelConfig } from '../../../src-main/models/config.ts'
import { randomWeights } from '../../../src-main/models/families.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import type { Tuning } from '../../../src-main/models/weights.ts'
import { allMethods } from '../../../src-main/methods/all.ts'
import { freshState } from '../../../src-main/training/loop.ts'
import type { LoopParts } from '../../../src-main/training/loop.ts'
import { createOptimizer } from '../../../src-main/training/optimizer.ts'
import { optionsFor } from '../../../src-main/training/options.ts'
import { resolveOptions, valuesOf } from '../../../src-main/contract/options.ts'
import type { OptionValue } from '../../../src-main/contract/options.ts'
import type { Method as MethodName } from '../../../src-main/contract/records.ts'

export const tinyConfig: ModelConfig = {
  modelType: 'llama',
  vocabSize: 40,
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  numKeyValueHeads: 1,
  headDim: 8,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: null,
  maxPositionEmbeddings: 64,
  tieWordEmbeddings: true,
  attentionBias: false,
  mlpBias: false,
  bosTokenId: 1,
  eosTokenIds: [2],
  padTokenId: null,
  initializerRange: 0.1,
}

/** Rows of 4 to 14 tokens of which the first few are prompt. */
export function ragged(count: number, seed: number, sequences: 1 | 2 = 1): TrainingRow[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, row) => ({
    row: row + 1,
    sequences: Array.from({ length: sequences }, () => {
      const length = 4 + random.below(11)
      const prompt = 1 + random.below(length - 2)
      return {
        tokens: Int32Array.from({ length }, () => 3 + random.below(tinyConfig.vocabSize - 3)),
        lossMask: Uint8Array.from({ length }, (_, i) => (i >= prompt ? 1 : 0)),
      }
    }),
  }))
}

export interface TinyRun {
  method?: MethodName
  tune?: Tuning & ('lora' | 'full')
  rows: TrainingRow[]
  heldOut?: TrainingRow[]
  reference?: LoopParts['reference']
  options?: Record<string, OptionValue>
  seed?: number
}

export function tinyParts({
  method = 'sft',
  tune = 'full',
  rows,
  heldOut = [],
  reference = null,
  options = {},
  seed = 1,
}: TinyRun) {
  const backend = createReference()
  const values = valuesOf(
    resolveOptions(optionsFor(method, tune), { learningRate: 0.01, maxSteps: 3, ...options }),
  ) as LoopParts['values']
  const model = createTransformer(backend, tinyConfig, randomWeights(tinyConfig, 5), {
    tune,
    ...(tune === 'lora' && { lora: { rank: 4, alpha: 8, targets: 'all-linear', seed } }),
  })
  const optimizer = createOptimizer(backend, model.parameters)
  const parts: LoopParts = {
    backend,
    policy: model,
    optimizer,
    method: allMethods[method],
    values,
    seed,
    rows,
    heldOut,
    reference,
    state: freshState(),
    clock: () => performance.now(),
  }
  return { parts, model, backend, optimizer }
}
