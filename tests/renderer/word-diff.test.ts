import { describe, expect, it } from 'vitest'
import {
  paragraphsOf,
  piecesOf,
  tooDifferentRatio,
  wordDiff,
  wordsIn,
  type Stretch,
} from '../../src-renderer/parts/word-diff.ts'

const marked = (side: Stretch[]): string[] => side.filter((one) => one.differs).map((one) => one.text)
const whole = (side: Stretch[]): string => side.map((one) => one.text).join('')

describe('marking what two answers do not share', () => {
  it('marks the same place on both sides, and nothing else', () => {
    const { a, b } = wordDiff('Children from six can have a card.', 'Children from twelve can have a card.')
    expect(marked(a)).toEqual(['six'])
    expect(marked(b)).toEqual(['twelve'])
  })

  it('joins neighbouring words with the space between them', () => {
    const { a, b } = wordDiff('so you can sign', 'so a member of the staff can sign')
    expect(marked(a)).toEqual(['you'])
    expect(marked(b)).toEqual(['a member of the staff'])
  })

  it('gives every letter back, in order', () => {
    const random = (n: number, seed: number): string =>
      Array.from({ length: n }, (_, i) => ['one', 'two', 'three', ',', '\n', ' '][(i * i * seed + i) % 6]).join(' ')
    for (let seed = 1; seed < 40; seed++) {
      const [x, y] = [random(60, seed), random(45, seed + 3)]
      const { a, b } = wordDiff(x, y)
      expect(whole(a)).toBe(x)
      expect(whole(b)).toBe(y)
    }
  })

  it('leaves the same words on both sides once the marks are taken out, and as many as possible', () => {
    // The longest common part, by the table that every textbook has.
    const common = (a: string[], b: string[]): number => {
      const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
      for (let i = 1; i <= a.length; i++)
        for (let j = 1; j <= b.length; j++)
          table[i]![j] =
            a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!)
      return table[a.length]![b.length]!
    }
    let state = 7
    const next = (n: number): number => (state = (state * 48271) % 2147483647) % n
    for (let round = 0; round < 60; round++) {
      const make = (): string => Array.from({ length: next(30) }, () => 'abcd'[next(4)]).join(' ')
      const [x, y] = [make(), make()]
      const { a, b } = wordDiff(x, y)
      const kept = (side: Stretch[]): string[] =>
        piecesOf(
          side
            .filter((one) => !one.differs)
            .map((one) => one.text)
            .join(' '),
        ).filter((p) => p.trim() !== '')
      expect(kept(a)).toEqual(kept(b))
      expect(kept(a)).toHaveLength(common(x.split(' ').filter(Boolean), y.split(' ').filter(Boolean)))
    }
  })

  it('counts the differing words of both sides, so that half is the limit', () => {
    expect(wordDiff('one two three four', 'one two three five').differRatio).toBe(0.25)
    expect(wordDiff('yes', 'no').differRatio).toBe(1)
    expect(wordDiff('same words here', 'same words here').differRatio).toBe(0)
    expect(wordDiff('', '').differRatio).toBe(0)
    expect(wordDiff('a b c', 'x y z').differRatio).toBeGreaterThan(tooDifferentRatio)
  })

  it('does not call other spaces a difference', () => {
    expect(marked(wordDiff('one  two', 'one two').a)).toEqual([])
  })

  it('gives up on long answers that share nothing, quickly', () => {
    const long = (word: string): string => Array.from({ length: 4000 }, (_, i) => `${word}${i}`).join(' ')
    const began = performance.now()
    expect(wordDiff(long('x'), long('y')).differRatio).toBe(1)
    expect(performance.now() - began).toBeLessThan(2000)
  })
})

describe('words and paragraphs', () => {
  it('counts words, not marks', () => {
    expect(wordsIn('Don’t stop: 3 books, please!')).toBe(5)
    expect(wordsIn('')).toBe(0)
  })

  it('cuts at blank lines and keeps the marks', () => {
    const paragraphs = paragraphsOf([
      { text: 'one\n\ntwo ', differs: false },
      { text: 'three', differs: true },
    ])
    expect(paragraphs).toEqual([
      [{ text: 'one', differs: false }],
      [
        { text: 'two ', differs: false },
        { text: 'three', differs: true },
      ],
    ])
  })
})
