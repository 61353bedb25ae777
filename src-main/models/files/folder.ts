// A model folder in Hugging Face's form: config.json, model.safetensors (or shards with an index), tokenizer.json,
// tokenizer_config.json, chat_template.jinja, generation_config.json, README.md. Read and written whole.
// Nothing in a folder is executed: weights in Python's pickle form are refused, with how to convert them.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Failure } from '../../contract/errors.ts'
import { makeFolder } from '../../store/files.ts'
import { endOfTurn, type TextModel } from '../../text/render.ts'
import { chooseTemplate } from '../../text/templates.ts'
import { openTokenizer } from '../../text/tokenizer.ts'
import { readConfig, writeConfig, type ModelConfig } from '../config.ts'
import { parameterShapes, type ParameterShape, type WeightProvider } from '../families.ts'
import {
  flushFolder,
  openSafetensors,
  readableTypes,
  type SafetensorsFile,
  writeSafetensors,
  writeWhole,
} from './safetensors.ts'

export interface ModelFolder {
  readonly path: string
  readonly config: ModelConfig
  readonly text: TextModel
  /** Tokens that end an answer: the config's, the generation config's, the tokenizer's and the template's, each once. */
  readonly stopTokens: number[]
  /** Reads one tensor from the disk, as float32. Every tensor of `parameterShapes(config)` is there, in its shape. */
  readonly weights: WeightProvider
  /** Size of the weight files. */
  readonly bytes: number
  /** README.md */
  readonly card: string | null
  /** As they stand on disk, to be written beside changed weights. */
  readonly files: TextFiles
  /** Closes the weight files; `weights` cannot be used afterwards. */
  close(): void
}

export interface TextFiles {
  tokenizer: unknown
  tokenizerConfig: Record<string, unknown>
  generationConfig: Record<string, unknown> | null
  template: string | null
}

/**
 * Opens a model folder and checks that all of it fits together. `numbers` also looks at every number, which reads the
 * whole of the weights: for a folder seen for the first time.
 * @throws Failure BadFile or ModelMismatch, naming files and tensors, all of them at once.
 */
export function readModelFolder(path: string, check: { numbers?: boolean } = {}): ModelFolder {
  if (!existsSync(path))
    throw new Failure('NotFound', 'There is no such folder.', { where: path, next: 'Check the path.' })
  if (!statSync(path).isDirectory()) throw notAFolder(path)
  const configPath = join(path, 'config.json')
  if (!existsSync(configPath))
    throw new Failure('BadFile', 'This folder has no config.json, so it is not a model in Hugging Face’s form.', {
      where: path,
      next: 'Choose the folder that holds config.json, model.safetensors and tokenizer.json.',
    })
  const config = readConfig(readJson(configPath), configPath)
  const files = readTextFiles(path)
  const text = textModelOf(path, files, config)
  const opened = openWeights(path)
  try {
    const problems = compareTensors(opened, parameterShapes(config))
    if (problems.length === 0 && check.numbers) problems.push(...strangeNumbers(opened, parameterShapes(config)))
    if (problems.length > 0)
      throw new Failure(
        'BadFile',
        `The weights do not fit config.json: ${problems.map(({ message }) => message).join(' ')}`,
        { where: path, next: 'Download or save the model again; all of its files must belong together.', problems },
      )
  } catch (error) {
    closeAll(opened)
    throw error
  }
  const card = join(path, 'README.md')
  return {
    path,
    config,
    text,
    stopTokens: stopTokensOf(config, files, text),
    weights: (name) => opened.get(name)!.read(name),
    bytes: [...new Set(opened.values())].reduce((sum, file) => sum + file.bytes, 0),
    card: existsSync(card) ? readText(card, 1_000_000) : null,
    files,
    close: () => closeAll(opened),
  }
}

// ---- Weights --------------------------------------------------------------------------------------------------------

/** Which file holds each tensor. */
type Weights = Map<string, SafetensorsFile>

function openWeights(path: string): Weights {
  const single = join(path, 'model.safetensors')
  const index = join(path, 'model.safetensors.index.json')
  const byTensor: Weights = new Map()
  if (existsSync(single)) {
    const file = openSafetensors(single)
    for (const name of file.tensors.keys()) byTensor.set(name, file)
    return byTensor
  }
  if (!existsSync(index)) throw noWeights(path)
  const places = Object.entries(((readJson(index) as Record<string, unknown> | null)?.['weight_map'] ?? {}) as object)
  const shards = new Map<string, SafetensorsFile>()
  try {
    for (const [name, shard] of places as [string, unknown][]) {
      if (typeof shard !== 'string' || !/^[^./\\][^/\\]*\.safetensors$/.test(shard))
        throw new Failure(
          'BadFile',
          `The index sends the tensor “${name}” to “${String(shard)}”, which is no file of this folder.`,
          {
            where: index,
            next: 'Download the model again from a source that you trust.',
          },
        )
      const place = join(path, shard)
      if (!existsSync(place))
        throw new Failure('BadFile', `The weight file ${shard} is missing.`, { where: place, next: 'Download it too.' })
      const file = shards.get(shard) ?? openSafetensors(place)
      shards.set(shard, file)
      if (file.tensors.has(name)) byTensor.set(name, file)
    }
  } catch (error) {
    for (const file of shards.values()) file.close()
    throw error
  }
  return byTensor
}

