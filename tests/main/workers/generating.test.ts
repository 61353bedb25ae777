import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { createGenerator } from '../../../src-main/workers/generating.ts'

const answerer = { modelPath: resolve('tests/golden/llama-tied'), checkpoints: [] }
const settings = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, maxTokens: 4, seed: 0 }
const requests = [{ messages: [{ role: 'user' as const, content: 'red?' }], plain: false, seed: 1 }]
const work = { answerer, requests, settings, choices: 0 }
const never = new AbortController().signal

test('what a handler throws fails its answer, and the thread goes on with the next', async () => {
  const generator = createGenerator()
  try {
    const full = {
      onAnswer: () => {
        throw new Error('the disk is full')
      },
    }
    await expect(generator.answer(work, full, never)).rejects.toThrow('the disk is full')
    const texts: string[] = []
    await generator.answer(work, { onAnswer: (_, { text }) => void texts.push(text) }, never)
    expect(texts).toHaveLength(1)
  } finally {
    await generator.close()
  }
})

test('a closed generator starts no thread again', async () => {
  const generator = createGenerator()
  const going = generator.answer(work, { onAnswer: () => {} }, never)
  const ended = expect(going).rejects.toMatchObject({ kind: 'Stopped' })
  await generator.close()
  await ended
  await expect(generator.answer(work, { onAnswer: () => {} }, never)).rejects.toMatchObject({ kind: 'Stopped' })
})
