// Datasets with their examples and refusals. A dataset is shown only once it is whole: while rows go in, and while they
// are swept out, it has another state, so that neither a crash nor a full disk leaves half of one.
// Search walks the rows: over 100,000 rows of 400 letters that takes 0.1 s here. An FTS5 trigram index was measured
// beside it: it doubled the time of an import and made the file a sixth larger, for what is quick enough without.
import type { Dataset, Example, ExampleKind, Refusal, Row, Split } from '../contract/records.ts'
import { Failure } from '../contract/errors.ts'
import { found, newId } from './ids.ts'
import type { Store } from './open.ts'

interface DatasetRow {
  id: string
  name: string
  kind: ExampleKind
  source: string
  mapping: string | null
  rows: number
  held_out: number
  refused: number
  bytes: number
  created_at: number
}
const toDataset = (row: DatasetRow): Dataset => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  source: JSON.parse(row.source),
  mapping: row.mapping === null ? null : JSON.parse(row.mapping),
  rows: row.rows,
  heldOut: row.held_out,
  refused: row.refused,
  bytes: row.bytes,
  createdAt: row.created_at,
})

/** What is searched: all that a person reads in a row, in small letters. */
function searchText(example: Example): string {
  const parts =
    example.kind === 'text'
      ? [example.text]
      : (example.kind === 'conversation'
          ? example.messages
          : example.kind === 'preference'
            ? [...example.prompt, ...example.chosen, ...example.rejected]
            : example.kind === 'prompt'
              ? example.prompt
              : [...example.prompt, ...example.response]
        ).map((message) => message.content)
  return searchable(parts.join('\n'))
}
export const searchable = (text: string): string => text.normalize('NFC').toLowerCase()

// ---- Writing --------------------------------------------------------------------------------------------------------

/** Begins a dataset that nobody sees until `finishDataset`. */
export function beginDataset(
  store: Store,
  dataset: Pick<Dataset, 'name' | 'kind' | 'source' | 'mapping' | 'createdAt'>,
): string {
  return store.transaction(() => {
    const id = newId(store, 'dataset')
    store.run(
      "INSERT INTO datasets (id, name, kind, source, mapping, state, created_at) VALUES (?, ?, ?, ?, ?, 'writing', ?)",
      id,
      dataset.name,
      dataset.kind,
      JSON.stringify(dataset.source),
      dataset.mapping === null ? null : JSON.stringify(dataset.mapping),
      dataset.createdAt,
    )
    return id
  })
}

/** Adds rows in one short transaction: some 500 at a time keep the core answering. */
export function addRows(store: Store, dataset: string, rows: readonly Row[]): void {
  matches.delete(store)
  store.transaction(() => {
    let bytes = 0
    let heldOut = 0
    for (const { row, line, split, example } of rows) {
      const json = JSON.stringify(example)
      bytes += Buffer.byteLength(json)
      heldOut += split === 'held-out' ? 1 : 0
      store.run(
        'INSERT INTO examples (dataset, row, line, held_out, search, example) VALUES (?, ?, ?, ?, ?, ?)',
        dataset,
        row,
        line,
        split === 'held-out' ? 1 : 0,
        searchText(example),
        json,
      )
    }
    store.run(
      'UPDATE datasets SET rows = rows + ?, held_out = held_out + ?, bytes = bytes + ? WHERE id = ?',
      rows.length,
      heldOut,
      bytes,
      dataset,
    )
  })
}

export function addRefusals(store: Store, dataset: string, refusals: readonly Refusal[]): void {
  store.transaction(() => {
    for (const { line, reason, text } of refusals)
      store.run('INSERT INTO refusals (dataset, line, reason, text) VALUES (?, ?, ?, ?)', dataset, line, reason, text)
    store.run('UPDATE datasets SET refused = refused + ? WHERE id = ?', refusals.length, dataset)
  })
}

