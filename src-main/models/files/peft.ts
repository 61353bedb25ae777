// LoRA adapters as PEFT writes them: adapter_model.safetensors and adapter_config.json. Written with the small set of keys
// that old versions of PEFT read too; read from any version, and refused by name where a setting changes the mathematics.
// Left out: DoRA, ranks that differ by layer, trained biases or whole modules, adapters on embeddings.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../contract/errors.ts'
import { adapterShapes, type LoraSettings } from '../adapters.ts'
import type { ModelConfig } from '../config.ts'
import { type LinearName, linearNames, type WeightProvider } from '../families.ts'
import { pickleRefused, readJson, writeFolderWhole, writeTextFile } from './folder.ts'
import { openSafetensors, writeSafetensors } from './safetensors.ts'

/** What an adapter folder says, and its numbers in PEFT's names. Small, so it is read at once. */
export interface AdapterFolder extends Omit<LoraSettings, 'seed'> {
  targets: LinearName[]
  /** The model that it was trained on, as its maker named it. */
  baseModel: string | null
  weights: WeightProvider
}

/**
 * Reads an adapter for a model of this shape.
 * @throws Failure BadFile for a damaged or unsupported adapter, ModelMismatch where it does not fit the model.
 */
export function readAdapterFolder(path: string, config: ModelConfig): AdapterFolder {
  const configPath = join(path, 'adapter_config.json')
  const weightsPath = join(path, 'adapter_model.safetensors')
  if (!existsSync(configPath))
    throw new Failure('BadFile', 'This folder has no adapter_config.json, so it is not a PEFT adapter.', {
      where: path,
      next: 'Choose the folder that holds adapter_config.json and adapter_model.safetensors.',
    })
  if (!existsSync(weightsPath)) {
    if (existsSync(join(path, 'adapter_model.bin')))
      throw pickleRefused(join(path, 'adapter_model.bin'), 'adapter_model.safetensors')
    throw new Failure('BadFile', 'The adapter’s weights (adapter_model.safetensors) are missing.', {
      where: weightsPath,
      next: 'Download or save the adapter again.',
    })
  }
  const settings = readSettings(readJson(configPath), configPath)
  const file = openSafetensors(weightsPath)
  try {
    const targets = targetsOf([...file.tensors.keys()], weightsPath)
    const numbers = new Map<string, Float32Array>()
    const problems: { where: string; message: string }[] = []
    for (const { name, shape } of adapterShapes(config, { rank: settings.rank, targets })) {
      const entry = file.tensors.get(name)
      const wanted = `[${shape.join(', ')}]`
      if (!entry) problems.push({ where: name, message: `${name} ${wanted} is missing.` })
      else if (entry.shape.join() !== shape.join())
        problems.push({ where: name, message: `${name} is [${entry.shape.join(', ')}] instead of ${wanted}.` })
      else {
        const data = file.read(name)
        if (!data.every(Number.isFinite))
          problems.push({ where: name, message: `${name} holds a number that is not finite.` })
        numbers.set(name, data)
      }
    }
    for (const name of file.tensors.keys())
      if (!numbers.has(name) && !problems.some((one) => one.where === name))
        problems.push({ where: name, message: `${name} has no place in this model.` })
    if (problems.length > 0)
      throw new Failure(
        'ModelMismatch',
        `This adapter does not fit the model: ${problems.map((p) => p.message).join(' ')}`,
        {
          where: path,
          next: 'Choose the model that the adapter was trained on.',
          problems,
        },
      )
    return { ...settings, targets, weights: (name) => numbers.get(name)! }
  } finally {
    file.close()
  }
}

/** Settings that may be present, and the values that change nothing. Anything else is refused by name. */
const harmless: Record<string, readonly unknown[]> = {
  task_type: ['CAUSAL_LM'],
  bias: ['none'],
  fan_in_fan_out: [false],
  use_dora: [false],
  lora_bias: [false],
  modules_to_save: [],
  rank_pattern: [],
  alpha_pattern: [],
  layers_to_transform: [],
  layers_pattern: [],
  trainable_token_indices: [],
  target_parameters: [],
  layer_replication: [],
  alora_invocation_tokens: [],
  use_qalora: [false],
  use_bdlora: [],
  arrow_config: [],
  kasa_config: [],
  velora_config: [],
  monteclora_config: [],
  // PiSSA, OLoRA, CorDA and LoftQ change the base's weights as they begin: their adapters fit no untouched base.
  init_lora_weights: [true, false, 'gaussian', 'eva', 'orthogonal'],
}

