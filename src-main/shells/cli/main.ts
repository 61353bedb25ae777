// The third shell: `temper VERB ...`, for scripts, servers and tests. Exit 0 done; 1 the input or the request was wrong,
// with {"error": {kind, message, where, next}}; 2 a fault of ours.
import { toWire } from '../../contract/errors.ts'
import { Failure } from '../../contract/errors.ts'
import { openTerminal, type Terminal } from './terminal.ts'

type Verb = { usage: string; says: string; load: () => Promise<(args: string[], terminal: Terminal) => Promise<void>> }

const verbs: Record<string, Verb> = {
  models: {
    usage: 'models add PATH [--name N] | list | show ID | remove ID',
    says: 'models to start from: folders in Hugging Face form',
    load: async () => (await import('./models.ts')).models,
  },
  data: {
    usage:
      'data import FILE... [--name N] [--as KIND] | list | show ID [--rows A-B] [--tokens --model ID] | export ID --format F --out FILE',
    says: 'data sets: import, look at rows and tokens, export',
    load: async () => (await import('./data.ts')).data,
  },
  train: {
    usage:
      'train --method sft|dpo --model ID --data ID [--tune lora|full] [--backend B] [--steps N] [--seed N] [--set option=value]... [--plan]',
    says: 'fine-tune; --plan shows memory, time and options and trains nothing',
    load: async () => (await import('./train.ts')).train,
  },
  runs: {
    usage: 'runs list | show ID | stop ID | resume ID | remove ID',
    says: 'past and present trainings',
    load: async () => (await import('./train.ts')).runs,
  },
  chat: {
    usage: 'chat --model ID | --checkpoint ID, --prompt TEXT [--system TEXT] [--set temperature=0]...',
    says: 'one answer',
    load: async () => (await import('./chat.ts')).chat,
  },
  logprobs: {
    usage: 'logprobs --model ID | --checkpoint ID, --file F.jsonl [--backend B]',
    says: 'the log-probability of every token of each row',
    load: async () => (await import('./chat.ts')).logprobs,
  },
  eval: {
    usage: 'eval perplexity --model ID | --checkpoint ID, --data ID',
    says: 'how well a model predicts held-out text',
    load: async () => (await import('./chat.ts')).evaluate,
  },
  label: {
    usage:
      'label list | make --data ID --answerers ID[,ID] [--count N] | import --data ID | next --set ID | judge PAIR VERDICT [--reason R]... | undo --set ID | dataset --set ID | export --set ID --out FILE',
    says: 'judge pairs of answers',
    load: async () => (await import('./label.ts')).label,
  },
  export: {
    usage: 'export --checkpoint ID --format adapter|merged --out DIR',
    says: 'a checkpoint as files for other programs; every export is reloaded and compared',
    load: async () => (await import('./train.ts')).exportCheckpoint,
  },
  serve: {
    usage: 'serve [--port N] [--open]',
    says: 'the window in a browser, on this machine only',
    load: async () => (await import('./serve.ts')).serve,
  },
  bench: {
    usage: 'bench train [--backend B] [--tune lora|full] [--steps N] [--python PATH]',
    says: 'speed and memory beside PyTorch in the same run',
    load: async () => (await import('./bench.ts')).bench,
  },
  doctor: {
    usage: 'doctor',
    says: 'what can run here, and what to do where it cannot',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  demo: {
    usage: 'demo [--seed N] [--backend B]',
    says: 'the whole circle on the starter model: SFT, DPO, answers before and after',
    load: async () => (await import('./demo.ts')).demo,
  },
}

function help(): string {
  const lines = Object.values(verbs).map((v) => `  ${v.usage}\n      ${v.says}`)
  return `temper [--home DIR] [--json] VERB ...\n\n${lines.join('\n')}\n\n--home DIR chooses the library folder; --json prints JSON only.`
}

async function main(argv: string[]): Promise<number> {
  const json = argv.includes('--json')
  const homeAt = argv.indexOf('--home')
  const home = homeAt >= 0 ? argv[homeAt + 1] : undefined
  const rest = argv.filter((word, i) => word !== '--json' && !(homeAt >= 0 && (i === homeAt || i === homeAt + 1)))
  const [name, ...args] = rest
  const terminal = openTerminal({ json, home })
  try {
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      process.stdout.write(help() + '\n')
      return 0
    }
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
    if (!verb)
      throw new Failure('NotFound', `There is no command “${name}”.`, {
        next: `Commands: ${Object.keys(verbs).join(', ')}.`,
      })
    if (args.includes('--help') || args.includes('-h')) {
      process.stdout.write(`temper ${verb.usage}\n${verb.says}\n`)
      return 0
    }
    await (
      await verb.load()
    )(args, terminal)
    return 0
  } catch (thrown) {
    const failure = toWire(thrown)
    if (json) process.stdout.write(JSON.stringify({ error: failure }) + '\n')
    else process.stderr.write([failure.message, failure.where, failure.next].filter(Boolean).join('\n') + '\n')
    if (failure.kind === 'Bug' && thrown instanceof Error) process.stderr.write((thrown.stack ?? '') + '\n')
    return failure.kind === 'Bug' ? 2 : 1
  } finally {
    await terminal.close().catch(() => {})
  }
}

process.exitCode = await main(process.argv.slice(2))
