// An in-memory core for tests of the window only: a handful of generated records behind the contract's Bridge. Never shipped.
import type { Bridge, CommandName, Input, Output, TokenRow } from '../../src-main/contract/commands.ts'
import { Failure, toWire } from '../../src-main/contract/errors.ts'
import type { EventName, Events } from '../../src-main/contract/events.ts'
import type { Dataset, Metric, Model, Row, Run } from '../../src-main/contract/records.ts'

type Answers = { [N in CommandName]?: (input: Input<N>) => Output<N> | Promise<Output<N>> }
const day = 86_400_000
const start = Date.now()

export const model: Model = {
  id: 'm1',
  name: 'Starter 1.5M',
  family: 'llama',
  path: '/library/models/starter',
  parameters: 1_450_000,
  bytes: 5_900_000,
  context: 512,
  vocabulary: 1280,
  width: 160,
  layers: 4,
  template: '{% for m in messages %}…{% endfor %}',
  builtIn: true,
  card: '# Starter\n\nMade from a generated text. **0.34** bits per byte held out.\n\n| fact | share |\n|---|---|\n| home | 99% |\n',
  createdAt: start - day,
}

export function dataset(id: string, name: string, rows: number): Dataset {
  return {
    id,
    name,
    kind: 'conversation',
    source: { file: `${name}.jsonl`, bytes: rows * 800, sha256: '0'.repeat(64) },
    mapping: {
      form: 'openai-messages',
      kind: 'conversation',
      parts: { messages: 'messages' },
      roles: { user: 'user', assistant: 'assistant' },
      asChat: true,
    },
    rows,
    heldOut: Math.round(rows * 0.05),
    refused: 31,
    bytes: rows * 300,
    createdAt: start - 720_000,
  }
}

const asked = [
  'Can I borrow without a card?',
  'Is the reading room quiet?',
  'Do you keep old newspapers?',
  'Can my class visit?',
]
const said = [
  'You can read here without one. To take a book home you need a card, which is free.',
  'It is a silent room until five; after five, groups may use the east side.',
  'Yes. Papers from 1911 to 1988 are on film in the basement; later ones are bound on the second floor.',
  'Yes, on Tuesday and Thursday mornings. Write to the desk two weeks before.',
]

/** Row `row` (from 1) of any dataset: the same at each call. */
export function rowAt(row: number): Row {
  const at = (row * 7) % asked.length
  return {
    row,
    line: row + Math.floor(row / 140),
    split: row % 20 === 0 ? 'held-out' : 'train',
    example: {
      kind: 'conversation',
      messages: [
        { role: 'user', content: `${asked[at]} (${row})` },
        { role: 'assistant', content: said[at]! },
      ],
    },
  }
}

/** Words as tokens, special ones around the turns; the answer is trained on. */
export function tokensOf(row: Row): TokenRow {
  const tokens: TokenRow['tokens'] = []
  const lossMask: (0 | 1)[] = []
  const push = (text: string, special: boolean, mask: 0 | 1): void => {
    tokens.push({ id: (text.length * 37 + tokens.length) % 1280, text, special })
    lossMask.push(mask)
  }
  push('<|bos|>', true, 0)
  for (const message of row.example.kind === 'conversation' ? row.example.messages : []) {
    push(`<|${message.role}|>`, true, 0)
    for (const word of message.content.match(/ ?[^ ]{1,6}/g) ?? [])
      push(word, false, message.role === 'assistant' ? 1 : 0)
    push('<|end|>', true, message.role === 'assistant' ? 1 : 0)
  }
  return { tokens, lossMask, truncated: false }
}

export function run(step: number, state: Run['state'] = 'training'): Run {
  return {
    id: 'r1',
    name: 'first-run',
    method: 'sft',
    tune: 'lora',
    backend: 'native',
    start: 'm1',
    model: 'm1',
    dataset: 'd1',
    seed: 0,
    options: {},
    state,
    step,
    steps: 1500,
    failure: null,
    createdAt: start - 60_000,
    startedAt: start - 60_000,
    endedAt: null,
    trainingMs: step * 300,
    lastLoss: 1.5 + 2 * Math.exp(-step / 500),
    bestHeldOut: step > 300 ? { step: 300, loss: 2.1 } : null,
  }
}

export function metrics(upTo: number): Metric[] {
  return Array.from({ length: Math.floor(upTo / 4) }, (_, i): Metric => {
    const step = (i + 1) * 4
    const value = 1.5 + 2 * Math.exp(-step / 500) + 0.12 * Math.sin(i * 1.7)
    return { step, name: 'train/loss', value, atMs: step * 300, tokens: step * 900 }
  })
}

export interface TestBridge extends Bridge {
  /** Says an event as the core would. */
  say<E extends EventName>(event: E, payload: Events[E]): void
  /** Names of the commands asked so far. */
  asked: CommandName[]
}

