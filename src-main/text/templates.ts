// Chat templates: Jinja programs that come with a model and turn messages into the one text that it was trained on.
// @huggingface/jinja interprets them, with the block rules of transformers (trim_blocks, lstrip_blocks). A template comes
// from a stranger, so it gets no clock, a bounded number of steps and bounded strings. Left out: tools, documents.
// Known to differ from Python's Jinja: a truth value written out is “true”, and an emoji counts as two letters.
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { Failure } from '../contract/errors.ts'
import type { Message } from '../contract/records.ts'

export interface TemplateVariables {
  messages: readonly Message[]
  /** End with the words that open an answer. */
  addGenerationPrompt: boolean
  bosToken: string
  eosToken: string
  /** What `strftime_now` tells. Fixed by default, so that a prompt is the same today and tomorrow. */
  now?: Date
  /** Put `generationMarks` around what stands between {% generation %} tags. */
  markGeneration?: boolean
}

/** Noncharacters, never part of real text: where a {% generation %} block begins and ends. */
export const generationMarks = { begin: '\uFDD1', end: '\uFDD2' } as const

/** The date that Llama 3's own template falls back to. */
const fixedDate = new Date(Date.UTC(2024, 6, 26, 12))
const mostTemplateLength = 100_000 // characters
const mostSteps = 500_000 // evaluated nodes: about a second; a thousand messages need some 50,000
const mostRange = 10_000

/**
 * The text of a conversation under a template.
 * @throws Failure BadExample when the template refuses the messages (in its own words), BadFile when it is broken or
 * does not end within its bounds.
 */
export function renderTemplate(template: string, variables: TemplateVariables): string {
  const program = parsed(template, variables.markGeneration === true)
  const contents = variables.messages.reduce((sum, message) => sum + message.content.length, 0)
  const interpreter = new BoundedInterpreter(environmentFor(variables), 1_000_000 + 20 * contents)
  try {
    return String((interpreter.run(program) as { value: unknown }).value)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw brokenTemplate((error as Error).message, error)
  }
}

/** Whether the template itself says which words are the model's, by {% generation %} tags. */
export function hasGenerationTags(template: string): boolean {
  return generationTag.test(template)
}

/** A short name for a template: equal texts, equal names. 64-bit FNV-1a over UTF-8, as 16 hex digits. */
export function templateHash(template: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(template))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash.toString(16).padStart(16, '0')
}

/**
 * Which template counts: the file chat_template.jinja, else `chat_template` of tokenizer_config.json, which is a text or
 * a list of named ones ("default" is meant). Null where a model has none.
 */
export function chooseTemplate(jinjaFile: string | null, tokenizerConfig: unknown): string | null {
  if (jinjaFile !== null) return jinjaFile
  const inline = (tokenizerConfig as { chat_template?: unknown } | null)?.chat_template
  if (typeof inline === 'string') return inline
  if (!Array.isArray(inline)) return null
  const named = inline as { name?: unknown; template?: unknown }[]
  const chosen = named.find((one) => one.name === 'default') ?? named[0]
  return typeof chosen?.template === 'string' ? chosen.template : null
}

type Program = ReturnType<typeof parse>
const programs = new Map<string, Program>()
const generationTag = /\{%-?\s*generation\s*-?%\}/

function parsed(template: string, markGeneration: boolean): Program {
  const key = (markGeneration ? '1' : '0') + template
  let program = programs.get(key)
  if (program === undefined) {
    if (template.length > mostTemplateLength) throw brokenTemplate(`it is longer than ${mostTemplateLength} characters`)
    if (/\s{2000}/.test(template)) throw brokenTemplate('it holds thousands of blanks in a row')
    try {
      const source = markGeneration ? withMarks(template) : template
      program = parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }))
    } catch (error) {
      throw brokenTemplate((error as Error).message, error)
    }
    if (programs.size >= 32) programs.clear()
    programs.set(key, program)
  }
  return program
}

/** A tag becomes a block of the same white-space rules that writes the mark. */
function withMarks(template: string): string {
  return template
    .replace(/\{%(-?)\s*generation\s*(-?)%\}/g, `{%$1 if true %}${generationMarks.begin}{% endif $2%}`)
    .replace(/\{%(-?)\s*endgeneration\s*(-?)%\}/g, `{%$1 if true %}${generationMarks.end}{% endif $2%}`)
}

function environmentFor(variables: TemplateVariables): Environment {
  const environment = new Environment()
  const values: Record<string, unknown> = {
    messages: variables.messages.map(({ role, content }) => ({ role, content })),
    add_generation_prompt: variables.addGenerationPrompt,
    bos_token: variables.bosToken,
    eos_token: variables.eosToken,
    tools: null,
    documents: null,
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    raise_exception: (message: unknown) => {
      throw new Failure('BadExample', `The model’s chat template refuses these messages: ${String(message)}`, {
        next: 'Change the order or the roles of the messages, or choose a model with another template.',
      })
    },
    range: boundedRange,
    strftime_now: (format: string) => formatDate(variables.now ?? fixedDate, format),
  }
  for (const [name, value] of Object.entries(values)) environment.set(name, value)
  return environment
}

/** Counts every evaluated node and looks at every string, so that a hostile template ends soon. */
class BoundedInterpreter extends Interpreter {
  private steps = 0
  private readonly mostCharacters: number
  constructor(environment: Environment, mostCharacters: number) {
    super(environment)
    this.mostCharacters = mostCharacters
  }
  override evaluate(...at: Parameters<Interpreter['evaluate']>): ReturnType<Interpreter['evaluate']> {
    const result = super.evaluate(...at)
    const value: unknown = result.value
    const length = typeof value === 'string' || Array.isArray(value) ? value.length : 0
    if (length > this.mostCharacters) throw brokenTemplate('it makes a text many times longer than the messages')
    // What is made anew costs by its length; to name what is there costs one step.
    this.steps += at[0]?.type === 'Identifier' ? 1 : 1 + length / 8
    if (this.steps > mostSteps) throw brokenTemplate('it does not come to an end')
    return result
  }
}

function boundedRange(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (!(count <= mostRange)) throw brokenTemplate(`range() of ${count} numbers`)
  return Array.from({ length: count }, (_, i) => from + i * step)
}

const months = 'January February March April May June July August September October November December'.split(' ')
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** Python's strftime, in English and UTC. */
function formatDate(date: Date, format: string): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const parts: Record<string, string> = {
    Y: String(date.getUTCFullYear()),
    y: two(date.getUTCFullYear() % 100),
    m: two(date.getUTCMonth() + 1),
    d: two(date.getUTCDate()),
    B: months[date.getUTCMonth()]!,
    b: months[date.getUTCMonth()]!.slice(0, 3),
    A: days[date.getUTCDay()]!,
    a: days[date.getUTCDay()]!.slice(0, 3),
    H: two(date.getUTCHours()),
    M: two(date.getUTCMinutes()),
    S: two(date.getUTCSeconds()),
    '%': '%',
  }
  return format.replace(/%(.)/g, (whole, letter: string) => parts[letter] ?? whole)
}

function brokenTemplate(reason: string, cause?: unknown): Failure {
  return new Failure('BadFile', `This model’s chat template does not work: ${reason}.`, {
    where: 'chat template',
    next: 'Choose another model, or correct its chat_template.jinja.',
    cause,
  })
}
