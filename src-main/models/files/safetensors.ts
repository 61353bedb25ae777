// Weights on disk: the safetensors format. Eight bytes of header length, a JSON header {name: {dtype, shape,
// data_offsets}}, then the numbers. Nothing in such a file is executed; every claim of the header is checked before a byte
// is read. Tensors are read one by one, as float32. Left out: integers, 8-bit floats, writing shards.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from '../../contract/errors.ts'

export interface TensorEntry {
  dtype: string
  shape: number[]
  /** Bytes from the start of the file. */
  begin: number
  end: number
}

export interface SafetensorsFile {
  readonly path: string
  readonly bytes: number
  readonly tensors: ReadonlyMap<string, TensorEntry>
  readonly metadata: Readonly<Record<string, string>>
  /** The numbers of one tensor, row-major. Throws BadFile for a type other than F32, F16, BF16, F64. */
  read(name: string): Float32Array
  close(): void
}

const bytesOf: Record<string, number> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
  ...{ F8_E4M3: 1, F8_E5M2: 1 },
}
export const readableTypes = ['F32', 'F16', 'BF16', 'F64'] as const
const mostHeaderBytes = 100_000_000 // the format's own limit

/** Opens a file and checks its header. Throws BadFile with what is wrong; the file stays open until `close`. */
export function openSafetensors(path: string): SafetensorsFile {
  const bad = (what: string): Failure =>
    new Failure('BadFile', `This safetensors file is damaged: ${what}.`, {
      where: path,
      next: 'Download or save the model again.',
    })
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    if (size < 8) throw bad(`it has only ${size} bytes`)
    const headerBytes = Number(readBytes(file, 0, 8, bad).readBigUInt64LE(0))
    if (headerBytes > mostHeaderBytes) throw bad('its header would be larger than 100 MB')
    if (8 + headerBytes > size) throw bad('it ends within its header')
    const { tensors, metadata } = readHeader(readBytes(file, 8, headerBytes, bad), 8 + headerBytes, size, bad)
    return {
      path,
      bytes: size,
      tensors,
      metadata,
      read(name) {
        const entry = tensors.get(name)
        if (!entry) throw new Failure('NotFound', `There is no tensor “${name}”.`, { where: path })
        return toFloat32(entry, readBytes(file, entry.begin, entry.end - entry.begin, bad), name, path)
      },
      close: () => closeSync(file),
    }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

type Bad = (what: string) => Failure

function readBytes(file: number, from: number, count: number, bad: Bad): Buffer {
  const bytes = Buffer.allocUnsafeSlow(count) // its memory starts at 0, so it can be looked at as float32
  for (let at = 0; at < count;) {
    const got = readSync(file, bytes, at, Math.min(count - at, 2 ** 30), from + at)
    if (got === 0) throw bad('it ends too early')
    at += got
  }
  return bytes
}

function readHeader(
  bytes: Buffer,
  dataBegin: number,
  fileSize: number,
  bad: Bad,
): { tensors: Map<string, TensorEntry>; metadata: Record<string, string> } {
  let text: string
  let header: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    header = JSON.parse(text)
  } catch {
    throw bad('its header is not JSON')
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw bad('its header is not a JSON object')
  const twice = repeatedKey(text)
  if (twice !== null) throw bad(`it names “${twice}” twice`)

  const tensors = new Map<string, TensorEntry>()
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = value as Record<string, string>
    else tensors.set(name, checkEntry(name, value, dataBegin, fileSize, bad))
  }
  // As the format demands: the tensors fill the rest of the file, without overlap and without holes.
  let at = dataBegin
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin < at) throw bad(`the tensor “${name}” overlaps another`)
    if (begin > at) throw bad(`there is a gap before the tensor “${name}”`)
    at = end
  }
  if (at !== fileSize) throw bad(`${fileSize - at} bytes at its end belong to no tensor`)
  return { tensors, metadata }
}

