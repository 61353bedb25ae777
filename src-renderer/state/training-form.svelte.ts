// The form of a new training: what was chosen, what was typed, and the core's plan for it, asked for as the person types.
import { api, toFailure } from '../api.ts'
import type { OptionList, Plan, TokenRow } from '../../src-main/contract/commands.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
import { words } from '../words/en.ts'
import { count } from '../words/format.ts'
import type { ExampleKind, Method, Run, Tune } from '../../src-main/contract/records.ts'

/** Which kinds of data a method can learn from; the core has the last word, in the plan. */
const readable: Record<Method, readonly ExampleKind[]> = {
  sft: ['conversation', 'completion', 'text'],
  dpo: ['preference'],
}
export const canRead = (method: Method, kind: ExampleKind): boolean => readable[method].includes(kind)

const askAfterMs = 250

export class TrainingForm {
  name = $state('')
  method = $state<Method>('sft')
  tune = $state<Tune>('lora')
  start = $state('')
  dataset = $state('')
  seed = $state('0')
  /** Only what the person changed, as typed. */
  typed = $state<Record<string, string>>({})

  options = $state.raw<OptionList>([])
  plan = $state.raw<Plan | null>(null)
  failure = $state.raw<Failure | null>(null)
  planning = $state(false)
  row = $state(1)
  tokens = $state.raw<TokenRow[] | null>(null)

  #asked = 0
  /** What the plan was made for: figures of one model are not shown as another's. */
  #planFor = $state('')
  #timer: ReturnType<typeof setTimeout> | null = null

  /** What the core is asked, or null while something is not chosen. */
  get request() {
    if (this.start === '' || this.dataset === '') return null
    const { name, method, tune, start, dataset } = this
    return {
      ...(name.trim() !== '' && !this.nameProblem && { name: name.trim() }),
      ...{ method, tune, start, dataset },
      ...(!this.seedProblem && { seed: Number(this.seed) }),
      options: { ...this.typed },
    }
  }

  get #kind(): string {
    return [this.method, this.tune, this.start].join(' ')
  }

  async readOptions(): Promise<void> {
    const kind = this.#kind
    const { method, tune, start } = this
    const options = await api.call('train.options', { method, tune, ...(start !== '' && { start }) })
    if (kind !== this.#kind) return
    this.options = options
    const known = new Set(options.map((o) => o.name))
    this.typed = Object.fromEntries(Object.entries(this.typed).filter(([name]) => known.has(name)))
  }

  /** Asks for the plan a moment after the last change; an answer that comes too late is dropped. */
  askForPlan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.planning = true
    this.#timer = setTimeout(() => void this.#readPlan(), askAfterMs)
  }

  async #readPlan(): Promise<void> {
    const asked = ++this.#asked
    const { request } = this
    const kind = this.#kind
    try {
      const plan = request === null ? null : await api.call('train.plan', request)
      if (asked !== this.#asked) return
      this.plan = plan
      this.#planFor = kind
      this.failure = null
    } catch (thrown) {
      if (asked !== this.#asked) return
      this.failure = toFailure(thrown)
    } finally {
      if (asked === this.#asked) this.planning = false
    }
  }

  async readTokens(model: string): Promise<void> {
    const { dataset, row } = this
    if (dataset === '' || model === '') return void (this.tokens = null)
    try {
      const maxTokens = Number(this.valueOf('maxTokens'))
      const tokens = await api.call('data.tokens', { id: dataset, row, model, ...(maxTokens > 0 && { maxTokens }) })
      if (dataset === this.dataset && row === this.row) this.tokens = tokens
    } catch {
      this.tokens = null // the plan says what is wrong with this choice
    }
  }

  /** What stands in a field: what was typed, what the plan resolved, or the declared default. */
  valueOf(name: string): string {
    const planned = this.#planFor === this.#kind ? this.plan?.options[name] : undefined
    const declared = this.options.find((o) => o.name === name)?.default
    const resolved = planned === undefined || planned.from === 'given' ? declared : planned.value
    return this.typed[name] ?? String(resolved ?? '')
  }

  get nameProblem(): string | undefined {
    return this.name.trim().length > 120 ? words.train.nameLong(count(this.name.trim().length)) : undefined
  }
  get seedProblem(): string | undefined {
    return /^\d{1,10}$/.test(this.seed.trim()) && Number(this.seed) < 2 ** 32 ? undefined : words.train.seedWrong
  }

  /** The core has looked at all that stands in the form and would start it. */
  get ready(): boolean {
    const said = this.plan?.ok === true && this.failure === null && this.#planFor === this.#kind
    return said && !this.nameProblem && !this.seedProblem
  }

  /** How often the planned steps read the data, where steps were set and epochs do not decide. */
  get epochsOfSteps(): number | null {
    const { plan } = this
    if (plan === null || plan.rows === 0 || !(Number(plan.options['maxSteps']?.value ?? 0) > 0)) return null
    return (plan.steps * Number(plan.options['rowsPerStep']?.value ?? 0)) / plan.rows
  }

  change(name: string, value: string): void {
    this.typed = { ...this.typed, [name]: value }
    this.askForPlan()
  }
  reset(name?: string): void {
    this.typed = name === undefined ? {} : Object.fromEntries(Object.entries(this.typed).filter(([n]) => n !== name))
    this.askForPlan()
  }

  /** Problems and warnings about one setting; the failure's too, when the core refused to plan. */
  about(name: string): { problem?: string; warning?: string } {
    const problem =
      this.failure?.problems?.find((p) => p.where === name) ?? this.plan?.problems.find((p) => p.where === name)
    const warning = this.plan?.warnings.find((w) => w.where === name)
    return {
      ...(problem && { problem: problem.message }),
      ...(warning && { warning: [warning.message, warning.next].filter(Boolean).join(' ') }),
    }
  }

  /** Fills the form as for an earlier run, with some settings changed. */
  repeat(run: Run, change: Record<string, string> = {}): void {
    const { method, tune, start, dataset, seed, options } = run
    Object.assign(this, { method, tune, start, dataset, seed: String(seed), name: '' })
    const given = Object.entries(options).filter(([, one]) => one.from === 'given')
    this.typed = { ...Object.fromEntries(given.map(([name, one]) => [name, String(one.value)])), ...change }
    this.askForPlan()
  }

  async begin(): Promise<Run> {
    const { request } = this
    if (request === null) throw new Error('nothing is chosen')
    return api.call('train.start', request)
  }
}
