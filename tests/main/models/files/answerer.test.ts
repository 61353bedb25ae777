import { cpSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readAnswerer } from '../../../../src-main/models/files/answerer.ts'
import { parameterShapes } from '../../../../src-main/models/families.ts'
import { readModelFolder } from '../../../../src-main/models/files/folder.ts'
import { templateHash } from '../../../../src-main/text/templates.ts'

const golden = resolve('tests/golden/llama-tied')
const place = mkdtempSync(join(tmpdir(), 'temper-answerer-'))
afterAll(() => rmSync(place, { recursive: true }))
const full = join(place, 'full')
cpSync(golden, full, { recursive: true })

/** Files that this process holds open below the two folders. */
const heldOpen = (): number => {
  const links = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(join('/proc/self/fd', fd))
    } catch {
      return [] // closed since it was listed
    }
  })
  return links.filter((path) => path.endsWith('.safetensors')).length
}

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('a full checkpoint takes the place of what came before it, whose files are closed', () => {
  const answerer = readAnswerer({ modelPath: golden, checkpoints: [{ path: full, tune: 'full' }] })
  expect(answerer.path).toBe(full)
  expect(answerer.weights(parameterShapes(answerer.config)[0]!.name).length).toBeGreaterThan(0)
  expect(heldOpen()).toBe(1)
  answerer.close()
  expect(heldOpen()).toBe(0)
})

onLinux('an answerer of which a part is missing leaves no file open', () => {
  for (const tune of ['lora', 'full'] as const)
    expect(() => readAnswerer({ modelPath: golden, checkpoints: [{ path: join(place, 'none'), tune }] })).toThrow()
  expect(heldOpen()).toBe(0)
})

test('a checkpoint that learned with another chat template is refused', () => {
  const adapter = join(place, 'adapter')
  cpSync(resolve('tests/golden/llama-adapter'), adapter, { recursive: true })
  const base = readModelFolder(golden)
  const template = base.text.template ?? ''
  base.close()
  const open = (learned: string): void => {
    writeFileSync(join(adapter, 'checkpoint.json'), JSON.stringify({ templateHash: templateHash(learned) }))
    readAnswerer({ modelPath: golden, checkpoints: [{ path: adapter, tune: 'lora' }] }).close()
  }
  expect(() => open(`${template} changed`)).toThrow(/another chat template/)
  open(template)
})
