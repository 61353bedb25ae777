// How families differ, as data: the names and shapes of their tensors, in Hugging Face's words. Llama so far.
import { createRandom } from '../engine/random.ts'
import type { ModelConfig } from './config.ts'

/** Gives one tensor's numbers, row-major, by its Hugging Face name. */
export type WeightProvider = (name: string) => Float32Array

export interface ParameterShape {
  name: string
  shape: number[]
}

export const linearNames = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const
export type LinearName = (typeof linearNames)[number]

const feedForward: readonly LinearName[] = ['gate_proj', 'up_proj', 'down_proj']

/** `model.layers.3.self_attn.q_proj`: the module, without `.weight`. */
export function linearModule(layer: number, name: LinearName): string {
  return `model.layers.${layer}.${feedForward.includes(name) ? 'mlp' : 'self_attn'}.${name}`
}

/** [out, in] of each linear layer of a block. */
export function linearShape(config: ModelConfig, name: LinearName): [out: number, in_: number] {
  const { hiddenSize: D, intermediateSize: F, headDim: C, numAttentionHeads: H, numKeyValueHeads: K } = config
  switch (name) {
    case 'q_proj':
      return [H * C, D]
    case 'k_proj':
    case 'v_proj':
      return [K * C, D]
    case 'o_proj':
      return [D, H * C]
    case 'gate_proj':
    case 'up_proj':
      return [F, D]
    case 'down_proj':
      return [D, F]
  }
}

/** Every tensor of a model of this shape, in the order of the network. `lm_head.weight` is absent where tied. */
export function parameterShapes(config: ModelConfig): ParameterShape[] {
  const { vocabSize: V, hiddenSize: D, numHiddenLayers } = config
  const shapes: ParameterShape[] = [{ name: 'model.embed_tokens.weight', shape: [V, D] }]
  for (let i = 0; i < numHiddenLayers; i++) {
    shapes.push({ name: `model.layers.${i}.input_layernorm.weight`, shape: [D] })
    for (const name of linearNames) {
      if (name === 'gate_proj') shapes.push({ name: `model.layers.${i}.post_attention_layernorm.weight`, shape: [D] })
      shapes.push({ name: `${linearModule(i, name)}.weight`, shape: linearShape(config, name) })
    }
  }
  shapes.push({ name: 'model.norm.weight', shape: [D] })
  if (!config.tieWordEmbeddings) shapes.push({ name: 'lm_head.weight', shape: [V, D] })
  return shapes
}

export function countParameters(config: ModelConfig): number {
  return parameterShapes(config).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
}

/** Fresh weights as transformers draws them: normal(0, initializerRange), norms 1. One random stream a tensor. */
export function randomWeights(config: ModelConfig, seed: number): WeightProvider {
  const shapes = parameterShapes(config)
  return (name) => {
    const index = shapes.findIndex((one) => one.name === name)
    if (index === -1) throw new RangeError(`no tensor ${name}`)
    const data = new Float32Array(shapes[index]!.shape.reduce((a, b) => a * b, 1)).fill(1)
    if (shapes[index]!.shape.length === 1) return data
    const random = createRandom(seed, index)
    return data.map(() => config.initializerRange * random.normal())
  }
}
