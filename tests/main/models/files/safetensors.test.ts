import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../../../src-main/models/files/safetensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'temper-safetensors-'))
afterAll(() => rmSync(folder, { recursive: true }))
const place = (name: string): string => join(folder, name)

/** A file with this header and so many bytes of data; `length` lies about the header's length. */
function craft(header: unknown, dataBytes: number, length?: number): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(length ?? json.length))
  const path = place('crafted.safetensors')
  writeFileSync(path, Buffer.concat([prefix, json, Buffer.alloc(dataBytes)]))
  return path
}
const f32 = (shape: number[], begin: number, end: number): unknown => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
})

test('what was written is read back, bit for bit', () => {
  const data = Float32Array.of(1, -0, 3.4028234663852886e38, 1e-45, Math.fround(0.1), 6)
  writeSafetensors(place('a.safetensors'), [
    { name: 'one', shape: [2, 3], read: () => data },
    { name: 'empty', shape: [0, 4], read: () => new Float32Array(0) },
    { name: 'scalar', shape: [], read: () => Float32Array.of(7) },
  ])
  const file = openSafetensors(place('a.safetensors'))
  expect(file.tensors.get('one')!.shape).toEqual([2, 3])
  expect(new Uint32Array(file.read('one').buffer.slice(file.read('one').byteOffset)).subarray(0, 6)).toEqual(
    new Uint32Array(data.buffer),
  )
  expect(file.read('empty')).toHaveLength(0)
  expect([...file.read('scalar')]).toEqual([7])
  expect(file.metadata).toEqual({ format: 'pt' })
  expect(() => file.read('two')).toThrow('no tensor “two”')
  file.close()
})

test.each([
  // value -> nearest half, nearest brain float; ties to even
  [1, 1, 1],
  [-2.5, -2.5, -2.5],
  [0.1, 0.0999755859375, 0.10009765625],
  [65504, 65504, 65536],
  [65519, 65504, 65536],
  [65520, Infinity, 65536],
  [2049, 2048, 2048],
  [2051, 2052, 2048],
  [2 ** -24, 2 ** -24, 2 ** -24],
  [2 ** -25, 0, 2 ** -25],
  [3 * 2 ** -26, 2 ** -24, 3 * 2 ** -26],
  [1023.5 * 2 ** -24, 2 ** -14, 2 ** -14],
  [-Infinity, -Infinity, -Infinity],
  [NaN, NaN, NaN],
])('%d is rounded to half %d and brain float %d', (value, half, brain) => {
  for (const [dtype, expected] of [
    ['F16', half],
    ['BF16', brain],
  ] as const) {
    writeSafetensors(place('h.safetensors'), [{ name: 'x', shape: [1], read: () => Float32Array.of(value) }], { dtype })
    const file = openSafetensors(place('h.safetensors'))
    expect(file.bytes - [...file.tensors.values()][0]!.begin).toBe(2)
    expect(file.read('x')[0], dtype).toBe(expected)
    file.close()
  }
})

describe('a damaged file is refused, with what is wrong:', () => {
  test.each([
    ['only', () => (writeFileSync(place('short'), 'abc'), place('short'))],
    ['larger than 100 MB', () => craft({}, 0, 2 ** 40)],
    ['ends within its header', () => craft({}, 0, 1000)],
    ['not JSON', () => craft('{"a": ', 0)],
    ['not a JSON object', () => craft([1], 0)],
    ['twice', () => craft(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 0, 4))}}`, 4)],
    ['unknown type', () => craft({ a: { dtype: 'F33', shape: [1], data_offsets: [0, 4] } }, 4)],
    ['no proper shape', () => craft({ a: f32([-1], 0, 4) }, 4)],
    ['no proper shape', () => craft({ a: f32([1.5], 0, 4) }, 4)],
    ['no proper place', () => craft({ a: { dtype: 'F32', shape: [1] } }, 4)],
    ['beyond its end', () => craft({ a: f32([4], 0, 16) }, 8)],
    ['beyond its end', () => craft({ a: f32([0], 4, 0) }, 8)],
    ['needs', () => craft({ a: f32([3], 0, 16) }, 16)],
    ['needs', () => craft({ a: f32([2 ** 40, 2 ** 40], 0, 16) }, 16)],
    ['overlaps', () => craft({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12)],
    ['gap', () => craft({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12)],
    ['belong to no tensor', () => craft({ a: f32([1], 0, 4) }, 12)],
  ])('%s', (words, make) => {
    const path = make()
    expect(() => openSafetensors(path)).toThrow(
      expect.objectContaining({
        kind: 'BadFile',
        where: path,
        message: expect.stringContaining(words) as string,
      }) as Error,
    )
  })
})

test('a failed write leaves the old file and nothing else', () => {
  const path = place('kept.safetensors')
  writeSafetensors(path, [{ name: 'x', shape: [1], read: () => Float32Array.of(1) }])
  const before = readFileSync(path)
  expect(() =>
    writeSafetensors(path, [
      {
        name: 'x',
        shape: [1],
        read: () => {
          throw new Error('the device is gone')
        },
      },
    ]),
  ).toThrow('the device is gone')
  expect(readFileSync(path)).toEqual(before)
  expect(existsSync(`${path}.part`)).toBe(false)
  expect(readdirSync(folder).filter((name) => name.startsWith('kept'))).toEqual(['kept.safetensors'])
})
