// What the command line prints and how it asks the core. With --json, stdout carries only JSON (one document, or one per
// line for streams) and everything said to a person goes to stderr.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { Failure } from '../../contract/errors.ts'
import { createCore, type Core } from '../../core.ts'
import { defaultHome } from '../../store/files.ts'

export interface Terminal {
  json: boolean
  home: string
  /** The library, opened at the first use. */
  core(): Promise<Core>
  /** The one result of a command. */
  result(value: unknown, asText: () => string): void
  /** One line of a stream. */
  stream(value: unknown, asText: () => string): void
  /** To the person, never to a script. */
  say(line: string): void
  /** A line that the next one overwrites, where stderr is a screen. */
  progress(line: string): void
  close(): Promise<void>
}

export function openTerminal(how: { json: boolean; home?: string | undefined }): Terminal {
  const home = how.home ?? defaultHome()
  let opened: Promise<Core> | null = null
  let open = false // a progress line stands on the screen
  const finishLine = (): void => {
    if (open) process.stderr.write('\n')
    open = false
  }
  const write = (value: unknown, asText: () => string): void => {
    finishLine()
    process.stdout.write((how.json ? JSON.stringify(value) : asText()) + '\n')
  }
  return {
    json: how.json,
    home,
    core: () => (opened ??= createCore({ home, log: (line) => console.error(line) })),
    result: write,
    stream: write,
    say: (line) => {
      finishLine()
      process.stderr.write(line + '\n')
    },
    progress: (line) => {
      if (!process.stderr.isTTY) return
      process.stderr.write('\r\x1b[2K' + line.slice(0, (process.stderr.columns ?? 80) - 1))
      open = true
    },
    close: async () => {
      finishLine()
      if (opened) await (await opened).close()
    },
  }
}

/** Options of one command; an unknown or missing one is a BadOption that says how the command is used. */
export function read<const O extends ParseArgsOptionsConfig>(args: string[], options: O, usage: string) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (thrown) {
    throw new Failure('BadOption', (thrown as Error).message, { where: args.join(' '), next: `Usage: temper ${usage}` })
  }
}

export function need<T>(value: T | undefined, what: string, usage: string): T {
  if (value === undefined || value === '')
    throw new Failure('BadOption', `${what} is missing.`, { next: `Usage: temper ${usage}` })
  return value
}

/** A whole number, or a BadOption. */
export function whole(value: string | undefined, what: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0)
    throw new Failure('BadOption', `${what} must be a whole number, not “${value}”.`, { where: what })
  return number
}

/** `--set name=value` pairs. */
export function settings(pairs: string[] | undefined): Record<string, string> {
  const given: Record<string, string> = {}
  for (const pair of pairs ?? []) {
    const at = pair.indexOf('=')
    if (at < 1)
      throw new Failure('BadOption', `“${pair}” is not option=value.`, {
        where: '--set',
        next: 'Write for example --set learningRate=1e-4.',
      })
    given[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return given
}

/** Rows under a head, columns aligned; numbers to the right. */
export function table(head: string[], rows: (string | number | null)[][]): string {
  if (rows.length === 0) return 'None yet.'
  const cells = [head, ...rows.map((row) => row.map((cell) => (cell === null ? '' : String(cell))))]
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)))
  const right = head.map((_, i) => rows.every((row) => typeof row[i] === 'number'))
  return cells
    .map((row) =>
      row
        .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3))
  return `${(n / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

export function duration(ms: number): string {
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}
