// The bytes of a file that somebody brought, made even: unzipped (gzip, zstandard), UTF-16 turned into UTF-8, the byte
// order mark removed. Everything after this file sees UTF-8 in chunks and never holds the whole file.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Failure } from '../../contract/errors.ts'

/** Enough of the beginning to tell JSON lines from a list, and a table from prose. */
const headBytes = 65_536
const chunkBytes = 262_144
/** Zipped text can grow a thousandfold, so it is taken in smaller bites. */
const zippedChunkBytes = 32_768

export const zipDamaged = 'The compressed file is cut off or damaged here.'

export interface Source {
  path: string
  name: string
  /** Bytes of the file as it lies on the disk. */
  totalBytes: number
  /** The first bytes as UTF-8, unzipped, without byte order mark. */
  head: Buffer
  /** The head is the whole file. */
  headIsAll: boolean
  /** Bytes of a UTF-8 byte order mark that was cut off: positions that people read count it. */
  skippedBytes: number
  /** All of the text as UTF-8; can be walked once. */
  chunks: AsyncGenerator<Buffer>
  /** Bytes read from the disk so far. */
  readBytes: () => number
  /** Why the text ends early, or null: known once the chunks are done. */
  damage: () => string | null
  /** SHA-256 of the file as it lies on the disk: known once the chunks are done. */
  sha256: () => string
}

const foreign: [magic: string, what: string, next: string][] = [
  ['PK\x03\x04', 'a zip archive or an Office document', 'Unpack it, or save it as CSV, and import that file.'],
  ['%PDF', 'a PDF', 'Copy its text into a .txt file and import that.'],
  ['ARROW1', 'an Arrow file', 'Save it as Parquet or JSONL and import that.'],
  ['FEA1', 'a Feather file', 'Save it as Parquet or JSONL and import that.'],
  ['SQLite format 3', 'an SQLite database', 'Export the table as CSV and import that.'],
  ['\x89HDF', 'an HDF5 file', 'Save it as Parquet or JSONL and import that.'],
  ['GGUF', 'a model in GGUF form', 'Add it under Models instead.'],
  ['BZh', 'a bzip2 archive', 'Unpack it and import the file inside.'],
  ['\xFD7zXZ', 'an xz archive', 'Unpack it and import the file inside.'],
  ['7z\xBC\xAF', 'a 7-zip archive', 'Unpack it and import the file inside.'],
  ['\x80\x02', 'a Python pickle', 'Pickles can run programs, so they are never opened. Save the data as JSONL.'],
  ['\x80\x03', 'a Python pickle', 'Pickles can run programs, so they are never opened. Save the data as JSONL.'],
  ['\x80\x04\x95', 'a Python pickle', 'Pickles can run programs, so they are never opened. Save the data as JSONL.'],
  ['\x80\x05\x95', 'a Python pickle', 'Pickles can run programs, so they are never opened. Save the data as JSONL.'],
]

/** Size and first bytes of the file at `path`; throws NotFound or BadFile when it is none that we could read. */
export async function inspect(path: string): Promise<{ totalBytes: number; magic: Buffer }> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw new Failure('NotFound', 'There is no such file.', { where: path, next: 'Check the path.' })
    throw unreadable(path, error)
  })
  if (found.isDirectory())
    throw new Failure('BadFile', 'This is a folder, not a file.', { where: path, next: 'Choose the files inside it.' })
  if (found.size === 0)
    throw new Failure('BadFile', 'The file is empty.', { where: path, next: 'Choose a file with rows in it.' })
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error)
  })
  try {
    const magic = Buffer.alloc(16)
    const { bytesRead } = await file.read(magic, 0, 16, 0)
    const start = magic.toString('latin1', 0, bytesRead)
    for (const [sign, what, next] of foreign)
      if (start.startsWith(sign))
        throw new Failure('BadFile', `This is ${what}, not a data file.`, { where: path, next })
    return { totalBytes: found.size, magic: magic.subarray(0, bytesRead) }
  } finally {
    await file.close()
  }
}

