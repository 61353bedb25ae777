// A row as a model reads it: its tokens, and which of them are learned.
import type { TokenRow } from '../contract/commands.ts'
import { Failure } from '../contract/errors.ts'
import type { Example } from '../contract/records.ts'
import { renderExample, type TextModel, type TrainOn } from '../text/render.ts'

const choices: TrainOn[] = ['answers', 'last-answer', 'all']

/** One sequence; for a preference two, prompt with chosen and prompt with rejected. */
export function tokensOf(
  example: Example,
  text: TextModel,
  { maxTokens, trainOn = 'answers' }: { maxTokens: number; trainOn?: string | undefined },
): TokenRow[] {
  const chosen = choices.find((one) => one === trainOn)
  if (chosen === undefined)
    throw new Failure('BadOption', `“Train on” must be one of ${choices.join(', ')}, not “${trainOn}”.`, {
      where: 'trainOn',
    })
  const options = { maxTokens, trainOn: chosen }
  const row = (tokens: number[], lossMask: ArrayLike<number>, truncated: boolean): TokenRow => ({
    tokens: tokens.map((id) => ({ id, text: text.tokenizer.tokenText(id), special: text.tokenizer.isSpecial(id) })),
    lossMask: Array.from(lossMask, (one) => (one === 0 ? 0 : 1)),
    truncated,
  })
  if (example.kind === 'preference') {
    const { prompt, chosen: better, rejected, truncated } = renderExample(example, text, options)
    return [better, rejected].map((answer) =>
      row([...prompt, ...answer], [...prompt].map(() => 0).concat([...answer].map(() => 1)), truncated),
    )
  }
  const { tokens, lossMask, truncated } = renderExample(example, text, options)
  return [row([...tokens], lossMask, truncated)]
}
