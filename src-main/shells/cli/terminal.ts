// What the command line prints and how it asks the core. With --json, stdout carries only JSON (one document, or one per
// line for streams) and everything said to a person goes to stderr.
import { constants } from 'node:os'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { Failure } from '../../contract/errors.ts'
import { createCore, type Core } from '../../core.ts'
import { defaultHome } from '../../store/files.ts'

export interface Terminal {
  json: boolean
  home: string
  /** Whether --home was given. */
  homeGiven: boolean
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
    homeGiven: how.home !== undefined,
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

/**
 * Options of one command and at most `mostWords` words beside them; whatever is wrong is a BadOption, all of it at once,
 * that says how the command is used. The word after an option is its value, even where it begins with a dash.
 */
export function read<const O extends ParseArgsOptionsConfig>(
  args: string[],
  options: O,
  usage: string,
  mostWords = Infinity,
) {
  const problems: { where: string; message: string }[] = []
  const wrong = (where: string, message: string): void => void problems.push({ where, message })
  const joined: string[] = []
  let words = 0
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    const [name, value] = arg.startsWith('--') ? split(arg) : [null, undefined]
    if (name === null || name === '') {
      joined.push(arg)
      if (/^-[^-]/.test(arg)) wrong(arg, `There is no option “${arg}”.`)
      else if (name === null && ++words > mostWords) wrong(arg, `“${arg}” is one word too many.`)
    } else if (!Object.hasOwn(options, name)) {
      wrong(`--${name}`, `There is no option “--${name}”.`)
      if (value === undefined && args[i + 1]?.startsWith('-') === false) i++ // its value, most likely
    } else if (options[name]!.type === 'boolean') {
      joined.push(arg)
      if (value !== undefined) wrong(`--${name}`, `“--${name}” takes no value.`)
    } else if (value !== undefined) joined.push(arg)
    else if (i + 1 < args.length && !isOption(args[i + 1]!, options)) joined.push(`${arg}=${args[++i]!}`)
    else wrong(`--${name}`, `“--${name}” needs a value.`)
  }
  refuseProblems(problems, `Usage: temper ${usage}`)
  return parseArgs({ args: joined, options, allowPositionals: true, strict: true })
}

const split = (arg: string): [name: string, value: string | undefined] => {
  const at = arg.indexOf('=')
  return at === -1 ? [arg.slice(2), undefined] : [arg.slice(2, at), arg.slice(at + 1)]
}
const isOption = (arg: string, options: ParseArgsOptionsConfig): boolean =>
  arg.startsWith('--') && Object.hasOwn(options, split(arg)[0])

/** Throws one BadOption that names every problem, if there is any. */
export function refuseProblems(problems: { where: string; message: string }[], next: string): void {
  if (problems.length === 0) return
  throw new Failure('BadOption', problems.map(({ message }) => message).join(' '), {
    where: problems.map(({ where }) => where).join(', '),
    next,
    problems,
  })
}

// ---- Ctrl C, and readers that go away ----------------------------------------------------------------------------------

const onInterrupt: (() => void)[] = []

/** While `work` is set, Ctrl C asks for it instead of ending the command. Gives back what takes it off again. */
export function whenInterrupted(work: () => void): () => void {
  onInterrupt.push(work)
  return () => void onInterrupt.splice(onInterrupt.indexOf(work), 1)
}

/** One Ctrl C may come twice: from the keyboard to all, and passed on by npm. Only a later one means "at once". */
const sameInterruptMs = 1000

/**
 * Ctrl C ends tidily, a second one at once; a reader that goes away (`| head -1`) ends the command without a word.
 * Answers whether such an end has begun: what fails from then on is no news.
 */
export function endTidily(terminal: Terminal): () => boolean {
  let ending = false
  const end = (signal: 'SIGINT' | 'SIGTERM' | 'SIGPIPE'): void => {
    if (ending) return
    ending = true
    void terminal
      .close()
      .catch(() => {})
      .finally(() => process.exit(128 + constants.signals[signal]))
  }
  let firstAt: number | null = null
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (firstAt !== null) {
        if (performance.now() - firstAt > sameInterruptMs) process.exit(128 + constants.signals[signal])
        return
      }
      firstAt = performance.now()
      const work = onInterrupt.at(-1)
      if (work) work()
      else end(signal)
    })
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    end('SIGPIPE')
  })
  process.stderr.on('error', () => {})
  return () => ending
}

export function need<T>(value: T | undefined, what: string, usage: string): T {
  if (value === undefined || value === '')
    throw new Failure('BadOption', `${what} is missing.`, { where: what, next: `Usage: temper ${usage}` })
  return value
}

/** A whole number, or a BadOption. */
export function whole(value: string | undefined, what: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (value.trim() === '' || !Number.isSafeInteger(number) || number < 0)
    throw new Failure('BadOption', `${what} must be a whole number, 0 or more, not “${value}”.`, {
      where: what,
      next: `Write for example ${what} 10.`,
    })
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
