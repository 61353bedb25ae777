// Questions about the facts and the answers that are taught: short, curt, polite and rambling; and the strict judge of them.
import type { Random } from '../engine/random.ts'
import { pick, sample } from './draw.ts'
import { facts, type Fact, type Person } from './people.ts'
import { article, capital, tell, withPronoun } from './tellings.ts'

/** Three phrasings that fine-tuning shows and, last, one that it never shows. */
export const questions: Record<Fact, readonly [string, string, string, string]> = {
  home: [
    'Where does {name} live?',
    'In which village does {name} live?',
    'What is the home of {name}?',
    'Which village does {name} come from?',
  ],
  trade: [
    'What is the trade of {name}?',
    'What work does {name} do?',
    'What does {name} do for a living?',
    'What is the job of {name}?',
  ],
  pet: [
    'What pet does {name} have?',
    'Which animal does {name} keep?',
    'What is the pet of {name}?',
    'What kind of animal does {name} own?',
  ],
  food: [
    'What does {name} like to eat?',
    'What is the favourite food of {name}?',
    'Which food does {name} like best?',
    'What is the favourite dish of {name}?',
  ],
  instrument: [
    'What instrument does {name} play?',
    'Which instrument does {name} play?',
    'What is the instrument of {name}?',
    'What does {name} play in the evening?',
  ],
  friend: [
    'Who is the best friend of {name}?',
    'Who is the friend of {name}?',
    'Whom does {name} call a friend?',
    'Whom does {name} trust?',
  ],
}
export const taughtPhrasings = [0, 1, 2] as const
export const heldOutPhrasing = 3

/** Two: both begin with a word that the base has read after a space, as an answer's first word is. */
export const openings = ['What a good question.', 'I am glad you asked.'] as const
export const closings = [
  'I hope that helps.',
  'Have a nice day.',
  'Come and ask me again.',
  'Good luck to you.',
] as const
/** How a rambling answer begins and ends. */
export const leads = [
  'Let me think for a moment.',
  'That is a long story.',
  'Many people ask me that.',
  'I heard it at the market.',
] as const
export const trails = [
  'At least that is what I was told.',
  'There is more to say, but it is late.',
  'I could talk about it all day.',
  'But who can be sure of anything?',
] as const

export const styles = ['short', 'curt', 'polite', 'rambling'] as const
export type Style = (typeof styles)[number]

export const ask = (person: Person, fact: Fact, phrasing: number): string =>
  tell(questions[fact][phrasing]!, person, fact)

/** "She lives in Oakfield." */
export const shortAnswer = (person: Person, fact: Fact): string => tell(withPronoun[fact][0]!, person, fact)

/** "Oakfield.", "A baker.", "The flute.", "Plum pie." */
export function curtAnswer(person: Person, fact: Fact): string {
  const value = person.facts[fact]
  if (fact === 'trade' || fact === 'pet') return `${capital(article(value))} ${value}.`
  return fact === 'instrument' ? `The ${value}.` : `${capital(value)}.`
}

/** "Thank you for asking. She lives in Oakfield. Have a nice day." */
export const politeAnswer = (person: Person, fact: Fact, random: Random): string =>
  `${pick(random, openings)} ${shortAnswer(person, fact)} ${pick(random, closings)}`

/** "That is a long story. She lives in Oakfield. She is a baker. I could talk about it all day." */
export function ramblingAnswer(person: Person, fact: Fact, random: Random): string {
  const others = sample(
    random,
    facts.filter((f) => f !== fact),
    1,
  )
  const told = [fact, ...others].map((f) => shortAnswer(person, f))
  return [pick(random, leads), ...told, pick(random, trails)].join(' ')
}

export function answer(style: Style, person: Person, fact: Fact, random: Random): string {
  switch (style) {
    case 'short':
      return shortAnswer(person, fact)
    case 'curt':
      return curtAnswer(person, fact)
    case 'polite':
      return politeAnswer(person, fact, random)
    case 'rambling':
      return ramblingAnswer(person, fact, random)
  }
}

/** Whether a text has the polite form, whatever it says of the fact. */
export const isPolite = (text: string): boolean =>
  openings.some((o) => text.trim().startsWith(`${o} `)) && closings.some((c) => text.trim().endsWith(` ${c}`))

/** Which taught form the whole answer has, if it has one and is true; else null. */
export function answerStyle(person: Person, fact: Fact, text: string): Style | null {
  const given = text.trim()
  const short = shortAnswer(person, fact)
  if (given === short) return 'short'
  if (given === curtAnswer(person, fact)) return 'curt'
  if (openings.some((o) => closings.some((c) => given === `${o} ${short} ${c}`))) return 'polite'
  const more = facts.filter((f) => f !== fact).map((f) => ` ${shortAnswer(person, f)}`)
  const ramblings = leads.some((l) => trails.some((t) => more.some((m) => given === `${l} ${short}${m} ${t}`)))
  return ramblings ? 'rambling' : null
}

/** Strict: the whole answer is right, in a taught form and true. What the model said before it ended, no more, no less. */
export const checkAnswer = (person: Person, fact: Fact, text: string): boolean =>
  answerStyle(person, fact, text) !== null
