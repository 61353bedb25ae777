// Figures as a person reads them. Units stand beside numbers; nothing is rounded to look better than it is.

const language = 'en-GB'
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 })

/** 4218 -> "4,218" */
export const count = (n: number): string => whole.format(n)

/** count(1, 'row') -> "1 row"; counted(4218, 'row') -> "4,218 rows" */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** 15_200_000 -> "15.2 M" */
export function big(n: number): string {
  if (n < 10_000) return count(n)
  const [size, unit] = n < 1e6 ? [1e3, 'k'] : n < 1e9 ? [1e6, 'M'] : [1e9, 'B']
  const value = n / size
  return `${value < 100 ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(0)} ${unit}`
}

/** 3_400_000 -> "3.4 MB" */
export function bytes(n: number): string {
  if (n < 1000) return `${count(n)} bytes`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = n / 1000
  let at = 0
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000
    at++
  }
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(0)} ${units[at]}`
}

/** Memory in GB without the unit: 1_200_000_000 -> "1.2" */
export const gigabytes = (n: number): string => (n / 1e9 < 10 ? (n / 1e9).toFixed(1) : (n / 1e9).toFixed(0))

/** How long: 1_140_000 -> "19 min", 10_140_000 -> "2 h 49 min" */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 1) return 'under 1 s'
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}

/** When, seen from `now`: "now", "12 min ago", "yesterday", "3 March" */
export function ago(at: number, now = Date.now()): string {
  const ms = now - at
  if (ms < 60_000) return 'now'
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000)
  if (days === 0) return `${Math.floor(ms / 3_600_000)} h ago`
  if (days === 1) return 'yesterday'
  if (days < 7) return `${days} days ago`
  return new Date(at).toLocaleDateString(language, {
    day: 'numeric',
    month: 'long',
    year: ms > 3e10 ? 'numeric' : undefined,
  })
}

/** A clock time today: "15:42" */
export const clock = (at: number): string =>
  new Date(at).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' })

/** 0.784 -> "78%" */
export const percent = (ratio: number): string => `${Math.round(ratio * 100)}%`

/** A loss or a score in three figures: 1.772 -> "1.77", 0.0123 -> "0.0123" */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'not a number'
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1000) return count(value)
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  if (size >= 0.1) return value.toFixed(2)
  if (size >= 0.001) return value.toPrecision(2)
  return value.toExponential(1).replace('.0e', 'e')
}