function closeAll(weights: Weights): void {
  for (const file of new Set(weights.values())) file.close()
}

interface Problem {
  where: string
  message: string
}

function compareTensors(weights: Weights, shapes: ParameterShape[]): Problem[] {
  const problems: Problem[] = []
  for (const { name, shape } of shapes) {
    const entry = weights.get(name)?.tensors.get(name)
    const wanted = `[${shape.join(', ')}]`
    if (!entry) problems.push({ where: name, message: `${name} ${wanted} is missing.` })
    else if (entry.shape.join() !== shape.join())
      problems.push({ where: name, message: `${name} is [${entry.shape.join(', ')}] instead of ${wanted}.` })
    else if (!(readableTypes as readonly string[]).includes(entry.dtype))
      problems.push({ where: name, message: `${name} holds ${entry.dtype} numbers, which Temper cannot read.` })
  }
  return problems
}

function strangeNumbers(weights: Weights, shapes: ParameterShape[]): Problem[] {
  const problems: Problem[] = []
  for (const { name } of shapes) {
    const at = weights
      .get(name)!
      .read(name)
      .findIndex((value) => !Number.isFinite(value))
    if (at !== -1) problems.push({ where: name, message: `${name} holds a number that is not finite (at ${at}).` })
  }
  return problems
}

function noWeights(path: string): Failure {
  const pickle = readdirSync(path).find(
    (name) => /\.(bin|pt|pth|ckpt|pkl)$/.test(name) && !/^(training_args|optimizer|scheduler)/.test(name),
  )
  if (pickle === undefined)
    return new Failure('BadFile', 'This folder has no model.safetensors and no index of shards.', {
      where: path,
      next: 'Choose a folder with the model’s weights in safetensors form.',
    })
  return pickleRefused(join(path, pickle), 'model.safetensors')
}

/** Weights in pickle form can run any program when they are opened, so they never are. */
export function pickleRefused(path: string, target: string): Failure {
  const [from, to] = [basename(path), target]
  return new Failure(
    'BadFile',
    `${from} is a Python pickle, which may run any program when it is opened. Temper never opens one.`,
    {
      where: path,
      next:
        `If you trust it, convert it in its folder: python -c "import torch, safetensors.torch as s; ` +
        `s.save_file({k: v.clone().contiguous() for k, v in torch.load('${from}', weights_only=True).items()}, '${to}')"`,
    },
  )
}

function notAFolder(path: string): Failure {
  if (/\.(bin|pt|pth|ckpt|pkl)$/.test(path)) return pickleRefused(path, 'model.safetensors')
  return new Failure('BadFile', 'This is a file, not a model folder.', {
    where: path,
    next: 'Choose the folder that holds config.json, model.safetensors and tokenizer.json.',
  })
}

// ---- Text -----------------------------------------------------------------------------------------------------------

function readTextFiles(path: string): TextFiles {
  const tokenizer = join(path, 'tokenizer.json')
  if (!existsSync(tokenizer))
    throw new Failure('BadFile', 'This model has no tokenizer.json, so it cannot read or write text.', {
      where: path,
      next: 'Save it with transformers’ fast tokenizer: AutoTokenizer.from_pretrained(folder).save_pretrained(folder).',
    })
  const optional = (name: string): Record<string, unknown> | null =>
    existsSync(join(path, name)) ? (readJson(join(path, name)) as Record<string, unknown> | null) : null
  const tokenizerConfig = optional('tokenizer_config.json') ?? {}
  const jinja = join(path, 'chat_template.jinja')
  return {
    tokenizer: readJson(tokenizer),
    tokenizerConfig,
    generationConfig: optional('generation_config.json'),
    template: chooseTemplate(existsSync(jinja) ? readText(jinja, 1_000_000) : null, tokenizerConfig),
  }
}

