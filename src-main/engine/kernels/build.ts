// Compiles the kernels: the addon for this machine (when it has a C compiler) and, for maintainers, the committed
// WebAssembly file. Run by npm after an install; nothing fails when there is no compiler, since wasm serves then.
//   node src-main/engine/kernels/build.ts                the addon, into build/kernels/
//   node src-main/engine/kernels/build.ts --wasm         resources/kernels/temper.wasm, with clang-16 and wasm-ld-16
//   node src-main/engine/kernels/build.ts --check-wasm   does the committed file come from these sources?
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const here = import.meta.dirname
const root = resolve(here, '../../..')
const wasmFile = join(root, 'resources/kernels/temper.wasm')

// No -ffast-math: sums keep their order and NaN stays NaN. Fused multiply-adds are wanted.
const always = ['-O3', '-std=gnu11', '-ffp-contract=fast', '-fno-math-errno', '-fno-trapping-math', '-Wall', '-Wextra']

/** The builds of kernels.c that go into one addon; native.c chooses when it is loaded. */
const levels: Record<string, string[]> =
  process.arch === 'x64'
    ? {
        plain: [],
        avx2: ['-mavx2', '-mfma'],
        avx512: ['-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mfma', '-mprefer-vector-width=512'],
      }
    : { plain: [] }

const run = (command: string, args: string[]): Promise<void> =>
  new Promise((done, fail) => {
    execFile(command, args, { cwd: here }, (error, _out, errors) =>
      error ? fail(new Error(errors.trim() || error.message)) : done(),
    )
  })

/** The first compiler that answers, or null. */
async function findCompiler(): Promise<string | null> {
  for (const name of [process.env['CC'], 'cc', 'gcc', 'clang'].filter((n) => n !== undefined && n !== ''))
    if (
      await run(name!, ['--version']).then(
        () => true,
        () => false,
      )
    )
      return name!
  return null
}

/** Of every source, this file among them: what the addon was made from. */
function sourceHash(extra: string): string {
  const hash = createHash('sha256').update(extra)
  for (const name of readdirSync(here).sort()) hash.update(name).update(readFileSync(join(here, name)))
  return hash.digest('hex')
}

export interface Built {
  outcome: 'built' | 'up to date' | 'no compiler' | 'failed'
  /** One line for a person. */
  message: string
  file: string
}

/**
 * Compiles the addon into build/kernels/temper-<platform>-<arch>.node unless it is up to date. Never throws: where it
 * cannot be compiled, the outcome and the message say so, and the wasm backend serves.
 */
export async function buildNative({ quiet = false }: { quiet?: boolean } = {}): Promise<Built> {
  const folder = join(root, 'build/kernels')
  const file = join(folder, `temper-${process.platform}-${process.arch}.node`)
  const say = (outcome: Built['outcome'], message: string): Built => {
    if (!quiet) console.log(message)
    return { outcome, message, file }
  }
  const instead = 'Temper uses its WebAssembly kernels instead, at about half the speed.'
  if (process.platform === 'win32')
    return say('no compiler', `No native kernels: they are not built for Windows yet. ${instead}`)
  const compiler = await findCompiler()
  if (compiler === null)
    return say('no compiler', `No native kernels: there is no C compiler (cc, gcc or clang) here. ${instead}`)

  const hash = sourceHash(compiler + process.platform + process.arch)
  try {
    if (readFileSync(`${file}.hash`, 'utf8') === hash && readFileSync(file).length > 0)
      return say('up to date', 'Native kernels: up to date.')
  } catch {
    // not built yet
  }
  const startMs = performance.now()
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, 'work-'))
  try {
    const require = createRequire(import.meta.url)
    const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include')
    const flags = [...always, '-fPIC', '-fvisibility=hidden', '-pthread', '-I', headers]
    const objects = await Promise.all([
      ...Object.entries(levels).map(async ([level, own]) => {
        const object = join(work, `${level}.o`)
        await run(compiler, [...flags, '-Wno-psabi', ...own, `-DLEVEL=${level}`, '-c', 'kernels.c', '-o', object])
        return object
      }),
      ...['native', 'threads'].map(async (name) => {
        const object = join(work, `${name}.o`)
        await run(compiler, [...flags, '-c', `${name}.c`, '-o', object])
        return object
      }),
    ])
    const made = join(work, 'temper.node')
    const undefinedLater = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
    await run(compiler, ['-shared', '-pthread', ...undefinedLater, ...objects, '-o', made])
    renameSync(made, file) // at once, so that a running Temper keeps the file that it has
    writeFileSync(`${file}.hash`, hash)
  } catch (error) {
    return say(
      'failed',
      `No native kernels: ${compiler} could not compile them. ${instead}\n${(error as Error).message}`,
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  return say('built', `Native kernels: compiled with ${compiler} in ${seconds} s.`)
}

/** Compiles the WebAssembly file; the same sources and compiler give the same bytes. Throws when clang-16 is missing. */
export async function buildWasm(file: string): Promise<void> {
  mkdirSync(dirname(file), { recursive: true })
  const target = ['--target=wasm32', '-nostdlib', '-ffreestanding', '-msimd128', '-mrelaxed-simd', '-mbulk-memory']
  const linker = ['--no-entry', '--strip-all', '-z', 'stack-size=65536', '--max-memory=4294967296']
  await run('clang-16', [
    ...always,
    ...target,
    '-DLEVEL=wasm',
    ...linker.map((flag) => `-Wl,${flag}`),
    'kernels.c',
    'wasm.c',
    '-o',
    file,
  ])
}

async function main(): Promise<void> {
  if (process.argv.includes('--wasm')) {
    await buildWasm(wasmFile)
    console.log(`Wrote ${wasmFile}.`)
  } else if (process.argv.includes('--check-wasm')) {
    const folder = mkdtempSync(join(tmpdir(), 'temper-wasm-'))
    await buildWasm(join(folder, 'temper.wasm'))
    const same = readFileSync(join(folder, 'temper.wasm')).equals(readFileSync(wasmFile))
    rmSync(folder, { recursive: true })
    console.log(same ? 'temper.wasm comes from these sources.' : 'temper.wasm is stale: run build.ts --wasm, commit.')
    if (!same) process.exitCode = 1
  } else await buildNative()
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
