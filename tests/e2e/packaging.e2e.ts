// The packaged application's layout, built by electron-builder against a stand-in for Electron's binary: what must be
// inside the archive, what must stand beside it, and that nothing of the workshop travels along.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const root = resolve(import.meta.dirname, '../..')

/** Names in an asar archive: its header is JSON behind four 32-bit numbers, the last of which is its length. */
function archived(path: string): string[] {
  const file = readFileSync(path)
  interface Entry {
    files?: Record<string, Entry>
  }
  const header = JSON.parse(file.subarray(16, 16 + file.readUInt32LE(12)).toString('utf8')) as Entry
  const names: string[] = []
  const walk = (entry: Entry, at: string): void => {
    for (const [name, inner] of Object.entries(entry.files ?? {})) {
      names.push(`${at}${name}`)
      walk(inner, `${at}${name}/`)
    }
  }
  walk(header, '')
  return names
}

void test(
  'electron-builder lays the application out so that it can start',
  { skip: process.platform !== 'linux' && 'the stand-in is made for Linux' },
  () => {
    const work = mkdtempSync(join(tmpdir(), 'temper-package-'))
    try {
      const electron = join(work, 'electron')
      mkdirSync(join(electron, 'resources'), { recursive: true })
      mkdirSync(join(electron, 'locales'))
      writeFileSync(join(electron, 'electron'), '#!/bin/sh\necho "$ELECTRON_RUN_AS_NODE $*"\n')
      chmodSync(join(electron, 'electron'), 0o755)
      const { version } = JSON.parse(readFileSync(join(root, 'node_modules/electron/package.json'), 'utf8')) as {
        version: string
      }
      writeFileSync(join(electron, 'version'), version)
      writeFileSync(join(electron, 'LICENSE'), 'stand-in')
      writeFileSync(join(electron, 'LICENSES.chromium.html'), 'stand-in')
      const out = join(work, 'dist')
      const built = spawnSync(
        process.execPath,
        [
          join(root, 'node_modules/electron-builder/cli.js'),
          '--dir',
          '--linux',
          `-c.electronDist=${electron}`,
          '-c.npmRebuild=false',
          `-c.directories.output=${out}`,
        ],
        {
          cwd: root,
          encoding: 'utf8',
          env: { ...process.env, CSC_IDENTITY_AUTO_DISCOVERY: 'false' },
          timeout: 240_000,
        },
      )
      assert.equal(built.status, 0, `${built.stdout}\n${built.stderr}`)

      const resources = join(out, 'linux-unpacked/resources')
      const inside = archived(join(resources, 'app.asar'))
      for (const name of [
        'package.json',
        'out/main/electron.js',
        'out/main/cli.js',
        'out/main/training-worker.js',
        'out/main/generation-worker.js',
        'out/main/import-worker.js',
        'out/preload/bridge.cjs',
        'out/renderer/index.html',
        'node_modules/better-sqlite3/package.json',
      ])
        assert.ok(inside.includes(name), `${name} is missing from the archive`)
      for (const name of [
        'src-main',
        'tests',
        'node_modules/svelte',
        'node_modules/vitest',
        'node_modules/electron',
        'node_modules/playwright-core',
      ])
        assert.ok(!inside.includes(name), `${name} should not travel along`)

      const beside = readdirSync(resources, { recursive: true }).map(String)
      assert.ok(beside.includes('kernels/temper.wasm'), 'the WebAssembly kernels stand beside the archive')
      assert.ok(beside.includes('starter/model/model.safetensors'), 'the starter model stands beside the archive')
      assert.ok(
        beside.some((f) => /app\.asar\.unpacked\/.*better.?sqlite3.*\.node$/.test(f)),
        'SQLite’s library is unpacked',
      )
      if (existsSync(join(root, 'build/kernels')))
        assert.ok(
          beside.some((f) => /^kernels\/temper-.*\.node$/.test(f)),
          'the native kernels stand beside the archive',
        )
      // The stand-in binary says what it was asked to run: the packaged command line reaches the bundle.
      const asked = spawnSync(join(resources, 'bin/temper'), ['doctor', '--json'], { encoding: 'utf8' })
      assert.equal(asked.stdout.trim(), `1 ${resources}/bin/../app.asar/out/main/cli.js doctor --json`)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  },
)
