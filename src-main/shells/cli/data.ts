// temper data
import { resolve } from 'node:path'
import type { Input } from '../../contract/commands.ts'
import { exampleKinds, type Dataset, type Example, type Refusal } from '../../contract/records.ts'
import { Failure, fromWire } from '../../contract/errors.ts'
import type { Events } from '../../contract/events.ts'
import type { Core } from '../../core.ts'
import { bytes, need, read, table, whole, type Terminal } from './terminal.ts'

const usage =
  'data import FILE... [--name N] [--as KIND] [--held-out RATIO] [--seed N] | list | show ID [--rows A-B] [--search TEXT] [--refused] [--tokens --model ID] | export ID --format trl|openai|alpaca|sharegpt --out FILE | remove ID'

export async function data(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = read(
    args,
    {
      name: { type: 'string' },
      as: { type: 'string' },
      'held-out': { type: 'string' },
      seed: { type: 'string' },
      rows: { type: 'string' },
      search: { type: 'string' },
      refused: { type: 'boolean' },
      tokens: { type: 'boolean' },
      model: { type: 'string' },
      format: { type: 'string' },
      out: { type: 'string' },
    },
    usage,
  )
  const [verb = 'list', ...subjects] = positionals
  const core = await terminal.core()
  switch (verb) {
    case 'list': {
      const list = await core.call('data.list', {})
      return terminal.result(list, () =>
        table(
          ['id', 'name', 'kind', 'rows', 'held out', 'refused', 'size'],
          list.map((d) => [d.id, d.name, d.kind, d.rows, d.heldOut, d.refused, bytes(d.bytes)]),
        ),
      )
    }
    case 'import': {
      if (subjects.length === 0) need(undefined, 'The file', usage)
      const kind = exampleKinds.find((k) => k === values.as)
      if (values.as !== undefined && kind === undefined)
        throw new Failure('BadOption', `--as must be one of ${exampleKinds.join(', ')}, not “${values.as}”.`, {
          where: '--as',
          next: `Usage: temper ${usage}`,
        })
      const heldOut = values['held-out'] === undefined ? undefined : Number(values['held-out'])
      if (heldOut !== undefined && !(heldOut >= 0 && heldOut <= 1))
        throw new Failure('BadOption', `--held-out must be from 0 to 1, not “${values['held-out']}”.`, {
          where: '--held-out',
          next: 'Write for example --held-out 0.05 to hold out every twentieth row.',
        })
      for (const file of subjects) {
        const preview = await core.call('data.preview', { path: resolve(file) })
        const readings = [preview.mapping, ...preview.alternatives.map((a) => a.mapping)]
        const mapping = kind === undefined ? preview.mapping : readings.find((m) => m.kind === kind)
        if (mapping === undefined)
          throw new Failure('BadFile', `${file} cannot be read as ${kind}.`, {
            where: file,
            next: `It was recognised as: ${preview.title}. Leave --as out to import it so.`,
          })
        const dataset = await importOne(core, terminal, {
          path: resolve(file),
          mapping,
          ...(values.name !== undefined && { name: values.name }),
          ...(heldOut !== undefined && { heldOutRatio: heldOut }),
          seed: whole(values.seed, '--seed') ?? 0,
        })
        const { refusals } = await core.call('data.refusals', { id: dataset.id, count: toldRefusals })
        terminal.stream({ ...dataset, refusals }, () => told(dataset, preview.title, refusals))
      }
      return
    }
    case 'show': {
      const id = need(subjects[0], 'The id', usage)
      const found = /^([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?$/.exec(values.rows ?? '1-10')
      const [first, last] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])]
      if (!found || last < first)
        throw new Failure('BadOption', `--rows must look like 1-20, not “${values.rows}”.`, {
          where: '--rows',
          next: 'Rows count from 1.',
        })
      const dataset = await core.call('data.show', { id })
      const window = { id, from: first - 1, count: Math.min(1000, last - first + 1) }
      if (values.refused) {
        const { refusals, total } = await core.call('data.refusals', window)
        return terminal.result({ ...dataset, refusals, total }, () =>
          table(
            ['line', 'reason', 'text'],
            refusals.map((r) => [r.line, r.reason, r.text.slice(0, 60)]),
          ),
        )
      }
      const { rows, total } = await core.call('data.rows', {
        ...window,
        ...(values.search !== undefined && { query: values.search }),
      })
      if (values.tokens) {
        const model = need(values.model, '--model', usage)
        const read = await Promise.all(
          rows.map(async (r) => ({ row: r.row, sequences: await core.call('data.tokens', { id, row: r.row, model }) })),
        )
        return terminal.result({ ...dataset, tokens: read }, () =>
          read
            .map(({ row, sequences }) =>
              sequences
                .map((s) => `${row}  ` + s.tokens.map((t, i) => (s.lossMask[i] ? `[${t.text}]` : t.text)).join('|'))
                .join('\n'),
            )
            .join('\n'),
        )
      }
      return terminal.result({ ...dataset, examples: rows, total }, () =>
        table(
          ['row', 'line', 'split', 'example'],
          rows.map((r) => [r.row, r.line, r.split, inShort(r.example)]),
        ),
      )
    }
    case 'export': {
      const format = values.format
      if (format !== 'trl' && format !== 'openai' && format !== 'alpaca' && format !== 'sharegpt')
        throw new Failure(
          'BadOption',
          `--format must be one of trl, openai, alpaca, sharegpt, not “${format ?? ''}”.`,
          { where: '--format', next: `Usage: temper ${usage}` },
        )
      const done = await core.call('data.export', {
        id: need(subjects[0], 'The id', usage),
        format,
        out: resolve(need(values.out, '--out', usage)),
      })
      return terminal.result(
        done,
        () =>
          `${done.rows} rows in ${done.file}.` +
          (done.leftOut ? ` ${done.leftOut} do not fit this form and were left out.` : ''),
      )
    }
    case 'remove': {
      const id = need(subjects[0], 'The id', usage)
      await core.call('data.remove', { id })
      return terminal.result({ removed: id }, () => `${id} is gone from the library. Its source file was not touched.`)
    }
    default:
      throw new Failure('BadOption', `data does not know “${verb}”.`, { where: verb, next: `Usage: temper ${usage}` })
  }
}

