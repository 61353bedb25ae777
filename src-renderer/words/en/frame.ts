// Sentences of the frame: title bar, rail, job strip, banners, palette, keys.
import type { RunState } from '../../../src-main/contract/records.ts'
import { bytes, count, counted, gigabytes } from '../format.ts'

export const frame = {
  app: 'Temper',
  skip: 'Skip to content',
  find: 'Find a run, a row, a command',
  rail: 'Main',
  pages: {
    home: 'Home',
    models: 'Models',
    data: 'Data',
    train: 'Train',
    runs: 'Runs',
    label: 'Label',
    chat: 'Chat',
    settings: 'Settings',
  },
  machine: (backend: string, threads: number, used: number, total: number): string =>
    `${backend} · ${counted(threads, 'thread')} · ${gigabytes(used)} of ${gigabytes(total)} GB`,
  machineHint: 'Training engine, threads, memory in use. Opens Settings, Machine',
  machineUnknown: 'Reading the machine',

  link: {
    connecting: 'Connecting to Temper.',
    lost: 'Temper stopped answering. Finished work is safe, and a run in progress can go on from its last checkpoint. Trying again by itself.',
    lostNext: 'If this stays, look at the terminal in which Temper was started.',
    refused:
      'This address lacks its key, or the key is no longer good. Open the address that Temper printed when it started.',
    back: 'Temper answers again.',
  },
  failed: 'The library could not be read.',
  again: 'Try again',

  job: {
    region: 'Running job',
    none: 'Nothing is running.',
    progress: 'Training progress',
    of: (step: number, steps: number): string => `${count(step)} of ${count(steps)}`,
    loss: (loss: string): string => `loss ${loss}`,
    lossLine: (first: string, last: string): string => `Training loss, from ${first} to ${last}`,
    left: (time: string): string => `${time} left`,
    pause: 'Pause',
    resume: 'Go on',
    stop: 'Stop',
    see: 'See the run',
    dismiss: 'Close',
    importing: (name: string): string => `Importing ${name}`,
    imported: (rows: number, refused: number): string =>
      refused === 0 ? counted(rows, 'row') : `${counted(rows, 'row')}, ${count(refused)} refused`,
    read: (done: number, total: number): string => `${bytes(done)} of ${bytes(total)}`,
    pairs: 'Making pairs',
    cancel: 'Cancel',
    announce: (name: string, percent: number): string => `${name}: ${percent}% done`,
    state: (name: string, state: string): string => `${name}: ${state}`,
  },
  states: {
    queued: 'queued',
    starting: 'starting',
    training: 'training',
    paused: 'paused',
    stopping: 'stopping',
    finished: 'finished',
    stopped: 'stopped, kept',
    failed: 'failed',
    interrupted: 'interrupted',
  } satisfies Record<RunState, string>,

  palette: {
    title: 'Find or run a command',
    placeholder: 'Find a run, a data set, a model, a chat, or type a command',
    commands: 'Commands',
    records: 'In the library',
    kinds: { run: 'Run', dataset: 'Data', chat: 'Chat', model: 'Model', pairs: 'Pairs' },
    none: (query: string): string =>
      `Nothing matches “${query}”. Commands and the names of runs, data, models, pairs and chats were searched.`,
    found: (n: number): string => counted(n, 'result'),
    hint: 'Up and Down choose, Enter opens, Esc closes',
    do: {
      import: 'Import a file',
      addModel: 'Add a model',
      train: 'Start a training',
      makePairs: 'Make pairs to judge',
      newChat: 'Start a chat',
      keys: 'Show the keys',
      light: 'Use the light theme',
      dark: 'Use the dark theme',
      system: 'Use the system’s theme',
      pause: (name: string): string => `Pause ${name}`,
      resume: (name: string): string => `Go on with ${name}`,
      open: (page: string): string => `Go to ${page}`,
    },
  },

  keys: {
    title: 'Keys',
    where: { anywhere: 'Anywhere', data: 'Data', train: 'Train', run: 'Run', label: 'Label', chat: 'Chat' },
    off: 'Single keys are turned off.',
    change: 'Change keys in Settings',
    close: 'Close',
  },
  drop: {
    title: 'Drop to import',
    text: 'JSONL, JSON, CSV, TSV, Parquet or plain text. You see how it is read before anything is kept.',
    model: 'Drop to add a model',
    modelText: 'A model folder or a .gguf file.',
  },
}
