// Whole records to begin a test with, each as the application would write it.
import type { Chat, Model, Run } from '../../../src-main/contract/records.ts'

export const aModel: Omit<Model, 'id'> = {
  name: 'Starter',
  family: 'llama',
  path: '/models/starter',
  parameters: 1_450_000,
  bytes: 5_800_000,
  context: 256,
  vocabulary: 1280,
  width: 160,
  layers: 4,
  template: '{{ messages }}',
  builtIn: true,
  card: null,
  createdAt: 1000,
}

export const aRun = (model: string, more: Partial<Omit<Run, 'id'>> = {}): Omit<Run, 'id'> => ({
  name: 'first-run',
  method: 'sft',
  tune: 'lora',
  backend: 'native',
  start: model,
  model,
  dataset: 'd1',
  seed: 0,
  options: { learningRate: { value: 0.001, from: 'default' }, schedule: { value: 'cosine', from: 'given' } },
  state: 'queued',
  step: 0,
  steps: 80,
  failure: null,
  createdAt: 2000,
  startedAt: null,
  endedAt: null,
  trainingMs: 0,
  lastLoss: null,
  bestHeldOut: null,
  ...more,
})

export const aChat: Omit<Chat, 'id'> = {
  title: 'Where does Renwe live?',
  system: '',
  answerers: ['m1'],
  settings: { temperature: 0.7, topK: 0, topP: 0.9, repetitionPenalty: 1, maxTokens: 160, seed: 7 },
  updatedAt: 1,
  createdAt: 1,
}
