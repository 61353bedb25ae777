// Judging one set of pairs: the pair shown, the one that waits behind it, what is chosen but not yet saved, and what was
// judged before. Saves go out one after another while the next pair is already on the screen.
import { api, toFailure } from '../api.ts'
import type { JudgedPair, PairSetDetail } from '../../src-main/contract/commands.ts'
import type { Failure } from '../../src-main/contract/errors.ts'
import type { Judgement, Pair, Verdict } from '../../src-main/contract/records.ts'

interface Draft {
  verdict: Verdict | null
  reasons: string[]
  note: string
}
const blank = (): Draft => ({ verdict: null, reasons: [], note: '' })
const historyPage = 100

/** Time on a pair, without the time in which the window was hidden. */
class Pace {
  #began = 0
  #hiddenAt: number | null = null
  begin(): void {
    this.#began = performance.now()
    this.#hiddenAt = null
  }
  /** Call when the window is hidden and when it shows again. */
  hide(hidden: boolean): void {
    const now = performance.now()
    if (hidden) this.#hiddenAt ??= now
    else if (this.#hiddenAt !== null) {
      this.#began += now - this.#hiddenAt
      this.#hiddenAt = null
    }
  }
  get tookMs(): number {
    return Math.max(0, Math.round((this.#hiddenAt ?? performance.now()) - this.#began))
  }
}

export class Labelling {
  readonly set: string
  detail = $state.raw<PairSetDetail | null>(null)
  /** The pair on the screen; null when none is left (or none is there yet). */
  pair = $state.raw<Pair | null>(null)
  draft = $state<Draft>(blank())
  /** Set once this pair's judgement is kept and its sources are shown: then it stands. */
  kept = $state.raw<JudgedPair | null>(null)
  /** A past judgement that is looked at again, with its own draft. */
  review = $state.raw<JudgedPair | null>(null)
  history = $state.raw<JudgedPair[]>([])
  historyTotal = $state(0)
  query = $state('')
  failure = $state.raw<Failure | null>(null)
  ready = $state(false)
  readonly pace = new Pace()
  #behind: Pair | null = null
  #queue: Promise<unknown> = Promise.resolve()
  #setAside: Draft | null = null
  #refreshing: ReturnType<typeof setTimeout> | null = null

  constructor(set: string) {
    this.set = set
  }

  async open(): Promise<void> {
    try {
      await this.refresh()
      this.#show(await api.call('label.next', { set: this.set }))
      this.failure = null
    } catch (thrown) {
      this.failure = toFailure(thrown)
    }
    this.ready = true
  }

  /** Figures and history, as they are now. */
  async refresh(): Promise<void> {
    const query = this.query.trim()
    const [detail, history] = await Promise.all([
      api.call('pairs.show', { id: this.set }),
      api.call('label.history', { set: this.set, count: historyPage, ...(query && { query }) }),
    ])
    this.detail = detail
    if (query !== this.query.trim()) return
    this.history = history.judgements
    this.historyTotal = history.total
  }

  refreshSoon(): void {
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = null
      void this.refresh().catch((thrown: unknown) => (this.failure = toFailure(thrown)))
    }, 60)
  }

  async moreHistory(): Promise<void> {
    const query = this.query.trim()
    const from = this.history.length
    const more = await api.call('label.history', { set: this.set, from, count: historyPage, ...(query && { query }) })
    this.history = [...this.history, ...more.judgements]
    this.historyTotal = more.total
  }

  /** Pairs came in while none was on the screen. */
  async lookForMore(): Promise<void> {
    if (this.pair === null) this.#show(await api.call('label.next', { set: this.set }))
    else if (this.#behind === null) void this.#prepare(this.pair)
  }

  #show(pair: Pair | null, draft = blank()): void {
    this.pair = pair
    this.draft = draft
    this.kept = null
    this.failure = null
    this.#behind = null
    this.pace.begin()
    if (pair !== null) void this.#prepare(pair)
  }

  /** Has the next pair at hand, so that it appears at once. */
  async #prepare(pair: Pair): Promise<void> {
    try {
      const next =
        (await api.call('label.next', { set: this.set, after: pair.position })) ??
        (await api.call('label.next', { set: this.set }))
      if (this.pair?.id === pair.id && next?.id !== pair.id) this.#behind = next
    } catch {
      // Saving asks again, and says what is wrong.
    }
  }

  choose(verdict: Verdict): void {
    if (this.kept === null) this.draft.verdict = verdict
  }

  toggleReason(reason: string): void {
    if (this.kept !== null) return
    const { reasons } = this.draft
    this.draft.reasons = reasons.includes(reason) ? reasons.filter((one) => one !== reason) : [...reasons, reason]
  }

