// Who may import whom. Imports go downwards only: a room may use the rooms before it in this table.
// To change a rule, change the table here and the picture in ARCHITECTURE.md together.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** Rooms of src-main, lowest first. Rooms on one line may not import one another. */
const order: string[][] = [
  ['contract'],
  ['engine', 'store'],
  ['text'],
  ['models'],
  ['data', 'generation'],
  ['methods', 'world'],
  ['training', 'eval'],
  ['workers'],
  ['library', 'runs', 'chats', 'labels'],
  ['core'],
  ['shells'],
]
/** Rooms of one line that may still see one another, in this direction. */
const beside: [from: string, to: string][] = [
  ['labels', 'library'],
  ['chats', 'library'],
  ['runs', 'library'],
  ['chats', 'labels'],
]

/** Capabilities: a module and the only places that may import it. */
const capabilities: [module: RegExp, places: RegExp, rule: string][] = [
  [/^electron$/, /^src-main\/shells\/electron\/|^src-preload\//, 'electron lives in shells/electron and src-preload'],
  [/^(node:)?worker_threads$/, /^src-main\/workers\//, 'threads live in workers'],
  [
    /^(node:)?child_process$/,
    /^src-main\/(workers|shells|engine\/kernels)\//,
    'child processes live in workers and shells',
  ],
  [/^better-sqlite3$/, /^src-main\/store\//, 'SQL lives in store'],
  [
    /^(node:)?fs(\/promises)?$/,
    /^src-main\/(store|models\/files|data\/(import|export)|training\/checkpoint|shells|workers|engine\/(backends|kernels)|library)/,
    'files are touched in store, models/files, data/import, data/export, training/checkpoint, library, workers, shells and engine/backends',
  ],
]
/** Rooms of pure thought: no Node, no DOM. */
const pure = /^src-main\/(contract|text|methods|world|engine\/(?!backends|kernels))/

const files = (dir: string): string[] =>
  readdirSync(join(root, dir), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|svelte)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))

const importsOf = (file: string): string[] => {
  const text = readFileSync(join(root, file), 'utf8')
  return [
    ...text.matchAll(
      /^\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
    ),
  ].map((m) => (m[1] ?? m[2] ?? m[3])!)
}
const target = (file: string, name: string): string | null =>
  name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : null
const roomOf = (file: string): string => {
  const [, first] = file.split('/')
  return first!.endsWith('.ts') ? first!.replace(/\.ts$/, '') : first!
}
const level = (room: string): number => order.findIndex((line) => line.includes(room))

const all = files('src-main').concat(files('src-preload'), files('src-renderer'))

test('every room of src-main has a place in the table', () => {
  for (const file of all.filter((f) => f.startsWith('src-main/')))
    expect(level(roomOf(file)), `${file}: the room “${roomOf(file)}” is missing from tests/layers.test.ts`).not.toBe(-1)
})

test('imports of src-main go downwards only', () => {
  const wrong: string[] = []
  for (const file of all.filter((f) => f.startsWith('src-main/')))
    for (const name of importsOf(file)) {
      const to = target(file, name)
      if (to === null) continue
      if (!to.startsWith('src-main/')) wrong.push(`${file} imports ${name}, outside src-main`)
      else {
        const [a, b] = [roomOf(file), roomOf(to)]
        const allowed = a === b || level(b) < level(a) || beside.some(([f, t]) => f === a && t === b)
        if (!allowed) wrong.push(`${file} (${a}) imports ${name} (${b}), which is not below it`)
      }
    }
  expect(wrong, 'the table is in tests/layers.test.ts').toEqual([])
})

test('preload and renderer see only the contract of src-main, and pages > parts > state > api', () => {
  const rank = ['look', 'words', 'api', 'state', 'parts', 'pages']
  const place = (file: string): number => {
    const part = file.split('/')[1]!.replace(/\.(ts|svelte)$/, '')
    return part === 'main' || part === 'App' ? rank.length : rank.indexOf(part)
  }
  const wrong: string[] = []
  for (const file of all.filter((f) => !f.startsWith('src-main/')))
    for (const name of importsOf(file)) {
      const to = target(file, name)
      if (to === null) continue
      if (to.startsWith('src-main/') && !to.startsWith('src-main/contract/')) wrong.push(`${file} imports ${name}`)
      if (file.startsWith('src-renderer/') && to.startsWith('src-renderer/')) {
        if (place(file) === -1) wrong.push(`${file}: no such place in the renderer`)
        else if (place(to) > place(file)) wrong.push(`${file} imports ${name}, which stands above it`)
      }
    }
  expect(wrong).toEqual([])
})

test('capabilities stay in their rooms', () => {
  const wrong: string[] = []
  for (const file of all)
    for (const name of importsOf(file)) {
      for (const [module, places, rule] of capabilities)
        if (module.test(name) && !places.test(file)) wrong.push(`${file} imports ${name}: ${rule}`)
      if (pure.test(file) && name.startsWith('node:')) wrong.push(`${file} imports ${name}: this room uses no Node`)
    }
  expect(wrong, 'the rules are in tests/layers.test.ts').toEqual([])
})

test('no file imports itself in a circle', () => {
  const graph = new Map(
    all.map((file) => [
      file,
      importsOf(file)
        .map((n) => target(file, n))
        .filter((t) => t !== null),
    ]),
  )
  const state = new Map<string, 'open' | 'done'>()
  const circles: string[] = []
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') return void circles.push([...path.slice(path.indexOf(file)), file].join(' > '))
    state.set(file, 'open')
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    state.set(file, 'done')
  }
  for (const file of all) visit(file, [])
  expect(circles).toEqual([])
})

test('no rooms without a name of their own', () => {
  expect(all.filter((f) => /(^|\/)(utils?|helpers?|misc|common)(\.|\/)|\/index\.ts$|\/types\.ts$/.test(f))).toEqual([])
})