/** The dataset is whole: from now on it is shown. */
export function finishDataset(
  store: Store,
  id: string,
  known: Partial<Pick<Dataset, 'source' | 'mapping'>> = {},
): Dataset {
  return store.transaction(() => {
    if (known.source) store.run('UPDATE datasets SET source = ? WHERE id = ?', JSON.stringify(known.source), id)
    if (known.mapping) store.run('UPDATE datasets SET mapping = ? WHERE id = ?', JSON.stringify(known.mapping), id)
    store.run("UPDATE datasets SET state = 'ready' WHERE id = ?", id)
    return showDataset(store, id)
  })
}

/** A whole small dataset at once: what labels become. */
export function addDataset(
  store: Store,
  dataset: Pick<Dataset, 'name' | 'kind' | 'source' | 'mapping' | 'createdAt'>,
  rows: readonly Row[],
): Dataset {
  return store.transaction(() => {
    const id = beginDataset(store, dataset)
    addRows(store, id, rows)
    return finishDataset(store, id)
  })
}

/** Other rows in the place of those that a small dataset had: its id and name stay. */
export function replaceRows(store: Store, id: string, rows: readonly Row[]): Dataset {
  return store.transaction(() => {
    store.run('DELETE FROM examples WHERE dataset = ?', id)
    store.run('UPDATE datasets SET rows = 0, held_out = 0, bytes = 0 WHERE id = ?', id)
    addRows(store, id, rows)
    return showDataset(store, id)
  })
}

export function renameDataset(store: Store, id: string, name: string): Dataset {
  store.run('UPDATE datasets SET name = ? WHERE id = ?', name, id)
  return showDataset(store, id)
}

/** Takes a dataset out of sight at once; its rows go by `sweepDatasets`. */
export function removeDataset(store: Store, id: string): void {
  if (store.run("UPDATE datasets SET state = 'removed' WHERE id = ? AND state <> 'removed'", id) === 0)
    found(undefined, 'dataset', id)
}

/** After a start: what an earlier Temper was still writing will never be whole. */
export function abandonHalfDatasets(store: Store): number {
  return store.run("UPDATE datasets SET state = 'removed' WHERE state = 'writing'")
}

/** Deletes at most `atMost` rows of removed datasets; true while there is more to delete. */
export function sweepDatasets(store: Store, atMost = 500): boolean {
  const gone = store.get<{ id: string }>("SELECT id FROM datasets WHERE state = 'removed' LIMIT 1")
  if (gone === undefined) return false
  for (const table of ['examples', 'refusals'])
    if (
      store.run(
        `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE dataset = ? LIMIT ?)`,
        gone.id,
        atMost,
      ) > 0
    )
      return true
  store.run('DELETE FROM datasets WHERE id = ?', gone.id)
  return true
}

// ---- Reading --------------------------------------------------------------------------------------------------------

export function showDataset(store: Store, id: string): Dataset {
  const row = store.get<DatasetRow>("SELECT * FROM datasets WHERE id = ? AND state = 'ready'", id)
  return toDataset(found(row, 'dataset', id))
}

/** All datasets, newest first. */
export function listDatasets(store: Store): Dataset[] {
  return store.all<DatasetRow>("SELECT * FROM datasets WHERE state = 'ready' ORDER BY rowid DESC").map(toDataset)
}

interface ExampleRow {
  row: number
  line: number
  held_out: 0 | 1
  example: string
}
const toRow = ({ row, line, held_out, example }: ExampleRow): Row => ({
  row,
  line,
  split: held_out === 1 ? 'held-out' : 'train',
  example: JSON.parse(example),
})
const heldOutFlag = (split: Split): 0 | 1 => (split === 'held-out' ? 1 : 0)
const columns = 'row, line, held_out, example'

/** The latest search of a library: numbers of the rows that match, so that scrolling through them does not search again. */
const matches = new WeakMap<Store, { key: string; rows: Int32Array }>()

