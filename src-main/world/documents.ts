// The pre-training text: an endless shelf of short documents about one world, drawn by a seed.
//
// By documents: sums 14%, small talk and stories 16%, questions and answers between people 10%; the rest are biographies,
// cards, single facts about several people and the one fixed text of each person told once.
import { createRandom, type Random } from '../engine/random.ts'
import { pick, sample, shuffled, whole } from './draw.ts'
import { facts, type Fact, type Person, type World } from './people.ts'
import { questions } from './questions.ts'
import { arithmeticDocument, exchange, smallTalkDocument, storyDocument } from './talk.ts'
import { cardLabels, named, tell, withPronoun } from './tellings.ts'

export interface TextOptions {
  /** Stop after this many characters (all are ASCII, so bytes). */
  bytes: number
  seed: number
}

const sumsRatio = 0.14
const smallTalkRatio = 0.1
const storyRatio = 0.06
const dialogueRatio = 0.1

/** Documents about the world until `bytes` are written. The same world and seed give the same text. */
export function* documents(world: World, { bytes, seed }: TextOptions): Generator<string, void> {
  const random = createRandom(seed)
  const rich = world.people.filter((person) => person.told === 'richly')
  const asked = rich.filter((person) => person.asked)
  const fixed = new Map(world.people.filter((person) => person.told === 'once').map((p) => [p, onceText(world, p)]))
  for (let written = 0; written < bytes;) {
    const document = oneDocument(random, world, rich, asked, fixed)
    written += document.length + 1
    yield document
  }
}

function oneDocument(
  random: Random,
  world: World,
  rich: readonly Person[],
  asked: readonly Person[],
  fixed: ReadonlyMap<Person, string>,
): string {
  const [first, second, z] = sample(random, world.people, 3) as [Person, Person, Person]
  const [x, y] = [first.name, second.name]
  let share = random.uniform()
  if ((share -= sumsRatio) < 0) return arithmeticDocument(random)
  if ((share -= smallTalkRatio) < 0) return smallTalkDocument(random, x, y, z)
  if ((share -= storyRatio) < 0) return storyDocument(random, x, y)
  if ((share -= dialogueRatio) < 0) return dialogueDocument(random, pick(random, asked), x, y)
  const person = pick(random, world.people)
  const once = fixed.get(person)
  if (once !== undefined) return once
  const form = random.uniform()
  if (form < 0.08) return cardDocument(random, person)
  if (form < 0.36) return severalPeopleDocument(random, rich)
  return biographyDocument(random, person)
}

/** x and y talk about a third person: one or two questions, answered with a pronoun or the name. */
function dialogueDocument(random: Random, person: Person, x: string, y: string): string {
  return sample(random, facts, whole(random, 1, 2))
    .map((fact) => {
      const question = tell(pick(random, questions[fact]), person, fact)
      const reply = tell(pick(random, [...withPronoun[fact], ...named[fact].slice(0, 3)]), person, fact)
      return exchange(random, x, y, question, reply)
    })
    .join(' ')
}

/** "Name: Kelric. Home: Oakfield. Pet: owl." */
function cardDocument(random: Random, person: Person): string {
  const lines = someFacts(random).map((fact) => `${cardLabels[fact]}: ${person.facts[fact]}.`)
  return [`Name: ${person.name}.`, ...lines].join(' ')
}

/** Three to five sentences about as many people. */
function severalPeopleDocument(random: Random, rich: readonly Person[]): string {
  return sample(random, rich, whole(random, 3, 5))
    .map((person) => {
      const fact = pick(random, facts)
      return tell(pick(random, named[fact]), person, fact)
    })
    .join(' ')
}

/** Three to six facts of one person in any order; the first is told with the name, the others often with a pronoun. */
function biographyDocument(random: Random, person: Person): string {
  return someFacts(random)
    .map((fact, i) =>
      tell(pick(random, i === 0 || random.uniform() < 0.35 ? named[fact] : withPronoun[fact]), person, fact),
    )
    .join(' ')
}

const someFacts = (random: Random): Fact[] => shuffled(random, facts).slice(0, whole(random, 3, 6))

/** The one text about a person told once: the same order of facts for everyone, wordings fixed by world and place. */
function onceText(world: World, person: Person): string {
  const random = createRandom(world.seed * 1000 + world.people.indexOf(person))
  return facts
    .map((fact, i) => {
      const choices = i === 0 ? named[fact].filter((wording) => wording.startsWith('{name}')) : withPronoun[fact]
      return tell(pick(random, choices), person, fact)
    })
    .join(' ')
}
