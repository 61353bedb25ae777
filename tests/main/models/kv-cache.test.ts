import { expect, test } from 'vitest'
import { createReference } from '../../../src-main/engine/backends/reference.ts'
import { createKvCache } from '../../../src-main/models/kv-cache.ts'
import { createTransformer } from '../../../src-main/models/transformer.ts'
import { livelyWeights, tinyConfig } from './tiny-llama.ts'

const backend = createReference()
const model = createTransformer(backend, tinyConfig, livelyWeights(tinyConfig, 3), { tune: 'frozen' })
const piece = (sequence: number, ...tokens: number[]) => ({ sequence, tokens: Int32Array.from(tokens) })

test('reading in pieces, beside others, gives what reading at once gives', async () => {
  const cache = createKvCache(backend, tinyConfig, [8, 8, 8])
  const V = tinyConfig.vocabSize
  await model.extend(cache, [piece(0, 1, 2), piece(2, 9)])
  await model.extend(cache, [piece(2, 4, 4), piece(1, 1), piece(0, 3)])
  const scores = await model.extend(cache, [piece(1, 2, 3, 5), piece(0, 5)])
  expect(cache.lengths).toEqual([4, 4, 3])
  const fresh = createKvCache(backend, tinyConfig, [8])
  const whole = await model.extend(fresh, [piece(0, 1, 2, 3, 5)])
  whole.forEach((score, v) => {
    expect(scores[v]).toBeCloseTo(score, 5)
    expect(scores[V + v]).toBeCloseTo(score, 5)
  })
})

test('a sequence that is cut back goes on as if the rest had never been', async () => {
  const cache = createKvCache(backend, tinyConfig, [5, 6])
  await model.extend(cache, [piece(0, 7, 7, 7), piece(1, 1, 2, 9, 9, 9)])
  cache.truncate(1, 2)
  cache.truncate(0, 4) // longer than it is: nothing to forget
  expect(cache.lengths).toEqual([3, 2])
  const scores = await model.extend(cache, [piece(1, 3)])
  const fresh = createKvCache(backend, tinyConfig, [6])
  expect(scores).toEqual(await model.extend(fresh, [piece(0, 1, 2, 3)]))
})

test('a cache that finds no memory holds none afterwards', () => {
  const before = backend.bytesInUse
  let left = 3
  const full = {
    ...backend,
    alloc(shape: readonly number[]) {
      if (left-- === 0) throw new Error('full')
      return backend.alloc(shape)
    },
  }
  expect(() => createKvCache(full, tinyConfig, [4])).toThrow('full')
  expect(backend.bytesInUse).toBe(before)
})

test('more than a sequence has room for is refused, and freeing gives everything back', async () => {
  const before = backend.bytesInUse
  const cache = createKvCache(backend, tinyConfig, [3])
  await expect(model.extend(cache, [piece(0, 1, 2, 3, 4)])).rejects.toMatchObject({ kind: 'Bug' })
  expect(cache.lengths).toEqual([0])
  cache.free()
  expect(backend.bytesInUse).toBe(before)
})