/** Opens the file at `path` as UTF-8 text. Close it by finishing or `return()`ing its chunks. */
export async function openSource(path: string): Promise<Source> {
  const { totalBytes, magic } = await inspect(path)
  const gzip = magic[0] === 0x1f && magic[1] === 0x8b
  const zstd = magic.length > 3 && magic.readUInt32LE(0) === 0xfd2fb528
  const hash = createHash('sha256')
  let readBytes = 0
  let damage: string | null = null
  async function* fromDisk(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of createReadStream(path, {
        highWaterMark: gzip || zstd ? zippedChunkBytes : chunkBytes,
      })) {
        readBytes += (chunk as Buffer).length
        hash.update(chunk as Buffer)
        yield chunk as Buffer
      }
    } catch (error) {
      throw unreadable(path, error as NodeJS.ErrnoException)
    }
  }
  const unzipper = gzip ? createGunzip() : zstd ? createZstdDecompress() : null
  const bytes = unzipper === null ? fromDisk() : unzip(fromDisk(), unzipper, () => (damage = zipDamaged))
  const first = await firstBytes(bytes)
  const encoding = encodingOf(first.head)
  const text = encoding.utf16 === null ? first.all : fromUtf16(first.all, encoding.utf16, path)
  const decoded = encoding.utf16 === null ? first : await firstBytes(text)
  if (decoded.head.includes(0)) {
    await bytes.return(undefined)
    throw new Failure('BadFile', 'This is not a text file: it holds zero bytes.', {
      where: path,
      next: 'Import JSONL, JSON, CSV, Parquet or plain text.',
    })
  }
  return {
    path,
    name: basename(path).replace(/\.(gz|zst)$/i, ''),
    totalBytes,
    head: decoded.head.subarray(encoding.skip),
    headIsAll: decoded.headIsAll,
    skippedBytes: encoding.skip,
    chunks: without(decoded.all, encoding.skip),
    readBytes: () => readBytes,
    damage: () => damage,
    sha256: () => hash.copy().digest('hex'),
  }
}

/** Reads ahead at least `headBytes`, and gives a walk over everything that still includes them. */
async function firstBytes(
  chunks: AsyncGenerator<Buffer>,
): Promise<{ head: Buffer; headIsAll: boolean; all: AsyncGenerator<Buffer> }> {
  const ahead: Buffer[] = []
  let size = 0
  let ended = false
  while (size < headBytes) {
    const next = await chunks.next()
    ended = next.done === true
    if (next.done === true) break
    ahead.push(next.value)
    size += next.value.length
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      yield* ahead
      yield* chunks
    } finally {
      await chunks.return(undefined)
    }
  }
  return { head: Buffer.concat(ahead), headIsAll: ended, all: all() }
}

async function* unzip(
  zipped: AsyncGenerator<Buffer>,
  unzipper: Transform,
  onDamage: () => void,
): AsyncGenerator<Buffer> {
  const out: Buffer[] = []
  let failed = false
  unzipper.on('data', (chunk: Buffer) => out.push(chunk))
  unzipper.on('error', () => (failed = true))
  try {
    for await (const chunk of zipped) {
      if (failed) continue // read to the end all the same, for the hash and the progress
      await new Promise<void>((written) => unzipper.write(chunk, () => written()))
      if (out.length > 0) yield Buffer.concat(out.splice(0))
    }
    if (!failed)
      await new Promise<void>((ended) => {
        unzipper.once('end', ended)
        unzipper.once('error', () => ended())
        unzipper.end()
      })
    if (failed) onDamage()
    if (out.length > 0) yield Buffer.concat(out.splice(0))
  } finally {
    unzipper.destroy()
  }
}

/** By byte order mark; without one, every second byte zero in what begins like ASCII tells UTF-16 too. */
function encodingOf(head: Buffer): { utf16: 'utf-16le' | 'utf-16be' | null; skip: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { utf16: null, skip: 3 }
  if (head[0] === 0xff && head[1] === 0xfe) return { utf16: 'utf-16le', skip: 0 }
  if (head[0] === 0xfe && head[1] === 0xff) return { utf16: 'utf-16be', skip: 0 }
  const zeros = (from: number): number => [0, 2, 4, 6].filter((at) => head[from + at] === 0).length
  if (head.length >= 8 && zeros(1) === 4 && zeros(0) === 0) return { utf16: 'utf-16le', skip: 0 }
  if (head.length >= 8 && zeros(0) === 4 && zeros(1) === 0) return { utf16: 'utf-16be', skip: 0 }
  return { utf16: null, skip: 0 }
}

async function* fromUtf16(chunks: AsyncGenerator<Buffer>, name: string, path: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(name, { fatal: true }) // cuts the byte order mark off by itself
  const decode = (chunk?: Buffer): Buffer => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }))
    } catch {
      throw new Failure('BadFile', 'The file begins as UTF-16 but holds broken characters.', {
        where: path,
        next: 'Save it again as UTF-8.',
      })
    }
  }
  for await (const chunk of chunks) yield decode(chunk)
  yield decode()
}

async function* without(chunks: AsyncGenerator<Buffer>, skip: number): AsyncGenerator<Buffer> {
  let left = skip
  for await (const chunk of chunks) {
    const from = Math.min(left, chunk.length)
    left -= from
    yield from === 0 ? chunk : chunk.subarray(from)
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException): Failure {
  const why =
    error.code === 'EACCES' || error.code === 'EPERM' ? 'You may not read this file.' : 'The file cannot be read.'
  return new Failure('BadFile', why, {
    where: path,
    next: 'Check its permissions and the disk it lies on.',
    cause: error,
  })
}
