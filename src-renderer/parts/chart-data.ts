// Arithmetic of a chart, apart from its drawing: smoothing, ticks, what is said in words, what stands in its table.
import { words } from '../words/en.ts'
import { count, figure } from '../words/format.ts'

/** Colour names the run, line style the split. `x` rises; `y` may hold NaN, which is left out. */
export interface ChartSeries {
  id: string
  /** The run's name, as the legend has it. */
  name: string
  split: 'train' | 'held-out'
  /** 1 to 6: the series colours of tokens.css. */
  colour: 1 | 2 | 3 | 4 | 5 | 6
  x: readonly number[]
  y: readonly number[]
}

export interface ChartCheckpoint {
  /** Where it lies on the horizontal axis. */
  x: number
  /** Its place among its run's checkpoints, from 0, and how many there are: the temper colour. */
  at: number
  of: number
  label: string
}

/**
 * Exponential smoothing, corrected at the start: the first value is itself, not a value pulled towards zero.
 * `weight` 0 is no smoothing, 0.99 the most. Values that are not numbers are passed over.
 */
export function smooth(y: readonly number[], weight: number): number[] {
  if (weight <= 0) return [...y]
  let sum = 0
  let power = 1
  return y.map((value) => {
    if (!Number.isFinite(value)) return value
    sum = weight * sum + (1 - weight) * value
    power *= weight
    return sum / (1 - power)
  })
}

/** A logarithmic scale needs every value above zero. */
export const canLog = (series: readonly ChartSeries[]): boolean =>
  series.every((one) => one.y.every((value) => !Number.isFinite(value) || value > 0))

/** Round ticks from `low` to `high`, about `wanted` of them; the end itself is always one. */
export function ticksTo(low: number, high: number, wanted: number): number[] {
  if (!(high > low)) return [low]
  const rough = (high - low) / wanted
  const size = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * size >= rough) ?? 10) * size
  const ticks: number[] = []
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step)
    ticks.push(Number(tick.toPrecision(12)))
  const last = ticks.at(-1) ?? low
  if (last < high - step * 1e-9) {
    if (high - last < step * 0.6 && ticks.length > 1) ticks.pop()
    ticks.push(high)
  }
  return ticks
}

/** One sentence a series: what a screen reader hears in place of the picture. */
export function summarise(title: string, series: readonly ChartSeries[]): string {
  const lines = series
    .filter((one) => one.y.length > 0)
    .map((one) =>
      words.parts.chart.line(
        one.name,
        one.split === 'train' ? words.parts.chart.train : words.parts.chart.heldOut,
        figure(one.y[0]!),
        figure(one.y.at(-1)!),
        one.y.length,
      ),
    )
  return words.parts.chart.summary(title, lines.length > 0 ? lines : [words.parts.chart.nothing])
}

/** The value of a series at `x`, or the nearest before it; null where it has none yet. */
export function valueAt(series: ChartSeries, x: number): number | null {
  let low = 0
  let high = series.x.length - 1
  let found = -1
  while (low <= high) {
    const middle = (low + high) >> 1
    if (series.x[middle]! <= x) {
      found = middle
      low = middle + 1
    } else high = middle - 1
  }
  return found === -1 ? null : series.y[found]!
}

/** Rows of the table view: at most `rows` of the places where anything was measured, the last always among them. */
export function tableRows(series: readonly ChartSeries[], rows = 40): { x: number; values: (number | null)[] }[] {
  const places = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b)
  const stride = Math.max(1, Math.ceil(places.length / rows))
  const shown = places.filter((_, i) => (places.length - 1 - i) % stride === 0)
  return shown.map((x) => ({ x, values: series.map((one) => valueAt(one, x)) }))
}

/** 1500 -> "1,500"; 1_200_000 -> "1.2 M": for ticks. */
export function tick(value: number): string {
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e7))
    return value.toExponential(1).replace('.0e', 'e')
  if (Number.isInteger(value)) return count(value)
  return String(Number(value.toPrecision(3)))
}

/** Ticks of one axis with the same number of decimals: "1.5", "2.0". null stays empty. */
export function evenTicks(values: readonly (number | null)[]): string[] {
  const shown = values.map((value) => (value === null ? '' : tick(value)))
  if (shown.some((one) => one.includes('e'))) return shown
  const decimals = Math.max(0, ...shown.map((one) => one.split('.')[1]?.length ?? 0))
  return values.map((value, i) => (value === null ? '' : decimals === 0 ? shown[i]! : value.toFixed(decimals)))
}
