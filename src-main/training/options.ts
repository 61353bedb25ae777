// The settings of a run, each declared once: the form, the check, the stored run and the command line read them here.
// Defaults are TRL's and PEFT's where these have one; where we know better, it is a preset with its own source.
import { option, resolveOptions } from '../contract/options.ts'
import type { Options, OptionValue, Resolved, Values } from '../contract/options.ts'
import type { Method as MethodName, Tune } from '../contract/records.ts'
import { allMethods } from '../methods/all.ts'
import type { LoraSettings } from '../models/adapters.ts'

const trainer = 'transformers’ TrainingArguments, which TRL inherits'

const loopOptions = {
  learningRate: option({
    default: 2e-5,
    label: 'Learning rate',
    help: 'How far each step moves the weights: too small learns little, too large unlearns everything.',
    source: "TRL's SFTConfig; its DPOConfig has 1e-6",
    min: 1e-9,
    max: 10,
  }),
  epochs: option({
    default: 3,
    label: 'Epochs',
    help: 'How often the run reads the whole data set.',
    source: trainer,
    unit: 'times',
    min: 0.01,
    max: 1000,
  }),
  maxSteps: option({
    default: 0,
    label: 'Steps',
    help: 'Ends the run after this many updates of the weights; 0 leaves it to the epochs.',
    source: 'Ours; transformers writes -1 for “by epochs”',
    unit: 'steps',
    min: 0,
    max: 10_000_000,
    integer: true,
  }),
  rowsPerStep: option({
    default: 8,
    label: 'Rows a step',
    help: 'How many examples are averaged into one update; more is steadier and slower.',
    source: trainer,
    unit: 'rows',
    min: 1,
    max: 4096,
    integer: true,
  }),
  accumulate: option({
    default: 1,
    label: 'Micro-batches a step',
    help: 'Reads a step’s rows in this many parts to save memory; the update is the same.',
    source: 'Ours: it divides the rows of a step, where TRL multiplies them',
    unit: 'parts',
    min: 1,
    max: 1024,
    integer: true,
    rare: true,
  }),
  tokensAtOnce: option({
    default: 2048,
    label: 'Tokens at once',
    help: 'Cuts a micro-batch further when its rows are long, so that memory stays within bounds; the update is the same.',
    source: 'Ours: it bounds the memory, which the plan shows',
    unit: 'tokens',
    min: 16,
    max: 1_048_576,
    integer: true,
    rare: true,
  }),
  maxTokens: option({
    default: 1024,
    label: 'Longest row',
    help: 'Longer examples are cut at this many tokens, and left out where nothing of the answer remains.',
    source: "TRL's max_length",
    unit: 'tokens',
    min: 8,
    max: 131_072,
    integer: true,
  }),
  schedule: option({
    default: 'linear',
    label: 'Schedule',
    help: 'How the learning rate falls towards the end, so that the last steps refine rather than disturb.',
    source: trainer,
    choices: {
      constant: 'Stays as it is',
      linear: 'Falls evenly to zero',
      cosine: 'Falls slowly, then fast, then slowly to zero',
      'warm-up-stable-decay': 'Stays, and falls to zero in the last fifth',
    },
  }),
  warmupRatio: option({
    default: 0,
    label: 'Warm-up',
    help: 'The first part of the run, in which the learning rate rises from zero while the optimizer finds its scale.',
    source: trainer,
    unit: 'of the run',
    min: 0,
    max: 0.9,
  }),
  weightDecay: option({
    default: 0,
    label: 'Weight decay',
    help: 'Pulls every matrix a little towards zero at each step, against learning by heart.',
    source: trainer,
    min: 0,
    max: 1,
    rare: true,
  }),
  maxGradientNorm: option({
    default: 1,
    label: 'Clip gradients at',
    help: 'Shortens an update whose gradient is longer than this, so that one odd batch cannot wreck the model; 0 never does.',
    source: trainer,
    min: 0,
    max: 1000,
  }),
  beta1: option({
    default: 0.9,
    label: 'AdamW beta 1',
    help: 'How long the optimizer remembers the direction of past gradients.',
    source: `${trainer}; Loshchilov & Hutter 2019`,
    min: 0,
    max: 0.9999,
    rare: true,
  }),
  beta2: option({
    default: 0.999,
    label: 'AdamW beta 2',
    help: 'How long the optimizer remembers the size of past gradients.',
    source: `${trainer}; Loshchilov & Hutter 2019`,
    min: 0,
    max: 0.99999,
    rare: true,
  }),
  epsilon: option({
    default: 1e-8,
    label: 'AdamW epsilon',
    help: 'A small number that keeps AdamW from dividing by zero.',
    source: trainer,
    min: 1e-12,
    max: 1e-2,
    rare: true,
  }),
  heldOutEvery: option({
    default: 0,
    label: 'Check held-out loss every',
    help: 'How often the loss is measured on rows that are never trained on: when it rises, the model is learning by heart. 0: twelve times a run.',
    source: 'Ours',
    unit: 'steps',
    min: 0,
    max: 1_000_000,
    integer: true,
  }),
  heldOutRows: option({
    default: 200,
    label: 'Held-out rows',
    help: 'At most this many held-out rows are used for that check.',
    source: 'Ours',
    unit: 'rows',
    min: 1,
    max: 100_000,
    integer: true,
    rare: true,
  }),
  checkpointEvery: option({
    default: 0,
    label: 'Keep a checkpoint every',
    help: 'How often the run is saved, to chat with and to go on from. 0: four times a run, each at a held-out check.',
    source: 'Ours; transformers saves every 500 steps',
    unit: 'steps',
    min: 0,
    max: 1_000_000,
    integer: true,
  }),
  keepCheckpoints: option({
    default: 8,
    label: 'Checkpoints to keep',
    help: 'Older ones are deleted beyond this number; the best, the last and the start always stay.',
    source: 'Ours',
    min: 1,
    max: 1000,
    integer: true,
    rare: true,
  }),
  samples: option({
    default: 4,
    label: 'Sample answers',
    help: 'How many held-out prompts the model answers at each checkpoint, so that you can read how it changes.',
    source: 'Ours',
    unit: 'prompts',
    min: 0,
    max: 16,
    integer: true,
    rare: true,
  }),
}