function textModelOf(path: string, files: TextFiles, config: ModelConfig): TextModel {
  const where = join(path, 'tokenizer.json')
  let tokenizer
  try {
    tokenizer = openTokenizer(files.tokenizer, files.tokenizerConfig)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.kind, error.message, {
      where,
      ...(error.next !== undefined && { next: error.next }),
      cause: error,
    })
  }
  if (tokenizer.vocabSize > config.vocabSize)
    throw new Failure(
      'ModelMismatch',
      `The tokenizer knows ${tokenizer.vocabSize} tokens, but the model only ${config.vocabSize}.`,
      { where, next: 'Use the tokenizer that came with these weights.' },
    )
  const named = (id: number | null | undefined): string =>
    id === null || id === undefined ? '' : tokenizer.decode([id])
  return {
    tokenizer,
    template: files.template,
    bos: tokenizer.bosToken || named(config.bosTokenId),
    eos: tokenizer.eosToken || named(config.eosTokenIds[0]),
  }
}

function stopTokensOf(config: ModelConfig, files: TextFiles, text: TextModel): number[] {
  const more = files.generationConfig?.['eos_token_id']
  const listed = (Array.isArray(more) ? more : [more]) as unknown[]
  const ids = [...config.eosTokenIds, ...listed, text.tokenizer.specials.eos, turnEnd(text)]
  return [...new Set(ids.filter((id): id is number => typeof id === 'number' && id >= 0 && id < config.vocabSize))]
}

/** Null too where the template is broken: the model can still read plain text, and chat will say what is wrong. */
function turnEnd(text: TextModel): number | null {
  if (text.template === null) return null
  try {
    return endOfTurn(text)
  } catch (error) {
    if (error instanceof Failure) return null
    throw error
  }
}

/** Text of a file, which must be UTF-8 and of a bearable size. */
export function readText(path: string, mostBytes: number): string {
  const { size } = statSync(path)
  if (size > mostBytes)
    throw new Failure('BadFile', `${basename(path)} is too large (${size} bytes; at most ${mostBytes}).`, {
      where: path,
      next: 'Check that this is the file it says it is.',
    })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    throw new Failure('BadFile', `${basename(path)} is not UTF-8 text.`, {
      where: path,
      next: 'Download it again.',
      cause: error,
    })
  }
}

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readText(path, 200_000_000))
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('BadFile', `${basename(path)} is not JSON: ${(error as Error).message}.`, {
      where: path,
      next: 'It may have been cut off. Download it again.',
      cause: error,
    })
  }
}

// ---- Writing --------------------------------------------------------------------------------------------------------

export interface ModelToWrite {
  config: ModelConfig
  weights: WeightProvider
  files: TextFiles
  card?: string | null
  dtype?: 'F32' | 'F16' | 'BF16'
}

/**
 * Writes a model folder that transformers loads too. It appears whole or not at all.
 * @throws Failure BadOption when something stands at `path` already.
 */
export function writeModelFolder(path: string, model: ModelToWrite): void {
  writeFolderWhole(path, (beside) => {
    const { config, files, weights, dtype = 'F32' } = model
    const torchType = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' }[dtype]
    const json = (name: string, value: unknown): void =>
      writeTextFile(join(beside, name), `${JSON.stringify(value, null, 2)}\n`)
    json('config.json', { ...writeConfig(config), torch_dtype: torchType })
    json('tokenizer.json', files.tokenizer)
    // The template goes to both places where programs look for it, word for word the same.
    json('tokenizer_config.json', {
      ...files.tokenizerConfig,
      ...(files.template !== null && { chat_template: files.template }),
    })
    if (files.template !== null) writeTextFile(join(beside, 'chat_template.jinja'), files.template)
    if (files.generationConfig !== null) json('generation_config.json', files.generationConfig)
    if (model.card) writeTextFile(join(beside, 'README.md'), model.card)
    const tensors = parameterShapes(config).map(({ name, shape }) => ({ name, shape, read: () => weights(name) }))
    writeSafetensors(join(beside, 'model.safetensors'), tensors, { dtype })
  })
}

export function writeTextFile(path: string, text: string): void {
  writeWhole(path, (write) => write(new TextEncoder().encode(text)))
}

/** Fills a folder beside its place, then moves it there; on any fault nothing is left. */
export function writeFolderWhole(path: string, fill: (beside: string) => void): void {
  if (existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0))
    throw new Failure('BadOption', 'Something stands at this place already.', {
      where: path,
      next: 'Choose a new folder.',
    })
  makeFolder(dirname(path))
  const beside = `${path}.part`
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(beside)
  try {
    fill(beside)
    if (existsSync(path)) rmSync(path, { recursive: true })
    renameSync(beside, path)
    flushFolder(dirname(path))
  } catch (error) {
    rmSync(beside, { recursive: true, force: true })
    throw error
  }
}
