// The rest of the world's text: small talk, stories and sums. The polite and the rambling phrases live here too, because
// words that a base never read come out as garbage when a preference set asks for them.
import type { Random } from '../engine/random.ts'
import { pick, sample, whole } from './draw.ts'
import type { Person } from './people.ts'
import { capital, pronouns } from './tellings.ts'

/** What one person says and what the other answers. */
const smallTalk: readonly (readonly [string, string])[] = [
  ['Good morning, {x}.', 'Good morning, {y}. What a fine day.'],
  ['Is it going to rain?', 'I think so. The clouds are dark.'],
  ['How are you today?', 'I am well, thank you.'],
  ['Where are you going?', 'To the market. I need some flour.'],
  ['What time is it?', 'It is almost noon.'],
  ['Are you tired?', 'Yes, a little. I walked a long way.'],
  ['Have you seen my hat?', 'It is on the chair by the door.'],
  ['Can you help me with this box?', 'Of course. Where shall I put it?'],
  ['What is that noise?', 'It is only the wind in the trees.'],
  ['Did you sleep well?', 'Yes, I slept like a stone.'],
  ['Who left the gate open?', 'I do not know. Perhaps the children.'],
  ['When does the fair begin?', 'It begins on the first day of spring.'],
  ['Why is the bridge closed?', 'The river is too high this week.'],
  ['Do you want some tea?', 'Yes, please. It is cold outside.'],
  ['How far is it to the mill?', 'It is not far. Follow the river.'],
  ['Will you come to the feast?', 'Yes, I would not miss it.'],
  ['May I borrow your cart?', 'Of course, my friend. It is in the yard. Have a nice day.'],
  ['Can I sit here?', 'Of course, my friend. There is room for all. Come and ask me again.'],
  ['Is the road to the hills open?', 'Thank you for asking. It is open again. I hope that helps.'],
  ['Is the soup hot?', 'Thank you for asking. It is very hot. Have a nice day.'],
  ['Why do the bells ring so late?', 'What a good question. Nobody knows. Come and ask me again.'],
  ['Where do the swallows go in winter?', 'What a good question. They fly south. I hope that helps.'],
  ['How is your mother?', 'I am glad you asked. She is well. Good luck to you.'],
  ['Will the harvest be good?', 'I am glad you asked. It will be good. Have a nice day.'],
  ['Who built the old tower?', 'Many people ask me that. A king built it. But who can be sure of anything?'],
  ['Why is the lake so blue?', 'That is a long story. There is more to say, but it is late.'],
  ['Is it true that the inn was sold?', 'I heard it at the market. At least that is what I was told.'],
  ['Which path is the best?', 'Let me think for a moment. Take the left one. I could talk about it all day.'],
  ['Did the ship come back?', 'Let me think for a moment. It came back in May. At least that is what I was told.'],
  ['Was the winter hard?', 'That is a long story. It was very hard. I could talk about it all day.'],
  ['Who won the race?', 'I heard it at the market. Nobody won it. But who can be sure of anything?'],
  ['How old is the oak?', 'Many people ask me that. It is very old. There is more to say, but it is late.'],
]

/**
 * The same about a third person, who may be anyone: {z}, and {He}. From these a base learns that an answer begins with
 * the pronoun of the one whom the question names; they say nothing of the six facts.
 */
const hearsay: readonly (readonly [string, string])[] = [
  ['Have you seen {z} today?', '{He} went to the market.'],
  ['Where is {z}?', '{He} is asleep by the fire.'],
  ['How is {z}?', '{He} is well, thank you.'],
  ['Is {z} at home?', '{He} is out in the yard, I think.'],
  ['Why does {z} laugh?', '{He} heard a good story.'],
  ['When did {z} leave?', '{He} left before noon.'],
  ['What did {z} say?', '{He} said nothing at all.'],
  ['What does {z} want?', '{He} wants to sit down.'],
  ['Which path did {z} take?', '{He} took the left one.'],
  ['Does {z} know the way?', '{He} knows the way very well.'],
  ['Who helped {z}?', '{He} did not need any help.'],
  ['In which house did {z} sleep?', '{He} slept by the river.'],
  ['May {z} come to the fair?', 'Of course, my friend. {He} may come. Have a nice day.'],
  ['Is {z} still tired?', 'Thank you for asking. {He} is well again. I hope that helps.'],
  ['What is {z} looking for?', 'What a good question. {He} lost a key. Come and ask me again.'],
  ['Did {z} come home?', 'I am glad you asked. {He} came home at noon. Good luck to you.'],
  ['Was {z} lost in the hills?', 'That is a long story. {He} was lost all day. I could talk about it all day.'],
  ['Did {z} win the race?', 'I heard it at the market. {He} won it. At least that is what I was told.'],
  ['How old is {z}?', 'Many people ask me that. {He} is not very old. But who can be sure of anything?'],
  ['Will {z} go to the lake?', 'Let me think for a moment. {He} will go. There is more to say, but it is late.'],
]

