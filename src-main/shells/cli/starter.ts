// `npm run starter`: makes the starter model and its sample data from one seed, and writes them into resources/starter.
// `--data` writes the sample data alone, which takes a second.
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { argv, exit, stdout } from 'node:process'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Failure, toWire } from '../../contract/errors.ts'
import type { BackendName } from '../../engine/backend.ts'
import { openBackend } from '../../engine/backends/choose.ts'
import { writeModelFolder } from '../../models/files/folder.ts'
import { writeText } from '../../store/files.ts'
import { starterCard } from '../../world/card.ts'
import { sampleFiles, sampleLine } from '../../world/datasets.ts'
import { makeWorld, starterSeed } from '../../world/people.ts'
import {
  chatTemplate,
  generationConfig,
  makeStarter,
  tokenizerConfig,
  type Starter,
  type StarterProgress,
} from '../../world/starter.ts'

export interface StarterRun {
  /** Of the world, its text, the start weights and the order of training. */
  seed: number
  /** Folder for model/ and data/. */
  out: string
  backend: 'auto' | BackendName
  threads: number | undefined
  /** Tokens to train on. */
  tokens: number
  /** Share of the richly told facts that must be known, or nothing is written. */
  leastRecallRatio: number
  say: (line: string) => void
}

/** Makes and writes the model's folder. Throws a Failure, with nothing written, when the model knows too little. */
export async function writeStarter(run: StarterRun): Promise<Starter> {
  const backend = await openBackend(run.backend, run.threads === undefined ? {} : { threads: run.threads })
  try {
    const began = performance.now()
    run.say(`Backend ${backend.name} (${backend.summary}).`)
    const { seed, tokens, leastRecallRatio } = run
    const making = makeStarter({ seed, tokens, backend, leastRecallRatio, measureEvery: 400 })
    let next = await making.next()
    for (; next.done !== true; next = await making.next())
      report(next.value, (performance.now() - began) / 1000, run.say)
    const starter = next.value

    const minutes = (performance.now() - began) / 60_000
    const folder = join(run.out, 'model')
    const { config, weights, tokenizer } = starter
    const files = { tokenizer, tokenizerConfig: tokenizerConfig(), generationConfig, template: chatTemplate }
    const card = starterCard(starter, { backend: `${backend.name}, ${backend.summary}`, minutes })
    rmSync(folder, { recursive: true, force: true })
    writeModelFolder(folder, { config, weights, files, card })
    run.say(`Written to ${folder} after ${minutes.toFixed(1)} minutes.`)
    return starter
  } finally {
    backend.close()
  }
}

/** Writes the sample data sets of the world of this seed. */
export function writeSamples({ seed, out, say }: Pick<StarterRun, 'seed' | 'out' | 'say'>): void {
  const files = sampleFiles(makeWorld({ seed }), seed)
  for (const { name, examples } of files)
    writeText(join(out, 'data', `${name}.jsonl`), examples.map((example) => `${sampleLine(example)}\n`).join(''))
  const lines = files.map((file) => `- \`${file.name}.jsonl\`, ${file.examples.length} rows. ${file.about}`)
  writeText(
    join(out, 'data', 'README.md'),
    `# Sample data\n\nMade by \`npm run starter -- --data --seed ${seed}\`. One JSON object a line, in OpenAI's and TRL's conversational forms.\n\n${lines.join('\n')}\n`,
  )
  say(`${files.length} sample data sets written to ${join(out, 'data')}.`)
}

function report(progress: StarterProgress, seconds: number, say: (line: string) => void): void {
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)}%`
  switch (progress.stage) {
    case 'text':
      return say(
        `${progress.documents} documents, ${progress.bytes} bytes, ${progress.tokens} tokens; vocabulary ${progress.vocabularySize}, ${progress.parameters} parameters.`,
      )
    case 'training':
      if (progress.step % 100 !== 0) return
      return say(
        `step ${progress.step} of ${progress.steps}: loss ${progress.loss.toFixed(3)}, ${(progress.tokens / 1e6).toFixed(2)} M tokens, ${seconds.toFixed(0)} s`,
      )
    case 'held-out':
      return say(
        `  held-out after step ${progress.step}: ${progress.score.bitsPerByte.toFixed(4)} bits per byte, perplexity ${progress.score.perplexity.toFixed(3)}`,
      )
    case 'recall': {
      const { rich, once } = progress
      const facts = Object.entries(rich.byFact).map(([fact, ratio]) => `${fact} ${percent(ratio)}`)
      return say(
        `Facts known: ${percent(rich.recallRatio)} of the richly told (${facts.join(', ')}), ${percent(once.recallRatio)} of those told once.`,
      )
    }
  }
}

const help = `npm run starter -- [options]
  --seed N        of world, text, start and order (default ${starterSeed})
  --tokens N      tokens to train on (default 6000000)
  --backend NAME  auto, native, wasm or reference (default auto)
  --threads N     of the native backend (default: all)
  --recall R      share of facts that must be known before anything is written (default 0.99)
  --out DIR       default resources/starter
  --data          only the sample data`

/** Runs the command; the exit code says how it went: 0 done, 1 wrong input or too little learned, 2 our bug. */
export async function main(args: string[]): Promise<number> {
  try {
    const { values } = read(args)
    if (values.help) return (stdout.write(`${help}\n`), 0)
    const number = (name: 'seed' | 'tokens' | 'threads' | 'recall', least: number, fallback: number): number => {
      const value = values[name] === undefined ? fallback : Number(values[name])
      if (value >= least) return value
      throw new Failure(
        'BadOption',
        `The option --${name} must be a number of at least ${least}, not “${values[name]}”.`,
        {
          where: `--${name}`,
          next: 'See npm run starter -- --help.',
        },
      )
    }
    const run: StarterRun = {
      seed: number('seed', 0, starterSeed),
      out: resolve(values.out ?? join(import.meta.dirname, '../../../resources/starter')),
      backend: (values.backend ?? 'auto') as 'auto' | BackendName,
      threads: values.threads === undefined ? undefined : number('threads', 1, 1),
      tokens: number('tokens', 1, 6_000_000),
      leastRecallRatio: number('recall', 0, 0.99),
      say: (line) => stdout.write(`${line}\n`),
    }
    if (!values.data) await writeStarter(run)
    writeSamples(run)
    return 0
  } catch (error) {
    const { kind, message, next } = toWire(error)
    process.stderr.write(`${message}${next === undefined ? '' : ` ${next}`}\n`)
    return kind === 'Bug' ? 2 : 1
  }
}

function read(args: string[]) {
  try {
    const text = { type: 'string' } as const
    const flag = { type: 'boolean' } as const
    return parseArgs({
      args,
      options: {
        seed: text,
        tokens: text,
        backend: text,
        threads: text,
        recall: text,
        out: text,
        data: flag,
        help: flag,
      },
    })
  } catch (error) {
    throw new Failure('BadOption', `${(error as Error).message}.`, {
      next: 'See npm run starter -- --help.',
      cause: error,
    })
  }
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) exit(await main(argv.slice(2)))
