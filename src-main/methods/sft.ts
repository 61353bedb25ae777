// Supervised fine-tuning: make the answers of the examples likely, token by token.
//
//   loss = sum over trained tokens of -log p(token | everything before it), weight = number of trained tokens
//
// Which tokens are trained is the row's loss mask (text/render.ts): the answers, as in Ouyang et al. 2022 (InstructGPT) and
// Zhou et al. 2023 (LIMA); every token for plain text, which makes this continued pre-training. Agrees with TRL's SFTTrainer
// over an accumulated batch. Left out: DFT's weighting by p, label smoothing, z-loss.
import { option } from '../contract/options.ts'
import type { Method } from './method.ts'

const options = {
  trainOn: option({
    default: 'answers',
    label: 'Train on',
    help: 'Which part of a conversation the model learns to write: its own answers, only the last answer, or every word.',
    source: 'Ours; TRL trains on every token of a conversation unless assistant_only_loss is set',
    choices: {
      answers: 'All answers of the assistant',
      'last-answer': 'Only the last answer',
      all: 'Every token, questions too',
    },
  }),
}

export const sft: Method = {
  name: 'sft',
  title: 'Supervised fine-tuning',
  paper: 'Ouyang et al. 2022, Training language models to follow instructions with human feedback',
  reads: ['conversation', 'completion', 'text'],
  sequencesPerRow: 1,
  needsReference: false,
  unit: 'token',
  options,
  loss({ scored, logprobs }) {
    const dLogprobs = new Float32Array(logprobs.length)
    let sum = 0
    let weight = 0
    for (let i = 0; i < logprobs.length; i++)
      if (scored[i] === 1) {
        sum -= logprobs[i]!
        weight++
        dLogprobs[i] = -1
      }
    return { sum, weight, dLogprobs, metrics: {} }
  },
}
