// Where a floating part opens: beside its anchor, inside the window, never over the anchor itself.

const gap = 6
const edge = 8

export type Side = 'below' | 'left' | 'right' | 'above'
/** An element, or a box made of several. */
export type Anchor = Pick<Element, 'getBoundingClientRect'>

/**
 * Sets the position of `floating` (position: fixed) beside `anchor`. Tries `side` first, then the others that have room.
 * `sameWidth` makes it at least as wide as the anchor.
 */
export function place(anchor: Anchor, floating: HTMLElement, side: Side = 'below', sameWidth = false): void {
  const a = anchor.getBoundingClientRect()
  if (sameWidth) floating.style.minWidth = `${a.width}px`
  floating.style.maxHeight = ''
  const width = Math.min(floating.offsetWidth, innerWidth - 2 * edge)
  const height = floating.offsetHeight
  const room: Record<Side, number> = {
    below: innerHeight - a.bottom - gap - edge,
    above: a.top - gap - edge,
    left: a.left - gap - edge,
    right: innerWidth - a.right - gap - edge,
  }
  const fits = (one: Side): boolean => room[one] >= (one === 'below' || one === 'above' ? height : width)
  const order: Side[] = [side, 'below', 'above', 'left', 'right']
  const chosen = order.find(fits) ?? (room.below >= room.above ? 'below' : 'above')
  const upright = chosen === 'below' || chosen === 'above'
  if (upright) floating.style.maxHeight = `${Math.max(120, room[chosen])}px`
  const shownHeight = upright ? Math.min(height, room[chosen]) : height
  const left = upright ? a.left : chosen === 'left' ? a.left - gap - width : a.right + gap
  const top = chosen === 'below' ? a.bottom + gap : chosen === 'above' ? a.top - gap - shownHeight : a.top
  floating.style.left = `${Math.max(edge, Math.min(left, innerWidth - width - edge))}px`
  floating.style.top = `${Math.max(edge, Math.min(top, innerHeight - shownHeight - edge))}px`
}
