// Pre-training from scratch: next-token prediction over windows of a text, as one generator that yields its progress.
// AdamW with weight decay on matrices only; warm-up, a stable stretch, then a linear fall (Hu et al. 2024, MiniCPM).
// Left out: checkpoints and resuming (a starter is made in one go), mixed precision, dropout.
import type { Backend, Tensor } from '../engine/backend.ts'
import { clipByGlobalNorm } from '../engine/clip.ts'
import { createRandom } from '../engine/random.ts'
import { scheduleFactor, type Schedule } from '../engine/schedule.ts'
import type { ModelConfig } from '../models/config.ts'
import { parameterShapes, type WeightProvider } from '../models/families.ts'
import type { Batch, Transformer } from '../models/transformer.ts'

export const recipe = {
  vocabularySize: 1408,
  windowTokens: 128,
  windowsPerStep: 16,
  learningRate: 3e-3,
  warmupSteps: 60,
  /** The last share of the run, in which the rate falls to `floorRatio` of its height. */
  decayRatio: 0.7,
  floorRatio: 0.02,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradientNorm: 1,
} as const

/** The starter's shape: 1.47 million parameters with 1,408 tokens. Ids 0 and 1 are <|pad|> and <|end|>. */
export const starterConfig = (vocabSize: number): ModelConfig => ({
  modelType: 'llama',
  vocabSize,
  hiddenSize: 160,
  intermediateSize: 432,
  numHiddenLayers: 4,
  numAttentionHeads: 5,
  numKeyValueHeads: 5,
  headDim: 32,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: null,
  maxPositionEmbeddings: 512,
  tieWordEmbeddings: true,
  attentionBias: false,
  mlpBias: false,
  bosTokenId: 1,
  eosTokenIds: [1],
  padTokenId: 0,
  initializerRange: 0.02,
})

/**
 * Where learning begins: embeddings normal with deviation 0.02, matrices 0.5/sqrt(D), and those that write into the
 * stream a further 1/sqrt(2L) smaller, so that the stream's size does not depend on depth (GPT-2). A uniform 0.02 learns
 * markedly slower at so small a width.
 */
export function startWeights(config: ModelConfig, seed: number): WeightProvider {
  const shapes = parameterShapes(config)
  return (name) => {
    const index = shapes.findIndex((one) => one.name === name)
    if (index === -1) throw new RangeError(`no tensor ${name}`)
    const data = new Float32Array(shapes[index]!.shape.reduce((a, b) => a * b, 1)).fill(1)
    if (shapes[index]!.shape.length === 1) return data
    const random = createRandom(seed, index)
    const matrix = 0.5 / Math.sqrt(config.hiddenSize)
    const deviation = /embed_tokens|lm_head/.test(name)
      ? config.initializerRange
      : /o_proj|down_proj/.test(name)
        ? matrix / Math.sqrt(2 * config.numHiddenLayers)
        : matrix
    return data.map(() => deviation * random.normal())
  }
}

export interface PretrainProgress {
  /** Steps done, counted from 1. */
  step: number
  steps: number
  /** Tokens trained on so far. */
  tokens: number
  /** Mean over the step, nats a token. */
  loss: number
  learningRate: number
  /** Before clipping. */
  gradientNorm: number
}

/** Trains `model` on `tokens`, one long row of documents, for `steps` steps. Yields after each; stop pulling to pause. */
export async function* pretrain(
  model: Transformer,
  tokens: Int32Array,
  { steps, seed, windowsPerStep = recipe.windowsPerStep }: { steps: number; seed: number; windowsPerStep?: number },
): AsyncGenerator<PretrainProgress, void> {
  const { backend, parameters } = model
  const schedule: Schedule = { name: 'warm-up-stable-decay', steps, ...recipe }
  const moments = parameters.map(({ value }) => ({ m: backend.alloc(value.shape), v: backend.alloc(value.shape) }))
  const windows = windowsOf(tokens, seed)
  try {
    for (let step = 1; step <= steps; step++) {
      const batch = joined(Array.from({ length: windowsPerStep }, () => windows.next().value))
      const weight = windowsPerStep * recipe.windowTokens
      model.zeroGradients()
      const { logprobs } = await model.forward(batch, { keep: true })
      model.backward(Float32Array.from(batch.scored, (scored) => -scored)) // loss = -sum of log-probabilities
      const gradients = parameters.map(({ grad }) => grad!)
      const clipped = clipByGlobalNorm(await backend.sumSquares(gradients), 1 / weight, recipe.maxGradientNorm)
      const learningRate = recipe.learningRate * scheduleFactor(schedule, step)
      parameters.forEach(({ value }, i) =>
        update(backend, value, gradients[i]!, moments[i]!, step, learningRate, clipped),
      )
      yield {
        step,
        steps,
        tokens: step * weight,
        loss: -logprobs.reduce((sum, logprob) => sum + logprob, 0) / weight,
        learningRate,
        gradientNorm: clipped.gradientNorm,
      }
    }
  } finally {
    for (const { m, v } of moments) backend.free(m, v)
  }
}

function update(
  backend: Backend,
  value: Tensor,
  gradient: Tensor,
  { m, v }: { m: Tensor; v: Tensor },
  step: number,
  learningRate: number,
  { gradientScale }: { gradientScale: number },
): void {
  const { beta1, beta2, epsilon } = recipe
  const weightDecay = value.shape.length > 1 ? recipe.weightDecay : 0
  backend.adamW(value, gradient, m, v, { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale })
}

/** Windows of 129 tokens (128 of them scored) in random order, cut at another place each time the text is through. */
function* windowsOf(tokens: Int32Array, seed: number): Generator<Int32Array, never> {
  const random = createRandom(seed)
  const { windowTokens } = recipe
  for (;;) {
    const offset = random.below(windowTokens)
    const count = Math.floor((tokens.length - 1 - offset) / windowTokens)
    if (count < 1) throw new RangeError(`a text of ${tokens.length} tokens holds no window of ${windowTokens + 1}`)
    for (const i of random.shuffle(Array.from({ length: count }, (_, n) => n))) {
      const start = offset + i * windowTokens
      yield tokens.subarray(start, start + windowTokens + 1)
    }
  }
}

/** Sequences one after another, every token but the first of each scored. */
export function joined(sequences: readonly Int32Array[]): Batch {
  const offsets = new Int32Array(sequences.length + 1)
  sequences.forEach((sequence, b) => (offsets[b + 1] = offsets[b]! + sequence.length))
  const tokens = new Int32Array(offsets.at(-1)!)
  sequences.forEach((sequence, b) => tokens.set(sequence, offsets[b]))
  const scored = new Uint8Array(tokens.length).fill(1)
  for (const start of offsets.subarray(0, -1)) scored[start] = 0
  return { tokens, offsets, scored }
}
