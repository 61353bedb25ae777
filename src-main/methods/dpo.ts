// Direct preference optimization (Rafailov et al. 2023): of two answers to a prompt, make the chosen one likelier than the
// rejected one, measured against the model that training began with, so that little else changes.
//
//   r(y)   = log p(y | prompt) - log pReference(y | prompt)       sums over the tokens of the answer
//   loss   = -log sigmoid(beta * (r(chosen) - r(rejected))) + nllWeight * -log p(chosen) / |chosen|     per pair
//   weight = number of pairs
//
// Agrees with TRL's DPOTrainer, loss_type "sigmoid"; the second term is TRL's former rpo_alpha (Pang et al. 2024, Iterative
// reasoning preference optimization), each answer divided by its own length so that pairs stay independent of their batch.
// The reference is the start model: adapters switched off, or a frozen copy; it is asked once and its sums are kept.
// Left out: the other losses of TRL's table (ipo, hinge, ...), label smoothing, length desensitization, reference updates.
import { option } from '../contract/options.ts'
import { logSigmoid, sequenceSums, sigmoid } from './method.ts'
import type { Method } from './method.ts'

const options = {
  beta: option({
    default: 0.1,
    label: 'Beta',
    help: 'How firmly the model is held to where it began: small lets it move far, large keeps it close.',
    source: "TRL's DPOConfig and the paper",
    min: 0.001,
    max: 10,
  }),
  nllWeight: option({
    default: 0,
    label: 'Likelihood weight',
    help: 'Also makes the chosen answer itself likely, which keeps a small model from unlearning how to write while it learns what to avoid.',
    source: "TRL's default (rpo_alpha, off)",
    min: 0,
    max: 100,
  }),
}

export const dpo: Method = {
  name: 'dpo',
  title: 'Direct preference optimization',
  paper: 'Rafailov et al. 2023, Direct preference optimization: your language model is secretly a reward model',
  reads: ['preference'],
  sequencesPerRow: 2,
  needsReference: true,
  unit: 'pair',
  options,
  /** Sequence 2p is the chosen answer of pair p (with its prompt, not scored), 2p+1 the rejected one. */
  loss(batch, values) {
    const { beta, nllWeight } = values as { beta: number; nllWeight: number }
    const { offsets, scored, reference } = batch
    const { sums, lengths } = sequenceSums(batch)
    const dSums = new Float64Array(sums.length) // d loss / d log p(answer)
    const metrics = { 'rewards-chosen': 0, 'rewards-rejected': 0, accuracy: 0, margin: 0 }
    const pairs = sums.length / 2
    let sum = 0
    for (let p = 0; p < pairs; p++) {
      const [c, r] = [2 * p, 2 * p + 1]
      const chosen = beta * (sums[c]! - reference![c]!) // implicit rewards
      const rejected = beta * (sums[r]! - reference![r]!)
      const margin = chosen - rejected
      sum += -logSigmoid(margin) - (nllWeight * sums[c]!) / lengths[c]!
      const push = beta * sigmoid(-margin) // how wrong the pair still is
      dSums[c] = -push - nllWeight / lengths[c]!
      dSums[r] = push
      metrics['rewards-chosen'] += chosen
      metrics['rewards-rejected'] += rejected
      metrics.accuracy += chosen > rejected ? 1 : 0
      metrics.margin += margin
    }
    const dLogprobs = new Float32Array(scored.length)
    for (let b = 0; b < sums.length; b++)
      for (let i = offsets[b]!; i < offsets[b + 1]!; i++) if (scored[i] === 1) dLogprobs[i] = dSums[b]!
    return { sum, weight: pairs, dLogprobs, metrics }
  },
}
