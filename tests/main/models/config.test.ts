import { expect, test } from 'vitest'
import { readConfig, writeConfig } from '../../../src-main/models/config.ts'
import { countParameters, parameterShapes } from '../../../src-main/models/families.ts'
import { tinyConfig } from './tiny-llama.ts'

// SmolLM2-135M's own shape, in transformers v4's words.
const smol = {
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100000,
  rope_scaling: null,
  tie_word_embeddings: true,
  hidden_act: 'silu',
  bos_token_id: 0,
  eos_token_id: 0,
  torch_dtype: 'bfloat16',
}
const without = (...keys: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(smol).filter(([key]) => !keys.includes(key)))
const problemsOf = (json: unknown): string[] => {
  try {
    readConfig(json, 'config.json')
  } catch (thrown) {
    return ((thrown as { problems?: { where: string }[] }).problems ?? []).map(({ where }) => where)
  }
  return []
}

test('reads a released model, and counts its parameters', () => {
  const config = readConfig(smol, 'config.json')
  expect(config).toMatchObject({
    headDim: 64,
    ropeTheta: 100000,
    tieWordEmbeddings: true,
    eosTokenIds: [0],
    bosTokenId: 0,
  })
  expect(countParameters(config)).toBe(134_515_008)
  expect(parameterShapes(config).some(({ name }) => name === 'lm_head.weight')).toBe(false)
})

test('both dialects of rotary settings mean the same', () => {
  const later = {
    ...without('rope_theta', 'rope_scaling'),
    rope_parameters: { rope_theta: 100000, rope_type: 'default' },
  }
  expect(readConfig(later, 'config.json')).toEqual(readConfig(smol, 'config.json'))
})

test('null and absent keys fall back to what transformers does', () => {
  const config = readConfig(
    { ...smol, num_key_value_heads: null, head_dim: null, eos_token_id: [2, 7], pad_token_id: -1 },
    'x',
  )
  expect(config).toMatchObject({ numKeyValueHeads: 9, headDim: 64, eosTokenIds: [2, 7], padTokenId: null })
  expect(readConfig(without('rms_norm_eps', 'tie_word_embeddings'), 'x')).toMatchObject({
    rmsNormEps: 1e-6,
    tieWordEmbeddings: false,
  })
})

test('Llama 3.1’s slower positions are read in either dialect, and incomplete ones refused', () => {
  const scaling = {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  }
  const expected = {
    ropeType: 'llama3',
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositionEmbeddings: 8192,
  }
  const config = readConfig({ ...smol, rope_scaling: scaling }, 'x')
  expect(config.ropeScaling).toEqual(expected)
  const later = { ...without('rope_theta', 'rope_scaling'), rope_parameters: { ...scaling, rope_theta: 100000 } }
  expect(readConfig(later, 'x')).toEqual(config)
  expect(readConfig(JSON.parse(JSON.stringify(writeConfig(config))), 'x')).toEqual(config)
  expect(readConfig({ ...smol, rope_scaling: { type: 'linear', factor: 2 } }, 'x').ropeScaling).toEqual({
    ropeType: 'linear',
    factor: 2,
  })
  expect(problemsOf({ ...smol, rope_scaling: { ...scaling, factor: undefined } })).toEqual(['rope_scaling.factor'])
})

test('what is written reads back the same', () => {
  for (const config of [
    tinyConfig,
    readConfig({ ...smol, eos_token_id: [2, 7] }, 'x'),
    { ...tinyConfig, eosTokenIds: [] },
  ])
    expect(readConfig(JSON.parse(JSON.stringify(writeConfig(config))), 'x')).toEqual(config)
})

test('an unknown family is refused with those that are supported', () => {
  expect(() => readConfig({ ...smol, model_type: 'mamba' }, 'models/m/config.json')).toThrow(
    expect.objectContaining({
      kind: 'ModelMismatch',
      where: 'models/m/config.json',
      next: expect.stringContaining('llama'),
    }),
  )
  expect(() => readConfig([1], 'x')).toThrow(expect.objectContaining({ kind: 'BadFile' }))
})

test('all problems are told at once', () => {
  const bad = {
    ...smol,
    vocab_size: '49152',
    hidden_size: undefined,
    attention_bias: true,
    rope_scaling: { type: 'yarn', factor: 2 },
  }
  expect(problemsOf(bad)).toEqual(
    expect.arrayContaining(['vocab_size', 'hidden_size', 'attention_bias', 'rope_scaling']),
  )
  expect(problemsOf({ ...smol, num_key_value_heads: 4 })).toEqual(['num_key_value_heads'])
  expect(problemsOf({ ...smol, hidden_act: 'gelu' })).toEqual(['hidden_act'])
})
