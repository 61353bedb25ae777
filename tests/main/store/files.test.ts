import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  actualPath,
  defaultHome,
  freeBytes,
  makeFolder,
  pathInside,
  storedPath,
  writeBeside,
  writeText,
} from '../../../src-main/store/files.ts'

let home: string
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'temper-files-'))))
afterEach(() => rmSync(home, { recursive: true }))

test('the library lies where the person says, or where the platform keeps such data', () => {
  expect(defaultHome({ TEMPER_HOME: '/a/b', XDG_DATA_HOME: '/x' }, 'linux')).toBe('/a/b')
  expect(defaultHome({ XDG_DATA_HOME: '/x' }, 'linux')).toBe(join('/x', 'temper'))
  expect(defaultHome({}, 'linux')).toMatch(/\.local.share.temper$/)
  expect(defaultHome({}, 'darwin')).toMatch(/Library.Application Support.Temper$/)
  expect(defaultHome({ APPDATA: '/r' }, 'win32')).toBe(join('/r', 'Temper'))
})

test('a path cannot lead out of its folder', () => {
  expect(pathInside(home, 'runs', 'r1')).toBe(join(home, 'runs', 'r1'))
  for (const way of ['..', '../x', 'a/../../x', '/etc/passwd'])
    expect(() => pathInside(home, way)).toThrow(/out of the library/)
})

test('paths inside the library are kept relative and come back whole; others stay as they are', () => {
  expect(storedPath(home, join(home, 'runs', 'r1'))).toBe('runs/r1')
  expect(actualPath(home, 'runs/r1')).toBe(join(home, 'runs', 'r1'))
  expect(storedPath(home, '/models/x')).toBe('/models/x')
})

test('a file is whole or not there, and a failed write leaves the old one and no rest', () => {
  const path = join(home, 'deep', 'settings.json')
  writeText(path, '{"a":1}')
  expect(() =>
    writeBeside(path, (beside) => {
      writeFileSync(beside, 'half')
      throw new Error('no space')
    }),
  ).toThrow('no space')
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ a: 1 })
  expect(readdirSync(join(home, 'deep'))).toEqual(['settings.json'])
})

test('a file is not written onto a folder', () => {
  expect(() => writeText(home, '')).toThrow(/This is a folder/)
})

test('free space is told also for a folder that is yet to be made', () => {
  expect(existsSync(join(home, 'not', 'yet'))).toBe(false)
  expect(freeBytes(join(home, 'not', 'yet'))).toBeGreaterThan(0)
})

test('a folder is made with those above it; where none can be, that is said and nothing hangs', () => {
  makeFolder(join(home, 'a', 'b', 'c'))
  expect(existsSync(join(home, 'a', 'b', 'c'))).toBe(true)
  makeFolder(join(home, 'a', 'b'))
  writeFileSync(join(home, 'file'), '')
  expect(() => makeFolder(join(home, 'file', 'x'))).toThrow(expect.objectContaining({ kind: 'BadFile' }))
  if (process.platform === 'linux')
    expect(() => makeFolder('/proc/temper/x')).toThrow(expect.objectContaining({ kind: 'BadFile' }))
})
