// What a base knows: how well it predicts held-out text, and whether it goes on with the right value after "Kelric plays the".
import type { Tokenizer } from '../text/tokenizer.ts'
import type { Transformer } from '../models/transformer.ts'
import { facts, type Fact, type Person } from './people.ts'
import { joined } from './pretrain.ts'
import { clozes, tell } from './tellings.ts'

const sequencesAtOnce = 64

export interface TextScore {
  tokens: number
  /** Sum over all tokens. */
  nats: number
  /** e^(nats / tokens) */
  perplexity: number
  bitsPerByte: number
}

/** Each document on its own, after <|end|>, its closing <|end|> included; a byte is counted for that too. */
export async function scoreText(
  model: Transformer,
  tokenizer: Tokenizer,
  documents: readonly string[],
  end: number,
): Promise<TextScore> {
  let [tokens, nats, bytes] = [0, 0, 0]
  for (let from = 0; from < documents.length; from += sequencesAtOnce) {
    const some = documents.slice(from, from + sequencesAtOnce)
    const batch = joined(some.map((document) => Int32Array.of(end, ...tokenizer.encode(` ${document}`), end)))
    const { logprobs } = await model.forward(batch, { keep: false })
    nats -= logprobs.reduce((sum, logprob) => sum + logprob, 0)
    tokens += batch.tokens.length - some.length
    bytes += some.reduce((sum, document) => sum + document.length + 1, 0)
  }
  return { tokens, nats, perplexity: Math.exp(nats / tokens), bitsPerByte: nats / Math.LN2 / bytes }
}

export interface Recall {
  /** Share of facts whose whole value is what the model says by itself, taking the likeliest token each time. */
  recallRatio: number
  byFact: Record<Fact, number>
}

/** Asks for every fact of these people by a cloze; right only if every token of the value is the likeliest one. */
export async function measureRecall(
  model: Transformer,
  tokenizer: Tokenizer,
  people: readonly Person[],
  end: number,
): Promise<Recall> {
  const asked = people.flatMap((person) => facts.map((fact) => ({ person, fact })))
  const right = Object.fromEntries(facts.map((fact) => [fact, 0])) as Record<Fact, number>
  for (let from = 0; from < asked.length; from += sequencesAtOnce) {
    const some = asked.slice(from, from + sequencesAtOnce)
    const starts = some.map(({ person, fact }) => tokenizer.encode(` ${tell(clozes[fact], person, fact)}`).length + 1)
    const batch = joined(
      some.map(({ person, fact }) => {
        const text = ` ${tell(clozes[fact], person, fact)} ${person.facts[fact]}`
        return Int32Array.of(end, ...tokenizer.encode(text))
      }),
    )
    const { best } = await model.forward(batch, { keep: false, best: true })
    some.forEach(({ fact }, i) => {
      const value = best!.subarray(batch.offsets[i]! + starts[i]!, batch.offsets[i + 1])
      if (value.every((likeliest) => likeliest === 1)) right[fact]++
    })
  }
  const byFact = Object.fromEntries(facts.map((fact) => [fact, right[fact] / people.length])) as Record<Fact, number>
  return { recallRatio: facts.reduce((sum, fact) => sum + right[fact], 0) / asked.length, byFact }
}
