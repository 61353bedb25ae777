// A run on disk: folders step-000080 that chat, PEFT and transformers open as they are, and, in the newest, what a run
// needs to go on bit for bit: optimizer moments, place in the data, losses. Written beside, flushed, then renamed, so a
// power cut leaves the previous one. Older folders drop their state: it is twice as large as what was trained.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../contract/errors.ts'
import type { CheckpointReason, Method, Tune } from '../contract/records.ts'
import type { OptionValue } from '../contract/options.ts'
import type { BackendName } from '../engine/backend.ts'
import type { LoraSettings } from '../models/adapters.ts'
import type { WeightProvider } from '../models/families.ts'
import type { AnswererFiles } from '../models/files/answerer.ts'
import { readJson, writeModelFolder, writeTextFile } from '../models/files/folder.ts'
import type { ModelFolder } from '../models/files/folder.ts'
import { writeAdapterFolder } from '../models/files/peft.ts'
import { flushFolder, openSafetensors, writeSafetensors } from '../models/files/safetensors.ts'
import type { Transformer } from '../models/transformer.ts'
import type { LoopState } from './loop.ts'
import type { Optimizer } from './optimizer.ts'

/** What a checkpoint says of itself (checkpoint.json). */
export interface CheckpointCard {
  format: 1
  run: string
  step: number
  method: Method
  tune: Tune
  /** What these weights, or this adapter, stand upon: a model folder and the checkpoints applied to it, in order. */
  base: AnswererFiles
  /** Of the numbers of that base, all applied. */
  baseFingerprint: string
  /** Of the chat template that it was trained with. */
  templateHash: string
  reasons: CheckpointReason[]
  trainLoss: number | null
  heldOutLoss: number | null
}

/** What a run needs to go on (state/state.json). */
export interface ResumeCard {
  format: 1
  loop: LoopState
  seed: number
  options: Record<string, OptionValue>
  backend: BackendName
  threads: number
  /** Of the rendered rows: a data set that changed cannot be gone on with. */
  rowsFingerprint: string
}

export interface CheckpointParts {
  model: Transformer
  optimizer: Optimizer
  folder: ModelFolder
  lora: LoraSettings | null
  card: CheckpointCard
  resume: ResumeCard
}

export const stepFolder = (runFolder: string, step: number): string =>
  join(runFolder, `step-${String(step).padStart(6, '0')}`)

/**
 * Writes the state of a run between two steps; answers with the folder and its size, without the state that will be dropped.
 * What stands there is replaced.
 */
export async function writeCheckpoint(
  runFolder: string,
  parts: CheckpointParts,
): Promise<{ path: string; bytes: number }> {
  const { card } = parts
  const path = stepFolder(runFolder, card.step)
  const beside = `${path}.writing`
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(runFolder, { recursive: true })
  try {
    await fillCheckpoint(beside, parts)
  } catch (error) {
    rmSync(beside, { recursive: true, force: true }) // on a full disk above all
    throw error
  }
  const old = `${path}.old`
  rmSync(old, { recursive: true, force: true })
  if (existsSync(path)) renameSync(path, old)
  renameSync(beside, path)
  flushFolder(runFolder)
  rmSync(old, { recursive: true, force: true })
  for (const step of stepsOnDisk(runFolder)) if (step < card.step) dropState(stepFolder(runFolder, step))
  return { path, bytes: keptBytes(path) }
}

async function fillCheckpoint(
  beside: string,
  { model, optimizer, folder, lora, card, resume }: CheckpointParts,
): Promise<void> {
  const numbers = await readAll(model.parameters.map(({ name }) => [name, () => model.read(name)]))
  const weights: WeightProvider = (name) => numbers.get(name)!
  if (lora) writeAdapterFolder(beside, { config: model.config, ...lora, baseModel: card.base.modelPath, weights })
  else writeModelFolder(beside, { config: model.config, weights, files: folder.files, card: folder.card })

  const { backend } = model
  const moments = await readAll(
    optimizer.moments.flatMap(({ name, m, v }) => [
      [`${name}.m`, () => backend.read(m)],
      [`${name}.v`, () => backend.read(v)],
    ]),
  )
  mkdirSync(join(beside, 'state'))
  const tensors = [...moments].map(([name, data]) => ({ name, shape: [data.length], read: () => data }))
  writeSafetensors(join(beside, 'state', 'optimizer.safetensors'), tensors)
  writeTextFile(join(beside, 'state', 'state.json'), `${JSON.stringify(resume, null, 2)}\n`)
  writeTextFile(join(beside, 'checkpoint.json'), `${JSON.stringify(card, null, 2)}\n`)
  flushFolder(beside)
}

/** The newest checkpoint that a run can go on from, or null. Left-overs of an interrupted write are cleared away. */
export function newestState(runFolder: string): { path: string; card: CheckpointCard; resume: ResumeCard } | null {
  for (const name of existsSync(runFolder) ? readdirSync(runFolder) : [])
    if (/^step-\d+\.old$/.test(name) && !existsSync(join(runFolder, name.slice(0, -4))))
      renameSync(join(runFolder, name), join(runFolder, name.slice(0, -4))) // cut off between its two renames
    else if (/^step-\d+\.(old|writing|writing\.part)$/.test(name))
      rmSync(join(runFolder, name), { recursive: true, force: true })
  for (const step of stepsOnDisk(runFolder).reverse()) {
    const path = stepFolder(runFolder, step)
    if (existsSync(join(path, 'state', 'state.json')))
      return { path, card: readCard(path), resume: readJson(join(path, 'state', 'state.json')) as ResumeCard }
  }
  return null
}

