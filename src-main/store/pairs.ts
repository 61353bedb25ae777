// Sets of pairs to judge, their prompts and pairs, and the judgements. A pair keeps its answers as they were made
// (first, second); `swapped` says whether the second is shown as A.
import type { Judgement, Message, Pair, PairSet, Verdict } from '../contract/records.ts'
import { searchable } from './datasets.ts'
import { found, newId } from './ids.ts'
import type { Store } from './open.ts'

interface SetRow {
  id: string
  name: string
  source: PairSet['source']
  dataset: string | null
  answerers: string
  seed: number
  total: number
  judged: number
  created_at: number
}
const setColumns = `id, name, source, dataset, answerers, seed, created_at,
  (SELECT count(*) FROM pairs WHERE pair_set = pair_sets.id) AS total,
  (SELECT count(*) FROM judgements WHERE pair_set = pair_sets.id) AS judged`
const toSet = (row: SetRow): PairSet => ({
  id: row.id,
  name: row.name,
  source: row.source,
  dataset: row.dataset,
  answerers: JSON.parse(row.answerers),
  seed: row.seed,
  total: row.total,
  judged: row.judged,
  createdAt: row.created_at,
})

/** Begins a set. One that is to be filled first stays unseen until `finishPairSet`. */
export function addPairSet(
  store: Store,
  set: Omit<PairSet, 'id' | 'total' | 'judged'>,
  state: 'ready' | 'filling' = 'ready',
): PairSet {
  return store.transaction(() => {
    const id = newId(store, 'pairSet')
    store.run(
      'INSERT INTO pair_sets (id, name, source, dataset, answerers, seed, ready, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      set.name,
      set.source,
      set.dataset,
      JSON.stringify(set.answerers),
      set.seed,
      state === 'ready' ? 1 : 0,
      set.createdAt,
    )
    return showPairSet(store, id)
  })
}

export function finishPairSet(store: Store, id: string): PairSet {
  store.run('UPDATE pair_sets SET ready = 1 WHERE id = ?', id)
  return showPairSet(store, id)
}

/** After a start: sets that an earlier Temper was still filling. */
export function removeHalfPairSets(store: Store): number {
  return store.run('DELETE FROM pair_sets WHERE ready = 0')
}

export function showPairSet(store: Store, id: string): PairSet {
  return toSet(found(store.get<SetRow>(`SELECT ${setColumns} FROM pair_sets WHERE id = ?`, id), 'pairSet', id))
}

/** All sets, newest first. */
export function listPairSets(store: Store): PairSet[] {
  return store.all<SetRow>(`SELECT ${setColumns} FROM pair_sets WHERE ready = 1 ORDER BY rowid DESC`).map(toSet)
}

export function renamePairSet(store: Store, id: string, name: string): PairSet {
  store.run('UPDATE pair_sets SET name = ? WHERE id = ?', name, id)
  return showPairSet(store, id)
}

/** Removes the set with its pairs and judgements; a dataset that was made of them stays. */
export function removePairSet(store: Store, id: string): void {
  if (store.run('DELETE FROM pair_sets WHERE id = ?', id) === 0) found(undefined, 'pairSet', id)
}

// ---- Pairs ----------------------------------------------------------------------------------------------------------

/** A pair as it was made. A writer is an answerer's id, or what the imported data said ("chosen", "rejected"). */
export interface MadePair {
  id: string
  set: string
  position: number
  prompt: Message[]
  plain: boolean
  first: Message[]
  second: Message[]
  writers: [first: string, second: string]
  seeds: [first: number, second: number] | null
  swapped: boolean
}
interface PairRow {
  id: string
  pair_set: string
  position: number
  messages: string
  plain: 0 | 1
  first: string
  second: string
  first_writer: string
  second_writer: string
  first_seed: number | null
  second_seed: number | null
  swapped: 0 | 1
}
const pairColumns = `pairs.id, pairs.pair_set, position, messages, plain, first, second, first_writer, second_writer,
  first_seed, second_seed, swapped`
const pairsWithPrompts = 'pairs JOIN prompts ON prompts.id = pairs.prompt'
const toMadePair = (row: PairRow): MadePair => ({
  id: row.id,
  set: row.pair_set,
  position: row.position,
  prompt: JSON.parse(row.messages),
  plain: row.plain === 1,
  first: JSON.parse(row.first),
  second: JSON.parse(row.second),
  writers: [row.first_writer, row.second_writer],
  seeds: row.first_seed === null ? null : [row.first_seed, row.second_seed!],
  swapped: row.swapped === 1,
})

