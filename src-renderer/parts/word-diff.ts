// What two answers do not share, word by word (Myers 1986, greedy), so that both sides can mark it equally. Left out: moved
// passages (they count as taken out and put in) and anything finer than a word.

/** A stretch of an answer; `differs` where the other answer has no such words at that place. */
export interface Stretch {
  text: string
  differs: boolean
}
export interface Difference {
  a: Stretch[]
  b: Stretch[]
  /** Words that differ, of all words on both sides: 0 to 1. */
  differRatio: number
}

/** Above this share of differing words marking helps nobody. */
export const tooDifferentRatio = 0.5
/** Longer differences than this are not searched for: the answers are then simply different. */
const mostEdits = 1200

const isWord = (piece: string): boolean => /[\p{L}\p{N}]/u.test(piece)
const isSpace = (piece: string): boolean => /^\s+$/.test(piece)

/** "Six, then" -> ["Six", ",", " ", "then"] */
export function piecesOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|\s+|[^\p{L}\p{N}\s]/gu) ?? []
}

export const wordsIn = (text: string): number => piecesOf(text).filter(isWord).length

/** Which pieces of each side are shared, in order; null where the two differ in more than `mostEdits` places. */
function shared(a: readonly string[], b: readonly string[]): { a: boolean[]; b: boolean[] } | null {
  const most = Math.min(a.length + b.length, mostEdits)
  const reach = new Int32Array(2 * most + 3) // furthest place in `a` on each diagonal
  const trace: Int32Array[] = []
  const kept = { a: a.map(() => false), b: b.map(() => false) }
  for (let edits = 0; edits <= most; edits++) {
    trace.push(reach.slice(most + 1 - edits - 1, most + 1 + edits + 2))
    for (let k = -edits; k <= edits; k += 2) {
      const at = most + 1 + k
      const down = k === -edits || (k !== edits && reach[at - 1]! < reach[at + 1]!)
      let x = down ? reach[at + 1]! : reach[at - 1]! + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      reach[at] = x
      if (x >= a.length && x - k >= b.length) return follow(trace, a.length, b.length, kept)
    }
  }
  return null
}

/** Walks the found way back, marking what was shared. `trace[d]` holds diagonals -d-1 to d+1 as they were before step d. */
function follow(
  trace: Int32Array[],
  lengthA: number,
  lengthB: number,
  kept: { a: boolean[]; b: boolean[] },
): typeof kept {
  let [x, y] = [lengthA, lengthB]
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const before = trace[edits]!
    const reached = (k: number): number => before[k + edits + 1]!
    const k = x - y
    const down = k === -edits || (k !== edits && reached(k - 1) < reached(k + 1))
    const fromK = down ? k + 1 : k - 1
    const fromX = edits === 0 ? 0 : reached(fromK)
    const fromY = edits === 0 ? 0 : fromX - fromK
    while (x > fromX && y > fromY) {
      x--
      y--
      kept.a[x] = true
      kept.b[y] = true
    }
    ;[x, y] = [fromX, fromY]
  }
  return kept
}

/** Neighbours of one kind become one stretch; the space between two marked words is marked with them. */
function stretches(pieces: readonly string[], kept: readonly boolean[]): Stretch[] {
  const differs = pieces.map((piece, i) => !kept[i] && !isSpace(piece))
  pieces.forEach((piece, i) => {
    if (isSpace(piece) && !piece.includes('\n') && differs[i - 1] && differs[i + 1]) differs[i] = true
  })
  const out: Stretch[] = []
  pieces.forEach((text, i) => {
    const last = out.at(-1)
    if (last?.differs === differs[i]) last.text += text
    else out.push({ text, differs: differs[i]! })
  })
  return out
}

/** Compares two answers by words. Spaces never differ by themselves. */
export function wordDiff(a: string, b: string): Difference {
  const [all, other] = [piecesOf(a), piecesOf(b)]
  const solid = (pieces: string[]): string[] => pieces.filter((piece) => !isSpace(piece))
  const found = shared(solid(all), solid(other))
  if (found === null) return { a: [{ text: a, differs: true }], b: [{ text: b, differs: true }], differRatio: 1 }
  const spread = (pieces: string[], kept: boolean[]): boolean[] => {
    let at = 0
    return pieces.map((piece) => (isSpace(piece) ? false : kept[at++]!))
  }
  const [keptA, keptB] = [spread(all, found.a), spread(other, found.b)]
  const count = (pieces: string[], kept: boolean[]): [number, number] => [
    pieces.filter(isWord).length,
    pieces.filter((piece, i) => isWord(piece) && !kept[i]).length,
  ]
  const [wordsA, differA] = count(all, keptA)
  const [wordsB, differB] = count(other, keptB)
  return {
    a: stretches(all, keptA),
    b: stretches(other, keptB),
    differRatio: wordsA + wordsB === 0 ? 0 : (differA + differB) / (wordsA + wordsB),
  }
}

/** Stretches cut into paragraphs at blank lines. */
export function paragraphsOf(parts: readonly Stretch[]): Stretch[][] {
  const paragraphs: Stretch[][] = [[]]
  for (const { text, differs } of parts)
    text.split(/\n[^\S\n]*\n\s*/).forEach((piece, i) => {
      if (i > 0) paragraphs.push([])
      if (piece !== '') paragraphs.at(-1)!.push({ text: piece, differs })
    })
  return paragraphs.filter((one) => one.length > 0)
}
