// What a labeller's hand adds by itself: a leaning to one side, a leaning to the longer answer. Each is a ratio with its
// 95% interval (Wilson 1927), which stays honest for few judgements and near 0 and 1.
import type { PairSetDetail } from '../contract/commands.ts'
import type { JudgedFigures } from '../store/pairs.ts'

const z = 1.959964 // two-sided 95%

/** The interval in which the true ratio lies, seen `hits` among `count`; all of 0 to 1 where nothing was seen. */
export function wilson(hits: number, count: number): { low: number; high: number } {
  if (count === 0) return { low: 0, high: 1 }
  const ratio = hits / count
  const centre = ratio + z ** 2 / (2 * count)
  const spread = z * Math.sqrt((ratio * (1 - ratio)) / count + z ** 2 / (4 * count ** 2))
  const scale = 1 + z ** 2 / count
  return {
    low: hits === 0 ? 0 : (centre - spread) / scale,
    high: hits === count ? 1 : (centre + spread) / scale,
  }
}

export function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((x, y) => x - y)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Side and length over judgements that decide (no tie, both-bad or skip); pace over all that were timed and not skipped. */
export function biasOf(
  judged: readonly JudgedFigures[],
): Pick<PairSetDetail, 'side' | 'length' | 'medianMs' | 'trainable'> {
  const decided = judged.flatMap((one) =>
    typeof one.verdict === 'number' && one.verdict !== 4 ? [{ ...one, choseA: one.verdict < 4 }] : [],
  )
  const left = decided.filter((one) => one.choseA).length
  const uneven = decided.filter((one) => one.lengthA !== one.lengthB)
  const longer = uneven.filter((one) => one.choseA === one.lengthA > one.lengthB).length
  return {
    side: { left, decided: decided.length, ...wilson(left, decided.length) },
    length: { longer, decided: uneven.length, ...wilson(longer, uneven.length) },
    trainable: decided.filter((one) => one.differ).length,
    medianMs: medianOf(judged.filter((one) => one.verdict !== 'skip' && one.tookMs > 0).map((one) => one.tookMs)),
  }
}
