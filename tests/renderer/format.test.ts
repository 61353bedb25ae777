import { expect, test } from 'vitest'
import { ago, big, bytes, count, counted, duration, figure, percent } from '../../src-renderer/words/format.ts'

test('figures as the pictures have them', () => {
  expect(count(4218)).toBe('4,218')
  expect(counted(1, 'row')).toBe('1 row')
  expect(counted(0, 'row')).toBe('0 rows')
  expect(big(15_200_000)).toBe('15.2 M')
  expect(big(1_450_000)).toBe('1.4 M')
  expect(big(9_999)).toBe('9,999')
  expect(bytes(3_400_000)).toBe('3.4 MB')
  expect(bytes(269_000_000)).toBe('269 MB')
  expect(bytes(999)).toBe('999 bytes')
  expect(percent(0.784)).toBe('78%')
})

test('durations change their unit before they grow unreadable', () => {
  expect(duration(400)).toBe('under 1 s')
  expect(duration(59_400)).toBe('59 s')
  expect(duration(1_140_000)).toBe('19 min')
  expect(duration(10_140_000)).toBe('2 h 49 min')
  expect(duration(7_200_000)).toBe('2 h')
})

test('losses have three figures, small ones their exponent', () => {
  expect(figure(1.772)).toBe('1.77')
  expect(figure(0.0123)).toBe('0.012')
  expect(figure(0.0002)).toBe('2e-4')
  expect(figure(12.34)).toBe('12.3')
  expect(figure(NaN)).toBe('not a number')
})

test('times are told from now', () => {
  const now = new Date(2026, 4, 20, 15, 0).getTime()
  expect(ago(now - 30_000, now)).toBe('now')
  expect(ago(now - 720_000, now)).toBe('12 min ago')
  expect(ago(now - 3 * 3_600_000, now)).toBe('3 h ago')
  expect(ago(now - 20 * 3_600_000, now)).toBe('yesterday')
  expect(ago(now - 3 * 86_400_000, now)).toBe('3 days ago')
})
