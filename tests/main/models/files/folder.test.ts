import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { Failure } from '../../../../src-main/contract/errors.ts'
import { parameterShapes } from '../../../../src-main/models/families.ts'
import { readModelFolder, writeModelFolder } from '../../../../src-main/models/files/folder.ts'
import { openSafetensors, writeSafetensors } from '../../../../src-main/models/files/safetensors.ts'
import { renderPrompt } from '../../../../src-main/text/render.ts'

const golden = join(import.meta.dirname, '../../../golden')
const scratch = mkdtempSync(join(tmpdir(), 'temper-folder-'))
const path = join(scratch, 'model')
afterAll(() => rmSync(scratch, { recursive: true }))
beforeEach(() => {
  rmSync(path, { recursive: true, force: true })
  cpSync(join(golden, 'llama-untied'), path, { recursive: true })
})

function refusal(run: () => unknown): Failure {
  try {
    run()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Writes the model's weights again, changed. */
function rewrite(change: (tensors: Map<string, { shape: number[]; data: Float32Array }>) => void): void {
  const file = openSafetensors(join(path, 'model.safetensors'))
  const tensors = new Map([...file.tensors].map(([name, { shape }]) => [name, { shape, data: file.read(name) }]))
  file.close()
  change(tensors)
  writeSafetensors(
    join(path, 'model.safetensors'),
    [...tensors].map(([name, { shape, data }]) => ({ name, shape, read: () => data })),
  )
}

test('reads a folder as transformers wrote it', () => {
  const folder = readModelFolder(path, { numbers: true })
  expect(folder.config).toMatchObject({
    vocabSize: 64,
    hiddenSize: 32,
    numKeyValueHeads: 2,
    tieWordEmbeddings: false,
    ropeTheta: 500,
  })
  expect(folder.stopTokens).toEqual([1])
  expect(folder.text.eos).toBe('<end>')
  expect(folder.weights('lm_head.weight')).toHaveLength(64 * 32)
  expect(folder.text.tokenizer.decode(renderPrompt([{ role: 'user', content: 'hi' }], folder.text))).toBe(
    '<user>hi<bot>',
  )
  folder.close()
})

test('every token that may end an answer stops it: of config, generation config and template', () => {
  writeFileSync(join(path, 'generation_config.json'), JSON.stringify({ eos_token_id: [1, 40] }))
  writeFileSync(join(path, 'chat_template.jinja'), '{% for m in messages %}<user>{{ m.content }}<bot>{% endfor %}')
  const folder = readModelFolder(path)
  expect(folder.stopTokens).toEqual([1, 40, 3])
  folder.close()
  writeFileSync(join(path, 'chat_template.jinja'), '{% for m in')
  const broken = readModelFolder(path)
  expect(broken.stopTokens).toEqual([1, 40])
  expect(refusal(() => renderPrompt([{ role: 'user', content: 'hi' }], broken.text)).message).toContain(
    'template does not work',
  )
  broken.close()
})

test('its tokenizer encodes as transformers does', () => {
  const folder = readModelFolder(path)
  const { words } = JSON.parse(readFileSync(join(golden, 'llama-folder.json'), 'utf8')) as {
    words: { text: string; ids: number[] }[]
  }
  for (const { text, ids } of words) expect([...folder.text.tokenizer.encode(text)]).toEqual(ids)
  folder.close()
})

test('a written folder reads back the same', () => {
  const first = readModelFolder(path)
  const copy = join(scratch, 'copies', 'copy')
  writeModelFolder(copy, { ...first, card: '# A copy' })
  const second = readModelFolder(copy)
  expect(second.config).toEqual(first.config)
  expect(second.files).toMatchObject({ tokenizer: first.files.tokenizer, template: first.files.template })
  expect(second.card).toBe('# A copy')
  for (const { name } of parameterShapes(first.config)) expect(second.weights(name)).toEqual(first.weights(name))
  expect(readFileSync(join(copy, 'chat_template.jinja'), 'utf8')).toBe(
    (JSON.parse(readFileSync(join(copy, 'tokenizer_config.json'), 'utf8')) as { chat_template: string }).chat_template,
  )
  expect(refusal(() => writeModelFolder(copy, first)).kind).toBe('BadOption')
  first.close()
  second.close()
})

test('a write that fails leaves nothing', () => {
  const folder = readModelFolder(path)
  const target = join(scratch, 'never')
  const weights = (): Float32Array => {
    throw new Error('lost')
  }
  expect(() => writeModelFolder(target, { ...folder, weights })).toThrow('lost')
  expect([existsSync(target), existsSync(`${target}.part`)]).toEqual([false, false])
  folder.close()
})

test('shards are read through their index', () => {
  const whole = readModelFolder(path)
  const names = parameterShapes(whole.config)
  const shard = (file: string, part: typeof names): void =>
    writeSafetensors(
      join(path, file),
      part.map(({ name, shape }) => ({ name, shape, read: () => whole.weights(name) })),
      { dtype: 'BF16' },
    )
  shard('model-00001-of-00002.safetensors', names.slice(0, 5))
  shard('model-00002-of-00002.safetensors', names.slice(5))
  const map = Object.fromEntries(names.map(({ name }, i) => [name, `model-0000${i < 5 ? 1 : 2}-of-00002.safetensors`]))
  writeFileSync(join(path, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }))
  const before = whole.weights('model.norm.weight')
  whole.close()
  rmSync(join(path, 'model.safetensors'))
  const folder = readModelFolder(path)
  folder.weights('model.norm.weight').forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 2))
  folder.close()

  for (const outside of ['../model.safetensors', '/etc/passwd', 'sub/x.safetensors', '..\\x.safetensors', 5]) {
    writeFileSync(
      join(path, 'model.safetensors.index.json'),
      JSON.stringify({ weight_map: { ...map, 'model.norm.weight': outside } }),
    )
    expect(refusal(() => readModelFolder(path)).message).toContain('no file of this folder')
  }
  writeFileSync(
    join(path, 'model.safetensors.index.json'),
    JSON.stringify({ weight_map: { ...map, 'model.norm.weight': 'model-00003-of-00003.safetensors' } }),
  )
  expect(refusal(() => readModelFolder(path)).message).toContain('model-00003-of-00003.safetensors is missing')
})

