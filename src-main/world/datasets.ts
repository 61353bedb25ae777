// Sample data sets about the world, as examples: what fine-tuning, labelling and preference training begin with.
import type { Example, Message, Split } from '../contract/records.ts'
import { createRandom, type Random } from '../engine/random.ts'
import { pick, shuffled } from './draw.ts'
import { facts, splitPeople, type Fact, type Person, type World } from './people.ts'
import { answer, ask, taughtPhrasings, type Style } from './questions.ts'
import { addends } from './talk.ts'

/** A question about one fact of one person. */
export interface Question {
  person: Person
  fact: Fact
  phrasing: number
}

/** Every question about these people in these phrasings, in a fixed order. */
export const allQuestions = (people: readonly Person[], phrasings: readonly number[] = taughtPhrasings): Question[] =>
  people.flatMap((person) => facts.flatMap((fact) => phrasings.map((phrasing) => ({ person, fact, phrasing }))))

export const questionText = (q: Question): string => ask(q.person, q.fact, q.phrasing)

const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })

/** One sum in five is never trained on, by its two numbers. */
export const isHeldOutSum = (a: number, b: number): boolean => (a + 3 * b) % 5 === 0

/** "What is 12 + 7?" and "19." */
export function sumQuestion(random: Random, split: Split): { question: string; answer: string } {
  let [a, b] = addends(random)
  while (isHeldOutSum(a, b) !== (split === 'held-out')) [a, b] = addends(random)
  return { question: pick(random, [`What is ${a} + ${b}?`, `What is the sum of ${a} and ${b}?`]), answer: `${a + b}.` }
}

export interface QuestionSetOptions {
  seed: number
  /** Which sums may come. Default train. */
  split?: Split
  /** Share of answers in the polite style; the others are short. */
  politeRatio?: number
  /** Share of rows that are sums. */
  sumRatio?: number
}

/** Conversations of one to three turns for supervised fine-tuning: every question about the people once, and sums, in random order. */
export function questionSet(
  people: readonly Person[],
  { seed, split = 'train', politeRatio = 0.3, sumRatio = 0.15 }: QuestionSetOptions,
): Example[] {
  const random = createRandom(seed)
  const asked = allQuestions(people).map((q) => {
    const style: Style = random.uniform() < politeRatio ? 'polite' : 'short'
    return turn(questionText(q), answer(style, q.person, q.fact, random))
  })
  const sums = Array.from({ length: Math.round((asked.length * sumRatio) / (1 - sumRatio)) }, () => {
    const sum = sumQuestion(random, split)
    return turn(sum.question, sum.answer)
  })
  return talks(random, shuffled(random, [...asked, ...sums]))
}

const turn = (question: string, reply: string): Message[] => [user(question), assistant(reply)]

/** Most turns stand alone; some follow one another, so that a tuned model still answers when something was said before. */
function talks(random: Random, turns: readonly Message[][]): Example[] {
  const examples: Example[] = []
  for (let i = 0; i < turns.length;) {
    const draw = random.uniform()
    const length = draw < 0.6 ? 1 : draw < 0.85 ? 2 : 3
    examples.push({ kind: 'conversation', messages: turns.slice(i, i + length).flat() })
    i += length
  }
  return examples
}

/** Pairs of answers to the same question, both true, one in the style that is wanted. */
export function stylePairs(
  people: readonly Person[],
  { chosen, rejected, count, seed }: { chosen: Style; rejected: Style; count: number; seed: number },
): Example[] {
  const random = createRandom(seed)
  return drawn(random, people, count).map((q) => ({
    kind: 'preference',
    prompt: [user(questionText(q))],
    chosen: [assistant(answer(chosen, q.person, q.fact, random))],
    rejected: [assistant(answer(rejected, q.person, q.fact, random))],
  }))
}

/** Single answers with a thumb: up for true and polite, down for curt or for somebody else's fact. */
export function thumbSet(people: readonly Person[], { count, seed }: { count: number; seed: number }): Example[] {
  const random = createRandom(seed)
  return drawn(random, people, count).map((q, i) => {
    const good = i % 2 === 0
    const wrong = !good && random.uniform() < 0.5
    const style: Style = good ? 'polite' : wrong ? 'short' : 'curt'
    return {
      kind: 'thumb',
      prompt: [user(questionText(q))],
      response: [assistant(answer(style, wrong ? mistaken(random, people, q) : q.person, q.fact, random))],
      good,
    }
  })
}

