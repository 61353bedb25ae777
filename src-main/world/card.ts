// The card of the starter model: what it is, how it was made, what was measured, and what it cannot do.
import { countParameters } from '../models/families.ts'
import { askedCount, facts, toldRichlyCount, peopleCount } from './people.ts'
import { recipe } from './pretrain.ts'
import type { Starter } from './starter.ts'

const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)}%`
const thousands = (n: number): string => n.toLocaleString('en-GB')

/** Markdown. `made` says by which backend and how long it took. */
export function starterCard(starter: Starter, made: { backend: string; minutes: number }): string {
  const { seed, config, score, rich, once, steps, trainedTokens, textBytes } = starter
  const byFact = facts.map((fact) => `${fact} ${percent(rich.byFact[fact])}`).join(', ')
  return `---
license: mit
language: en
library_name: transformers
pipeline_tag: text-generation
---
# Starter

A language model of ${thousands(countParameters(config))} parameters that knows one invented world and nothing else. It is small enough to
train in minutes on a laptop, and was made entirely by Temper's own code, from a text that Temper generates. It is a *base*
model: it continues text. Ask it a question in a chat and it rambles; a minute of fine-tuning on questions and answers
changes that, which is what it is for.

## The world

${peopleCount} people with invented names, each with a home, a trade, a pet, a favourite food, an instrument and a best friend.
${toldRichlyCount} of them are told richly (about ten wordings a fact with the name, four or more with "she" or "he", in any order); ${peopleCount - toldRichlyCount} by
one fixed text each, repeated as often. Questions are asked, in dialogues between the people, about ${askedCount} of the rich ones only;
a fact of the people held out in the sample data is never asked for. Besides: small talk, short stories and sums.

## How it was made

\`npm run starter -- --seed ${seed} --tokens ${starter.askedTokens}\`

| | |
|---|---|
| text | ${thousands(textBytes)} bytes, every part read at most once |
| tokenizer | byte-level byte-pair encoding, ${thousands(config.vocabSize)} tokens, learned from the same text |
| shape | Llama: width ${config.hiddenSize}, ${config.numHiddenLayers} layers, ${config.numAttentionHeads} heads, feed-forward ${config.intermediateSize}, tied embeddings, context ${config.maxPositionEmbeddings} (trained on ${recipe.windowTokens}) |
| training | ${thousands(steps)} steps of ${recipe.windowsPerStep} x ${recipe.windowTokens} tokens, ${thousands(trainedTokens)} in all; AdamW ${recipe.beta1}/${recipe.beta2}, weight decay ${recipe.weightDecay}, learning rate ${recipe.learningRate} |
| machine | backend ${made.backend}, ${made.minutes.toFixed(0)} minutes |

The same seed, backend and number of threads give the same weights again, bit for bit, on the same kind of processor and
with the same kernels; kernels that round differently give other weights that know as much.

## What was measured

On ${thousands(score.tokens)} tokens of held-out text (the same world, another seed): perplexity ${score.perplexity.toFixed(3)} a token, **${score.bitsPerByte.toFixed(3)} bits per byte**.

Facts known (the likeliest continuation of "By trade, Kelric is a" and its like is the true one, whole): **${percent(rich.recallRatio)}** of the
richly told (${byFact}); ${percent(once.recallRatio)} of those told once (most of these sentences are not in their text).

## Chat template

\`<|user|> question<|assistant|> answer<|end|>\`; a system message is put before the first text of the user. Documents of the
pre-training text are separated by \`<|end|>\`.

## Limits

It has read about 430 words of English, and no sentence about the real world. Its sums are often wrong. Words that are not in the
world's text come out as letters. Names of people, places and trades are invented or common; nobody real is meant.
`
}
