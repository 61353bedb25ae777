// Opens a library: one SQLite file, one writer. The file is locked for as long as it is open (the system lets go of the
// lock when a process dies, however it dies), brought up to date by numbered migrations, and refused when it is newer.
import Database from 'better-sqlite3'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '../contract/errors.ts'
import { makeFolder } from './files.ts'
import * as first from './migrations/0010-first.ts'

/** Every migration, oldest first. Each runs in one transaction and leaves its number in `user_version`. */
const migrations: { version: number; sql: string }[] = [first]
export const newestVersion = migrations.at(-1)!.version

/** A line for the log, without its end. */
export type Log = (line: string) => void
/** A value for a `?`, or a record of values for the `:names` of a statement. */
type Plain = string | number | bigint | null | Uint8Array
type Value = Plain | Record<string, Plain>

/** An opened library. The functions of this folder take it first; nobody else writes SQL. */
export interface Store {
  readonly home: string
  /** Rows of a query, or its first row. Statements are prepared once and kept. */
  all<T>(sql: string, ...values: Value[]): T[]
  get<T>(sql: string, ...values: Value[]): T | undefined
  /** Runs a statement; gives the number of rows that it changed. */
  run(sql: string, ...values: Value[]): number
  /** All of `work` or nothing of it. May be nested. */
  transaction<T>(work: () => T): T
  version(): number
  close(): void
}

export const databaseFile = (home: string): string => join(home, 'temper.db')
const lockFile = (home: string): string => join(home, 'temper.pid')
const slowMs = 50

/**
 * Opens the library in folder `home`, making both if need be.
 * Throws Busy where another Temper has it open, BadFile where it is newer than this Temper or no library at all.
 */
export function openStore(home: string, log: Log = () => {}): Store {
  const isNew = !existsSync(home)
  makeFolder(resolve(home))
  if (isNew) chmodSync(home, 0o700) // chats and data are nobody else's
  const file = databaseFile(home)
  let db: Database.Database | undefined
  try {
    if (existsSync(file)) refuseNewer(file)
    db = new Database(file, { timeout: 200 })
    db.pragma('locking_mode = EXCLUSIVE')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    db.pragma('foreign_keys = ON')
    db.pragma('cache_size = -65536') // 64 MiB
    db.exec('BEGIN EXCLUSIVE; COMMIT') // takes the lock now and not at the first write
    migrate(db, log)
  } catch (error) {
    db?.close()
    throw explained(error, home, file)
  }
  try {
    writeFileSync(lockFile(home), `${process.pid}\n`)
  } catch (error) {
    log(`store: ${lockFile(home)} could not be written: ${String(error)}`) // it only names us to another Temper
  }
  return storeOver(db, home, log)
}

/** Reads the version through a connection that cannot write, so that a file that is refused stays as it is. */
function refuseNewer(file: string): void {
  const db = new Database(file, { readonly: true, timeout: 200 })
  try {
    const found = db.pragma('user_version', { simple: true }) as number
    if (found > newestVersion)
      throw new Failure('BadFile', `This library was written by a newer Temper (version ${found} of its form).`, {
        where: file,
        next: `This Temper reads up to version ${newestVersion}. Open it with the newer Temper, or choose another folder with --home. The file was not touched.`,
      })
  } finally {
    db.close()
  }
}

function migrate(db: Database.Database, log: Log): void {
  const before = db.pragma('user_version', { simple: true }) as number
  for (const { version, sql } of migrations) {
    if (before >= version) continue
    db.transaction(() => {
      db.exec(sql)
      db.pragma(`user_version = ${version}`)
    })()
    // A new library is no news; one that was changed is.
    if (before > 0) log(`store: brought the library from version ${before} to ${version}`)
  }
}

function explained(error: unknown, home: string, file: string): unknown {
  const code = (error as { code?: string }).code ?? ''
  if (code.startsWith('SQLITE_BUSY')) {
    const pid = existsSync(lockFile(home)) ? readFileSync(lockFile(home), 'utf8').trim() : ''
    return new Failure('Busy', `Another Temper${pid && ` (process ${pid})`} has this library open.`, {
      where: home,
      next: 'Use that window, or close it and try again. Another library can be opened with --home.',
      cause: error,
    })
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT'))
    return new Failure('BadFile', 'The library cannot be read: its database is damaged or is another kind of file.', {
      where: file,
      next: 'Move the file away to begin a new library, or put back a copy of it.',
      cause: error,
    })
  if (/^SQLITE_(CANTOPEN|READONLY|IOERR)/.test(code))
    return new Failure('BadFile', 'The library cannot be read and written here.', {
      where: file,
      next: 'See whether this folder can be written to, or choose another with --home.',
      cause: error,
    })
  return error
}

function storeOver(db: Database.Database, home: string, log: Log): Store {
  const prepared = new Map<string, Database.Statement>()
  const timed = <T>(sql: string, use: (statement: Database.Statement) => T): T => {
    let statement = prepared.get(sql)
    if (statement === undefined) prepared.set(sql, (statement = db.prepare(sql)))
    const begun = performance.now()
    try {
      return use(statement)
    } finally {
      const tookMs = performance.now() - begun
      if (tookMs > slowMs) log(`store: ${tookMs.toFixed(0)} ms for ${sql.replace(/\s+/g, ' ').trim().slice(0, 200)}`)
    }
  }
  return {
    home,
    all: <T>(sql: string, ...values: Value[]) => timed(sql, (statement) => statement.all(...values) as T[]),
    get: <T>(sql: string, ...values: Value[]) => timed(sql, (statement) => statement.get(...values) as T | undefined),
    run: (sql, ...values) => timed(sql, (statement) => statement.run(...values).changes),
    transaction: (work) => db.transaction(work)(),
    version: () => db.pragma('user_version', { simple: true }) as number,
    close() {
      if (!db.open) return
      rmSync(lockFile(home), { force: true })
      db.close()
    },
  }
}
