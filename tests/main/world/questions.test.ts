import { expect, test } from 'vitest'
import { createRandom } from '../../../src-main/engine/random.ts'
import { facts, makeWorld, type Person } from '../../../src-main/world/people.ts'
import {
  answer,
  answerStyle,
  ask,
  checkAnswer,
  curtAnswer,
  isPolite,
  politeAnswer,
  shortAnswer,
  styles,
} from '../../../src-main/world/questions.ts'

const kelda: Person = {
  name: 'Kelda',
  gender: 'f',
  told: 'richly',
  asked: false,
  facts: { home: 'Oakfield', trade: 'innkeeper', pet: 'owl', food: 'plum pie', instrument: 'flute', friend: 'Tamric' },
}

test('answers are correct English', () => {
  expect(ask(kelda, 'trade', 2)).toBe('What does Kelda do for a living?')
  expect(facts.map((fact) => shortAnswer(kelda, fact))).toEqual([
    'She lives in Oakfield.',
    'She is an innkeeper.',
    'She has a pet owl.',
    'She likes plum pie best.',
    'She plays the flute.',
    'She calls Tamric her best friend.',
  ])
  expect(facts.map((fact) => curtAnswer(kelda, fact))).toEqual([
    'Oakfield.',
    'An innkeeper.',
    'An owl.',
    'Plum pie.',
    'The flute.',
    'Tamric.',
  ])
  expect(shortAnswer({ ...kelda, gender: 'm' }, 'friend')).toBe('He calls Tamric his best friend.')
})

test('every answer in every style is judged right, and of its style', () => {
  const random = createRandom(3)
  for (const person of makeWorld().people)
    for (const fact of facts)
      for (const style of styles) {
        const text = answer(style, person, fact, random)
        expect(answerStyle(person, fact, ` ${text}`)).toBe(style)
        expect(isPolite(text)).toBe(style === 'polite')
      }
})

test('a strict judge: false, cut, lengthened, misspelled or mis-gendered answers are wrong', () => {
  const polite = politeAnswer(kelda, 'home', createRandom(1))
  for (const wrong of [
    '',
    'She lives in Ashford.',
    'He lives in Oakfield.',
    'She lives in Oakfield',
    'She lives in Oakfield. She lives in Oakfield.',
    'She is an innkeeper.',
    'oakfield.',
    polite.replace('Oakfield', 'Ashford'),
    polite.slice(0, -1),
    `${polite} ${polite}`,
  ])
    expect(checkAnswer(kelda, 'home', wrong), wrong).toBe(false)
})