/** A bridge that answers from `answers`, or else from a small library. An unknown command is a NotFound. */
export function testBridge(answers: Answers = {}): TestBridge {
  const handlers = new Map<EventName, Set<(payload: never) => void>>()
  const known: Answers = { ...smallLibrary(), ...answers }
  const names: CommandName[] = []
  return {
    shell: 'web',
    asked: names,
    async call(name, input) {
      names.push(name)
      const answer = known[name] as ((given: typeof input) => unknown) | undefined
      try {
        if (answer === undefined) throw new Failure('NotFound', `The test bridge does not answer ${name}.`)
        return { ok: true, output: (await answer(input)) as never }
      } catch (thrown) {
        return { ok: false, failure: toWire(thrown) }
      }
    },
    on(event, handler) {
      const set = handlers.get(event) ?? new Set()
      handlers.set(event, set.add(handler as (payload: never) => void))
      return () => set.delete(handler as (payload: never) => void)
    },
    pathOf: (file) => Promise.resolve(`/uploads/${file.name}`),
    say(event, payload) {
      for (const handler of handlers.get(event) ?? []) handler(payload as never)
    },
  }
}

function smallLibrary(): Answers {
  const datasets = [dataset('d1', 'library-desk', 100_000), dataset('d2', 'town-archive', 240)]
  const kept: Record<string, unknown> = {}
  return {
    'app.overview': () => ({
      version: '0.1.0',
      home: '/library',
      machine: { backend: 'native', summary: '2 cores', threads: 2, usedBytes: 1.2e9, totalBytes: 24e9 },
      counts: { models: 1, datasets: 2, runs: 1, pairSets: 0, chats: 0 },
      stations: {
        import: {
          done: true,
          ready: true,
          note: 'library-desk: 4,218 questions and answers. 31 lines were refused, each with a reason.',
        },
        train: {
          done: false,
          ready: true,
          note: 'The starter model is learning from library-desk. Step 180 of 1,500, about 19 min left.',
        },
        label: {
          done: false,
          ready: false,
          note: 'Compare pairs of answers by keyboard. Opens at the first checkpoint, in about 1 min.',
        },
        chat: {
          done: false,
          ready: true,
          note: 'Talk to the starter as it is now, and to each checkpoint beside it as it arrives.',
        },
      },
      recent: [
        { kind: 'run', id: 'r1', name: 'first-run', note: 'Starter 1.5M, SFT, LoRA. Training', at: start },
        { kind: 'dataset', id: 'd1', name: 'library-desk', note: 'Chat messages, 4,218 rows', at: start - 720_000 },
        { kind: 'model', id: 'm1', name: 'Starter 1.5M', note: 'Comes with Temper, 5.9 MB', at: start - day },
      ],
      starter: model,
    }),
    'app.doctor': () => ({
      version: '0.1.0',
      node: '22.23.3',
      platform: 'linux x64',
      backends: [
        { name: 'native', ok: true, why: 'C kernels, compiled on this machine.', next: '' },
        { name: 'wasm', ok: true, why: 'The same kernels as WebAssembly.', next: '' },
        {
          name: 'tensorflow',
          ok: false,
          why: 'Its library is not installed.',
          next: 'Install @tensorflow/tfjs-node-gpu.',
        },
      ],
      home: { path: '/library', freeBytes: 120e9, databaseVersion: 1 },
    }),
    'app.find': ({ query }) =>
      datasets
        .filter((one) => one.name.includes(query))
        .map((one) => ({ kind: 'dataset' as const, id: one.id, name: one.name, note: 'Chat messages' })),
    'settings.get': () => kept,
    'settings.set': ({ key, value }) => {
      kept[key] = value
      return null
    },
    'models.list': () => [model],
    'models.show': () => model,
    'answerers.list': () => [{ id: 'm1', name: 'Starter 1.5M, before training', model: 'm1', run: null, step: null }],
    'data.list': () => datasets,
    'data.show': ({ id }) => datasets.find((one) => one.id === id) ?? datasets[0]!,
    'data.rows': ({ id, from = 0, count = 100, query }) => {
      const total = query ? 40 : (datasets.find((one) => one.id === id)?.rows ?? 0)
      const length = Math.max(0, Math.min(count, total - from))
      return { rows: Array.from({ length }, (_, i) => rowAt(from + i + 1)), total }
    },
    'data.refusals': ({ from = 0, count = 100 }) => ({
      refusals: Array.from({ length: Math.max(0, Math.min(count, 31 - from)) }, (_, i) => ({
        line: 211 + (from + i) * 97,
        reason: ['Cut off inside a string', 'No answer, so nothing to learn', 'Role “desk” is not known'][
          (from + i) % 3
        ]!,
        text: '{"messages": [{"role": "desk", "content": "Do you k',
      })),
      total: 31,
    }),
    'data.tokens': ({ row }) => [tokensOf(rowAt(row))],
    'data.preview': ({ path }) => ({
      file: path,
      bytes: 3_400_000,
      recognised: true,
      title: 'Chat messages, as OpenAI writes them',
      mapping: datasets[0]!.mapping!,
      alternatives: [],
      keys: [
        { key: 'messages', sample: '[{"role":"user","content":"Can I borrow', part: 'messages' },
        { key: 'branch', sample: 'central', part: null },
      ],
      rows: Array.from({ length: 8 }, (_, i) => rowAt(i + 1)),
      refusals: [{ line: 5, reason: 'No answer, so nothing to learn', text: '{"messages": [{"role": "user"' }],
      estimatedRows: 4218,
    }),
    'runs.list': () => [run(180)],
    'runs.show': () => ({ ...run(180), checkpoints: [], samples: [] }),
    'runs.metrics': () => metrics(180),
    'pairs.list': () => [],
    'chats.list': () => [],
  }
}
