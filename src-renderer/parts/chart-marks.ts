// What a chart carries besides its lines: temper dots of checkpoints on the axis, a dot and a name at each line's end.
import type uPlot from 'uplot'
import type { ChartCheckpoint, ChartSeries } from './chart-data.ts'

/** The theme's colours as a canvas understands them. */
export interface Ink {
  ink: string
  faint: string
  line: string
  axis: string
  paper: string
  series: string[]
  temper: string[]
  font: string
}

const lineHeight = 14
/** Letters of a name beside its line; the legend has more room. */
const longestName = 28

export function drawMarks(
  u: uPlot,
  colours: Ink,
  lines: readonly ChartSeries[],
  checkpoints: readonly ChartCheckpoint[],
  compact: boolean,
  lastTick: string,
): void {
  const ratio = devicePixelRatio
  const { ctx, bbox } = u
  ctx.save()
  const bottom = bbox.top + bbox.height
  for (const one of checkpoints) {
    const shade = one.of <= 6 ? one.at : Math.round((one.at / (one.of - 1)) * 5)
    ctx.beginPath()
    ctx.arc(u.valToPos(one.x, 'x', true), bottom, 5 * ratio, 0, 7)
    ctx.fillStyle = colours.temper[Math.min(5, Math.max(0, shade))]!
    ctx.fill()
    ctx.lineWidth = 1.5 * ratio
    ctx.strokeStyle = colours.paper
    ctx.stroke()
  }
  ctx.font = colours.font.replace('11px', `${11 * ratio}px`)
  ctx.fillStyle = colours.faint
  ctx.textAlign = 'right'
  ctx.textBaseline = 'top'
  ctx.fillText(lastTick, bbox.left + bbox.width, bottom + 8 * ratio)
  ctx.textBaseline = 'alphabetic'
  if (!compact) drawEnds(u, colours, lines, ratio)
  ctx.restore()
}

/** Names stand beside the ends of the training lines, pushed apart where they would touch. */
function drawEnds(u: uPlot, colours: Ink, lines: readonly ChartSeries[], ratio: number): void {
  const { ctx, bbox } = u
  ctx.font = colours.font.replace('11px', `500 ${11 * ratio}px`)
  const ends = lines
    .filter((one) => one.split === 'train' && one.y.length > 0)
    .map((one) => ({ one, x: u.valToPos(one.x.at(-1)!, 'x', true), y: u.valToPos(one.y.at(-1)!, 'y', true) }))
    .filter((end) => Number.isFinite(end.y))
    .sort((a, b) => a.y - b.y)
  let free = bbox.top
  for (const { one, x, y } of ends) {
    ctx.beginPath()
    ctx.arc(x, y, 3.5 * ratio, 0, 7)
    ctx.fillStyle = colours.series[one.colour - 1]!
    ctx.fill()
    const name = one.name.length > longestName ? `${one.name.slice(0, longestName - 1).trimEnd()}…` : one.name
    const width = ctx.measureText(name).width
    const right = x + 9 * ratio + width < bbox.left + bbox.width
    // At the planned end there is no room beside the line: below it, or above where the axis is near.
    const beside = right ? 4 : y + 24 * ratio < bbox.top + bbox.height ? 18 : -10
    const place = Math.max(free, y + beside * ratio)
    free = place + lineHeight * ratio
    ctx.textAlign = right ? 'left' : 'right'
    // An edge of paper keeps the name readable where a line runs behind it.
    ctx.lineWidth = 3 * ratio
    ctx.lineJoin = 'round'
    ctx.strokeStyle = colours.paper
    ctx.strokeText(name, right ? x + 9 * ratio : x, place)
    ctx.fillStyle = colours.ink
    ctx.fillText(name, right ? x + 9 * ratio : x, place)
  }
}
