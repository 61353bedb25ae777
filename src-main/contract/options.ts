// Each setting is declared once, by `option`, beside the method or tool that reads it. The form, the check, the stored
// run, the command line's help and the documents all come from that declaration. Validation returns all problems at once.
import { Failure } from './errors.ts'

export type OptionValue = number | boolean | string

export interface Option<T extends OptionValue = OptionValue> {
  readonly default: T
  readonly label: string
  /** One sentence that a student understands. */
  readonly help: string
  /** Where the default comes from: a library's, a paper's, a measurement. */
  readonly source: string
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  readonly integer?: boolean
  /** For words: the values to choose from, each with what it means. */
  readonly choices?: Readonly<Record<string, string>>
  /** Shown only under "Show all". */
  readonly rare?: boolean
}

export type Options = Readonly<Record<string, Option>>
export type Values<O extends Options> = { [K in keyof O]: O[K] extends Option<infer T> ? T : never }

/** What a run stores of one option: the value and where it came from. */
export interface Resolved {
  value: OptionValue
  from: 'default' | 'preset' | 'given'
}

type Widen<T> = T extends number ? number : T extends boolean ? boolean : string
export function option<const T extends OptionValue>(declared: Option<T>): Option<Widen<T>> {
  return declared as unknown as Option<Widen<T>>
}

/** Checks `given` (text from a command line, or values from a form) against `declared`; throws BadOption with all problems. */
export function resolveOptions(
  declared: Options,
  given: Readonly<Record<string, OptionValue>>,
  preset: Readonly<Record<string, OptionValue>> = {},
): Record<string, Resolved> {
  const problems: { where: string; message: string }[] = []
  const resolved: Record<string, Resolved> = {}
  for (const name of Object.keys(given))
    if (!Object.hasOwn(declared, name)) problems.push({ where: name, message: `There is no option “${name}”.` })
  for (const [name, one] of Object.entries(declared)) {
    const from = Object.hasOwn(given, name) ? 'given' : Object.hasOwn(preset, name) ? 'preset' : 'default'
    const raw = from === 'given' ? given[name]! : from === 'preset' ? preset[name]! : one.default
    const value = read(one, raw)
    const problem = value === undefined ? wanted(one, raw) : outside(one, value)
    if (problem !== undefined) problems.push({ where: name, message: `${one.label} ${problem}.` })
    else resolved[name] = { value: value!, from }
  }
  if (problems.length > 0)
    throw new Failure('BadOption', problems.map((p) => p.message).join(' '), {
      where: problems.map((p) => p.where).join(', '),
      next: 'Change these settings and start again.',
      problems,
    })
  return resolved
}

export function valuesOf<O extends Options>(resolved: Readonly<Record<string, Resolved>>): Values<O> {
  return Object.fromEntries(Object.entries(resolved).map(([name, r]) => [name, r.value])) as Values<O>
}

function read(one: Option, raw: OptionValue): OptionValue | undefined {
  switch (typeof one.default) {
    case 'number': {
      const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    }
    case 'boolean':
      return typeof raw === 'boolean' ? raw : raw === 'true' ? true : raw === 'false' ? false : undefined
    default:
      return typeof raw === 'string' ? raw : String(raw)
  }
}

function wanted(one: Option, raw: OptionValue): string {
  return `must be ${typeof one.default === 'number' ? 'a number' : 'true or false'}, not “${String(raw)}”`
}

function outside(one: Option, value: OptionValue): string | undefined {
  if (one.choices && !Object.hasOwn(one.choices, String(value)))
    return `must be one of ${Object.keys(one.choices).join(', ')}, not “${String(value)}”`
  if (typeof value !== 'number') return undefined
  if (one.integer && !Number.isInteger(value)) return `must be a whole number, not ${value}`
  if (one.min !== undefined && value < one.min) return `must be at least ${one.min}, not ${value}`
  if (one.max !== undefined && value > one.max) return `must be at most ${one.max}, not ${value}`
  return undefined
}