const loraOptions = {
  rank: option({
    default: 16,
    label: 'Rank',
    help: 'How many directions each adapted matrix may change in; more can learn more and weighs more.',
    source: "TRL's ModelConfig (PEFT's own default is 8)",
    min: 1,
    max: 512,
    integer: true,
  }),
  alpha: option({
    default: 32,
    label: 'Alpha',
    help: 'Strength of the adapter: its change is multiplied by alpha divided by rank.',
    source: "TRL's ModelConfig (PEFT's own default is 8)",
    min: 0.01,
    max: 4096,
  }),
  targets: option({
    default: 'all-linear',
    label: 'Adapted layers',
    help: 'Which matrices of each block get an adapter.',
    source: 'Dettmers et al. 2023 (QLoRA); PEFT adapts only q and v for Llama',
    choices: {
      'all-linear': 'All seven matrices of a block',
      attention: 'The four of attention',
      'q-v': 'Queries and values only',
    },
    rare: true,
  }),
}

/** What an adapter sits on, from the word that the setting has. */
export function targetsOf(word: string): LoraSettings['targets'] {
  if (word === 'attention') return ['q_proj', 'k_proj', 'v_proj', 'o_proj']
  return word === 'q-v' ? ['q_proj', 'v_proj'] : 'all-linear'
}

export type LoopValues = Values<typeof loopOptions>
export type LoraValues = Values<typeof loraOptions>

/** A preset: values that we set for this method, way of tuning and size of model, and why. */
export interface Preset {
  values: Record<string, OptionValue>
  sources: Record<string, string>
}

/** Models below this many parameters learn in minutes, and want larger steps. */
const smallModel = 20_000_000

/** Every setting of a method under a way of tuning, in the order in which a form shows them. */
export function optionsFor(method: MethodName, tune: Tune): Options {
  const learningRate =
    method === 'dpo'
      ? { ...loopOptions.learningRate, default: 1e-6, source: "TRL's DPOConfig" }
      : { ...loopOptions.learningRate, source: "TRL's SFTConfig" }
  return {
    ...loopOptions,
    learningRate,
    ...(tune === 'lora' && loraOptions),
    ...allMethods[method].options,
  }
}

/** What we set in place of the defaults. `parameters` and `context` (tokens) are the model's, where it is chosen. */
export function presetFor(method: MethodName, tune: Tune, model?: { parameters: number; context: number }): Preset {
  const preset: Preset = { values: {}, sources: {} }
  const set = (source: string, values: Record<string, OptionValue>): void => {
    Object.assign(preset.values, values)
    for (const name of Object.keys(values)) preset.sources[name] = source
  }
  if (tune === 'lora')
    set('Ours: an adapter wants about ten times the rate of full tuning (Schulman et al. 2025, LoRA without regret)', {
      learningRate: method === 'sft' ? 2e-4 : 1e-5,
    })
  if (method === 'dpo') set('Ours: preferences are few and soon learned by heart', { epochs: 1 })
  if (model !== undefined && model.parameters < smallModel) {
    const source = 'Ours, tried on the starter model'
    set(source, { warmupRatio: 0.1, tokensAtOnce: 4096 })
    if (method === 'sft') set(source, { learningRate: tune === 'lora' ? 1e-3 : 3e-4, rowsPerStep: 32, maxSteps: 120 })
    else
      set(`${source}: without the likelihood term it unlearns to write`, {
        learningRate: tune === 'lora' ? 3e-4 : 5e-5,
        rowsPerStep: 16,
        maxSteps: 60,
        nllWeight: 1,
        ...(tune === 'lora' && { rank: 8, alpha: 16 }),
      })
  }
  if (model !== undefined && model.context < loopOptions.maxTokens.default)
    set('The longest text that this model can read', { maxTokens: model.context })
  return preset
}

/** Checks a request's settings; throws BadOption with every problem at once. */
export function resolveFor(
  method: MethodName,
  tune: Tune,
  model: { parameters: number; context: number },
  given: Readonly<Record<string, OptionValue>>,
): Record<string, Resolved> {
  const preset = presetFor(method, tune, model).values
  // A person who asks for epochs means epochs, whatever number of steps we would have proposed.
  if (Object.hasOwn(given, 'epochs') && !Object.hasOwn(given, 'maxSteps')) delete preset.maxSteps
  return resolveOptions(optionsFor(method, tune), given, preset)
}
