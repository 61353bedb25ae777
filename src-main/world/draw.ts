// Drawing from lists with a given stream of random numbers: the only chance in this room.
import type { Random } from '../engine/random.ts'

/** A whole number from..to, both included. */
export const whole = (random: Random, from: number, to: number): number => from + random.below(to - from + 1)

export const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!

/** A new list in random order. */
export const shuffled = <T>(random: Random, list: readonly T[]): T[] => random.shuffle([...list])

/** `count` different members of the list, in random order. */
export const sample = <T>(random: Random, list: readonly T[], count: number): T[] =>
  shuffled(random, list).slice(0, count)
