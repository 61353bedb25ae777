// The thread that answers. It holds the models that were asked last, on a backend of its own, and never sees a weight
// that a run is changing: it reads checkpoints from the disk.
import { parentPort } from 'node:worker_threads'
import { toWire } from '../contract/errors.ts'
import type { TokenChoice } from '../contract/records.ts'
import type { Backend } from '../engine/backend.ts'
import { openBackend } from '../engine/backends/choose.ts'
import { generate } from '../generation/generate.ts'
import { readAnswerer } from '../models/files/answerer.ts'
import type { ModelFolder } from '../models/files/folder.ts'
import { createTransformer, type Transformer } from '../models/transformer.ts'
import { parseAnswer, renderPrompt } from '../text/render.ts'
import type { FromGeneration, GenerationWork, ToGeneration } from './generating.ts'

const port = parentPort!
const say = (message: FromGeneration): void => port.postMessage(message)

interface Opened {
  key: string
  folder: ModelFolder
  model: Transformer
}
/** Side by side needs two; labelling from two checkpoints too. The one asked longest ago goes first. */
const mostOpen = 2
const opened: Opened[] = []
let backend: Promise<Backend> | null = null

async function open(work: GenerationWork): Promise<Opened> {
  const key = JSON.stringify([work.answerer.modelPath, work.answerer.checkpoints.map((c) => c.path)])
  const at = opened.findIndex((one) => one.key === key)
  if (at >= 0) {
    const [found] = opened.splice(at, 1)
    opened.push(found!)
    return found!
  }
  const device = await (backend ??= openBackend('auto'))
  while (opened.length >= mostOpen) opened.shift()!.model.close()
  const folder = readAnswerer(work.answerer)
  const model = createTransformer(device, folder.config, folder.weights, { tune: 'frozen' })
  const one = { key, folder, model }
  opened.push(one)
  return one
}

async function answer(id: number, work: GenerationWork, signal: AbortSignal): Promise<void> {
  const { folder, model } = await open(work)
  const { text, stopTokens } = folder
  const prompts = work.requests.map(({ messages, plain }) =>
    plain ? text.tokenizer.encode(messages.map((m) => m.content).join('')) : renderPrompt(messages, text),
  )
  const soFar = prompts.map((): number[] => [])
  await generate(
    model,
    prompts,
    {
      ...work.settings,
      stopTokens,
      seeds: work.requests.map((r) => r.seed),
      ...(work.choices > 0 && { alternatives: work.choices }),
    },
    {
      signal,
      onToken: (index, token) => {
        soFar[index]!.push(token)
        if (work.stream) say({ type: 'text', id, index, text: shown(soFar[index]!) })
      },
      onAnswer: (index, { tokens, finishReason, choices }) => {
        if (finishReason === 'stopped') return
        const named = (token: number): { token: number; text: string } => ({
          token,
          text: text.tokenizer.tokenText(token),
        })
        const explained = choices?.map((c): TokenChoice => ({
          ...named(c.token),
          logprob: c.logprob,
          top: c.top.map((t) => ({ ...named(t.token), logprob: t.logprob })),
        }))
        say({
          type: 'answer',
          id,
          index,
          answer: { text: parseAnswer(tokens, text), tokens, finishReason, choices: explained ?? [] },
        })
      },
    },
  )

  /** Text while it grows: half a character at the end is held back. */
  function shown(tokens: number[]): string {
    return parseAnswer(tokens, text).replace(/\uFFFD+$/, '')
  }
}

/** Works one after another: two at once would only take turns on the same cores. */
let queue: Promise<void> = Promise.resolve()
const going = new Map<number, AbortController>()

port.on('message', (message: ToGeneration) => {
  if (message.type === 'stop') return void going.get(message.id)?.abort()
  const { id, work } = message
  const abort = new AbortController()
  going.set(id, abort)
  queue = queue.then(async () => {
    try {
      if (!abort.signal.aborted) await answer(id, work, abort.signal)
      say(abort.signal.aborted ? { type: 'stopped', id } : { type: 'done', id })
    } catch (thrown) {
      say({ type: 'failed', id, failure: toWire(thrown) })
    } finally {
      going.delete(id)
    }
  })
})
