// temper chat, logprobs, eval: what a model or a checkpoint says, and how likely it finds what others say.
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { Failure } from '../../contract/errors.ts'
import type { Message, SamplingSettings } from '../../contract/records.ts'
import { need, read, settings, type Terminal } from './terminal.ts'

const who = { model: { type: 'string' }, checkpoint: { type: 'string' } } as const
const answererOf = (values: { model?: string | undefined; checkpoint?: string | undefined }, usage: string): string =>
  need(values.checkpoint ?? values.model, '--model or --checkpoint', usage)

const chatUsage = 'chat --model ID | --checkpoint ID, --prompt TEXT [--system TEXT] [--set temperature=0]...'
const samplingNames = ['temperature', 'topK', 'topP', 'repetitionPenalty', 'maxTokens', 'seed'] as const

export async function chat(args: string[], terminal: Terminal): Promise<void> {
  const { values } = read(
    args,
    { ...who, prompt: { type: 'string' }, system: { type: 'string' }, set: { type: 'string', multiple: true } },
    chatUsage,
    0,
  )
  const messages: Message[] = []
  if (values.system !== undefined) messages.push({ role: 'system', content: values.system })
  messages.push({ role: 'user', content: need(values.prompt, '--prompt', chatUsage) })
  const answerer = answererOf(values, chatUsage)
  const core = await terminal.core()
  const stream = randomUUID()
  let shown = 0
  const off = core.on('answer', (event) => {
    if (event.stream !== stream || terminal.json) return
    process.stdout.write(event.text.slice(shown))
    shown = event.text.length
  })
  const answer = await core.call('answer.once', { answerer, messages, settings: sampling(values.set), stream })
  off()
  terminal.result(answer, () => answer.text.slice(shown))
}

function sampling(pairs: string[] | undefined): Partial<SamplingSettings> {
  const given = settings(pairs)
  const chosen: Partial<SamplingSettings> = {}
  const problems: { where: string; message: string }[] = []
  for (const [name, value] of Object.entries(given)) {
    const known = samplingNames.find((n) => n === name)
    if (!known)
      problems.push({
        where: name,
        message: `There is no sampling setting “${name}”; there are ${samplingNames.join(', ')}.`,
      })
    else if (value.trim() === '' || !Number.isFinite(Number(value)))
      problems.push({ where: name, message: `${name} must be a number, not “${value}”.` })
    else chosen[known] = Number(value)
  }
  if (problems.length > 0)
    throw new Failure('BadOption', problems.map((p) => p.message).join(' '), {
      where: '--set',
      problems,
      next: 'Change these settings.',
    })
  return chosen
}

const logprobsUsage = 'logprobs --model ID | --checkpoint ID, --file F.jsonl [--backend B]'

export async function logprobs(args: string[], terminal: Terminal): Promise<void> {
  const { values } = read(args, { ...who, file: { type: 'string' }, backend: { type: 'string' } }, logprobsUsage, 0)
  const core = await terminal.core()
  const rows = await core.call('logprobs.file', {
    answerer: answererOf(values, logprobsUsage),
    file: resolve(need(values.file, '--file', logprobsUsage)),
    ...(values.backend !== undefined && { backend: values.backend }),
  })
  for (const row of rows)
    terminal.stream(row, () => row.tokens.map((t, i) => `${t}:${row.logprobs[i]?.toFixed(3) ?? '-'}`).join(' '))
}

const evalUsage = 'eval perplexity --model ID | --checkpoint ID, --data ID [--split train|held-out]'

export async function evaluate(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = read(
    args,
    { ...who, data: { type: 'string' }, split: { type: 'string' } },
    evalUsage,
    1,
  )
  if (positionals[0] !== 'perplexity')
    throw new Failure('BadOption', `eval does not know “${positionals[0] ?? ''}” yet.`, {
      next: `Usage: temper ${evalUsage}`,
    })
  const split = values.split
  if (split !== undefined && split !== 'train' && split !== 'held-out')
    throw new Failure('BadOption', `--split must be train or held-out, not “${split}”.`, {
      where: '--split',
      next: `Usage: temper ${evalUsage}`,
    })
  const core = await terminal.core()
  const found = await core.call('eval.perplexity', {
    answerer: answererOf(values, evalUsage),
    dataset: need(values.data, '--data', evalUsage),
    ...(split !== undefined && { split }),
  })
  terminal.result(
    found,
    () =>
      `${found.tokens} tokens: ${found.nats.toFixed(4)} nats a token, perplexity ${found.perplexity.toFixed(3)}, ${found.bitsPerByte.toFixed(4)} bits a byte`,
  )
}
