// temper bench train: a training step beside PyTorch's, stepped in turn in the same minute on the same machine, so that
// a noisy neighbour slows both. Medians; each row is a ratio against a named peer; a peer that is missing is named.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Failure } from '../../contract/errors.ts'
import { read, refuseProblems, table, whole, type Terminal } from './terminal.ts'

const usage =
  'bench train [--backend native|wasm]... [--tune full|lora]... [--steps N] [--threads N] [--python PATH] [--compile]'

interface Racer {
  name: string
  version: string
  ms: number[]
  peakBytes: number
  step(): Promise<void>
  end(): Promise<void>
}

interface BenchRow {
  work: string
  backend: string
  unit: string
  ours: number
  peer: string
  peerValue: number | null
  ratio: number | null
  spread: string
}

export async function bench(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = read(
    args,
    {
      backend: { type: 'string', multiple: true },
      tune: { type: 'string', multiple: true },
      steps: { type: 'string' },
      threads: { type: 'string' },
      python: { type: 'string' },
      compile: { type: 'boolean' },
    },
    usage,
    1,
  )
  if (positionals[0] !== 'train')
    throw new Failure('BadOption', `bench does not know “${positionals[0] ?? ''}” yet.`, {
      next: `Usage: temper ${usage}`,
    })
  const steps = whole(values.steps, '--steps') ?? 9
  const [backends, tunes] = [values.backend ?? ['native', 'wasm'], values.tune ?? ['full', 'lora']]
  const strangers = (name: string, given: string[], known: string[]) =>
    given
      .filter((one) => !known.includes(one))
      .map((one) => ({ where: name, message: `${name} must be one of ${known.join(', ')}, not “${one}”.` }))
  refuseProblems(
    [
      ...strangers('--backend', backends, ['native', 'wasm', 'reference']),
      ...strangers('--tune', tunes, ['full', 'lora']),
      ...(steps < 1 ? [{ where: '--steps', message: '--steps must be at least 1.' }] : []),
    ],
    `Usage: temper ${usage}`,
  )
  const threads = whole(values.threads, '--threads') ?? availableParallelism()
  const rows: BenchRow[] = []
  for (const tune of tunes) {
    const ours = await Promise.all(backends.map((b) => startOurs(b, tune, threads)))
    const peers = [await startPeer(values.python, tune, threads, false)]
    if (values.compile) peers.push(await startPeer(values.python, tune, threads, true))
    const racers = [...ours, ...peers.filter((p) => typeof p !== 'string')]
    // The first steps pay for memory, caches and compilation: two of them are not counted.
    for (let i = 0; i < steps + 2; i++) {
      for (const racer of racers) await racer.step()
      terminal.progress(`${tune}: step ${i + 1} of ${steps + 2} of ${racers.map((r) => r.name).join(', ')}`)
      if (i === 1) racers.forEach((r) => (r.ms = []))
    }
    for (const racer of racers) await racer.end()
    for (const racer of ours)
      for (const peer of peers) {
        const missing = typeof peer === 'string'
        const work = `train 9M ${tune}, 8 x 256 tokens, ${threads} threads`
        const rate = (r: Racer): number => (2048 / median(r.ms)) * 1000
        const named = missing ? peer : `${peer.version} ${peer.name}`
        rows.push({
          ...{ work, backend: `${racer.name} (${racer.version})`, unit: 'tokens/s', ours: round(rate(racer)) },
          ...{ peer: named, peerValue: missing ? null : round(rate(peer)) },
          ratio: missing ? null : round(rate(racer) / rate(peer), 3),
          spread: `${spread(racer.ms)} ms` + (missing ? '' : ` against ${spread(peer.ms)} ms`),
        })
        rows.push({
          ...{
            work: `${work}, peak memory of the process`,
            backend: racer.name,
            unit: 'MB',
            ours: round(racer.peakBytes / 1e6),
          },
          ...{ peer: named, peerValue: missing ? null : round(peer.peakBytes / 1e6) },
          ...{ ratio: missing ? null : round(racer.peakBytes / peer.peakBytes, 3), spread: '' },
        })
      }
  }
  terminal.result(rows, () =>
    table(
      ['work', 'backend', 'unit', 'ours', 'peer', 'theirs', 'ratio', 'min-median-max'],
      rows.map((r) => [r.work, r.backend, r.unit, r.ours, r.peer, r.peerValue ?? 'missing', r.ratio ?? '', r.spread]),
    ),
  )
}

/** A child that answers "step" with {ms} and "end" with {peakBytes, version}. */
function race(name: string, child: ChildProcessWithoutNullStreams): Racer {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const ask = async (word: string): Promise<Record<string, unknown>> => {
    child.stdin.write(word + '\n')
    const line = await lines.next()
    if (line.done)
      throw new Failure('Bug', `${name} ended early: ${errors.trim().split('\n').at(-1) ?? ''}`, { where: name })
    return JSON.parse(line.value) as Record<string, unknown>
  }
  const racer: Racer = {
    ...{ name, version: '', ms: [], peakBytes: 0 },
    step: async () => void racer.ms.push((await ask('step'))['ms'] as number),
    end: async () => {
      const said = await ask('end')
      racer.peakBytes = said['peakBytes'] as number
      racer.version = said['version'] as string
      child.stdin.end()
    },
  }
  return racer
}

async function startOurs(backend: string, tune: string, threads: number): Promise<Racer> {
  const beside = join(import.meta.dirname, import.meta.url.endsWith('.ts') ? 'bench-step.ts' : 'bench-step.js')
  const args = [beside, '--backend', backend, '--tune', tune, '--threads', String(threads)]
  return race(backend, spawn(process.execPath, args, { stdio: 'pipe' }))
}

/** PyTorch, or why it is missing. */
async function startPeer(
  python: string | undefined,
  tune: string,
  threads: number,
  compile: boolean,
): Promise<Racer | string> {
  const script = join(import.meta.dirname, '../../../tests/bench/peer-torch.py')
  const name = compile ? 'torch.compile' : 'eager'
  if (!existsSync(script)) return `PyTorch ${name}: only in a checkout of the sources`
  const program = python ?? process.env['TEMPER_PYTHON'] ?? 'python3'
  const has = await new Promise<boolean>((done) => {
    const asked = spawn(program, ['-c', 'import torch'], { stdio: 'ignore' })
    asked.on('error', () => done(false))
    asked.on('exit', (code) => done(code === 0))
  })
  if (!has) return `PyTorch ${name}: not found by ${program}; give --python`
  const args = [script, '--tune', tune, '--threads', String(threads), ...(compile ? ['--compile'] : [])]
  return race(name, spawn(program, args, { stdio: 'pipe', env: { ...process.env, OMP_NUM_THREADS: String(threads) } }))
}

const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b)
const median = (numbers: number[]): number => sorted(numbers)[numbers.length >> 1]!
const round = (x: number, digits = 0): number => Number(x.toFixed(digits))
const spread = (ms: number[]): string =>
  [sorted(ms)[0]!, median(ms), sorted(ms).at(-1)!].map((m) => Math.round(m)).join('-')
