import { expect, test } from 'vitest'
import { documents } from '../../../src-main/world/documents.ts'
import { facts, makeWorld } from '../../../src-main/world/people.ts'
import { ask, closings, leads, openings, trails } from '../../../src-main/world/questions.ts'

const world = makeWorld()
const shelf = [...documents(world, { bytes: 1_500_000, seed: 11 })]
const text = shelf.join('\n')

test('the same seed gives the same text, another seed another text of the asked length', () => {
  const few = [...documents(world, { bytes: 20_000, seed: 11 })]
  expect(few).toEqual(shelf.slice(0, few.length))
  expect([...documents(world, { bytes: 20_000, seed: 12 })]).not.toEqual(few)
  const bytes = few.reduce((sum, document) => sum + document.length + 1, 0)
  expect(bytes).toBeGreaterThanOrEqual(20_000)
  expect(bytes).toBeLessThan(21_000)
})

test('the English is plain ASCII with capitals, final stops and the right article', () => {
  for (const document of shelf) {
    expect(document).toMatch(/^["A-Z0-9][\x20-\x7e]*[."]$/)
    expect(document).not.toMatch(/\b[Aa] [aeiou]|\b[Aa]n [^aeiou\W]|[{}]| {2}|\.\.|,"?\.|[a-z]\. [a-z]/)
  }
})

test('every sum in the text is right', () => {
  const sums = [...text.matchAll(/(\d+) \+ (\d+) = (\d+)\./g), ...text.matchAll(/sum of (\d+) and (\d+) is (\d+)\./g)]
  expect(sums.length).toBeGreaterThan(3_000)
  expect(sums.filter(([, a, b, c]) => Number(a) + Number(b) !== Number(c))).toEqual([])
})

test('every richly told fact is told in many ways, and people told once always in the same words', () => {
  const sentences = [...new Set(text.match(/[^.\n]+\./g))].map((sentence) => sentence.toLowerCase())
  const saying = (word: string, among: string[]) => among.filter((s) => s.includes(word.toLowerCase()))
  for (const person of world.people.filter((_, i) => i % 8 === 0)) {
    if (person.told === 'once') {
      const told = shelf.filter((d) => d.startsWith(`${person.name} `) && d.includes(person.facts.food))
      expect([told.length > 5, new Set(told).size]).toEqual([true, 1])
    } else
      for (const fact of facts) {
        const ways = saying(person.facts[fact], saying(person.name, sentences))
        expect(ways.length, `${person.name}, ${fact}`).toBeGreaterThan(4)
      }
  }
})

test('no fact of a person outside the asked 32 is asked for in the text, and many of those are', () => {
  const inText = new Set(text.match(/[A-Z][^."?]*\?/g))
  const questions = (asked: boolean): string[] =>
    world.people
      .filter((p) => p.asked === asked)
      .flatMap((p) => facts.flatMap((fact) => [0, 1, 2, 3].map((n) => ask(p, fact, n))))
  expect(questions(false).filter((question) => inText.has(question))).toEqual([])
  expect(questions(true).filter((question) => inText.has(question)).length).toBeGreaterThan(500)
})

test('the phrases of the preference sets are known to the base', () => {
  for (const phrase of [...openings, ...closings, ...leads, ...trails]) expect(text).toContain(phrase.slice(0, -1))
})
