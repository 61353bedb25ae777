// Where the library lies, and how its files are written: beside, synced, then renamed, so that a name stands either for
// all of a file or for none of it.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { Failure } from '../contract/errors.ts'

/** The folder of the library where none is named: $TEMPER_HOME, or the place that the platform has for such data. */
export function defaultHome(env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string {
  if (env['TEMPER_HOME']) return resolve(env['TEMPER_HOME'])
  if (platform === 'win32') return join(env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'Temper')
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Temper')
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'temper')
}

/** A path below `folder`. Throws BadFile where the parts would lead out of it. */
export function pathInside(folder: string, ...parts: string[]): string {
  const path = resolve(folder, ...parts)
  const way = relative(folder, path)
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
    throw new Failure('BadFile', 'The path leads out of the library folder.', { where: parts.join('/') })
  return path
}

/** Where a run keeps its checkpoints: inside the library, made when first written to. */
export const runFolder = (home: string, run: string): string => pathInside(home, 'runs', run)

/** Paths inside the library are kept relative, so that a library can be moved. */
export const storedPath = (home: string, path: string): string => {
  const way = relative(home, path)
  return way.startsWith('..') || isAbsolute(way) ? path : way.split(sep).join('/')
}
export const actualPath = (home: string, stored: string): string => (isAbsolute(stored) ? stored : join(home, stored))

/** Bytes that can still be written on the disk of `path` (or of its nearest folder that exists). */
export function freeBytes(path: string): number {
  let place = resolve(path)
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
  const disk = statfsSync(place)
  return disk.bavail * disk.bsize
}

/**
 * Makes a folder and those above it; one that is there is left as it is. Throws BadFile. Node's own recursive way never
 * ends where the system says of a folder's child that there is no such place, as /proc does.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) return
    throw new Failure('BadFile', 'This is a file; a folder was to be here.', {
      where: path,
      next: 'Choose another place.',
    })
  }
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return // made by another process meanwhile
    if (code !== 'ENOENT') throw error
    throw new Failure('BadFile', 'No folder can be made here.', {
      where: path,
      next: 'Choose another place.',
      cause: error,
    })
  }
}

/**
 * Writes a file whole or not at all. `write` is given the path of a file beside it, which is synced and then renamed.
 * Answers with what `write` answered.
 */
export function writeBeside<T>(path: string, write: (beside: string) => T): T {
  if (existsSync(path) && statSync(path).isDirectory())
    throw new Failure('BadFile', 'This is a folder; a file was to be written.', {
      where: path,
      next: 'Add a file name to the path.',
    })
  makeFolder(dirname(path))
  const beside = `${path}.${process.pid}.part`
  try {
    const answer = write(beside)
    sync(beside)
    renameSync(beside, path)
    sync(dirname(path))
    return answer
  } catch (error) {
    rmSync(beside, { force: true, recursive: true })
    throw error
  }
}

export const writeText = (path: string, text: string): void =>
  writeBeside(path, (beside) => writeFileSync(beside, text))
/** Windows cannot open a folder to sync it; there a rename is durable by itself. */
function sync(path: string): void {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if (process.platform === 'win32') return
    throw error
  }
  try {
    fsyncSync(file)
  } catch (error) {
    if (process.platform !== 'win32') throw error
  } finally {
    closeSync(file)
  }
}
