// The door of every npm script. Plain JavaScript that an older Node can still read: it finds a Node that can run the
// TypeScript sources, builds what is stale, and opens the window, or says in one sentence what is missing.
import { spawnSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const [verb = 'start', ...rest] = process.argv.slice(2)
const windows = process.platform === 'win32'

/** Node 22.18 is the first that runs TypeScript as it stands. */
const newEnough = (version) => {
  const [major, minor] = version.replace('v', '').split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}

function nodeBinary() {
  if (newEnough(process.version)) return process.execPath
  const carried = join(
    root,
    'node_modules',
    `node-${windows ? 'win' : process.platform}-${process.arch}`,
    'bin',
    windows ? 'node.exe' : 'node',
  )
  if (existsSync(carried)) return carried
  console.error(
    `Temper needs Node 22.18 or later; this is ${process.version}, and none was found in node_modules. Install Node 22 or later, then run the command again.`,
  )
  process.exit(verb === 'kernels' ? 0 : 1)
}

const node = nodeBinary()
const run = (file, args = [], options = {}) =>
  spawnSync(node, ['--disable-warning=ExperimentalWarning', file, ...args], {
    stdio: 'inherit',
    cwd: process.cwd(),
    ...options,
  }).status ?? 1

/** The newest change below the sources, in ms since 1970. */
function newest(path) {
  const here = statSync(path)
  if (!here.isDirectory()) return here.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function buildIfStale() {
  const stamp = join(root, 'out', 'built')
  const sources = ['src-main', 'src-preload', 'src-renderer', 'electron.vite.config.ts', 'package.json'].map((s) =>
    join(root, s),
  )
  if (existsSync(stamp) && Math.max(...sources.map(newest)) < statSync(stamp).mtimeMs) return
  if (!existsSync(join(root, 'node_modules', 'electron-vite'))) {
    console.error('The libraries are not installed. Run `npm ci` first.')
    process.exit(1)
  }
  console.log('Building Temper (once after each change) ...')
  const begun = new Date()
  const status = run(join(root, 'node_modules/electron-vite/bin/electron-vite.js'), ['build', '--logLevel', 'warn'], {
    cwd: root,
  })
  if (status !== 0) process.exit(status)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, begun.toISOString())
}

/** Electron's binary where it is; else one short try to fetch it a day; else null. */
function electronBinary() {
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(root, 'node_modules/electron/dist')
  const name = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' }[process.platform] ?? 'electron'
  const given = process.env.ELECTRON_EXEC_PATH
  if (given && existsSync(given)) return given
  if (existsSync(join(dist, name))) return join(dist, name)
  const missed = join(root, 'out', 'electron-missed')
  const tried = existsSync(missed) && Date.now() - statSync(missed).mtimeMs < 24 * 3600_000
  const install = join(root, 'node_modules/electron/install.js')
  if (tried || !existsSync(install)) return null
  console.log('Fetching Electron, the window Temper runs in (tried once a day, 60 s at most) ...')
  const seconds = 60
  spawnSync(node, [install], { stdio: 'ignore', timeout: seconds * 1000, cwd: root })
  if (existsSync(join(dist, name))) return join(dist, name)
  writeFileSync(missed, new Date().toISOString())
  return null
}

function start() {
  buildIfStale()
  const webOnly = rest.includes('--web')
  const screen = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY
  const electron = webOnly || !screen ? null : electronBinary()
  const [program, args] = electron
    ? [electron, [root, ...rest]]
    : [node, [join(root, 'out/main/web.js'), '--open', ...rest.filter((r) => r !== '--web')]]
  if (!electron && !webOnly)
    console.log(
      screen
        ? 'Electron could not be fetched, so Temper opens in your browser instead. It is the same application.'
        : 'There is no screen here, so Temper serves its window to a browser. It is the same application.',
    )
  waitFor(spawn(program, args, { stdio: 'inherit', cwd: root }))
}

/** Ends as the child ends, and not before it: Ctrl C is passed on, so that it can keep what it has done. */
function waitFor(child) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 130 : 1)))
}

function cli() {
  const main = join(root, 'src-main/shells/cli/main.ts')
  // npm runs its scripts in the project's folder: paths are meant from where the person stands.
  const cwd = (process.env.npm_lifecycle_event === 'temper' && process.env.INIT_CWD) || process.cwd()
  waitFor(spawn(node, ['--disable-warning=ExperimentalWarning', main, ...rest], { stdio: 'inherit', cwd }))
}

/** A browser on a busy machine can be late: what failed runs a second time, said aloud, and must pass then. */
function endToEnd() {
  const folder = join(root, 'tests/e2e')
  const files = readdirSync(folder).filter((f) => f.endsWith('.e2e.ts'))
  const failed = files.filter((f) => run('--test', [join(folder, f)], { cwd: root }) !== 0)
  if (failed.length === 0) return 0
  console.log(`Failed once, run again: ${failed.join(', ')}`)
  return failed.every((f) => run('--test', [join(folder, f)], { cwd: root }) === 0) ? 0 : 1
}

switch (verb) {
  case 'kernels':
    process.exit(run(join(root, 'src-main/engine/kernels/build.ts'), rest))
    break
  case 'cli':
    cli()
    break
  case 'starter':
    process.exit(run(join(root, 'src-main/shells/cli/starter.ts'), rest))
    break
  case 'e2e':
    buildIfStale()
    process.exit(endToEnd())
    break
  case 'start':
    start()
    break
  default:
    console.error(`launch.mjs does not know “${verb}”. It knows: start, cli, kernels, starter, e2e.`)
    process.exit(1)
}
