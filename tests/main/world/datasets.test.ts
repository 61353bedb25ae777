import { expect, test } from 'vitest'
import { answerStyle, questions } from '../../../src-main/world/questions.ts'
import { allQuestions, questionText, sampleFiles, sampleLine } from '../../../src-main/world/datasets.ts'
import { makeWorld, splitPeople } from '../../../src-main/world/people.ts'

const world = makeWorld()
const files = sampleFiles(world, 1)
const file = (name: string) => files.find((f) => f.name === name)!.examples

test('sample files are the same each time, below 300 KB, and other seeds give others', () => {
  const lines = (all: typeof files) => all.map((f) => f.examples.map((e) => `${sampleLine(e)}\n`).join(''))
  expect(lines(sampleFiles(world, 1))).toEqual(lines(files))
  expect(lines(sampleFiles(world, 2))[0]).not.toEqual(lines(files)[0])
  for (const [i, text] of lines(files).entries()) expect(text.length, files[i]!.name).toBeLessThan(300_000)
})

test('no held-out question or name stands in what is trained on', () => {
  const { heldOut } = splitPeople(world, 1)
  for (const name of ['questions', 'questions-validation', 'polite-pairs', 'short-pairs', 'thumbs', 'prompts']) {
    const asked = file(name).map(
      (e) => ('prompt' in e ? e.prompt[0]! : 'messages' in e ? e.messages[0]! : null)!.content,
    )
    expect(asked.filter((q) => heldOut.some((p) => new RegExp(`\\b${p.name}\\b`).test(q)))).toEqual([])
  }
  expect(allQuestions(heldOut).length).toBe(40 * 6 * 3)
  const first = (name: string) => file(name).map((e) => (e.kind === 'conversation' ? e.messages[0]!.content : ''))
  const trained = new Set(first('questions'))
  for (const name of ['questions-validation', 'questions-held-out'])
    expect(first(name).filter((question) => trained.has(question))).toEqual([])
})

test('the fourth phrasing is never trained', () => {
  const fourth = Object.values(questions).map(
    (q) => new RegExp(`"${q[3].replace('?', '\\?').replace('{name}', '\\w+')}"`),
  )
  const all = files.flatMap((f) => f.examples.map(sampleLine))
  for (const pattern of fourth) expect(all.filter((line) => pattern.test(line))).toEqual([])
})

test('questions: about 30% polite answers and 15% sums, all true', () => {
  const about = new Map(allQuestions(world.people).map((q) => [questionText(q), q]))
  const kinds = { short: 0, polite: 0, sum: 0 }
  const lengths = [0, 0, 0, 0]
  for (const example of file('questions')) {
    if (example.kind !== 'conversation') throw new Error('not a conversation')
    const said = example.messages.map((m) => m.content)
    lengths[said.length / 2]!++
    for (let i = 0; i < said.length; i += 2) {
      const [question, reply] = [said[i]!, said[i + 1]!]
      const q = about.get(question)
      if (q === undefined) {
        const [a, b] = question.match(/\d+/g)!.map(Number) as [number, number]
        expect(reply).toBe(`${a + b}.`)
        kinds.sum++
      } else kinds[answerStyle(q.person, q.fact, reply) as 'short' | 'polite']++
    }
  }
  expect(lengths.slice(1).every((count) => count > 50)).toBe(true) // one, two and three turns
  const total = kinds.short + kinds.polite + kinds.sum
  expect(total).toBe(64 * 6 * 3 + kinds.sum)
  expect(kinds.sum / total).toBeCloseTo(0.15, 2)
  expect(kinds.polite / (kinds.polite + kinds.short)).toBeGreaterThan(0.25)
  expect(kinds.polite / (kinds.polite + kinds.short)).toBeLessThan(0.35)
})

test('pairs are true on both sides and differ in style; false thumbs are really false', () => {
  const about = new Map(allQuestions(world.people).map((q) => [questionText(q), q]))
  const style = (prompt: string, reply: string) =>
    answerStyle(about.get(prompt)!.person, about.get(prompt)!.fact, reply)
  const pairStyles = (name: string) =>
    new Set(
      file(name).map((e) => {
        if (e.kind !== 'preference') throw new Error('not a preference')
        const [p, c, r] = [e.prompt, e.chosen, e.rejected].map((m) => m[0]!.content) as [string, string, string]
        return `${style(p, c)} over ${style(p, r)}`
      }),
    )
  expect(pairStyles('polite-pairs')).toEqual(new Set(['polite over curt']))
  expect(pairStyles('short-pairs-held-out')).toEqual(new Set(['short over rambling']))
  const thumbs = new Set(
    file('thumbs').map((e) => {
      if (e.kind !== 'thumb') throw new Error('not a thumb')
      return `${e.good ? 'up' : 'down'}: ${style(e.prompt[0]!.content, e.response[0]!.content) ?? 'false'}`
    }),
  )
  expect(thumbs).toEqual(new Set(['up: polite', 'down: curt', 'down: false']))
})
