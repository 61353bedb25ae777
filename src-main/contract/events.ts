// What the core says by itself. Every payload is whole: a window that missed some can go on with the next.
import type { ChatMessage, Metric, Run, Sample, Checkpoint } from './records.ts'
import type { WireFailure } from './errors.ts'

export interface JobProgress {
  job: string
  state: 'working' | 'done' | 'stopped' | 'failed'
  failure?: WireFailure
}

export interface Events {
  /** At most twice a second while a run goes on, and at every change of state. `metrics` are those since the last event. */
  run: { run: Run; metrics: Metric[]; tokensPerSecond: number | null; leftMs: number | null }
  checkpoint: { run: string; checkpoint: Checkpoint }
  sample: { run: string; sample: Sample }
  import: JobProgress & {
    name: string
    bytes: number
    totalBytes: number
    rows: number
    refused: number
    dataset: string | null
  }
  /** `skipped`: prompts whose two answers came out the same, whatever the seed. */
  pairs: JobProgress & { set: string; made: number; total: number; skipped: number }
  /** A streamed answer: `text` is all of it so far. */
  chat: { message: ChatMessage }
  answer: { stream: string; text: string; done: boolean }
  /** Something in a list changed; pages that show it ask again. */
  changed: { what: 'models' | 'datasets' | 'runs' | 'pairs' | 'labels' | 'chats' | 'settings' }
}
export type EventName = keyof Events
export const eventNames = [
  'run',
  'checkpoint',
  'sample',
  'import',
  'pairs',
  'chat',
  'answer',
  'changed',
] as const satisfies EventName[]

/** Frames of both transports (Electron's IPC and the web shell's socket). */
export type RequestFrame = { id: number; name: string; input: unknown }
export type AnswerFrame = { id: number; ok: true; output: unknown } | { id: number; ok: false; failure: WireFailure }
export type EventFrame = { event: EventName; payload: Events[EventName] }
