// temper demo: the whole circle on the starter model, through the same core as the window. It writes questions about the
// invented world, fine-tunes the starter on some of its people, prefers polite answers by DPO, and measures both on
// people that no question ever mentioned. Nothing is canned: a seed chooses people, rows, pairs and prompts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../contract/errors.ts'
import type { Example, Message } from '../../contract/records.ts'
import type { Core } from '../../core.ts'
import { createRandom } from '../../engine/random.ts'
import { allQuestions, questionSet, questionText, sampleLine, stylePairs, type Question } from '../../world/datasets.ts'
import { shuffled } from '../../world/draw.ts'
import { makeWorld, splitPeople } from '../../world/people.ts'
import { checkAnswer, isPolite } from '../../world/questions.ts'
import { importOne } from './data.ts'
import { duration, openTerminal, read, table, whole, type Terminal } from './terminal.ts'
import { follow } from './train.ts'

const usage = 'demo [--seed N] [--backend B]'

const sftOptions = { rank: 16, alpha: 32, learningRate: 1e-3, rowsPerStep: 32, maxSteps: 150 }
const dpoOptions = { rank: 8, alpha: 16, learningRate: 3e-4, rowsPerStep: 16, maxSteps: 60, beta: 0.1, nllWeight: 1 }

interface Share {
  count: number
  of: number
  ratio: number
}

export async function demo(args: string[], terminal: Terminal): Promise<void> {
  const { values } = read(args, { seed: { type: 'string' }, backend: { type: 'string' } }, usage, 0)
  const seed = whole(values.seed, '--seed') ?? 0
  const began = performance.now()
  // A library of its own, so that trying it leaves no trace; with --home it stays to be looked at.
  const kept = terminal.homeGiven
  const home = kept ? terminal.home : mkdtempSync(join(tmpdir(), 'temper-demo-'))
  const own = kept ? terminal : openTerminal({ json: terminal.json, home })
  const scratch = mkdtempSync(join(tmpdir(), 'temper-demo-rows-'))
  process.once('exit', () => {
    for (const folder of kept ? [scratch] : [scratch, home]) rmSync(folder, { recursive: true, force: true })
  })
  try {
    const found = await circle(await own.core(), quiet(own), { seed, scratch, backend: values.backend ?? 'auto' })
    const result = { seed, ...found, tookMs: Math.round(performance.now() - began) }
    terminal.result(result, () => report(result))
  } finally {
    if (!kept) await own.close()
  }
}

/** Progress goes to the person; the run's own lines do not belong into the demo's one document. */
const quiet = (terminal: Terminal): Terminal => ({ ...terminal, json: false, stream: () => {}, result: () => {} })

async function circle(core: Core, terminal: Terminal, how: { seed: number; scratch: string; backend: string }) {
  const { seed, backend } = how
  const starter = (await core.call('models.list', {})).find((m) => m.builtIn)
  if (!starter)
    throw new Failure('NotFound', 'The starter model is not in the library.', {
      where: 'resources/starter',
      next: 'Make it with `npm run starter`.',
    })
  const { train, heldOut } = splitPeople(makeWorld(), seed)
  const random = createRandom(seed, 1)
  const asked = shuffled(random, allQuestions(heldOut)).slice(0, 240)
  const heldOutPairs = stylePairs(heldOut, { chosen: 'polite', rejected: 'curt', count: 150, seed: seed + 1 })

  const load = (name: string, examples: Example[]) => {
    const path = join(how.scratch, `${name}.jsonl`)
    writeFileSync(path, examples.map((e) => sampleLine(e) + '\n').join(''))
    return importOne(core, terminal, { path, name: `demo ${name}`, heldOutRatio: 0.05, seed })
  }
  const greedy = (answerer: string, questions: Question[]) =>
    core.call('answer.many', {
      answerer,
      prompts: questions.map((q) => [user(questionText(q))]),
      settings: { temperature: 0, maxTokens: 48 },
    })
  const measure = async (answerer: string): Promise<{ right: Share; polite: Share }> => {
    const answers = await greedy(answerer, asked)
    const whole = answers.map((a) => (a.finishReason === 'stop' ? a.text : ''))
    return {
      right: share(whole, (text, i) => checkAnswer(asked[i]!.person, asked[i]!.fact, text)),
      polite: share(whole, (text) => isPolite(text)),
    }
  }

  terminal.say('Asking the starter about people whom no question mentions ...')
  const before = await measure(starter.id)

  const sftData = await load('questions', questionSet(train, { seed }))
  terminal.say(`SFT: a LoRA adapter learns from ${sftData.rows} conversations ...`)
  const sft = await trained(core, terminal, {
    name: 'demo SFT',
    method: 'sft',
    start: starter.id,
    dataset: sftData.id,
    backend,
    seed,
    options: sftOptions,
  })
  const afterSft = await measure(sft)

  const pairs = await load('polite pairs', stylePairs(train, { chosen: 'polite', rejected: 'curt', count: 300, seed }))
  terminal.say(`DPO: ${pairs.rows} pairs prefer the polite answer to the curt one ...`)
  const implicit = implicitReward(core, how.scratch, heldOutPairs, sft)
  const rewardBefore = await implicit(sft)
  const dpo = await trained(core, terminal, {
    name: 'demo DPO',
    method: 'dpo',
    start: sft,
    dataset: pairs.id,
    backend,
    seed,
    options: dpoOptions,
  })
  const rewardAfter = await implicit(dpo)
  const afterDpo = await measure(dpo)

  const shown = asked.slice(0, 5)
  const [byBase, bySft, byDpo] = await Promise.all([greedy(starter.id, shown), greedy(sft, shown), greedy(dpo, shown)])
  return {
    model: starter.name,
    sft: { data: sftData.rows, heldOutPeople: heldOut.length, before: before.right, after: afterSft.right },
    dpo: {
      data: pairs.rows,
      before: {
        rewardAccuracy: rewardBefore.accuracy,
        margin: rewardBefore.margin,
        preferredStyle: afterSft.polite,
        facts: afterSft.right,
      },
      after: {
        rewardAccuracy: rewardAfter.accuracy,
        margin: rewardAfter.margin,
        preferredStyle: afterDpo.polite,
        facts: afterDpo.right,
      },
    },
    answers: shown.map((q, i) => ({
      prompt: questionText(q),
      base: byBase[i]!.text,
      sft: bySft[i]!.text,
      dpo: byDpo[i]!.text,
    })),
  }
}

