// The thread that answers. It holds the models that were asked last, on a backend of its own, and never sees a weight
// that a run is changing: it reads checkpoints from the disk.
import { parentPort } from 'node:worker_threads'
import { toWire } from '../contract/errors.ts'
import type { Backend } from '../engine/backend.ts'
import { openBackend } from '../engine/backends/choose.ts'
import { answerQuestions } from '../generation/answer.ts'
import { readAnswerer } from '../models/files/answerer.ts'
import type { ModelFolder } from '../models/files/folder.ts'
import { createTransformer, type Transformer } from '../models/transformer.ts'
import type { FromGeneration, GenerationWork, ToGeneration } from './generating.ts'

const port = parentPort!
const say = (message: FromGeneration): void => port.postMessage(message)

interface Opened {
  key: string
  /** Its words only: the weight files are closed once the model is on the device. */
  folder: ModelFolder
  model: Transformer
}
/** Side by side needs two; labelling from two checkpoints too. The one asked longest ago goes first. */
const mostOpen = 2
const opened: Opened[] = []
let backend: Backend | null = null

async function open(work: GenerationWork): Promise<Opened> {
  const key = JSON.stringify([work.answerer.modelPath, work.answerer.checkpoints.map((c) => c.path)])
  const at = opened.findIndex((one) => one.key === key)
  if (at >= 0) {
    const [found] = opened.splice(at, 1)
    opened.push(found!)
    return found!
  }
  backend ??= await openBackend('auto')
  while (opened.length >= mostOpen) opened.shift()!.model.close()
  const folder = readAnswerer(work.answerer)
  try {
    const model = createTransformer(backend, folder.config, folder.weights, { tune: 'frozen' })
    const one = { key, folder, model }
    opened.push(one)
    return one
  } finally {
    folder.close()
  }
}

async function answer(id: number, work: GenerationWork, signal: AbortSignal): Promise<void> {
  const { folder, model } = await open(work)
  await answerQuestions(
    model,
    folder.text,
    work.requests,
    { ...work.settings, stopTokens: folder.stopTokens, alternatives: work.choices },
    {
      signal,
      ...(work.stream && { onText: (index, text) => say({ type: 'text', id, index, text }) }),
      onAnswer: (index, { finishReason, ...answer }) => {
        if (finishReason !== 'stopped') say({ type: 'answer', id, index, answer: { ...answer, finishReason } })
      },
    },
  )
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
