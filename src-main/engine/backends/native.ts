// The default engine on a CPU: the compiled kernels as a Node-API addon (engine/kernels/native.c). It takes the best
// instructions that the machine has when it is loaded, and as many threads as it is given.
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { Failure } from '../../contract/errors.ts'
import type { Backend } from '../backend.ts'
import { createCompiled } from './compiled.ts'
import { findKernelFile } from './kernel-files.ts'

/** An engine of the addon: opaque here. */
type Engine = object
interface Addon {
  open(threads: number, level: string): Engine | null
  describe(engine: Engine): string
  allocate(engine: Engine, bytes: number): number
  release(engine: Engine, address: number, bytes: number): void
  write(engine: Engine, address: number, data: Float32Array | Int32Array): void
  read(engine: Engine, address: number, into: Float32Array | Int32Array): void
  call(engine: Engine, kernel: number, args: Float64Array): number
  close(engine: Engine): void
}

export type Level = 'plain' | 'avx2' | 'avx512'
const levelNames: Record<string, string> = { avx512: 'AVX-512', avx2: 'AVX2' }
const plainName = process.arch === 'arm64' ? 'NEON' : process.arch === 'x64' ? 'SSE2' : 'plain C'

function loadAddon(): Addon {
  const path = `build/kernels/temper-${process.platform}-${process.arch}.node`
  const file = findKernelFile(path)
  if (file === null)
    throw new Failure('NotFound', 'The native kernels are not compiled on this machine.', {
      where: path,
      next: 'Install a C compiler (gcc or clang), then run `npm run kernels`. Until then WebAssembly serves.',
    })
  try {
    return createRequire(import.meta.url)(file) as Addon
  } catch (cause) {
    throw new Failure('BadFile', `The native kernels cannot be loaded: ${(cause as Error).message}`, {
      where: file,
      next: 'Delete the file, then run `npm run kernels` to compile it for this machine.',
      cause,
    })
  }
}

/**
 * The native backend with `threads` threads (all of the machine's, unless told). `level` holds it to older instructions,
 * for tests and measurements. Throws NotFound or BadFile when the addon is missing or will not load.
 */
export function createNative({
  threads = availableParallelism(),
  level,
}: { threads?: number; level?: Level } = {}): Backend {
  const addon = loadAddon()
  const count = Math.max(1, Math.min(64, Math.floor(threads)))
  const engine = addon.open(count, level ?? '')
  if (engine === null)
    throw new Failure(
      'NotFound',
      `The native kernels cannot start ${count} threads${level ? ` with ${level}` : ''} here.`,
      {
        where: 'native backend',
        next: 'Use fewer threads, or the wasm backend.',
      },
    )
  const [built, ...kernels] = addon.describe(engine).split(' ')
  return createCompiled(
    {
      kernels: kernels.join(' '),
      allocate: (bytes) => addon.allocate(engine, bytes),
      release: (address, bytes) => addon.release(engine, address, bytes),
      write: (address, data) => addon.write(engine, address, data),
      read: (address, into) => addon.read(engine, address, into),
      call: (kernel, args) => addon.call(engine, kernel, args),
      close: () => addon.close(engine),
    },
    {
      name: 'native',
      threads: count,
      summary: `${levelNames[built!] ?? plainName}, ${count} thread${count === 1 ? '' : 's'}`,
    },
  )
}
