// Every key of the window, declared once: the `?` sheet, Settings and the pages' handlers read this table.
// "Mod" is Ctrl, or Command on macOS. A single key is one without Mod or Alt; those rest while typing and can be
// changed or turned off in Settings.

export interface KeyAction {
  where: 'anywhere' | 'data' | 'train' | 'run' | 'label' | 'chat'
  keys: string
  label: string
}

const action = (where: KeyAction['where'], keys: string, label: string): KeyAction => ({ where, keys, label })

export const keymap = {
  'find.open': action('anywhere', 'Mod+K', 'Find or run a command'),
  'page.1': action('anywhere', 'Mod+1', 'Home'),
  'page.2': action('anywhere', 'Mod+2', 'Models'),
  'page.3': action('anywhere', 'Mod+3', 'Data'),
  'page.4': action('anywhere', 'Mod+4', 'Train'),
  'page.5': action('anywhere', 'Mod+5', 'Runs'),
  'page.6': action('anywhere', 'Mod+6', 'Label'),
  'page.7': action('anywhere', 'Mod+7', 'Chat'),
  'data.import': action('anywhere', 'Mod+I', 'Import a file'),
  'settings.open': action('anywhere', 'Mod+,', 'Settings'),
  'job.focus': action('anywhere', 'Mod+J', 'Go to the job strip'),
  'area.next': action('anywhere', 'F6', 'Next area'),
  'area.previous': action('anywhere', 'Shift+F6', 'Previous area'),
  'keys.show': action('anywhere', '?', 'Show the keys'),

  'data.next': action('data', 'J', 'Next row'),
  'data.previous': action('data', 'K', 'Previous row'),
  'data.inspect': action('data', 'Enter', 'Show the row as the model reads it'),
  'data.filter': action('data', '/', 'Search the rows'),
  'data.refused': action('data', 'R', 'Next refused line'),

  'train.start': action('train', 'Mod+Enter', 'Start or queue the training'),
  'train.default': action('train', 'Alt+Backspace', 'Default for this setting'),

  'run.pause': action('run', 'Space', 'Pause, or go on'),
  'run.log': action('run', 'L', 'Logarithmic scale'),
  'run.smooth': action('run', 'S', 'Smoothing'),
  'run.previous': action('run', '[', 'Previous checkpoint'),
  'run.next': action('run', ']', 'Next checkpoint'),
  'run.overlay': action('run', 'O', 'Overlay a run'),

  'label.1': action('label', '1', 'A much better'),
  'label.2': action('label', '2', 'A better'),
  'label.3': action('label', '3', 'A slightly better'),
  'label.4': action('label', '4', 'Tie'),
  'label.5': action('label', '5', 'B slightly better'),
  'label.6': action('label', '6', 'B better'),
  'label.7': action('label', '7', 'B much better'),
  'label.bad': action('label', 'X', 'Both bad'),
  'label.skip': action('label', 'S', 'Skip'),
  'label.reason1': action('label', 'Q', 'First reason'),
  'label.reason2': action('label', 'W', 'Second reason'),
  'label.reason3': action('label', 'E', 'Third reason'),
  'label.reason4': action('label', 'R', 'Fourth reason'),
  'label.reason5': action('label', 'T', 'Fifth reason'),
  'label.reason6': action('label', 'Y', 'Sixth reason'),
  'label.note': action('label', 'N', 'Write a note'),
  'label.undo': action('label', 'Z', 'Undo'),
  'label.difference': action('label', 'D', 'Mark the difference'),
  'label.sources': action('label', 'V', 'Show who wrote which'),
  'label.history': action('label', 'H', 'History'),
  'label.save': action('label', 'Enter', 'Save and next'),

  'chat.up': action('chat', '+', 'Good answer'),
  'chat.down': action('chat', '-', 'Poor answer'),
  'chat.branchLeft': action('chat', 'Alt+ArrowLeft', 'Previous branch'),
  'chat.branchRight': action('chat', 'Alt+ArrowRight', 'Next branch'),
  'chat.edit': action('chat', 'E', 'Edit'),
  'chat.again': action('chat', 'G', 'Answer again'),
  'chat.list': action('chat', 'Mod+B', 'List of chats'),
  'chat.new': action('chat', 'Mod+N', 'New chat'),
} as const satisfies Record<string, KeyAction>

export type KeyId = keyof typeof keymap

export interface Press {
  mod: boolean
  alt: boolean
  shift: boolean
  key: string
}

/** "Mod+Shift+K" -> its parts; the key itself in lower case. */
export function parseKeys(keys: string): Press {
  const parts =
    keys === '+' || keys.endsWith('++') ? [...keys.slice(0, -1).split('+').filter(Boolean), '+'] : keys.split('+')
  const key = parts.pop()!.toLowerCase()
  return {
    mod: parts.includes('Mod'),
    alt: parts.includes('Alt'),
    shift: parts.includes('Shift'),
    key: key === 'space' ? ' ' : key,
  }
}

export type KeyLike = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/** Whether an event is this press. Shift only counts for letters and named keys: "?" needs it on some keyboards. */
export function matches(event: KeyLike, press: Press, mac: boolean): boolean {
  const mod = mac ? event.metaKey : event.ctrlKey
  const other = mac ? event.ctrlKey : event.metaKey
  const shiftCounts = press.key.length > 1 || /[a-z]/.test(press.key)
  return (
    event.key.toLowerCase() === press.key &&
    mod === press.mod &&
    !other &&
    event.altKey === press.alt &&
    (!shiftCounts || event.shiftKey === press.shift)
  )
}

export function isSingle(keys: string): boolean {
  const press = parseKeys(keys)
  return !press.mod && !press.alt && press.key.length === 1
}

const shown: Record<string, string> = {
  arrowleft: 'Left',
  arrowright: 'Right',
  arrowup: 'Up',
  arrowdown: 'Down',
  ' ': 'Space',
}

/** As a person reads it: "Ctrl K", "⌘ K", "Alt Left". */
export function showKeys(keys: string, mac: boolean): string {
  const press = parseKeys(keys)
  const key =
    shown[press.key] ??
    (press.key.length === 1 ? press.key.toUpperCase() : press.key[0]!.toUpperCase() + press.key.slice(1))
  return [press.mod && (mac ? '⌘' : 'Ctrl'), press.alt && (mac ? '⌥' : 'Alt'), press.shift && 'Shift', key]
    .filter(Boolean)
    .join(' ')
}

/** What a person pressed, written as the table writes it; null for a modifier alone. */
export function keysOf(event: KeyLike, mac: boolean): string | null {
  if (['Control', 'Meta', 'Alt', 'Shift', 'AltGraph', 'Dead'].includes(event.key)) return null
  const mod = mac ? event.metaKey : event.ctrlKey
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key
  const shiftCounts = event.key.length > 1 || /[a-z]/i.test(event.key)
  return [mod && 'Mod', event.altKey && 'Alt', event.shiftKey && shiftCounts && 'Shift', key].filter(Boolean).join('+')
}
