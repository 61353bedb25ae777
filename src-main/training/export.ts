// A checkpoint as files for other programs: one PEFT adapter upon the model that it all began with, or the whole model with
// everything merged. Adapters that stand upon adapters become one, exactly: their ranks add up.
import { Failure } from '../contract/errors.ts'
import type { Backend } from '../engine/backend.ts'
import { createRandom } from '../engine/random.ts'
import { adapterName, mergedWeights } from '../models/adapters.ts'
import { linearNames, linearShape } from '../models/families.ts'
import type { LinearName, WeightProvider } from '../models/families.ts'
import { readAnswerer } from '../models/files/answerer.ts'
import type { AnswererFiles } from '../models/files/answerer.ts'
import { readModelFolder, writeModelFolder } from '../models/files/folder.ts'
import { readAdapterFolder, writeAdapterFolder } from '../models/files/peft.ts'
import type { AdapterFolder } from '../models/files/peft.ts'
import type { ModelConfig } from '../models/config.ts'
import { createTransformer } from '../models/transformer.ts'

export interface OneAdapter {
  rank: number
  alpha: number
  targets: LinearName[]
  weights: WeightProvider
}

/** Several adapters, applied one after another, as one: A's stacked, B's side by side with their scales folded in. */
export function joinAdapters(config: ModelConfig, adapters: readonly AdapterFolder[]): OneAdapter {
  if (adapters.length === 1) return adapters[0]!
  const rank = adapters.reduce((sum, one) => sum + one.rank, 0)
  const targets = linearNames.filter((name) => adapters.some((one) => one.targets.includes(name)))
  const arrays = new Map<string, Float32Array>()
  for (let layer = 0; layer < config.numHiddenLayers; layer++)
    for (const target of targets) {
      const [out, in_] = linearShape(config, target)
      const a = new Float32Array(rank * in_) // [sum of R, in]
      const b = new Float32Array(out * rank) // [out, sum of R]
      let at = 0
      for (const one of adapters) {
        if (one.targets.includes(target)) {
          a.set(one.weights(adapterName(layer, target, 'A')), at * in_)
          const from = one.weights(adapterName(layer, target, 'B'))
          for (let o = 0; o < out; o++)
            for (let r = 0; r < one.rank; r++) b[o * rank + at + r] = (one.alpha / one.rank) * from[o * one.rank + r]!
        }
        at += one.rank
      }
      arrays.set(adapterName(layer, target, 'A'), a).set(adapterName(layer, target, 'B'), b)
    }
  return { rank, alpha: rank, targets, weights: (name) => arrays.get(name)! }
}

/**
 * Writes `out` and proves it: reloads it from the disk and compares its log-probabilities with the checkpoint's.
 * Throws BadOption for an adapter of fully tuned weights or where something stands at `out`.
 */
export async function exportCheckpoint(
  backend: Backend,
  { files, format, out, card }: { files: AnswererFiles; format: 'adapter' | 'merged'; out: string; card: string },
): Promise<void> {
  const folder = readAnswerer(files)
  const opened = [folder]
  const weightsOf = (path: string): WeightProvider => opened[opened.push(readModelFolder(path)) - 1]!.weights
  try {
    const wrong = await largestDifference(backend, folder.config, folder.weights, write())
    if (!(wrong < 1e-3))
      throw new Failure('Bug', `What was exported answers differently from the checkpoint (by ${wrong} nats).`, {
        where: out,
        next: 'Do not use these files, and please report this.',
      })
  } finally {
    for (const one of opened) one.close()
  }

  /** Writes the files and gives the weights that they hold, read again. */
  function write(): WeightProvider {
    const { config } = folder
    if (format === 'merged') {
      writeModelFolder(out, { config, weights: folder.weights, files: folder.files, card })
      return weightsOf(out)
    }
    if (files.checkpoints.at(-1)?.tune !== 'lora')
      throw new Failure('BadOption', 'This checkpoint changed every weight, so it has no adapter.', {
        where: 'format',
        next: 'Export it merged.',
      })
    const first = files.checkpoints[0]!.tune === 'full' ? 1 : 0
    const baseModel = first === 1 ? files.checkpoints[0]!.path : files.modelPath
    const adapters = files.checkpoints.slice(first).map(({ path }) => readAdapterFolder(path, config))
    writeAdapterFolder(out, { config, ...joinAdapters(config, adapters), baseModel, card })
    const again = readAdapterFolder(out, config)
    return mergedWeights(config, weightsOf(baseModel), again, again.weights)
  }
}

/** The largest difference of any log-probability over some random tokens, in nats. */
async function largestDifference(
  backend: Backend,
  config: ModelConfig,
  a: WeightProvider,
  b: WeightProvider,
): Promise<number> {
  const random = createRandom(1)
  const length = Math.min(24, config.maxPositionEmbeddings)
  const tokens = Int32Array.from({ length: 3 * length }, () => random.below(config.vocabSize))
  const offsets = Int32Array.from([0, length, 2 * length, 3 * length])
  const scored = Uint8Array.from(tokens, (_, i) => (i % length === 0 ? 0 : 1))
  const told: Float32Array[] = []
  for (const weights of [a, b]) {
    const model = createTransformer(backend, config, weights, { tune: 'frozen' })
    told.push((await model.forward({ tokens, offsets, scored }, { keep: false })).logprobs)
    model.close()
  }
  return told[0]!.reduce((worst, x, i) => Math.max(worst, Math.abs(x - told[1]![i]!)), 0)
}
