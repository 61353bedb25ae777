// Sentences of Settings.
import { bytes } from '../format.ts'

export const settings = {
  title: 'Settings',
  machine: {
    title: 'Machine',
    text: 'What can train here, and for the rest what is missing.',
    works: 'works',
    not: 'not here',
    inUse: 'in use',
    memory: (used: string, total: string): string => `${used} of ${total} GB in use`,
    threads: 'Threads',
    memoryLabel: 'Memory',
    engine: 'Engine',
    version: 'Temper',
    node: 'Node',
    platform: 'Platform',
    again: 'Check again',
    reading: 'Checking the machine',
  },
  look: {
    title: 'Look',
    theme: 'Theme',
    themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
    motion: 'Motion follows the system’s setting for less motion.',
  },
  keys: {
    title: 'Keys',
    single: 'Single keys',
    singleHelp: 'Keys without Ctrl or Alt, such as J and 1 to 7. They rest while you type.',
    change: 'Change',
    press: 'Press the new keys, or Esc to leave them',
    taken: (other: string): string => `Also used by “${other}”: that one gives way on the same page.`,
    default: 'Default',
    reset: 'All defaults',
    action: 'Action',
    keysColumn: 'Keys',
  },
  library: {
    title: 'Library',
    text: 'Runs, labels, chats and data lie in one folder. Copy it to keep it; begin Temper with --home to use another.',
    folder: 'Folder',
    free: 'Free on its disk',
    version: 'Database version',
    bytes,
  },
  notKept: 'This could not be kept.',
}
