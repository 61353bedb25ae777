// The invented world: 160 people with six facts each. A seed decides who they are and what is true of them.
//
// 128 people are told richly (every fact in many wordings), 32 once (one fixed text each, however often it is read):
// the experiment of Allen-Zhu and Li, "Physics of Language Models 3.1" (2023), in small. Only 32 of the rich ones are
// asked for their facts in the pre-training dialogues, so that nobody ever asked those who are held out of fine-tuning.
import { createRandom } from '../engine/random.ts'
import { pick, shuffled } from './draw.ts'

export const facts = ['home', 'trade', 'pet', 'food', 'instrument', 'friend'] as const
export type Fact = (typeof facts)[number]

export interface Person {
  name: string
  gender: 'f' | 'm'
  facts: Record<Fact, string>
  told: 'richly' | 'once'
  /** Whether the dialogues of the pre-training text ask for the facts of this person. */
  asked: boolean
}

export interface World {
  seed: number
  people: Person[]
}

/** The seed of the world that the shipped starter model was pre-trained on. */
export const starterSeed = 1

export const peopleCount = 160
export const toldRichlyCount = 128
export const askedCount = 32

export const values: Record<Exclude<Fact, 'friend'>, readonly string[]> = {
  home: words(
    'Oakfield Millbrook Stonebridge Fairhaven Redcliff Willowdale Ashford Brightwater Elmwood Foxhollow Greenhill Kingsport Larkspur Mosswood Northgate Riverbend',
  ),
  trade: words(
    'baker weaver smith miller tailor potter farmer fisher carpenter teacher doctor painter gardener hunter mason sailor cook brewer beekeeper innkeeper',
  ),
  pet: words('cat dog goat parrot rabbit tortoise pony hen goose ferret owl hamster duck otter'),
  food: [
    'plum pie',
    'barley soup',
    'fried fish',
    'honey cake',
    'goat cheese',
    'apple bread',
    'mushroom stew',
    'roast corn',
    'lentil rice',
    'berry jam',
    'onion tart',
    'pumpkin porridge',
    'smoked ham',
    'pepper salad',
    'walnut pudding',
    'garlic butter',
  ],
  instrument: words('flute fiddle drum harp lute horn bagpipe piano bell whistle cello banjo'),
}

/** Beginnings and endings of names; an ending also tells the gender. No two make the same name or an English word. */
const beginnings = words('Al Bel Cor Dar El Fen Gar Hal Il Jor Kel Lin Mar Nor Ol Per Quin Ros Sel Tam Ul Vel Wyn Yor')
const endings: readonly (readonly [string, 'f' | 'm'])[] = [
  ['a', 'f'],
  ['wen', 'f'],
  ['la', 'f'],
  ['my', 'f'],
  ['ith', 'f'],
  ['in', 'm'],
  ['ric', 'm'],
  ['dan', 'm'],
  ['ak', 'm'],
  ['us', 'm'],
]

/** A world from its seed: the same seed makes the same people. */
export function makeWorld({ seed = starterSeed }: { seed?: number } = {}): World {
  const random = createRandom(seed)
  const names = beginnings.flatMap((begin) => endings.map(([end, gender]) => ({ name: begin + end, gender })))
  const people = shuffled(random, names)
    .slice(0, peopleCount)
    .map(({ name, gender }, i): Person => {
      const told = i < toldRichlyCount ? 'richly' : 'once'
      const of = (fact: Exclude<Fact, 'friend'>): string => pick(random, values[fact])
      const own = {
        home: of('home'),
        trade: of('trade'),
        pet: of('pet'),
        food: of('food'),
        instrument: of('instrument'),
      }
      return { name, gender, told, asked: i < askedCount, facts: { ...own, friend: '' } }
    })
  // Friendship is one-way here: a best friend may like somebody else better.
  for (const person of people)
    person.facts.friend = pick(
      random,
      people.filter((other) => other !== person),
    ).name
  return { seed, people }
}

/** Who is asked about in fine-tuning, who chooses the settings, and who is only measured. */
export interface PeopleSplit {
  train: Person[]
  /** For choosing steps, styles and learning rates. */
  validation: Person[]
  /** Seen by neither: the figures that are reported come from them. */
  heldOut: Person[]
}

/** Splits the richly told people by a seed: 64 train, 24 validation, 40 held out. The asked ones all train. */
export function splitPeople(world: World, seed: number): PeopleSplit {
  const rich = world.people.filter((person) => person.told === 'richly')
  const others = shuffled(
    createRandom(seed),
    rich.filter((person) => !person.asked),
  )
  return {
    train: [...rich.filter((person) => person.asked), ...others.slice(0, 32)],
    validation: others.slice(32, 56),
    heldOut: others.slice(56),
  }
}

function words(text: string): string[] {
  return text.split(' ')
}
