// The window's one listener: single keys rest while a person types, and belong to the page again afterwards.
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'

vi.mock('svelte', async (original) => ({ ...(await original<typeof import('svelte')>()), onDestroy: () => undefined }))

class Element {
  isContentEditable = false
  pressable = false
  closest(): unknown {
    return this.pressable ? this : null
  }
}
class Input extends Element {
  type = 'text'
}
class TextArea extends Element {}
class Select extends Element {}
vi.stubGlobal('HTMLElement', Element)
vi.stubGlobal('HTMLInputElement', Input)
vi.stubGlobal('HTMLTextAreaElement', TextArea)
vi.stubGlobal('HTMLSelectElement', Select)
let dialog: object | null = null
vi.stubGlobal('document', { querySelector: () => dialog })

const { bindKeys, hearKey } = await import('../../src-renderer/state/keys.svelte.ts')
const { settings } = await import('../../src-renderer/state/settings.svelte.ts')
const heard: string[] = []
beforeAll(() =>
  bindKeys({
    'label.2': () => heard.push('2'),
    'label.save': () => heard.push('enter'),
    'chat.up': () => heard.push('+'),
    'chat.branchLeft': () => heard.push('alt left'),
    'chat.new': () => heard.push('ctrl n'),
  }),
)
beforeEach(() => {
  heard.length = 0
  dialog = null
  settings.singleKeys = true
})

function press(key: string, target: Element, more: Partial<KeyboardEvent> = {}): boolean {
  let prevented = false
  const event = {
    ...{ key, target, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false },
    ...more,
    defaultPrevented: false,
    preventDefault: () => (prevented = true),
  }
  hearKey(event as unknown as KeyboardEvent)
  return prevented
}

test('single keys act on the page and rest in every field', () => {
  expect(press('2', new Element())).toBe(true)
  for (const field of [
    new Input(),
    new TextArea(),
    new Select(),
    Object.assign(new Element(), { isContentEditable: true }),
  ])
    for (const key of ['2', '+', 'Enter']) expect(press(key, field)).toBe(false)
  expect(heard).toEqual(['2'])
})

test('a check box and a slider are not typing', () => {
  press('2', Object.assign(new Input(), { type: 'checkbox' }))
  press('2', Object.assign(new Input(), { type: 'range' }))
  expect(heard).toEqual(['2', '2'])
})

test('keys with Ctrl or Alt act while typing too', () => {
  press('n', new TextArea(), { ctrlKey: true })
  press('ArrowLeft', new TextArea(), { altKey: true })
  expect(heard).toEqual(['ctrl n', 'alt left'])
})

test('Enter belongs to what has the focus, if it can be pressed', () => {
  press('Enter', Object.assign(new Element(), { pressable: true }))
  expect(heard).toEqual([])
  press('Enter', new Element())
  expect(heard).toEqual(['enter'])
})

test('nothing acts behind a dialog, while a word is being composed, or with single keys turned off', () => {
  dialog = {}
  press('2', new Element())
  dialog = null
  press('2', new Element(), { isComposing: true })
  settings.singleKeys = false
  press('2', new Element())
  expect(heard).toEqual([])
})