async function trained(core: Core, terminal: Terminal, request: Parameters<typeof start>[1]): Promise<string> {
  const { run, checkpoint } = await follow(core, terminal, () => start(core, request))
  if (run.state === 'stopped') throw new Failure('Stopped', 'The demo was stopped.')
  if (!checkpoint) throw new Failure('Bug', `${run.name} ended without a checkpoint.`)
  return checkpoint.id
}
const start = (
  core: Core,
  request: {
    name: string
    method: 'sft' | 'dpo'
    start: string
    dataset: string
    backend: string
    seed: number
    options: Record<string, number>
  },
) => core.call('train.start', { ...request, tune: 'lora' })

/**
 * DPO's own measure on pairs that it never saw: beta * (log-ratio of the chosen answer - log-ratio of the rejected one),
 * policy against reference (Rafailov et al. 2023, section 4). Accuracy counts margins above zero, strictly.
 */
function implicitReward(core: Core, scratch: string, pairs: Example[], reference: string) {
  const file = join(scratch, 'held-out-answers.jsonl')
  const rows = pairs.flatMap((p) =>
    p.kind === 'preference' ? [p.chosen, p.rejected].map((a) => ({ prompt: p.prompt, completion: a })) : [],
  )
  writeFileSync(file, rows.map((r) => JSON.stringify(r) + '\n').join(''))
  const sums = async (answerer: string): Promise<number[]> =>
    (await core.call('logprobs.file', { answerer, file })).map((row) =>
      row.logprobs.reduce<number>((sum, p, i) => sum + (row.lossMask[i] ? p! : 0), 0),
    )
  const ofReference = sums(reference)
  return async (policy: string): Promise<{ accuracy: Share; margin: number }> => {
    const [ours, theirs] = [await sums(policy), await ofReference]
    const margins = pairs.map(
      (_, i) => dpoOptions.beta * (ours[2 * i]! - theirs[2 * i]! - (ours[2 * i + 1]! - theirs[2 * i + 1]!)),
    )
    return { accuracy: share(margins, (m) => m > 0), margin: margins.reduce((a, b) => a + b, 0) / margins.length }
  }
}

const user = (content: string): Message => ({ role: 'user', content })

function share<T>(all: readonly T[], holds: (one: T, i: number) => boolean): Share {
  const count = all.filter(holds).length
  return { count, of: all.length, ratio: Number((count / all.length).toFixed(4)) }
}

function report(r: Awaited<ReturnType<typeof circle>> & { seed: number; tookMs: number }): string {
  const percent = (s: Share): string => `${(100 * s.ratio).toFixed(1)}% (${s.count} of ${s.of})`
  const { before, after } = r.dpo
  return [
    `The circle on ${r.model}, seed ${r.seed}, in ${duration(r.tookMs)}`,
    '',
    table(
      ['held-out people', 'before', 'after'],
      [
        ['SFT: whole answers right', percent(r.sft.before), percent(r.sft.after)],
        ['DPO: implicit reward picks the polite answer', percent(before.rewardAccuracy), percent(after.rewardAccuracy)],
        ['DPO: margin', before.margin.toFixed(3), after.margin.toFixed(3)],
        ['DPO: greedy answers polite', percent(before.preferredStyle), percent(after.preferredStyle)],
        ['DPO: whole answers right', percent(before.facts), percent(after.facts)],
      ],
    ),
    '',
    ...r.answers.map((a) => `${a.prompt}\n  base  ${a.base.trim()}\n  SFT   ${a.sft.trim()}\n  DPO   ${a.dpo.trim()}`),
  ].join('\n')
}