test('missing and misshapen tensors are all listed', () => {
  rewrite((tensors) => {
    tensors.delete('lm_head.weight')
    tensors.get('model.norm.weight')!.shape = [4, 8]
    tensors.get('model.layers.1.mlp.up_proj.weight')!.shape = [32, 48]
  })
  const { kind, message, problems } = refusal(() => readModelFolder(path))
  expect(kind).toBe('BadFile')
  expect(message).toContain('model.norm.weight is [4, 8] instead of [32].')
  expect(message).toContain('lm_head.weight [64, 32] is missing.')
  expect(problems!.map((one) => one.where)).toEqual([
    'model.layers.1.mlp.up_proj.weight',
    'model.norm.weight',
    'lm_head.weight',
  ])
})

test('numbers that are not finite are found when asked for', () => {
  rewrite((tensors) => {
    tensors.get('model.norm.weight')!.data[3] = NaN
    tensors.get('lm_head.weight')!.data[7] = -Infinity
  })
  expect(refusal(() => readModelFolder(path, { numbers: true })).problems!.map((one) => one.where)).toEqual([
    'model.norm.weight',
    'lm_head.weight',
  ])
  readModelFolder(path).close()
})

test.each([
  ['config.json', 'no config.json'],
  ['model.safetensors', 'no model.safetensors'],
  ['tokenizer.json', 'no tokenizer.json'],
])('a folder without %s is refused', (file, words) => {
  rmSync(join(path, file))
  const failure = refusal(() => readModelFolder(path))
  expect(failure.kind).toBe('BadFile')
  expect(failure.message).toContain(words)
  expect(failure.next).toBeTruthy()
})

test('pickles are refused unread, with how to convert them', () => {
  renameSync(join(path, 'model.safetensors'), join(path, 'pytorch_model.bin'))
  const failure = refusal(() => readModelFolder(path))
  expect(failure.message).toContain('pytorch_model.bin is a Python pickle')
  expect(failure.next).toContain("torch.load('pytorch_model.bin', weights_only=True)")
  expect(refusal(() => readModelFolder(join(path, 'pytorch_model.bin'))).message).toContain('pickle')
})

test('damaged text files and foreign tokenizers are named', () => {
  writeFileSync(join(path, 'tokenizer.json'), readFileSync(join(path, 'tokenizer.json')).subarray(0, 500))
  expect(refusal(() => readModelFolder(path))).toMatchObject({ kind: 'BadFile', where: join(path, 'tokenizer.json') })
  writeFileSync(join(path, 'tokenizer.json'), Buffer.from([0xff, 0xfe, 0x7b]))
  expect(refusal(() => readModelFolder(path)).message).toContain('not UTF-8')
  const big = JSON.parse(readFileSync(join(golden, 'bpe.json'), 'utf8')) as { tokenizer: unknown }
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify(big.tokenizer))
  expect(refusal(() => readModelFolder(path)).kind).toBe('ModelMismatch')
  mkdirSync(join(scratch, 'empty'), { recursive: true })
  expect(refusal(() => readModelFolder(join(scratch, 'empty'))).kind).toBe('BadFile')
  expect(refusal(() => readModelFolder(join(scratch, 'nowhere'))).kind).toBe('NotFound')
})
