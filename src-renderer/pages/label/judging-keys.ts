// The keys of judging. What cannot do anything now answers false, so that the key is left to whatever has the focus.
import type { Verdict } from '../../../src-main/contract/records.ts'
import { bindKeys, type KeyHandlers } from '../../state/keys.svelte.ts'

export interface JudgingActs {
  choose: (verdict: Verdict) => void
  /** Puts on or takes off the reason at this place, counted from 0. */
  reason: (at: number) => void
  skip: () => unknown
  note: () => void
  undo: () => void
  difference: () => void
  sources: () => void
  history: () => void
  save: () => unknown
}
const strengths = [1, 2, 3, 4, 5, 6, 7] as const
const reasons = [1, 2, 3, 4, 5, 6] as const

/** Call while the page is made. `canJudge`: whether a pair is on the screen whose judgement does not stand yet. */
export function bindJudgingKeys(canJudge: () => boolean, acts: JudgingActs): void {
  const whenJudging = (work: () => unknown) => (): unknown => (canJudge() ? work() : false)
  const handlers: KeyHandlers = {
    'label.bad': whenJudging(() => acts.choose('both-bad')),
    'label.skip': whenJudging(acts.skip),
    'label.note': whenJudging(acts.note),
    'label.undo': acts.undo,
    'label.difference': acts.difference,
    'label.sources': acts.sources,
    'label.history': acts.history,
    'label.save': acts.save,
  }
  for (const strength of strengths) handlers[`label.${strength}`] = whenJudging(() => acts.choose(strength))
  for (const place of reasons) handlers[`label.reason${place}`] = whenJudging(() => acts.reason(place - 1))
  bindKeys(handlers)
}
