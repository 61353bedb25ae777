// The compiled kernels as WebAssembly, for machines where no addon fits: the same C (engine/kernels/wasm.c), with relaxed
// SIMD, on one thread and at most 4 GB. Left out for now: threads.
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { Failure } from '../../contract/errors.ts'
import type { Backend } from '../backend.ts'
import { createCompiled } from './compiled.ts'
import { findKernelFile } from './kernel-files.ts'

interface Door {
  memory: WebAssembly.Memory
  arguments(): number
  names(): number
  allocate(bytes: number): number
  release(address: number, bytes: number): void
  call(kernel: number): number
}

/**
 * The WebAssembly backend. `instead`: why it serves and not the native one, for its summary. Throws NotFound when its
 * file is missing, BadFile when this Node cannot run it.
 */
export function createWasm({ instead }: { instead?: string } = {}): Backend {
  const path = 'resources/kernels/temper.wasm'
  const file = findKernelFile(path)
  if (file === null)
    throw new Failure('NotFound', 'The WebAssembly kernels are missing.', {
      where: path,
      next: 'Install Temper again.',
    })
  const bytes = readFileSync(file)
  // Node 20 has relaxed SIMD, but behind a flag; since Node 22 it is simply there.
  if (!WebAssembly.validate(bytes)) setFlagsFromString('--experimental-wasm-relaxed-simd')
  let door: Door
  try {
    door = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Door
  } catch (cause) {
    throw new Failure('BadFile', `This Node (${process.version}) cannot run the WebAssembly kernels.`, {
      where: file,
      next: 'Use Node 22 or later on a machine with vector instructions.',
      cause,
    })
  }

  // Each growth of the memory leaves the old views empty.
  let views = { buffer: door.memory.buffer, f32: new Float32Array(0), i32: new Int32Array(0), f64: new Float64Array(0) }
  const look = (): typeof views => {
    const { buffer } = door.memory
    if (views.f32.length === 0 || views.buffer !== buffer)
      views = { buffer, f32: new Float32Array(buffer), i32: new Int32Array(buffer), f64: new Float64Array(buffer) }
    return views
  }
  const argumentsAt = door.arguments() / 8
  const text = Buffer.from(door.memory.buffer, door.names() >>> 0)
  const kernels = text.toString('latin1', 0, text.indexOf(0))

  return createCompiled(
    {
      kernels,
      allocate: (bytes) => door.allocate(bytes) >>> 0,
      release: (address, bytes) => door.release(address, bytes),
      write(address, data) {
        if (data instanceof Float32Array) look().f32.set(data, address / 4)
        else look().i32.set(data, address / 4)
      },
      read(address, into) {
        const { f32, i32 } = look()
        if (into instanceof Float32Array) into.set(f32.subarray(address / 4, address / 4 + into.length))
        else into.set(i32.subarray(address / 4, address / 4 + into.length))
      },
      call(kernel, args) {
        look().f64.set(args, argumentsAt)
        return door.call(kernel)
      },
      close: () => {}, // the memory goes with the instance
    },
    {
      name: 'wasm',
      threads: 1,
      summary: `WebAssembly with relaxed SIMD, 1 thread${instead === undefined ? '' : ` (${instead})`}`,
    },
  )
}
