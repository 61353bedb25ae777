// temper label: judging pairs from a script or a terminal.
import { resolve } from 'node:path'
import { Failure, fromWire } from '../../contract/errors.ts'
import type { Events } from '../../contract/events.ts'
import type { Pair, Verdict } from '../../contract/records.ts'
import { need, read, table, whole, type Terminal } from './terminal.ts'

const usage =
  'label list | make --data ID --answerers ID[,ID] [--count N] [--seed N] | import --data ID | next --set ID | judge PAIR 1-7|both-bad|skip [--reason R]... [--note T] | undo --set ID | history --set ID | dataset --set ID | export --set ID --out FILE'

export async function label(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = read(
    args,
    {
      data: { type: 'string' },
      answerers: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      name: { type: 'string' },
      set: { type: 'string' },
      reason: { type: 'string', multiple: true },
      note: { type: 'string' },
      out: { type: 'string' },
    },
    usage,
    3,
  )
  const [verb = 'list', subject, given] = positionals
  const core = await terminal.core()
  const set = (): string => need(values.set, '--set', usage)
  const named = values.name === undefined ? {} : { name: values.name }
  const seed = whole(values.seed, '--seed') ?? 0
  switch (verb) {
    case 'list': {
      const sets = await core.call('pairs.list', {})
      return terminal.result(sets, () =>
        table(
          ['id', 'name', 'from', 'judged', 'total'],
          sets.map((s) => [s.id, s.name, s.source, s.judged, s.total]),
        ),
      )
    }
    case 'import': {
      const made = await core.call('pairs.import', { dataset: need(values.data, '--data', usage), seed, ...named })
      return terminal.result(made, () => `${made.id}  ${made.name}: ${made.total} pairs to judge.`)
    }
    case 'make': {
      const answerers = need(values.answerers, '--answerers', usage).split(',')
      const ended = Promise.withResolvers<void>()
      let job: string | null = null
      const early: Events['pairs'][] = []
      const hear = (event: Events['pairs']): void => {
        if (event.job !== job) return
        terminal.progress(`${event.made} of ${event.total} pairs`)
        if (event.state === 'done') ended.resolve()
        if (event.state === 'failed' && event.failure) ended.reject(fromWire(event.failure))
        if (event.state === 'stopped') ended.reject(new Failure('Stopped', 'Making pairs was stopped.'))
      }
      const off = core.on('pairs', (event) => (job === null ? void early.push(event) : hear(event)))
      const begun = await core.call('pairs.make', {
        dataset: need(values.data, '--data', usage),
        answerers,
        count: whole(values.count, '--count') ?? 20,
        seed,
        ...named,
      })
      job = begun.job
      early.forEach(hear)
      await ended.promise.finally(off)
      const made = await core.call('pairs.show', { id: begun.set.id })
      return terminal.result(made, () => `${made.id}  ${made.name}: ${made.total} pairs to judge.`)
    }
    case 'next': {
      const pair = await core.call('label.next', { set: set() })
      return terminal.result(pair, () => (pair ? show(pair) : 'Every pair of this set is judged or skipped.'))
    }
    case 'judge': {
      const verdict = verdictOf(need(given, 'The verdict', usage))
      const judged = await core.call('label.judge', {
        pair: need(subject, 'The pair', usage),
        verdict,
        reasons: values.reason ?? [],
        note: values.note ?? '',
      })
      return terminal.result(judged, () => `${judged.pair}: ${judged.verdict}`)
    }
    case 'undo': {
      const pair = await core.call('label.undo', { set: set() })
      return terminal.result(pair, () => (pair ? `Taken back:\n${show(pair)}` : 'There is no judgement to take back.'))
    }
    case 'history': {
      const { judgements } = await core.call('label.history', { set: set(), count: 500 })
      return terminal.result(judgements, () =>
        table(
          ['position', 'verdict', 'reasons', 'prompt'],
          judgements.map((j) => [j.position, String(j.verdict), j.reasons.join(', '), j.prompt.slice(0, 60)]),
        ),
      )
    }
    case 'dataset': {
      const made = await core.call('label.dataset', { set: set() })
      return terminal.result(
        made,
        () =>
          `${made.id}  ${made.name}: ${made.rows} preferences, ready for \`temper train --method dpo --data ${made.id}\`.`,
      )
    }
    case 'export': {
      const done = await core.call('label.export', { set: set(), out: resolve(need(values.out, '--out', usage)) })
      return terminal.result(
        done,
        () => `${done.rows} preferences in ${done.file}. ${done.leftOut} ties, both-bad and skipped left out.`,
      )
    }
    default:
      throw new Failure('BadOption', `label does not know “${verb}”.`, { where: verb, next: `Usage: temper ${usage}` })
  }
}

function verdictOf(word: string): Verdict {
  const verdicts: Verdict[] = [1, 2, 3, 4, 5, 6, 7, 'both-bad', 'skip']
  const found = verdicts.find((v) => String(v) === word)
  if (found === undefined)
    throw new Failure('BadOption', `“${word}” is not a verdict.`, {
      where: word,
      next: '1 to 3: A better (much, better, slightly), 4: tie, 5 to 7: B better, both-bad, skip.',
    })
  return found
}

function show(pair: Pair): string {
  const prompt = pair.prompt.map((m) => `${m.role}: ${m.content}`).join('\n')
  return `${pair.id} (${pair.position})\n${prompt}\n\nA  ${pair.a}\n\nB  ${pair.b}`
}
