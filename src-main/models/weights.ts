// A model's numbers on the device: which of them are trained (all, an adapter, none) decides which have a gradient.
import { Failure } from '../contract/errors.ts'
import type { Backend } from '../engine/backend.ts'
import { adapterName, adapterTargets, freshAdapter } from './adapters.ts'
import type { LoraSettings } from './adapters.ts'
import type { ModelConfig } from './config.ts'
import { linearModule, linearNames, linearShape, parameterShapes } from './families.ts'
import type { LinearName, WeightProvider } from './families.ts'
import type { Linear, Parameter } from './linear.ts'

/** How a model is used: `full` trains every weight, `lora` an adapter on frozen weights, `frozen` nothing (chat, reference). */
export type Tuning = 'full' | 'lora' | 'frozen'

export type Layer = Record<LinearName, Linear> & { inputNorm: Parameter; postAttentionNorm: Parameter }

export interface Weights {
  embed: Parameter // [V,D]
  layers: Layer[]
  norm: Parameter // [D]
  /** [V,D]; the same object as `embed` where they are tied. */
  head: Parameter
  /** Everything by its name on disk: the base's tensors, then the adapter's. */
  all: Map<string, Parameter>
  trained: Parameter[]
}

/**
 * Copies every tensor onto the device. Throws ModelMismatch where one has the wrong number of elements, and OutOfMemory;
 * what was placed by then is freed.
 */
export function loadWeights(
  backend: Backend,
  config: ModelConfig,
  base: WeightProvider,
  tune: Tuning,
  lora: (LoraSettings & { weights?: WeightProvider }) | undefined,
): Weights {
  const all = new Map<string, Parameter>()
  try {
    return placeWeights(all, backend, config, base, tune, lora)
  } catch (error) {
    freeWeights(backend, all)
    throw error
  }
}

export function freeWeights(backend: Backend, all: ReadonlyMap<string, Parameter>): void {
  for (const { value, grad } of all.values()) backend.free(value, ...(grad ? [grad] : []))
}

function placeWeights(
  all: Map<string, Parameter>,
  backend: Backend,
  config: ModelConfig,
  base: WeightProvider,
  tune: Tuning,
  lora: (LoraSettings & { weights?: WeightProvider }) | undefined,
): Weights {
  const place = (name: string, shape: readonly number[], data: Float32Array, trained: boolean): Parameter => {
    const size = shape.reduce((a, b) => a * b, 1)
    if (data.length !== size)
      throw new Failure(
        'ModelMismatch',
        `The tensor ${name} has ${data.length} numbers; its shape [${shape.join(', ')}] needs ${size}.`,
        {
          where: name,
          next: 'Check that config.json and the weights belong together, or download the model again.',
        },
      )
    const parameter: Parameter = { name, value: backend.alloc(shape), grad: null }
    all.set(name, parameter)
    backend.write(parameter.value, data)
    if (trained) parameter.grad = backend.alloc(shape)
    return parameter
  }
  for (const { name, shape } of parameterShapes(config)) place(name, shape, base(name), tune === 'full')

  const targets = lora === undefined ? [] : adapterTargets(lora.targets)
  const adapter = lora === undefined ? undefined : (lora.weights ?? freshAdapter(config, lora))
  const linear = (layer: number, name: LinearName): Linear => {
    const weight = all.get(`${linearModule(layer, name)}.weight`)!
    if (lora === undefined || adapter === undefined || !targets.includes(name)) return { weight, adapter: null }
    const [out, in_] = linearShape(config, name)
    const [nameA, nameB] = [adapterName(layer, name, 'A'), adapterName(layer, name, 'B')]
    const a = place(nameA, [lora.rank, in_], adapter(nameA), tune === 'lora')
    const b = place(nameB, [out, lora.rank], adapter(nameB), tune === 'lora')
    return { weight, adapter: { a, b, scale: lora.alpha / lora.rank } }
  }
  const layers = Array.from({ length: config.numHiddenLayers }, (_, i): Layer => {
    const linears = Object.fromEntries(linearNames.map((name) => [name, linear(i, name)])) as Record<LinearName, Linear>
    const inputNorm = all.get(`model.layers.${i}.input_layernorm.weight`)!
    return { ...linears, inputNorm, postAttentionNorm: all.get(`model.layers.${i}.post_attention_layernorm.weight`)! }
  })
  const embed = all.get('model.embed_tokens.weight')!
  const head = config.tieWordEmbeddings ? embed : all.get('lm_head.weight')!
  const trained = [...all.values()].filter((one) => one.grad !== null)
  return { embed, layers, norm: all.get('model.norm.weight')!, head, all, trained }
}
