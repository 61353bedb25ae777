// config.json -> a checked ModelConfig in the checkpoint's own words. Reads both dialects of transformers: v4
// (rope_theta, rope_scaling, torch_dtype) and v5 (rope_parameters, dtype); writes v4, which more programs read.
// Left out: rotary scaling of other kinds (dynamic, yarn), biases, other families.
import { Failure } from '../contract/errors.ts'

/** How positions beyond the first training's context are turned: all slower, or only the slow angles (Llama 3.1). */
export type RopeScaling =
  | { ropeType: 'linear'; factor: number }
  | {
      ropeType: 'llama3'
      factor: number
      lowFreqFactor: number
      highFreqFactor: number
      originalMaxPositionEmbeddings: number
    }

export interface ModelConfig {
  modelType: 'llama'
  vocabSize: number // V
  hiddenSize: number // D
  intermediateSize: number // F
  numHiddenLayers: number
  numAttentionHeads: number // H
  numKeyValueHeads: number // K
  headDim: number // C
  rmsNormEps: number
  ropeTheta: number
  ropeScaling: RopeScaling | null
  maxPositionEmbeddings: number // tokens of context
  tieWordEmbeddings: boolean
  attentionBias: false
  mlpBias: false
  bosTokenId: number | null
  /** All of them end an answer. */
  eosTokenIds: number[]
  padTokenId: number | null
  initializerRange: number
}

export const supportedFamilies = ['llama'] as const

/** Checks the parsed text of a config.json. `where` is the file's path. Throws BadFile or ModelMismatch with every problem. */
export function readConfig(json: unknown, where: string): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Failure('BadFile', 'The model’s config.json is not a JSON object.', {
      where,
      next: 'Download the model again.',
    })
  const file = json as Record<string, unknown>
  if (file.model_type !== 'llama')
    throw new Failure(
      'ModelMismatch',
      `Temper cannot run models of the family “${String(file.model_type ?? 'unknown')}” yet.`,
      {
        where,
        next: `Choose a model of a supported family: ${supportedFamilies.join(', ')}.`,
      },
    )

  const problems: { where: string; message: string }[] = []
  const problem = (key: string, message: string): void =>
    void problems.push({ where: key, message: `${key} ${message}.` })
  const number = (key: string, fallback?: number, whole = true): number => {
    const value = file[key] ?? fallback
    if (typeof value === 'number' && Number.isFinite(value) && value > 0 && (!whole || Number.isInteger(value)))
      return value
    problem(key, value === undefined ? 'is missing' : `must be a positive ${whole ? 'whole ' : ''}number`)
    return 1
  }
  const flag = (key: string): boolean => {
    const value = file[key] ?? false
    if (typeof value !== 'boolean') problem(key, 'must be true or false')
    return value === true
  }
  const ids = (key: string): number[] => {
    const value = file[key]
    const list = value === null || value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value]
    if (list.every((id) => typeof id === 'number' && Number.isInteger(id))) return list as number[]
    problem(key, 'must be a token id or a list of them')
    return []
  }
  // LLaMA 1 files carry pad_token_id -1: no padding token.
  const id = (key: string): number | null => ids(key).find((one) => one >= 0) ?? null

  const hiddenSize = number('hidden_size')
  const numAttentionHeads = number('num_attention_heads')
  const numKeyValueHeads = number('num_key_value_heads', numAttentionHeads)
  const headDim = number('head_dim', hiddenSize / numAttentionHeads)
  if (numAttentionHeads % numKeyValueHeads !== 0) problem('num_key_value_heads', 'must divide num_attention_heads')
  if (headDim % 2 !== 0) problem('head_dim', 'must be even')
  const activation = file.hidden_act ?? 'silu'
  if (activation !== 'silu' && activation !== 'swish')
    problem('hidden_act', `“${String(activation)}” is not supported (supported: silu)`)
  for (const bias of ['attention_bias', 'mlp_bias'])
    if (flag(bias)) problem(bias, 'true is not supported yet (supported: false)')

  const rope = (file.rope_parameters ?? file.rope_scaling ?? {}) as Record<string, unknown>
  const kind = rope.rope_type ?? rope.type ?? 'default'
  const ropeNumber = (key: string): number => {
    const value = rope[key]
    if (typeof value === 'number' && value > 0) return value
    problem(`rope_scaling.${key}`, 'must be a positive number')
    return 1
  }
  let ropeScaling: RopeScaling | null = null
  if (kind === 'linear') ropeScaling = { ropeType: 'linear', factor: ropeNumber('factor') }
  else if (kind === 'llama3')
    ropeScaling = {
      ropeType: 'llama3',
      factor: ropeNumber('factor'),
      lowFreqFactor: ropeNumber('low_freq_factor'),
      highFreqFactor: ropeNumber('high_freq_factor'),
      originalMaxPositionEmbeddings: ropeNumber('original_max_position_embeddings'),
    }
  else if (kind !== 'default')
    problem('rope_scaling', `of type “${String(kind)}” is not supported yet (supported: default, linear, llama3)`)
  const theta = rope.rope_theta ?? file.rope_theta ?? 10000
  if (typeof theta !== 'number' || !(theta > 0)) problem('rope_theta', 'must be a positive number')

  const config: ModelConfig = {
    modelType: 'llama',
    vocabSize: number('vocab_size'),
    hiddenSize,
    intermediateSize: number('intermediate_size'),
    numHiddenLayers: number('num_hidden_layers'),
    numAttentionHeads,
    numKeyValueHeads,
    headDim,
    rmsNormEps: number('rms_norm_eps', 1e-6, false),
    ropeTheta: theta as number,
    ropeScaling,
    maxPositionEmbeddings: number('max_position_embeddings', 2048),
    tieWordEmbeddings: flag('tie_word_embeddings'),
    attentionBias: false,
    mlpBias: false,
    bosTokenId: id('bos_token_id'),
    eosTokenIds: ids('eos_token_id'),
    padTokenId: id('pad_token_id'),
    initializerRange: number('initializer_range', 0.02, false),
  }
  if (problems.length > 0)
    throw new Failure('ModelMismatch', `This model cannot be used: ${problems.map((p) => p.message).join(' ')}`, {
      where,
      next: 'Choose another model, or correct its config.json.',
      problems,
    })
  return config
}

/** The object to write as config.json, in transformers' v4 words. */
export function writeConfig(config: ModelConfig): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: config.attentionBias,
    attention_dropout: 0.0,
    bos_token_id: config.bosTokenId,
    eos_token_id:
      config.eosTokenIds.length === 1
        ? config.eosTokenIds[0]
        : config.eosTokenIds.length === 0
          ? null
          : config.eosTokenIds,
    head_dim: config.headDim,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    initializer_range: config.initializerRange,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    mlp_bias: config.mlpBias,
    model_type: config.modelType,
    num_attention_heads: config.numAttentionHeads,
    num_hidden_layers: config.numHiddenLayers,
    num_key_value_heads: config.numKeyValueHeads,
    pad_token_id: config.padTokenId,
    pretraining_tp: 1,
    rms_norm_eps: config.rmsNormEps,
    rope_scaling: writeScaling(config.ropeScaling),
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: 'float32',
    use_cache: true,
    vocab_size: config.vocabSize,
  }
}

function writeScaling(scaling: RopeScaling | null): Record<string, unknown> | null {
  if (scaling === null || scaling.ropeType === 'linear')
    return scaling && { rope_type: scaling.ropeType, factor: scaling.factor }
  return {
    rope_type: scaling.ropeType,
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
  }
}