function checkEntry(name: string, value: unknown, dataBegin: number, fileSize: number, bad: Bad): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  const whole = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0
  if (typeof dtype !== 'string' || !Object.hasOwn(bytesOf, dtype))
    throw bad(`the tensor “${name}” is of an unknown type (${String(dtype)})`)
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every(whole))
    throw bad(`the tensor “${name}” has no proper shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole))
    throw bad(`the tensor “${name}” has no proper place`)
  const [begin, end] = [dataBegin + offsets[0]!, dataBegin + offsets[1]!]
  if (end < begin || end > fileSize) throw bad(`the tensor “${name}” lies beyond its end`)
  const size = shape.reduce((product, side) => product * side, bytesOf[dtype]!)
  if (size !== end - begin)
    throw bad(`the tensor “${name}” of shape [${shape.join(', ')}] needs ${size} bytes but has ${end - begin}`)
  return { dtype, shape, begin, end }
}

/** The first key that an object in this JSON text holds twice at its top level: JSON.parse would keep the last silently. */
function repeatedKey(json: string): string | null {
  const seen = new Set<string>()
  let depth = 0
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    const [token, colon] = match
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (depth === 1 && colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string
      if (seen.has(key)) return key
      seen.add(key)
    }
  }
  return null
}

function toFloat32(entry: TensorEntry, bytes: Buffer, name: string, path: string): Float32Array {
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    case 'F64':
      return Float32Array.from(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8))
    case 'BF16': {
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
      const bits = new Uint32Array(halves.length)
      for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16
      return new Float32Array(bits.buffer)
    }
    case 'F16': {
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
      const table = (halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits)))
      const numbers = new Float32Array(halves.length)
      for (let i = 0; i < halves.length; i++) numbers[i] = table[halves[i]!]!
      return numbers
    }
    default:
      throw new Failure('BadFile', `The tensor “${name}” holds ${entry.dtype} numbers, which Temper cannot read.`, {
        where: path,
        next: `Save the model as ${readableTypes.slice(0, 3).join(', ')}: quantised files must be converted back first.`,
      })
  }
}

let halfTable: Float32Array | undefined
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Rounds to the nearest half, ties to even; beyond 65,504 becomes infinite. */
function floatToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(size)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  const exponent = Math.max(-14, Math.floor(Math.log2(size)))
  const scaled = size / 2 ** (exponent - 10) // in units of the last place: exact
  let units = Math.floor(scaled)
  const rest = scaled - units
  if (rest > 0.5 || (rest === 0.5 && units % 2 === 1)) units++
  return sign | (units + (exponent + 14) * 1024) // the implied leading bit carries into the exponent
}

function floatToBrain(data: Float32Array): Uint16Array {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length)
  const halves = new Uint16Array(bits.length)
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]!
    halves[i] = Number.isNaN(data[i]!) ? 0x7fc0 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16
  }
  return halves
}

export interface TensorToWrite {
  name: string
  shape: readonly number[]
  /** Called once, when its turn comes. */
  read(): Float32Array
}

/**
 * Writes a file whole or not at all: beside it first, then flushed to the disk, then renamed.
 * `dtype` is how numbers are stored; F16 and BF16 round.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  how: { dtype?: 'F32' | 'F16' | 'BF16'; metadata?: Record<string, string> } = {},
): void {
  const { dtype = 'F32', metadata = { format: 'pt' } } = how
  const header: Record<string, unknown> = { __metadata__: metadata }
  let at = 0
  for (const { name, shape } of tensors) {
    const bytes = shape.reduce((a, b) => a * b, bytesOf[dtype]!)
    header[name] = { dtype, shape, data_offsets: [at, at + bytes] }
    at += bytes
  }
  const json = Buffer.from(JSON.stringify(header))
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ')
  json.copy(padded)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))

  writeWhole(path, (write) => {
    write(length)
    write(padded)
    for (const { name, shape, read } of tensors) {
      const data = read()
      if (data.length !== shape.reduce((a, b) => a * b, 1))
        throw new RangeError(`${name} has ${data.length} numbers, not the [${shape.join(', ')}] announced`)
      const stored =
        dtype === 'F32' ? data : dtype === 'BF16' ? floatToBrain(data) : Uint16Array.from(data, floatToHalf)
      write(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength))
    }
  })
}

/** Writes a file beside its place, flushes it and moves it there. On any fault the old file stays and no rest is left. */
export function writeWhole(path: string, fill: (write: (bytes: Uint8Array) => void) => void): void {
  const beside = `${path}.part`
  const file = openSync(beside, 'w')
  let open = true
  try {
    fill((bytes) => {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30))
    })
    fsyncSync(file)
    closeSync(file)
    open = false
    renameSync(beside, path)
    flushFolder(dirname(path))
  } catch (error) {
    if (open) closeSync(file)
    rmSync(beside, { force: true })
    if (error instanceof Error && 'code' in error && !('path' in error)) Object.assign(error, { path }) // for the message
    throw error
  }
}

/** A rename lasts only once the folder is flushed too. Windows cannot, and need not. */
export function flushFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
