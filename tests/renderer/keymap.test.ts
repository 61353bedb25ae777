// Which presses are which actions, and that no two actions of one page answer the same press.
import { expect, test } from 'vitest'
import { isSingle, keymap, keysOf, matches, parseKeys, showKeys, type KeyId } from '../../src-renderer/state/keymap.ts'

const press = (key: string, more: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey', boolean>> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
})

test('Mod is Ctrl, or Command on macOS, and never both', () => {
  const find = parseKeys('Mod+K')
  expect(matches(press('k', { ctrlKey: true }), find, false)).toBe(true)
  expect(matches(press('k', { metaKey: true }), find, false)).toBe(false)
  expect(matches(press('k', { metaKey: true }), find, true)).toBe(true)
  expect(matches(press('k', { ctrlKey: true, metaKey: true }), find, true)).toBe(false)
})

test('Shift matters for letters and named keys, not for signs that need it on some keyboards', () => {
  expect(matches(press('?', { shiftKey: true }), parseKeys('?'), false)).toBe(true)
  expect(matches(press('+', { shiftKey: true }), parseKeys('+'), false)).toBe(true)
  expect(matches(press('J', { shiftKey: true }), parseKeys('J'), false)).toBe(false)
  expect(matches(press('F6', { shiftKey: true }), parseKeys('F6'), false)).toBe(false)
  expect(matches(press('F6', { shiftKey: true }), parseKeys('Shift+F6'), false)).toBe(true)
})

test('what a person presses is written as the table writes it, and matches itself again', () => {
  for (const [event, keys] of [
    [press('k', { ctrlKey: true }), 'Mod+K'],
    [press(' '), 'Space'],
    [press('+', { shiftKey: true }), '+'],
    [press('ArrowLeft', { altKey: true }), 'Alt+ArrowLeft'],
    [press('?', { shiftKey: true }), '?'],
  ] as const) {
    expect(keysOf(event, false)).toBe(keys)
    expect(matches(event, parseKeys(keys), false)).toBe(true)
  }
  expect(keysOf(press('Shift', { shiftKey: true }), false)).toBeNull()
})

test('keys are shown as a person reads them', () => {
  expect(showKeys('Mod+K', false)).toBe('Ctrl K')
  expect(showKeys('Mod+K', true)).toBe('⌘ K')
  expect(showKeys('Alt+ArrowLeft', false)).toBe('Alt Left')
  expect(showKeys('Space', false)).toBe('Space')
  expect(isSingle('J')).toBe(true)
  expect(isSingle('Mod+J')).toBe(false)
  expect(isSingle('Enter')).toBe(false)
})

test('no page has one press for two actions, nor takes one from everywhere', () => {
  const ids = Object.keys(keymap) as KeyId[]
  const clashes = ids.flatMap((a, i) =>
    ids
      .slice(i + 1)
      .filter((b) => {
        const same = keymap[a].keys === keymap[b].keys
        const together = keymap[a].where === keymap[b].where || [keymap[a].where, keymap[b].where].includes('anywhere')
        return same && together
      })
      .map((b) => `${a} and ${b}`),
  )
  expect(clashes).toEqual([])
})
