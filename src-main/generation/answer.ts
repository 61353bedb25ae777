// Questions in words -> answers in words: renders each as training does, generates, and turns the tokens back into text as
// they come. Left out: answers that go on from a half-written one, tools.
import type { Message, SamplingSettings, TokenChoice } from '../contract/records.ts'
import type { Transformer } from '../models/transformer.ts'
import { leadOf, parseAnswer, renderExample, renderPrompt } from '../text/render.ts'
import type { TextModel } from '../text/render.ts'
import { generate } from './generate.ts'
import type { Answer } from './generate.ts'
import type { Choice } from './sample.ts'

export interface Question {
  messages: Message[]
  /** The messages' text as it stands, without the chat template. */
  plain: boolean
  seed: number
}

export interface WrittenAnswer {
  text: string
  tokens: number[]
  /** `stopped` only where the signal came first; `onAnswer` never sees it. */
  finishReason: Answer['finishReason']
  /** One for each token, where alternatives were asked for; else empty. */
  choices: TokenChoice[]
}

export interface AnswerWatch {
  /** All of an answer's text so far, whenever it grows. */
  onText?: (index: number, text: string) => void
  /** An answer that ended by itself. */
  onAnswer?: (index: number, answer: WrittenAnswer) => void
  signal?: AbortSignal
}

/** Answers every question, in order. `settings.seed` is not used: each question has its own. Throws BadExample, ModelMismatch. */
export async function answerQuestions(
  model: Transformer,
  text: TextModel,
  questions: readonly Question[],
  settings: SamplingSettings & { stopTokens: readonly number[]; alternatives: number; together?: number },
  { onText, onAnswer, signal }: AnswerWatch = {},
): Promise<WrittenAnswer[]> {
  const prompts = questions.map((question) => questionTokens(question, text))
  const writing = questions.map(() => ({ decoder: text.tokenizer.streamDecoder({ skipSpecial: true }), soFar: '' }))
  const plain = (index: number): boolean => questions[index]!.plain
  const inWords = (choice: Choice): TokenChoice => ({
    ...choice,
    text: text.tokenizer.tokenText(choice.token),
    top: choice.top.map((one) => ({ ...one, text: text.tokenizer.tokenText(one.token) })),
  })
  const written = (index: number, { tokens, finishReason, choices = [] }: Answer): WrittenAnswer => ({
    text: plain(index) ? text.tokenizer.decode(tokens, { skipSpecial: true }) : parseAnswer(tokens, text),
    tokens,
    finishReason,
    choices: choices.map(inWords),
  })
  const answers = await generate(
    model,
    prompts,
    {
      ...settings,
      seeds: questions.map(({ seed }) => seed),
      alternatives: settings.alternatives > 0 ? settings.alternatives : undefined,
    },
    {
      signal,
      onToken(index, token) {
        const one = writing[index]!
        const more = one.decoder.push(token)
        if (more === '') return
        one.soFar += more
        const lead = plain(index) ? '' : leadOf(text)
        onText?.(index, lead !== '' && one.soFar.startsWith(lead) ? one.soFar.slice(lead.length) : one.soFar)
      },
      onAnswer: (index, answer) => onAnswer?.(index, written(index, answer)),
    },
  )
  return answers.map((answer, index) => written(index, answer))
}

/** What the model reads before it answers. */
export function questionTokens({ messages, plain }: Pick<Question, 'messages' | 'plain'>, text: TextModel): Int32Array {
  if (!plain) return renderPrompt(messages, text)
  const whole = { trainOn: 'answers', maxTokens: Infinity } as const
  return renderExample({ kind: 'prompt', prompt: messages, plain: true }, text, whole).tokens
}