  /** Keeps the judgement and goes on. Answers what was kept, or null where nothing was chosen yet. */
  async saveAndNext(): Promise<{ position: number; verdict: Verdict } | null> {
    if (this.review !== null) return await this.#saveReview()
    const pair = this.pair
    if (pair === null) return null
    if (this.kept !== null) {
      const { position, verdict } = this.kept
      await this.#advance(pair)
      return { position, verdict }
    }
    const draft = $state.snapshot(this.draft)
    if (draft.verdict === null) return null
    this.failure = null
    const saving = this.#save(pair, draft)
    await this.#advance(pair, saving)
    await saving
    return { position: pair.position, verdict: draft.verdict }
  }

  async skip(): Promise<void> {
    if (this.pair === null || this.kept !== null || this.review !== null) return
    this.draft.verdict = 'skip'
    await this.saveAndNext()
  }

  async #advance(from: Pair, saving?: Promise<unknown>): Promise<void> {
    if (this.#behind !== null) return this.#show(this.#behind)
    await saving
    if (this.pair?.id !== from.id || this.failure !== null) return
    try {
      const next =
        (await api.call('label.next', { set: this.set, after: from.position })) ??
        (await api.call('label.next', { set: this.set }))
      if (this.pair?.id === from.id) this.#show(next)
    } catch (thrown) {
      this.failure = toFailure(thrown)
    }
  }

  /** One save after another. A save that failed brings its pair back with what was chosen. */
  async #save(pair: Pair, draft: Draft): Promise<Judgement | null> {
    const tookMs = this.pace.tookMs
    const work = this.#queue.then(() =>
      api.call('label.judge', {
        pair: pair.id,
        verdict: draft.verdict!,
        reasons: draft.reasons,
        note: draft.note.trim(),
        tookMs,
      }),
    )
    this.#queue = work.catch(() => undefined)
    try {
      const judgement = await work
      this.refreshSoon()
      return judgement
    } catch (thrown) {
      this.#show(pair, draft)
      this.failure = toFailure(thrown)
      return null
    }
  }

  /** Keeps what is chosen and tells who wrote which; the pair stays. False where nothing is chosen yet. */
  async showSources(): Promise<boolean> {
    const pair = this.pair
    if (pair === null || this.draft.verdict === null) return false
    if (this.kept !== null) return true
    const judgement = await this.#save(pair, $state.snapshot(this.draft))
    if (judgement === null || this.pair?.id !== pair.id) return true
    await this.refresh()
    this.kept = this.history.find((one) => one.id === judgement.id) ?? (await this.#find(judgement))
    return true
  }

  async #find(judgement: Judgement): Promise<JudgedPair | null> {
    const { judgements } = await api.call('label.history', { set: this.set, count: 1 })
    return judgements.find((one) => one.id === judgement.id) ?? null
  }

  /** Takes back the latest judgement; its pair shows again with what had been chosen. Null where there is none left. */
  async undo(): Promise<Pair | null> {
    await this.#queue
    if (this.review !== null) this.leaveReview()
    const { judgements } = await api.call('label.history', { set: this.set, count: 1 })
    const last = judgements[0]
    const pair = await api.call('label.undo', { set: this.set })
    if (pair === null) return null
    const verdict = last?.pair === pair.id && last.verdict !== 'skip' ? last.verdict : null
    this.#show(pair, { verdict, reasons: last?.reasons ?? [], note: last?.note ?? '' })
    this.refreshSoon()
    return pair
  }

  /** Looks at a past judgement; what was chosen for the present pair is set aside. */
  lookAgain(judged: JudgedPair): void {
    if (this.review === null) this.#setAside = $state.snapshot(this.draft)
    this.review = judged
    this.draft = {
      verdict: judged.verdict === 'skip' ? null : judged.verdict,
      reasons: [...judged.reasons],
      note: judged.note,
    }
  }

  leaveReview(): void {
    this.review = null
    this.draft = this.#setAside ?? blank()
    this.#setAside = null
  }

  async #saveReview(): Promise<{ position: number; verdict: Verdict } | null> {
    const judged = this.review
    const { verdict, reasons, note } = $state.snapshot(this.draft)
    if (judged === null || verdict === null) return null
    try {
      await api.call('label.edit', { id: judged.id, verdict, reasons, note: note.trim() })
      this.leaveReview()
      this.refreshSoon()
      return { position: judged.position, verdict }
    } catch (thrown) {
      this.failure = toFailure(thrown)
      return null
    }
  }
}
