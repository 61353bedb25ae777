// Correcting a mapping by hand: one key feeds one part, one part is fed by one key.
import { expect, test } from 'vitest'
import type { Mapping } from '../../../src-main/contract/records.ts'
import { partOf, withKind, withPart } from '../../../src-renderer/pages/data/mapping.ts'

const mapping: Mapping = {
  form: 'alpaca',
  kind: 'completion',
  parts: { prompt: 'instruction', response: 'output' },
  roles: {},
  asChat: true,
}

test('a part given to another key leaves the first', () => {
  const next = withPart(mapping, 'answer', 'response')
  expect(next.parts).toEqual({ prompt: 'instruction', response: 'answer' })
  expect(mapping.parts.response).toBe('output')
})

test('a key that feeds another part no longer feeds its first', () => {
  expect(withPart(mapping, 'output', 'prompt').parts).toEqual({ prompt: 'output' })
})

test('a key can be set free', () => {
  expect(withPart(mapping, 'output', null).parts).toEqual({ prompt: 'instruction' })
})

test('a path within a key counts as that key', () => {
  const deep = { ...mapping, parts: { prompt: 'input.messages', chosen: 'preferred' } }
  expect(partOf(deep, 'input')).toBe('prompt')
  expect(withPart(deep, 'input', null).parts).toEqual({ chosen: 'preferred' })
})

test('another kind keeps what it can: an answer becomes the chosen one, and back', () => {
  const preference = withKind(mapping, 'preference')
  expect(preference.parts).toEqual({ prompt: 'instruction', chosen: 'output' })
  expect(withKind(preference, 'completion').parts).toEqual(mapping.parts)
  expect(withKind(mapping, 'text').parts).toEqual({ text: 'output' })
})
