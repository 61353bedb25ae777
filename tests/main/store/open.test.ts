import Database from 'better-sqlite3'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toWire, type Failure } from '../../../src-main/contract/errors.ts'
import { databaseFile, newestVersion, openStore } from '../../../src-main/store/open.ts'
import { listSettings, setSetting } from '../../../src-main/store/settings.ts'

let home: string
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'temper-open-'))))
afterEach(() => rmSync(home, { recursive: true }))

const failureOf = (work: () => unknown): Failure => {
  try {
    work()
  } catch (error) {
    return error as Failure
  }
  throw new Error('did not fail')
}
const opener = `
  import { openStore } from ${JSON.stringify(resolve('src-main/store/open.ts'))}
  import { setSetting } from ${JSON.stringify(resolve('src-main/store/settings.ts'))}
  const store = openStore(process.argv[1])
  setSetting(store, 'by', process.pid)
  console.log('open')
  setInterval(() => {}, 1000)`
const otherTemper = async () => {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', opener, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((done) => child.stdout.once('data', done))
  return child
}

test('a new library has every table strict, its version, and keeps what is set', () => {
  const store = openStore(home)
  setSetting(store, 'theme', { mode: 'dark' })
  expect(store.version()).toBe(newestVersion)
  const loose = store.all(
    "SELECT name FROM pragma_table_list WHERE strict = 0 AND schema = 'main' AND name NOT LIKE 'sqlite_%'",
  )
  expect(loose).toEqual([])
  store.close()
  const again = openStore(home)
  expect(listSettings(again)).toEqual({ theme: { mode: 'dark' } })
  again.close()
})

test('a second Temper is refused and told the process of the first; kill -9 of the first frees the library', async () => {
  const child = await otherTemper()
  try {
    const failure = failureOf(() => openStore(home))
    expect(failure.kind).toBe('Busy')
    expect(failure.message).toContain(`process ${child.pid}`)
  } finally {
    child.kill('SIGKILL')
  }
  await new Promise((done) => child.once('exit', done))
  const store = openStore(home)
  expect(listSettings(store)).toEqual({ by: child.pid })
  store.close()
})

test('a library of a newer version is refused and not a byte of it changes', () => {
  openStore(home).close()
  const db = new Database(databaseFile(home))
  db.pragma(`user_version = ${newestVersion + 1}`)
  db.pragma('journal_mode = DELETE')
  db.close()
  const before = readFileSync(databaseFile(home))
  const failure = failureOf(() => openStore(home))
  expect(failure).toMatchObject({ kind: 'BadFile', where: databaseFile(home) })
  expect(failure.next).toContain('--home')
  expect(readFileSync(databaseFile(home)).equals(before)).toBe(true)
  expect(readdirSync(home)).toEqual(['temper.db'])
})

test('a newer library that was killed, with its last words still in the log, is refused too', () => {
  openStore(home).close()
  const db = new Database(databaseFile(home))
  db.pragma('journal_mode = WAL')
  db.pragma(`user_version = ${newestVersion + 1}`)
  const copy = join(home, 'copy')
  mkdirSync(copy)
  for (const end of ['', '-wal']) writeFileSync(databaseFile(copy) + end, readFileSync(databaseFile(home) + end))
  db.close()
  const before = readFileSync(databaseFile(copy))
  expect(failureOf(() => openStore(copy)).kind).toBe('BadFile')
  expect(readFileSync(databaseFile(copy)).equals(before)).toBe(true)
})

test('a file that is no database is refused with what to do', () => {
  writeFileSync(databaseFile(home), 'not a database, but long enough to look like one '.repeat(50))
  const failure = failureOf(() => openStore(home))
  expect(failure.kind).toBe('BadFile')
  expect(failure.next).toContain('Move the file away')
})

test('a place where no library can be is named, not taken for a fault of ours', () => {
  writeFileSync(join(home, 'file'), '')
  expect(toWire(failureOf(() => openStore(join(home, 'file', 'library'))))).toMatchObject({ kind: 'BadFile' })
  mkdirSync(databaseFile(home))
  expect(failureOf(() => openStore(home))).toMatchObject({ kind: 'BadFile', where: databaseFile(home) })
})

test('a transaction that fails leaves nothing, and slow statements reach the log', () => {
  const lines: string[] = []
  const store = openStore(home, (line) => lines.push(line))
  expect(() =>
    store.transaction(() => {
      setSetting(store, 'half', true)
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(listSettings(store)).toEqual({})
  store.all('WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT max(i) FROM n')
  expect(lines.some((line) => /store: \d+ ms for WITH RECURSIVE/.test(line))).toBe(true)
  store.close()
})

test.runIf(process.platform !== 'win32')(
  'a new library is its owner’s alone; one that is there keeps its rights',
  () => {
    const fresh = join(home, 'fresh')
    openStore(fresh).close()
    expect(statSync(fresh).mode & 0o777).toBe(0o700)
    chmodSync(fresh, 0o750)
    openStore(fresh).close()
    expect(statSync(fresh).mode & 0o777).toBe(0o750)
  },
)
