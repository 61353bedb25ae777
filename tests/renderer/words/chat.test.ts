// What is said under an answer: a speed only where it tells something.
import { expect, test } from 'vitest'
import { chat } from '../../../src-renderer/words/en/chat.ts'

test('a speed is said from 8 tokens on, and only where the time is known', () => {
  expect(chat.speed(1, 20)).toBe('1 token')
  expect(chat.speed(7, 1000)).toBe('7 tokens')
  expect(chat.speed(8, 1000)).toBe('8 tokens, 8.0 per second')
  expect(chat.speed(1200, 10_000)).toBe('1,200 tokens, 120 per second')
  expect(chat.speed(40, 0)).toBe('40 tokens')
})
