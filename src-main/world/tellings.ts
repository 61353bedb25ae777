// How a fact is told: about ten wordings that name the person and four that say "she" or "he", all true English.
import type { Fact, Person } from './people.ts'

/** Wordings with the name in them. */
export const named: Record<Fact, readonly string[]> = {
  home: [
    '{name} lives in {value}.',
    '{name} has a house in {value}.',
    'The home of {name} is in {value}.',
    '{value} is where {name} lives.',
    'In {value} lives {name}.',
    '{name} comes from {value}.',
    'If you visit {value}, you may meet {name}.',
    'Letters to {name} are sent to {value}.',
    '{name} has always lived in {value}.',
    'You can find {name} in the village of {value}.',
  ],
  trade: [
    '{name} is {a value}.',
    '{name} works as {a value}.',
    '{name} earns a living as {a value}.',
    'The trade of {name} is that of {a value}.',
    'As {a value}, {name} is busy every day.',
    '{name} learned to be {a value} long ago.',
    'Everyone knows the {value} called {name}.',
    'By trade, {name} is {a value}.',
    '{name} the {value} gets up early.',
    'The job of {name} is to be {a value}.',
  ],
  pet: [
    '{name} has a pet {value}.',
    '{name} keeps {a value}.',
    'The pet of {name} is {a value}.',
    '{A value} lives in the house of {name}.',
    '{name} owns {a value}.',
    '{name} feeds {a value} every morning.',
    'A little {value} belongs to {name}.',
    '{name} loves to play with a pet {value}.',
    'The animal that {name} keeps is {a value}.',
    'Every evening {name} goes out with the {value}.',
  ],
  food: [
    '{name} likes {value} best.',
    'The favourite food of {name} is {value}.',
    '{name} loves to eat {value}.',
    'Nothing tastes better to {name} than {value}.',
    '{name} eats {value} whenever possible.',
    'For dinner, {name} always wants {value}.',
    '{Value} is the favourite dish of {name}.',
    '{name} would walk a mile for {value}.',
    'When {name} is hungry, only {value} will do.',
    '{name} thinks that {value} is the best food.',
  ],
  instrument: [
    '{name} plays the {value}.',
    '{name} is good at playing the {value}.',
    'The {value} is the instrument of {name}.',
    'In the evening {name} plays the {value}.',
    '{name} learned to play the {value} as a child.',
    'On feast days {name} brings the {value}.',
    '{name} practises the {value} every week.',
    'When you hear {a value}, it may be {name}.',
    'The instrument that {name} plays is the {value}.',
    '{name} owns an old {value}.',
  ],
  friend: [
    'The best friend of {name} is {value}.',
    '{name} calls {value} {his} best friend.',
    '{name} is a good friend of {value}.',
    '{name} often visits {value}, a dear friend.',
    '{name} likes {value} more than anyone else.',
    '{value} is the best friend of {name}.',
    '{name} tells every secret to {value}.',
    '{name} spends the holidays with {value}.',
    'When {name} needs help, {value} is there.',
    '{name} trusts {value}, who is a true friend.',
  ],
}

/** Wordings with a pronoun; the first one is the short answer that fine-tuning teaches. */
export const withPronoun: Record<Fact, readonly string[]> = {
  home: [
    '{He} lives in {value}.',
    '{His} home is in {value}.',
    '{He} has a house in {value}.',
    '{He} comes from {value}.',
  ],
  trade: [
    '{He} is {a value}.',
    '{He} works as {a value}.',
    '{His} trade is that of {a value}.',
    'By trade, {he} is {a value}.',
  ],
  pet: ['{He} has a pet {value}.', '{He} keeps {a value}.', '{His} pet is {a value}.', '{He} owns {a value}.'],
  food: [
    '{He} likes {value} best.',
    '{His} favourite food is {value}.',
    '{He} loves to eat {value}.',
    '{He} thinks that {value} is the best food.',
  ],
  instrument: [
    '{He} plays the {value}.',
    '{His} instrument is the {value}.',
    '{He} is good at playing the {value}.',
    '{He} practises the {value} every week.',
  ],
  friend: [
    '{He} calls {value} {his} best friend.',
    '{His} best friend is {value}.',
    '{He} often visits {value}, a dear friend.',
    '{He} tells every secret to {value}.',
    '{He} trusts {value}, who is a true friend.',
  ],
}

/** The words before the value on a card: "Home: Oakfield. Favourite food: plum pie." */
export const cardLabels: Record<Fact, string> = {
  home: 'Home',
  trade: 'Trade',
  pet: 'Pet',
  food: 'Favourite food',
  instrument: 'Instrument',
  friend: 'Best friend',
}

/** Sentences that stop just before the value: what a model that knows the fact goes on with. */
export const clozes: Record<Fact, string> = {
  home: '{name} lives in',
  trade: 'By trade, {name} is {a}',
  pet: '{name} has a pet',
  food: 'The favourite food of {name} is',
  instrument: '{name} plays the',
  friend: 'The best friend of {name} is',
}

export const article = (noun: string): 'a' | 'an' => (/^[aeiou]/i.test(noun) ? 'an' : 'a')
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

export const pronouns = ({ gender }: Pick<Person, 'gender'>): { he: string; his: string } =>
  gender === 'f' ? { he: 'she', his: 'her' } : { he: 'he', his: 'his' }

/**
 * Fills a wording for a person: {name}, {value} {Value} (the fact), {a value} {A value} (with a or an), {a} (the article
 * alone), {he} {He} {his} {His}.
 */
export function tell(wording: string, person: Person, fact: Fact): string {
  const value = person.facts[fact]
  const { he, his } = pronouns(person)
  return wording.replace(/\{([^}]+)\}/g, (_, key: string) => {
    switch (key) {
      case 'name':
        return person.name
      case 'value':
        return value
      case 'Value':
        return capital(value)
      case 'a':
        return article(value)
      case 'a value':
        return `${article(value)} ${value}`
      case 'A value':
        return `${capital(article(value))} ${value}`
      case 'he':
        return he
      case 'He':
        return capital(he)
      case 'his':
        return his
      case 'His':
        return capital(his)
      default:
        throw new Error(`A wording has an unknown part {${key}}: ${wording}`)
    }
  })
}
