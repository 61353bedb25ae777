// The third shell: `temper VERB ...`, for scripts, servers and tests. Exit 0 done; 1 the input or the request was wrong,
// with {"error": {kind, message, where, next}}; 2 a fault of ours.
import { Failure, toWire } from '../../contract/errors.ts'
import { endTidily, openTerminal, type Terminal } from './terminal.ts'

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

/** Takes --json and --home out, wherever they stand. Everything after “--” is left alone. */
function common(argv: string[]): { json: boolean; home: string | undefined; noHome: boolean; rest: string[] } {
  const found = { json: false, home: undefined as string | undefined, noHome: false, rest: [] as string[] }
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') return { ...found, rest: [...found.rest, ...argv.slice(i)] }
    if (word === '--json') found.json = true
    else if (word === '--home') found.home = argv[i + 1]?.startsWith('--') ? undefined : argv[++i]
    else if (word.startsWith('--home=')) found.home = word.slice('--home='.length)
    else found.rest.push(word)
    if (word.startsWith('--home') && !found.home) found.noHome = true
  }
  return found
}

async function main(argv: string[]): Promise<number> {
  const { json, home, noHome, rest } = common(argv)
  const [name, ...args] = rest
  const terminal = openTerminal({ json, home })
  const ending = endTidily(terminal)
  try {
    if (noHome)
      throw new Failure('BadOption', '“--home” needs a folder.', { where: '--home', next: 'Write --home DIR.' })
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      terminal.result({ usage: Object.values(verbs).map(({ usage, says }) => ({ usage, says })) }, help)
      return 0
    }
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
    if (!verb)
      throw new Failure('NotFound', `There is no command “${name}”.`, {
        where: name,
        next: `Commands: ${Object.keys(verbs).join(', ')}.`,
      })
    if (args.includes('--help') || args.includes('-h')) {
      terminal.result({ usage: verb.usage, says: verb.says }, () => `temper ${verb.usage}\n${verb.says}`)
      return 0
    }
    const command = await verb.load()
    await command(args, terminal)
    return Number(process.exitCode ?? 0)
  } catch (thrown) {
    if (ending()) return await new Promise<never>(() => {})
    const failure = toWire(thrown)
    if (json) process.stdout.write(JSON.stringify({ error: failure }) + '\n')
    else process.stderr.write([failure.message, failure.where, failure.next].filter(Boolean).join('\n') + '\n')
    if (failure.kind === 'Bug' && thrown instanceof Error) process.stderr.write((thrown.stack ?? '') + '\n')
    return failure.kind === 'Bug' ? 2 : 1
  } finally {
    await terminal.close().catch(() => {})
  }
}

let ended = false
process.once('beforeExit', () => {
  if (ended) return
  process.stderr.write('Temper ended before its work did. This is a fault in Temper; please report it.\n')
  process.exitCode = 2
})
void main(process.argv.slice(2)).then((code) => {
  ended = true
  process.exitCode = code
})
