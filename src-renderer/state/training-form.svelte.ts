// The form of a new training: what was chosen, what was typed, and the core's plan for it, asked for as the person types.
import { api, toFailure } from '../api.ts'
import type { OptionList, Plan, TokenRow } from '../../src-main/contract/commands.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
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
  #timer: ReturnType<typeof setTimeout> | null = null

  /** What the core is asked, or null while something is not chosen. */
  get request() {
    if (this.start === '' || this.dataset === '') return null
    const { name, method, tune, start, dataset } = this
    return {
      ...(name.trim() !== '' && { name: name.trim() }),
      ...{ method, tune, start, dataset },
      seed: Number(this.seed),
      options: { ...this.typed },
    }
  }

  async readOptions(): Promise<void> {
    const { method, tune } = this
    const options = await api.call('train.options', { method, tune })
    if (method !== this.method || tune !== this.tune) return
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
    try {
      const plan = request === null ? null : await api.call('train.plan', request)
      if (asked !== this.#asked) return
      this.plan = plan
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

  /** What stands in a field: what was typed, what a preset says, or the declared default. */
  valueOf(name: string): string {
    const planned = this.plan?.options[name]
    const declared = this.options.find((o) => o.name === name)?.default
    return this.typed[name] ?? String((planned?.from === 'preset' ? planned.value : declared) ?? '')
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

  async begin(): Promise<Run> {
    const { request } = this
    if (request === null) throw new Error('nothing is chosen')
    return api.call('train.start', request)
  }
}
