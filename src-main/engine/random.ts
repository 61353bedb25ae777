// The only source of chance. xoshiro128** (Blackman & Vigna 2018), seeded through splitmix32, so that a seed and a stream
// number always give the same numbers on every machine; its state is plain JSON, so that a run resumes where it stopped.

/** Plain data: put it in a checkpoint, give it to `resumeRandom`. */
export type RandomState = [number, number, number, number]

export interface Random {
  /** In [0, 1), 53 bits. */
  uniform(): number
  /** Mean 0, deviation 1 (Box & Muller 1958; the second value is dropped, so that the state stays four numbers). */
  normal(): number
  /** A whole number in [0, count). */
  below(count: number): number
  /** In place (Fisher & Yates); returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T
  /** An index drawn in proportion to `weights` (not negative, not all zero). */
  categorical(weights: ArrayLike<number>): number
  state(): RandomState
}

/** Numbers of `seed`; different `stream`s of one seed are independent (one for each prompt, tensor or purpose). */
export function createRandom(seed: number, stream = 0): Random {
  const low = splitmix32(seed >>> 0)
  const high = splitmix32((Math.floor(seed / 2 ** 32) ^ Math.imul(stream, 0x9e3779b1) ^ 0x85ebca6b) >>> 0)
  const state = [low(), high(), low() ^ high(), low() + high()].map((x) => x >>> 0) as RandomState
  if (state.every((x) => x === 0)) state[0] = 1
  const random = resumeRandom(state)
  for (let i = 0; i < 8; i++) random.uniform() // neighbouring seeds part ways
  return random
}

export function resumeRandom(from: RandomState): Random {
  let [a, b, c, d] = from
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotate(d, 11)
    return result
  }
  const uniform = (): number => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53
  const below = (count: number): number => Math.floor(uniform() * count)
  return {
    uniform,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle(items) {
      const list = items as { length: number; [index: number]: unknown }
      for (let i = list.length - 1; i > 0; i--) {
        const j = below(i + 1)
        ;[list[i], list[j]] = [list[j], list[i]]
      }
      return items
    },
    categorical(weights) {
      let total = 0
      for (let i = 0; i < weights.length; i++) total += weights[i]!
      let left = uniform() * total
      let last = 0
      for (let i = 0; i < weights.length; i++) {
        if (weights[i]! <= 0) continue
        last = i
        left -= weights[i]!
        if (left < 0) return i
      }
      return last // rounding: the last one that could be drawn
    },
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  }
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

function splitmix32(seed: number): () => number {
  let at = seed
  return () => {
    at = (at + 0x9e3779b9) | 0
    let z = at ^ (at >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}