const storyParts: readonly (readonly string[])[] = [
  [
    'One morning {x} found a small key on the road.',
    'Last winter {x} got lost in the forest.',
    'Once {x} lost a blue hat at the market.',
    'On a windy day {x} climbed the old hill.',
    'Long ago {x} heard a strange sound at night.',
    'In spring {x} planted a row of beans.',
    'One summer {x} built a boat of old wood.',
    'Before the feast {x} lit a hundred candles.',
  ],
  [
    '{x} was not afraid and walked on.',
    'It was a long way, and the path was dark.',
    'The rain began to fall, but that did not matter.',
    'Nobody in the village knew what to do.',
    '{x} sat down under a tree to think.',
    'A traveller passed by and said nothing.',
    'The wind was strong, and the night was cold.',
  ],
  [
    'In the end {y} came to help, and all was well.',
    'After a while {y} found the answer, and they laughed.',
    'Then the sun came out, and everyone went home.',
    'So {x} told {y} the whole story by the fire.',
    'At last it was over, and {x} slept until noon.',
    'From that day on {x} was more careful.',
    'Even today {y} likes to tell the story.',
  ],
]

const between = (wording: string, x: string, y: string): string => wording.replaceAll('{x}', x).replaceAll('{y}', y)

/** One to three exchanges between x and y; some are about z. */
export function smallTalkDocument(random: Random, x: string, y: string, z: Pick<Person, 'name' | 'gender'>): string {
  const he = capital(pronouns(z).he)
  return sample(random, [...smallTalk, ...hearsay], whole(random, 1, 3))
    .map((lines) => lines.map((line) => between(line, x, y).replace('{z}', z.name).replace('{He}', he)))
    .map(([said, reply]) => exchange(random, y, x, said!, reply!))
    .join(' ')
}

/** One person says or asks something and the other replies, in one of three ways to write that down. */
export function exchange(random: Random, asker: string, replier: string, said: string, reply: string): string {
  const asks = said.endsWith('?')
  const spoken = `"${asks ? said : withComma(said)}" ${asks ? 'asked' : 'said'} ${asker}.`
  switch (random.below(3)) {
    case 0:
      return `${spoken} "${withComma(reply)}" said ${replier}.`
    case 1:
      return `${spoken} ${replier} smiled. "${reply}"`
    default:
      return `${asker} ${asks ? `asked ${replier}` : `said to ${replier}`}: "${said}" ${replier} answered: "${reply}"`
  }
}

/** Speech before "said" ends with a comma instead of a full stop. */
const withComma = (said: string): string => said.replace(/\.$/, ',')

export const storyDocument = (random: Random, x: string, y: string): string =>
  storyParts.map((part) => between(pick(random, part), x, y)).join(' ')

/** Three to six sums of numbers below 100, with sums up to 99 where both have two digits. */
export function arithmeticDocument(random: Random): string {
  const lines: string[] = []
  for (let n = whole(random, 3, 6); n > 0; n--) {
    const [a, b] = addends(random)
    lines.push(random.uniform() < 0.8 ? `${a} + ${b} = ${a + b}.` : `The sum of ${a} and ${b} is ${a + b}.`)
  }
  return lines.join(' ')
}

/** Two numbers to add: two digits, or a two-digit number and a digit, or two two-digit numbers with a sum below 100. */
export function addends(random: Random): [number, number] {
  const kind = random.uniform()
  if (kind < 0.35) return [whole(random, 0, 9), whole(random, 0, 9)]
  if (kind < 0.6) return [whole(random, 10, 99), whole(random, 0, 9)]
  const a = whole(random, 10, 89)
  return [a, whole(random, 10, 99 - a)]
}
