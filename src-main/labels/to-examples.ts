// Judgements become examples: the better answer is chosen, the other rejected, the strength from the verdict. Ties, pairs
// of which both are bad, and skipped ones say nothing of which to prefer: they are left out and counted.
import type { Example, Judgement } from '../contract/records.ts'
import { shown, type MadePair } from '../store/pairs.ts'

export type Preference = Extract<Example, { kind: 'preference' }>

/** The preference that a judgement states, or null where it states none. */
export function preferenceOf({ verdict }: Pick<Judgement, 'verdict'>, pair: MadePair): Preference | null {
  if (typeof verdict !== 'number' || verdict === 4 || shown(pair.first) === shown(pair.second)) return null
  const choseA = verdict < 4
  const [chosen, rejected] = choseA !== pair.swapped ? [pair.first, pair.second] : [pair.second, pair.first]
  return {
    kind: 'preference',
    prompt: pair.prompt,
    chosen,
    rejected,
    ...(pair.plain && { plain: true }),
    strength: Math.abs(verdict - 4) as 1 | 2 | 3,
  }
}

/** A line of TRL's preference form: conversational, or plain strings where the prompt came without a chat. */
export function toTrl(one: Preference): string {
  return JSON.stringify(
    one.plain
      ? { prompt: shown(one.prompt), chosen: shown(one.chosen), rejected: shown(one.rejected) }
      : { prompt: one.prompt, chosen: one.chosen, rejected: one.rejected },
  )
}
