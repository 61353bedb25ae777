// F6: the areas of the window in reading order. An area is any element with `data-area`; its first control gets the focus.

const focusable =
  'a[href], button:not(:disabled), input:not([hidden]):not(:disabled), textarea:not(:disabled), [tabindex="0"]'

/** Moves the focus to the next (1) or previous (-1) area. */
export function moveArea(by: 1 | -1): void {
  const areas = [...document.querySelectorAll<HTMLElement>('[data-area]')].filter((one) => one.offsetParent !== null)
  const at = areas.findLastIndex((one) => one.contains(document.activeElement))
  for (let i = 1; i <= areas.length; i++) {
    const area = areas[(at + by * i + areas.length * 2) % areas.length]!
    const inner = [...area.querySelectorAll<HTMLElement>(focusable)].find(
      (one) => one.offsetParent !== null && one.closest('[data-area]') === area,
    )
    const target = area.querySelector<HTMLElement>('[aria-current="page"]') ?? inner ?? area
    target.focus()
    if (target.contains(document.activeElement) || area.contains(document.activeElement)) return
  }
}