/** The same person with the fact of another one: the short answer about them is false. */
function mistaken(random: Random, people: readonly Person[], { person, fact }: Question): Person {
  const others = people.filter((other) => other.facts[fact] !== person.facts[fact])
  return { ...person, facts: { ...person.facts, [fact]: pick(random, others).facts[fact] } }
}

/** Questions without answers: for generating pairs to judge. */
export function promptSet(people: readonly Person[], { count, seed }: { count: number; seed: number }): Example[] {
  const random = createRandom(seed)
  return drawn(random, people, count).map((q) => ({ kind: 'prompt', prompt: [user(questionText(q))] }))
}

/** `count` questions in random order, each once before any comes again. */
function drawn(random: Random, people: readonly Person[], count: number): Question[] {
  const all = allQuestions(people)
  const out: Question[] = []
  while (out.length < count) out.push(...shuffled(random, all).slice(0, count - out.length))
  return out
}

/** Every sample file that ships with the starter model: its name and its examples. */
export function sampleFiles(world: World, seed: number): { name: string; about: string; examples: Example[] }[] {
  const { train, validation, heldOut } = splitPeople(world, seed)
  const pairs = { count: 300, seed }
  const heldOutPairs = { count: 100, seed: seed + 1 }
  return [
    {
      name: 'questions',
      about:
        'Conversations of one to three turns for supervised fine-tuning: questions about 64 people, 30% answered politely; 15% sums.',
      examples: questionSet(train, { seed }),
    },
    {
      name: 'questions-validation',
      about: 'The same about 24 other people: for choosing steps and learning rates.',
      examples: questionSet(validation, { seed: seed + 1, split: 'held-out' }),
    },
    {
      name: 'questions-held-out',
      about:
        'The same about 40 people of whom no fact is asked for, here or in the pre-training text: for the final figure.',
      examples: questionSet(heldOut, { seed: seed + 2, split: 'held-out' }),
    },
    {
      name: 'polite-pairs',
      about: 'Preferences: a polite answer is chosen, a curt one rejected; both are true.',
      examples: stylePairs(train, { chosen: 'polite', rejected: 'curt', ...pairs }),
    },
    {
      name: 'polite-pairs-held-out',
      about: 'The same about the held-out people.',
      examples: stylePairs(heldOut, { chosen: 'polite', rejected: 'curt', ...heldOutPairs }),
    },
    {
      name: 'short-pairs',
      about: 'Preferences: a short answer is chosen, a rambling one rejected; both are true.',
      examples: stylePairs(train, { chosen: 'short', rejected: 'rambling', ...pairs }),
    },
    {
      name: 'short-pairs-held-out',
      about: 'The same about the held-out people.',
      examples: stylePairs(heldOut, { chosen: 'short', rejected: 'rambling', ...heldOutPairs }),
    },
    {
      name: 'thumbs',
      about: 'Single answers with a thumb: up for polite and true, down for curt or false.',
      examples: thumbSet(train, pairs),
    },
    {
      name: 'prompts',
      about: 'Questions without answers: for generating pairs to judge.',
      examples: promptSet(train, pairs),
    },
  ]
}

/** One line of a sample file: OpenAI's messages, or TRL's conversational forms. */
export function sampleLine(example: Example): string {
  switch (example.kind) {
    case 'text':
      return JSON.stringify({ text: example.text })
    case 'conversation':
      return JSON.stringify({ messages: example.messages })
    case 'completion':
      return JSON.stringify({ prompt: example.prompt, completion: example.response })
    case 'preference':
      return JSON.stringify({ prompt: example.prompt, chosen: example.chosen, rejected: example.rejected })
    case 'thumb':
      return JSON.stringify({ prompt: example.prompt, completion: example.response, label: example.good })
    case 'prompt':
      return JSON.stringify({ prompt: example.prompt })
  }
}