const toldRefusals = 100

/** What was imported, and each row that was not, with its line and reason. */
function told(dataset: Dataset, title: string, refusals: Refusal[]): string {
  const more = dataset.refused - refusals.length
  return [
    `${dataset.id}  ${dataset.name}: ${title}. ${dataset.rows} rows, ${dataset.refused} refused.`,
    ...refusals.map(({ line, reason }) => `  line ${line}: ${reason}`),
    ...(more > 0 ? [`  and ${more} more: temper data show ${dataset.id} --refused --rows 1-1000`] : []),
  ].join('\n')
}

/** Starts an import and waits for its end. */
export async function importOne(core: Core, terminal: Terminal, request: Input<'data.import'>): Promise<Dataset> {
  const finished = Promise.withResolvers<string>()
  let job = ''
  const early: Events['import'][] = []
  const hear = (event: Events['import']): void => {
    if (event.job !== job) return
    terminal.progress(
      `Reading ${event.name}: ${bytes(event.bytes)} of ${bytes(event.totalBytes)}, ${event.rows} rows, ${event.refused} refused`,
    )
    if (event.state === 'done' && event.dataset !== null) finished.resolve(event.dataset)
    if (event.state === 'failed' && event.failure) finished.reject(fromWire(event.failure))
    if (event.state === 'stopped') finished.reject(new Failure('Stopped', 'The import was stopped.'))
  }
  const off = core.on('import', (event) => (job === '' ? void early.push(event) : hear(event)))
  try {
    job = (await core.call('data.import', request)).job
    early.forEach(hear)
    return await core.call('data.show', { id: await finished.promise })
  } finally {
    off()
  }
}

function inShort(example: Example): string {
  const last = (messages: { content: string }[]): string => messages.at(-1)?.content ?? ''
  const text = (() => {
    switch (example.kind) {
      case 'text':
        return example.text
      case 'conversation':
        return example.messages.map((m) => `${m.role}: ${m.content}`).join(' / ')
      case 'completion':
        return `${last(example.prompt)} > ${last(example.response)}`
      case 'preference':
        return `${last(example.prompt)} > ${last(example.chosen)} (not: ${last(example.rejected)})`
      case 'thumb':
        return `${example.good ? '+' : '-'} ${last(example.prompt)} > ${last(example.response)}`
      case 'prompt':
        return last(example.prompt)
    }
  })()
  return text.replace(/\s+/g, ' ').slice(0, 110)
}
