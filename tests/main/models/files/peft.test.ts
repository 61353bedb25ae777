import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { adapterShapes } from '../../../../src-main/models/adapters.ts'
import { readModelFolder } from '../../../../src-main/models/files/folder.ts'
import { readAdapterFolder, writeAdapterFolder } from '../../../../src-main/models/files/peft.ts'

const golden = join(import.meta.dirname, '../../../golden')
const scratch = mkdtempSync(join(tmpdir(), 'temper-peft-'))
const path = join(scratch, 'adapter')
const model = readModelFolder(join(golden, 'llama-tied'))
afterAll(() => {
  model.close()
  rmSync(scratch, { recursive: true })
})
beforeEach(() => {
  rmSync(path, { recursive: true, force: true })
  cpSync(join(golden, 'llama-adapter'), path, { recursive: true })
})
const change = (settings: object): void => {
  const file = join(path, 'adapter_config.json')
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...settings }))
}
const failing = (words: string, kind = 'BadFile'): Error =>
  expect.objectContaining({ kind, message: expect.stringContaining(words) as string }) as Error

test('reads an adapter as PEFT wrote it', () => {
  const adapter = readAdapterFolder(path, model.config)
  expect(adapter).toMatchObject({ rank: 4, alpha: 8, baseModel: 'llama-tied' })
  expect(adapter.targets).toHaveLength(7)
  for (const { name, shape } of adapterShapes(model.config, adapter))
    expect(adapter.weights(name)).toHaveLength(shape[0]! * shape[1]!)
})

test('a written adapter reads back the same', () => {
  const adapter = readAdapterFolder(path, model.config)
  const copy = join(scratch, 'copy')
  writeAdapterFolder(copy, { ...adapter, config: model.config, baseModel: 'starter' })
  const again = readAdapterFolder(copy, model.config)
  expect(again).toMatchObject({ rank: 4, alpha: 8, targets: adapter.targets, baseModel: 'starter' })
  for (const { name } of adapterShapes(model.config, adapter))
    expect(again.weights(name)).toEqual(adapter.weights(name))
})

test('an adapter on some layers only is read as such', () => {
  const adapter = readAdapterFolder(path, model.config)
  const copy = join(scratch, 'attention')
  writeAdapterFolder(copy, { ...adapter, targets: ['v_proj', 'q_proj'], config: model.config, baseModel: 'starter' })
  expect(readAdapterFolder(copy, model.config).targets).toEqual(['q_proj', 'v_proj'])
})

test('rank-stabilised scaling becomes the same scale', () => {
  change({ use_rslora: true })
  expect(readAdapterFolder(path, model.config).alpha).toBe(16) // 8 / sqrt(4) = 16 / 4
})

test.each([
  [{ use_dora: true }, 'use_dora = true'],
  [{ bias: 'all' }, 'bias = "all"'],
  [{ rank_pattern: { q_proj: 8 } }, 'rank_pattern'],
  [{ modules_to_save: ['lm_head'] }, 'modules_to_save = ["lm_head"]'],
  [{ layer_replication: [[0, 1]] }, 'layer_replication'],
  [{ use_bdlora: { a: 1 } }, 'use_bdlora'],
  [{ init_lora_weights: 'pissa' }, 'init_lora_weights = "pissa"'],
  [{ r: 0 }, 'r must be'],
  [{ peft_type: 'IA3' }, 'IA3'],
])('%j is refused by name', (settings, words) => {
  change(settings)
  expect(() => readAdapterFolder(path, model.config)).toThrow(failing(words))
})

test('settings of newer versions that change nothing are ignored', () => {
  change({ some_new_key: null, another: 5, eva_config: null, qalora_group_size: 16 })
  expect(readAdapterFolder(path, model.config).rank).toBe(4)
})

test('an adapter of another model is refused, tensor by tensor', () => {
  expect(() => readAdapterFolder(path, { ...model.config, numHiddenLayers: 3 })).toThrow(
    failing('layers.2.self_attn.q_proj.lora_A.weight [4, 32] is missing', 'ModelMismatch'),
  )
  expect(() => readAdapterFolder(path, { ...model.config, numHiddenLayers: 1 })).toThrow(
    failing('has no place in this model', 'ModelMismatch'),
  )
  expect(() => readAdapterFolder(path, { ...model.config, intermediateSize: 64 })).toThrow(
    failing('instead of', 'ModelMismatch'),
  )
})

test('pickled and missing adapters are refused', () => {
  renameSync(join(path, 'adapter_model.safetensors'), join(path, 'adapter_model.bin'))
  expect(() => readAdapterFolder(path, model.config)).toThrow(failing('Python pickle'))
  rmSync(join(path, 'adapter_model.bin'))
  expect(() => readAdapterFolder(path, model.config)).toThrow(failing('are missing'))
  rmSync(join(path, 'adapter_config.json'))
  expect(() => readAdapterFolder(path, model.config)).toThrow(failing('not a PEFT adapter'))
})
