// `npm start` on a machine without Electron's binary and without a screen: it builds what is stale, says in one sentence
// that it serves a browser, and the address it prints answers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { scratch } from './browser.ts'

const root = resolve(import.meta.dirname, '../..')

void test('npm start serves the window and prints its address', { timeout: 120_000 }, async () => {
  const home = scratch()
  const child = spawn(process.execPath, [join(root, 'src-main/shells/launch.mjs'), 'start', '--web'], {
    env: { ...process.env, TEMPER_HOME: home, DISPLAY: '', WAYLAND_DISPLAY: '' },
  })
  try {
    let said = ''
    const url = await new Promise<string>((ok, bad) => {
      const hear = (chunk: Buffer): void => {
        said += chunk.toString()
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)
        if (found) ok(found[0])
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', (code) => bad(new Error(`ended with ${code}: ${said}`)))
    })
    const answer = await fetch(url)
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /<title>Temper<\/title>/)
    const ended = new Promise<number | null>((done) => child.once('exit', done))
    child.kill('SIGINT')
    assert.equal(await ended, 0, 'Ctrl C ends it in order')
  } finally {
    child.kill('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  }
})
