// LoRA (Hu et al. 2021): W + (alpha/rank) B A, in PEFT's names, with PEFT's default start: A kaiming-uniform(a = sqrt 5),
// that is uniform within 1/sqrt(in), and B zero, so that an untrained adapter changes nothing.
// Left out: dropout, rank-stabilised scaling, DoRA, adapters on the embedding, per-layer ranks.
import { Failure } from '../contract/errors.ts'
import { createRandom } from '../engine/random.ts'
import type { ModelConfig } from './config.ts'
import { linearModule, linearNames, linearShape } from './families.ts'
import type { LinearName, ParameterShape, WeightProvider } from './families.ts'

export interface LoraSettings {
  rank: number // R
  alpha: number
  targets: 'all-linear' | readonly LinearName[]
  /** For the random start of A. */
  seed: number
}

/** The linear layers of a block that carry an adapter, in the order of the network. Throws BadOption for other words. */
export function adapterTargets(targets: LoraSettings['targets'] | readonly string[]): LinearName[] {
  if (targets === 'all-linear') return [...linearNames]
  const unknown = targets.filter((name) => !(linearNames as readonly string[]).includes(name))
  if (unknown.length > 0 || targets.length === 0)
    throw new Failure(
      'BadOption',
      unknown.length > 0
        ? `An adapter cannot sit on “${unknown.join('”, “')}”.`
        : 'The adapter has no layer to sit on.',
      {
        where: 'targets',
        next: `Choose all-linear, or some of ${linearNames.join(', ')}.`,
      },
    )
  return linearNames.filter((name) => targets.includes(name))
}

/** `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight` */
export function adapterName(layer: number, name: LinearName, part: 'A' | 'B'): string {
  return `base_model.model.${linearModule(layer, name)}.lora_${part}.weight`
}

/** Every array of the adapter, A [R,in] before B [out,R], in the order of the network. */
export function adapterShapes(
  config: ModelConfig,
  { rank, targets }: Pick<LoraSettings, 'rank' | 'targets'>,
): ParameterShape[] {
  const shapes: ParameterShape[] = []
  for (let layer = 0; layer < config.numHiddenLayers; layer++)
    for (const name of adapterTargets(targets)) {
      const [out, in_] = linearShape(config, name)
      shapes.push({ name: adapterName(layer, name, 'A'), shape: [rank, in_] })
      shapes.push({ name: adapterName(layer, name, 'B'), shape: [out, rank] })
    }
  return shapes
}

/** The numbers of an untrained adapter. One random stream an array, so that targets do not change one another's start. */
export function freshAdapter(config: ModelConfig, lora: LoraSettings): WeightProvider {
  const everywhere = adapterShapes(config, { rank: lora.rank, targets: 'all-linear' })
  return (name) => {
    const stream = everywhere.findIndex((one) => one.name === name)
    if (stream === -1) throw new RangeError(`no adapter array ${name}`)
    const [rows, columns] = everywhere[stream]!.shape as [number, number]
    const data = new Float32Array(rows * columns)
    if (name.includes('.lora_B.')) return data
    const random = createRandom(lora.seed, stream)
    const bound = 1 / Math.sqrt(columns)
    return data.map(() => bound * (2 * random.uniform() - 1))
  }
}

/** The base with the adapter folded in: W + (alpha/rank) B A, summed in double. Other tensors pass through as they are. */
export function mergedWeights(
  config: ModelConfig,
  base: WeightProvider,
  lora: Pick<LoraSettings, 'rank' | 'alpha' | 'targets'>,
  adapter: WeightProvider,
): WeightProvider {
  const sites = new Map<string, { layer: number; name: LinearName }>()
  for (let layer = 0; layer < config.numHiddenLayers; layer++)
    for (const name of adapterTargets(lora.targets)) sites.set(`${linearModule(layer, name)}.weight`, { layer, name })
  return (tensor) => {
    const weight = base(tensor)
    const site = sites.get(tensor)
    if (site === undefined) return weight
    const [out, in_] = linearShape(config, site.name)
    const a = adapter(adapterName(site.layer, site.name, 'A'))
    const b = adapter(adapterName(site.layer, site.name, 'B'))
    const scale = lora.alpha / lora.rank
    const merged = Float32Array.from(weight)
    const row = new Float64Array(in_)
    for (let o = 0; o < out; o++) {
      row.fill(0)
      for (let r = 0; r < lora.rank; r++)
        for (let i = 0; i < in_; i++) row[i] = row[i]! + b[o * lora.rank + r]! * a[r * in_ + i]!
      for (let i = 0; i < in_; i++) merged[o * in_ + i] = weight[o * in_ + i]! + scale * row[i]!
    }
    return merged
  }
}
