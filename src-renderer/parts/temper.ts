// The temper scale: the order of a run's checkpoints as colours, straw to blue.

const shades = 6

/** The CSS colour of checkpoint `at` (0-based) of `of`. The first is straw, the last of many is blue. */
export function temperColour(at: number, of: number): string {
  const place = of <= shades ? at : Math.round((at / (of - 1)) * (shades - 1))
  return `var(--t${Math.min(shades, Math.max(1, place + 1))})`
}