export function readCard(path: string): CheckpointCard {
  return readJson(join(path, 'checkpoint.json')) as CheckpointCard
}

/** Puts the trained weights and the optimizer back as they were at this checkpoint. Throws BadFile. */
export function restoreState(path: string, model: Transformer, optimizer: Optimizer, tune: Tune): void {
  const files = { lora: 'adapter_model.safetensors', full: 'model.safetensors' }
  const weights = openSafetensors(join(path, files[tune]))
  const moments = openSafetensors(join(path, 'state', 'optimizer.safetensors'))
  try {
    for (const { name } of model.parameters) model.write(name, weights.read(name))
    for (const { name, m, v } of optimizer.moments) {
      model.backend.write(m, moments.read(`${name}.m`))
      model.backend.write(v, moments.read(`${name}.v`))
    }
  } finally {
    weights.close()
    moments.close()
  }
}

/** Removes a checkpoint that is no longer kept. */
export function removeCheckpointFolder(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

export function removeRunFolder(runFolder: string): void {
  rmSync(runFolder, { recursive: true, force: true })
}

function dropState(path: string): void {
  rmSync(join(path, 'state'), { recursive: true, force: true })
}

export function stepsOnDisk(runFolder: string): number[] {
  if (!existsSync(runFolder)) return []
  const steps = readdirSync(runFolder).flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? [])
  return steps.map(Number).sort((a, b) => a - b)
}

/** Size of a checkpoint as it will stay. */
export function keptBytes(path: string): number {
  const state = join(path, 'state')
  return bytesOf(path) - (existsSync(state) ? bytesOf(state) : 0)
}

function bytesOf(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.size
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0)
}

async function readAll(wanted: [string, () => Promise<Float32Array>][]): Promise<Map<string, Float32Array>> {
  const numbers = new Map<string, Float32Array>()
  for (const [name, read] of wanted) numbers.set(name, await read())
  return numbers
}

// ---- Numbers that belong together -----------------------------------------------------------------------------------

/** Hashes every tensor that passes through, in the order in which a model is loaded. */
export function fingerprinted(weights: WeightProvider): { weights: WeightProvider; fingerprint: () => string } {
  const hash = createHash('sha256')
  return {
    weights(name) {
      const data = weights(name)
      hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      return data
    },
    fingerprint: () => hash.digest('hex').slice(0, 32),
  }
}

export function hashOf(...parts: (string | ArrayBufferView)[]): string {
  const hash = createHash('sha256')
  for (const part of parts)
    hash.update(typeof part === 'string' ? part : new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
  return hash.digest('hex').slice(0, 32)
}

/** Refuses to go on where the base or the data are no longer those that the run began with. */
export function checkSame(card: CheckpointCard, resume: ResumeCard, now: { base: string; rows: string }): void {
  if (card.baseFingerprint !== now.base)
    throw new Failure('ModelMismatch', 'The model that this run began with has changed since.', {
      where: card.base.modelPath,
      next: 'Put the earlier files back, or start a new run.',
    })
  if (resume.rowsFingerprint !== now.rows)
    throw new Failure('ModelMismatch', 'The data set has changed since this run was stopped.', {
      where: `step ${card.step}`,
      next: 'Start a new run from this run’s last checkpoint: it will read the data as it is now.',
    })
}

// ---- Reference log-probabilities ------------------------------------------------------------------------------------

const referenceFile = (runFolder: string): string => join(runFolder, 'reference.safetensors')

/** Keeps the reference's sums [rows * sequences], each as two floats: read them back before use, so that all uses agree. */
export function writeReference(
  runFolder: string,
  key: string,
  sums: { rows: Float64Array; heldOut: Float64Array },
): void {
  mkdirSync(runFolder, { recursive: true })
  const tensor = (name: string, data: Float64Array) => {
    const halves = Float32Array.from([...data].flatMap((x) => [Math.fround(x), x - Math.fround(x)]))
    return { name, shape: [halves.length], read: () => halves }
  }
  const tensors = [tensor('rows', sums.rows), tensor('heldOut', sums.heldOut)]
  writeSafetensors(referenceFile(runFolder), tensors, { metadata: { key } })
}

/** What `writeReference` kept under this key, or null. */
export function readReference(runFolder: string, key: string): { rows: Float64Array; heldOut: Float64Array } | null {
  if (!existsSync(referenceFile(runFolder))) return null
  const file = openSafetensors(referenceFile(runFolder))
  try {
    if (file.metadata['key'] !== key) return null
    const whole = (name: string): Float64Array => {
      const halves = file.read(name)
      return Float64Array.from({ length: halves.length / 2 }, (_, i) => halves[2 * i]! + halves[2 * i + 1]!)
    }
    return { rows: whole('rows'), heldOut: whole('heldOut') }
  } finally {
    file.close()
  }
}
