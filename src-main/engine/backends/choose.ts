// Which backend computes: the one that was asked for, or the fastest that runs here.
import { Failure, toWire } from '../../contract/errors.ts'
import type { Backend, BackendName } from '../backend.ts'
import { createNative } from './native.ts'
import { createReference } from './reference.ts'
import { createWasm } from './wasm.ts'

export interface BackendOptions {
  /** Of the native backend; all of the machine's unless told. */
  threads?: number
}

const notBuilt = (name: string, device: string): never => {
  throw new Failure('BadOption', `The ${name} backend (${device}) is not built yet in this version of Temper.`, {
    where: 'backend',
    next: 'Use native or wasm; both run on any CPU.',
  })
}
const open: Record<BackendName, (options: BackendOptions) => Backend> = {
  native: ({ threads }) => createNative(threads === undefined ? {} : { threads }),
  wasm: () => createWasm(),
  reference: () => createReference(),
  tensorflow: () => notBuilt('tensorflow', 'CUDA cards'),
  webgpu: () => notBuilt('webgpu', 'any GPU'),
}

/** Opens a backend by name; 'auto' is native, or wasm where native cannot run. Throws a Failure with what to do next. */
export async function openBackend(name: 'auto' | BackendName, options: BackendOptions = {}): Promise<Backend> {
  if (name !== 'auto') {
    if (!Object.hasOwn(open, name))
      throw new Failure('BadOption', `There is no backend “${String(name)}”.`, {
        where: 'backend',
        next: `Choose auto, ${Object.keys(open).join(', ')}.`,
      })
    return open[name](options)
  }
  try {
    return open.native(options)
  } catch (error) {
    return createWasm({ instead: toWire(error).message })
  }
}

/** Which backends can run here, and for each that cannot, why and what to do. Opens each one and adds two numbers on it. */
export async function probeBackends(): Promise<{ name: BackendName; ok: boolean; why: string; next: string }[]> {
  const found = []
  for (const name of Object.keys(open) as BackendName[])
    try {
      const backend = await openBackend(name, { threads: 1 })
      const t = backend.alloc([1])
      backend.fill(t, 1)
      backend.add(t, t, 1)
      const [sum] = await backend.read(t)
      const why = sum === 2 ? `It works: ${backend.summary.replace(', 1 thread', '')}.` : `It computed 1 + 1 = ${sum}.`
      backend.close()
      found.push({ name, ok: sum === 2, why, next: sum === 2 ? '' : 'Please report this, with the kind of your CPU.' })
    } catch (error) {
      const { message, next = '' } = toWire(error)
      found.push({ name, ok: false, why: message, next })
    }
  return found
}

const usable = new Set<string>()

/** Throws what `openBackend` would throw for this name; what could be opened once is not tried again. */
export async function checkBackend(name: string): Promise<void> {
  if (name === 'auto' || usable.has(name)) return
  const backend = await openBackend(name as BackendName, { threads: 1 })
  backend.close()
  usable.add(name)
}