function matchingRows(store: Store, dataset: string, query: string, split: Split | undefined): Int32Array {
  const key = JSON.stringify([dataset, query, split])
  const known = matches.get(store)
  if (known?.key === key) return known.rows
  const rows = store.all<{ row: number }>(
    `SELECT row FROM examples WHERE dataset = :dataset AND instr(search, :query) > 0
       AND (:heldOut IS NULL OR held_out = :heldOut) ORDER BY row`,
    { dataset, query: searchable(query), heldOut: split === undefined ? null : heldOutFlag(split) },
  )
  const numbers = Int32Array.from(rows, ({ row }) => row)
  matches.set(store, { key, rows: numbers })
  return numbers
}

/** `count` rows from place `from` (0 is the first) of those that match, and how many match in all. */
export function listRows(
  store: Store,
  dataset: string,
  { from = 0, count = 100, query = '', split }: { from?: number; count?: number; query?: string; split?: Split } = {},
): { rows: Row[]; total: number } {
  const { rows, heldOut } = showDataset(store, dataset)
  if (query.trim() !== '') {
    const numbers = matchingRows(store, dataset, query.trim(), split)
    return {
      rows: [...numbers.subarray(from, from + count)].map((row) => showRow(store, dataset, row)),
      total: numbers.length,
    }
  }
  if (split !== undefined)
    return {
      rows: store
        .all<ExampleRow>(
          `SELECT ${columns} FROM examples WHERE dataset = ? AND held_out = ? ORDER BY row LIMIT ? OFFSET ?`,
          dataset,
          heldOutFlag(split),
          count,
          from,
        )
        .map(toRow),
      total: split === 'held-out' ? heldOut : rows - heldOut,
    }
  // Rows are numbered from 1 without gaps, so a page is found by number and nothing before it is walked.
  const page = store.all<ExampleRow>(
    `SELECT ${columns} FROM examples WHERE dataset = ? AND row > ? ORDER BY row LIMIT ?`,
    dataset,
    from,
    count,
  )
  return { rows: page.map(toRow), total: rows }
}

export function showRow(store: Store, dataset: string, row: number): Row {
  const one = store.get<ExampleRow>(`SELECT ${columns} FROM examples WHERE dataset = ? AND row = ?`, dataset, row)
  if (one !== undefined) return toRow(one)
  const { name, rows } = showDataset(store, dataset)
  throw new Failure('NotFound', `“${name}” has no row ${row}.`, {
    where: `${dataset}, row ${row}`,
    next: `Its rows are numbered 1 to ${rows}.`,
  })
}

/** All rows in order, read in pages, so that memory stays flat. */
export function* walkRows(store: Store, dataset: string, split?: Split): Generator<Row> {
  let after = 0
  for (;;) {
    const page = store.all<ExampleRow>(
      `SELECT ${columns} FROM examples WHERE dataset = :dataset AND row > :after
         AND (:heldOut IS NULL OR held_out = :heldOut) ORDER BY row LIMIT 500`,
      { dataset, after, heldOut: split === undefined ? null : heldOutFlag(split) },
    )
    if (page.length === 0) return
    for (const row of page) yield toRow(row)
    after = page.at(-1)!.row
  }
}

/** Another example in the place of one; line and split stay. */
export function changeRow(store: Store, dataset: string, row: number, example: Example): Row {
  matches.delete(store)
  return store.transaction(() => {
    const before = Buffer.byteLength(JSON.stringify(showRow(store, dataset, row).example))
    const json = JSON.stringify(example)
    store.run(
      'UPDATE examples SET example = ?, search = ? WHERE dataset = ? AND row = ?',
      json,
      searchText(example),
      dataset,
      row,
    )
    store.run('UPDATE datasets SET bytes = bytes + ? WHERE id = ?', Buffer.byteLength(json) - before, dataset)
    return showRow(store, dataset, row)
  })
}

export function listRefusals(
  store: Store,
  dataset: string,
  from = 0,
  count = 100,
): { refusals: Refusal[]; total: number } {
  const { refused } = showDataset(store, dataset)
  const refusals = store.all<Refusal>(
    'SELECT line, reason, text FROM refusals WHERE dataset = ? ORDER BY line LIMIT ? OFFSET ?',
    dataset,
    count,
    from,
  )
  return { refusals, total: refused }
}