function readSettings(json: unknown, where: string): { rank: number; alpha: number; baseModel: string | null } {
  const file = (json ?? {}) as Record<string, unknown>
  if (file['peft_type'] !== 'LORA')
    throw new Failure(
      'BadFile',
      `Temper reads LoRA adapters; this one is of the kind “${String(file['peft_type'])}”.`,
      {
        where,
        next: 'Merge it into its model with PEFT and add the merged model.',
      },
    )
  const empty = (value: unknown): boolean =>
    value === undefined ||
    value === null ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  const refused = Object.entries(harmless)
    .filter(([name, allowed]) => !empty(file[name]) && !allowed.includes(file[name]))
    .map(([name]) => ({ where: name, message: `${name} = ${JSON.stringify(file[name])} is not supported.` }))
  const { r, lora_alpha: alpha } = file
  if (typeof r !== 'number' || !Number.isInteger(r) || r < 1)
    refused.push({ where: 'r', message: 'r must be a whole number above 0.' })
  if (typeof alpha !== 'number' || !Number.isFinite(alpha))
    refused.push({ where: 'lora_alpha', message: 'lora_alpha must be a number.' })
  if (refused.length > 0)
    throw new Failure('BadFile', `This adapter cannot be used as it is: ${refused.map((p) => p.message).join(' ')}`, {
      where,
      next: 'Merge it into its model with PEFT and add the merged model.',
      problems: refused,
    })
  const base = file['base_model_name_or_path']
  return {
    rank: r as number,
    // Rank-stabilised LoRA scales by alpha / sqrt(r): the same as a larger alpha over r.
    alpha: file['use_rslora'] === true ? (alpha as number) * Math.sqrt(r as number) : (alpha as number),
    baseModel: typeof base === 'string' && base !== '' ? base : null,
  }
}

/** The tensors themselves say where the adapter sits; target_modules may be a pattern. */
function targetsOf(names: string[], where: string): LinearName[] {
  const found = new Set(names.map((name) => /\.([a-z]+_proj)\.lora_[AB]\.weight$/.exec(name)?.[1]))
  const targets = linearNames.filter((name) => found.has(name))
  if (targets.length === 0)
    throw new Failure('BadFile', 'This adapter has no LoRA matrices on layers that Temper knows.', {
      where,
      next: `It must sit on some of ${linearNames.join(', ')}.`,
    })
  return targets
}

export interface AdapterToWrite {
  config: ModelConfig
  rank: number
  alpha: number
  targets: LoraSettings['targets']
  /** Name or path of the base, for programs that load it by itself. */
  baseModel: string
  weights: WeightProvider
  card?: string
}

/** Writes an adapter folder that PEFT loads. It appears whole or not at all. */
export function writeAdapterFolder(path: string, adapter: AdapterToWrite): void {
  const { config, rank, alpha, weights } = adapter
  const targets = adapter.targets === 'all-linear' ? [...linearNames] : [...adapter.targets]
  const settings = {
    base_model_name_or_path: adapter.baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: alpha,
    lora_dropout: 0.0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    target_modules: targets,
    task_type: 'CAUSAL_LM',
  }
  writeFolderWhole(path, (beside) => {
    writeTextFile(join(beside, 'adapter_config.json'), `${JSON.stringify(settings, null, 2)}\n`)
    if (adapter.card !== undefined) writeTextFile(join(beside, 'README.md'), adapter.card)
    const tensors = adapterShapes(config, { rank, targets }).map(({ name, shape }) => ({
      name,
      shape,
      read: () => weights(name),
    }))
    writeSafetensors(join(beside, 'adapter_model.safetensors'), tensors)
  })
}
