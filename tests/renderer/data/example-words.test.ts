import { expect, test } from 'vitest'
import type { Example } from '../../../src-main/contract/records.ts'
import { countWords, exampleCell, messagesOf, withText } from '../../../src-renderer/pages/data/example-words.ts'
import { binLengths } from '../../../src-renderer/pages/data/lengths.ts'

const talk: Example = {
  kind: 'conversation',
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Where\nis it?' },
    { role: 'assistant', content: 'Here.' },
    { role: 'user', content: 'Sure?' },
    { role: 'assistant', content: 'Yes, quite sure.' },
  ],
}

test('a conversation shows its first question and its last answer, on one line', () => {
  expect(exampleCell(talk, 'first')).toBe('Where is it?')
  expect(exampleCell(talk, 'second')).toBe('Yes, quite sure.')
  expect(countWords(talk)).toBe(10)
})

test('editing one text changes that one and leaves the example as it was', () => {
  const edited = withText(talk, 'messages', 2, 'There.')
  expect(messagesOf(edited).map((one) => one.message.content)).toEqual([
    'Be brief.',
    'Where\nis it?',
    'There.',
    'Sure?',
    'Yes, quite sure.',
  ])
  expect(messagesOf(talk)[2]!.message.content).toBe('Here.')
  expect(withText({ kind: 'text', text: 'old' }, 'text', 0, 'new')).toEqual({ kind: 'text', text: 'new' })
})

test('every length falls into a bin, and bins have round widths', () => {
  const counts = [1, 5, 61, 61, 80, 241]
  const bins = binLengths(counts)
  expect(bins.heights.reduce((a, b) => a + b, 0)).toBe(counts.length)
  expect(bins).toMatchObject({ width: 10, middle: 61, longest: 241 })
  expect(bins.heights[6]).toBe(2)
  expect(binLengths([]).heights).toEqual([0])
})