/** An answer as it is read: its messages one below the other. */
export const shown = (messages: readonly Message[]): string => messages.map((message) => message.content).join('\n\n')

/** The pair as it is judged: sides as they are shown, writers hidden. */
export function asJudged(pair: MadePair): Pair {
  const [a, b] = pair.swapped ? [pair.second, pair.first] : [pair.first, pair.second]
  return { id: pair.id, set: pair.set, position: pair.position, prompt: pair.prompt, a: shown(a), b: shown(b) }
}

/** Adds pairs behind those that the set has, in one transaction. */
export function addPairs(store: Store, set: string, pairs: readonly Omit<MadePair, 'id' | 'set' | 'position'>[]): void {
  store.transaction(() => {
    let position = store.get<{ last: number }>(
      'SELECT coalesce(max(position), 0) AS last FROM pairs WHERE pair_set = ?',
      set,
    )!.last
    for (const pair of pairs) {
      const prompt = store.get<{ id: number }>(
        'INSERT INTO prompts (pair_set, messages, plain) VALUES (?, ?, ?) RETURNING id',
        set,
        JSON.stringify(pair.prompt),
        pair.plain ? 1 : 0,
      )!.id
      store.run(
        `INSERT INTO pairs (id, pair_set, position, prompt, first, second, first_length, second_length, first_writer,
           second_writer, first_seed, second_seed, swapped, search) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        newId(store, 'pair'),
        set,
        ++position,
        prompt,
        JSON.stringify(pair.first),
        JSON.stringify(pair.second),
        shown(pair.first).length,
        shown(pair.second).length,
        pair.writers[0],
        pair.writers[1],
        pair.seeds?.[0] ?? null,
        pair.seeds?.[1] ?? null,
        pair.swapped ? 1 : 0,
        searchable([shown(pair.prompt), shown(pair.first), shown(pair.second)].join('\n')),
      )
    }
  })
}

export function showPair(store: Store, id: string): MadePair {
  const row = store.get<PairRow>(`SELECT ${pairColumns} FROM ${pairsWithPrompts} WHERE pairs.id = ?`, id)
  return toMadePair(found(row, 'pair', id))
}

/** The first pair after position `after` that has no judgement, or null. */
export function nextUnjudged(store: Store, set: string, after = 0): MadePair | null {
  const row = store.get<PairRow>(
    `SELECT ${pairColumns} FROM ${pairsWithPrompts} WHERE pairs.pair_set = ? AND position > ?
       AND NOT EXISTS (SELECT 1 FROM judgements WHERE judgements.pair = pairs.id) ORDER BY position LIMIT 1`,
    set,
    after,
  )
  return row === undefined ? null : toMadePair(row)
}

// ---- Judgements -----------------------------------------------------------------------------------------------------

interface JudgementRow {
  id: string
  pair: string
  pair_set: string
  position: number
  verdict: string
  reasons: string
  note: string
  took_ms: number
  judged_at: number
  swapped: 0 | 1
}
const judgementColumns = `judgements.id, judgements.pair, judgements.pair_set, position, verdict, reasons, note, took_ms,
  judged_at, swapped`
const judgedPairs = 'judgements JOIN pairs ON pairs.id = judgements.pair'
const toVerdict = (text: string): Verdict => (/^\d$/.test(text) ? Number(text) : text) as Verdict
const toJudgement = (row: JudgementRow): Judgement => ({
  id: row.id,
  pair: row.pair,
  set: row.pair_set,
  position: row.position,
  verdict: toVerdict(row.verdict),
  reasons: JSON.parse(row.reasons),
  note: row.note,
  tookMs: row.took_ms,
  judgedAt: row.judged_at,
  swapped: row.swapped === 1,
})
const wordsOf = (reasons: readonly string[], note: string): string => searchable([...reasons, note].join('\n'))

/** Writes a judgement down; a second one of the same pair takes the place of the first and becomes the latest. */
export function addJudgement(
  store: Store,
  judgement: Pick<Judgement, 'pair' | 'verdict' | 'reasons' | 'note' | 'tookMs' | 'judgedAt'>,
): Judgement {
  return store.transaction(() => {
    const { set } = showPair(store, judgement.pair)
    store.run('DELETE FROM judgements WHERE pair = ?', judgement.pair)
    const id = newId(store, 'judgement')
    store.run(
      `INSERT INTO judgements (id, pair, pair_set, number, verdict, reasons, note, search, took_ms, judged_at)
       VALUES (?, ?, ?, (SELECT 1 + coalesce(max(number), 0) FROM judgements WHERE pair_set = ?), ?, ?, ?, ?, ?, ?)`,
      id,
      judgement.pair,
      set,
      set,
      String(judgement.verdict),
      JSON.stringify(judgement.reasons),
      judgement.note,
      wordsOf(judgement.reasons, judgement.note),
      judgement.tookMs,
      judgement.judgedAt,
    )
    return showJudgement(store, id)
  })
}

export function showJudgement(store: Store, id: string): Judgement {
  const row = store.get<JudgementRow>(`SELECT ${judgementColumns} FROM ${judgedPairs} WHERE judgements.id = ?`, id)
  return toJudgement(found(row, 'judgement', id))
}

/** Corrects a judgement; its place in the order of judging stays. */
export function changeJudgement(
  store: Store,
  id: string,
  change: Partial<Pick<Judgement, 'verdict' | 'reasons' | 'note'>>,
): Judgement {
  const { verdict, reasons, note } = { ...showJudgement(store, id), ...change }
  store.run(
    'UPDATE judgements SET verdict = ?, reasons = ?, note = ?, search = ? WHERE id = ?',
    String(verdict),
    JSON.stringify(reasons),
    note,
    wordsOf(reasons, note),
    id,
  )
  return showJudgement(store, id)
}

/** Takes back the latest judgement of a set; gives its pair, or null where there is none. */
export function removeLatestJudgement(store: Store, set: string): MadePair | null {
  return store.transaction(() => {
    const latest = store.get<{ id: string; pair: string }>(
      'SELECT id, pair FROM judgements WHERE pair_set = ? ORDER BY number DESC LIMIT 1',
      set,
    )
    if (latest === undefined) return null
    store.run('DELETE FROM judgements WHERE id = ?', latest.id)
    return showPair(store, latest.pair)
  })
}

/** Judgements with their pairs, latest first; with `query`, those whose prompt, answers, reasons or note hold it. */
export function listJudgements(
  store: Store,
  set: string,
  { from = 0, count = 100, query = '' }: { from?: number; count?: number; query?: string } = {},
): { judged: { judgement: Judgement; pair: MadePair }[]; total: number } {
  const where = `judgements.pair_set = :set
    AND (:query = '' OR instr(pairs.search, :query) > 0 OR instr(judgements.search, :query) > 0)`
  const named = { set, query: searchable(query.trim()) }
  const rows = store.all<JudgementRow>(
    `SELECT ${judgementColumns} FROM ${judgedPairs} WHERE ${where} ORDER BY number DESC LIMIT :count OFFSET :from`,
    { ...named, count, from },
  )
  const { total } = store.get<{ total: number }>(`SELECT count(*) AS total FROM ${judgedPairs} WHERE ${where}`, named)!
  return { judged: rows.map((row) => ({ judgement: toJudgement(row), pair: showPair(store, row.pair) })), total }
}

/** Every judgement of a set with its pair, by the pair's position: what is counted and what is trained on. */
export function walkJudged(store: Store, set: string): { judgement: Judgement; pair: MadePair }[] {
  return store
    .all<JudgementRow>(
      `SELECT ${judgementColumns} FROM ${judgedPairs} WHERE judgements.pair_set = ? ORDER BY position`,
      set,
    )
    .map((row) => ({ judgement: toJudgement(row), pair: showPair(store, row.pair) }))
}

/** What is counted of each judgement: lengths in characters, sides as they were shown. */
export interface JudgedFigures {
  verdict: Verdict
  tookMs: number
  lengthA: number
  lengthB: number
  /** The two answers do not say the same. */
  differ: boolean
}
export function listJudgedFigures(store: Store, set: string): JudgedFigures[] {
  return store
    .all<Omit<JudgedFigures, 'verdict' | 'differ'> & { verdict: string; differ: 0 | 1 }>(
      `SELECT verdict, took_ms AS tookMs, iif(swapped, second_length, first_length) AS lengthA,
         iif(swapped, first_length, second_length) AS lengthB, first <> second AS differ
       FROM ${judgedPairs} WHERE judgements.pair_set = ? ORDER BY number`,
      set,
    )
    .map((row) => ({ ...row, verdict: toVerdict(row.verdict), differ: row.differ === 1 }))
}
