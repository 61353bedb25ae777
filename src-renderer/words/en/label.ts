// Sentences of the Label page.
import type { Role, Verdict } from '../../../src-main/contract/records.ts'
import { count, counted, percent } from '../format.ts'

const hundredth = (ratio: number): string => String(Math.round(ratio * 100))

export const label = {
  title: 'Label',
  all: 'All pair sets',
  blind: (name: string): string => `${name}, blind, order shuffled`,
  progress: 'Pairs judged',
  of: (total: number): string => ` of ${count(total)}`,
  train: (pairs: number): string => `Train on ${counted(pairs, 'pair')}`,
  trainNone: 'No judgement prefers an answer yet.',
  more: 'More',
  export: 'Export',
  rename: 'Rename',
  remove: 'Delete set',
  removeAsk: (name: string, judged: number): string =>
    judged === 0
      ? `Delete ${name}? Nothing in it has been judged.`
      : `Delete ${name} and its ${counted(judged, 'judgement')}? Data sets made from it stay.`,
  keep: 'Keep it',

  /** The seven strengths, as the buttons say them. */
  strengths: ['A much better', 'A better', 'A slightly', 'Tie', 'B slightly', 'B better', 'B much better'],
  verdict: (verdict: Verdict): string =>
    verdict === 'both-bad' ? 'Both bad' : verdict === 'skip' ? 'Skipped' : label.strengths[verdict - 1]!,
  reasons: ['Correct', 'Clearer', 'Shorter', 'Kinder', 'Follows the question', 'Invents things'],
  judging: 'Judging',
  pair: (position: number): string => `Pair ${count(position)}`,
  prompt: 'Prompt',
  roles: { system: 'System', user: 'Question', assistant: 'Answer', tool: 'Tool' } satisfies Record<Role, string>,
  earlier: (turns: number): string => `${counted(turns, 'earlier turn')}`,
  answer: (side: string): string => `Answer ${side}`,
  words: (n: number): string => counted(n, 'word'),
  won: ['slightly better', 'better', 'much better'],
  scale: 'Which is better, and by how much',
  because: 'Because',
  note: 'Note',
  noteLabel: 'Note on this pair',
  notePlaceholder: 'Why? Enter keeps it, Shift Enter makes a line.',
  bad: 'Both bad',
  skip: 'Skip',
  undo: 'Undo',
  difference: 'Difference',
  differs: (ratio: number): string => `${percent(ratio)} differ`,
  marksOff: ', marks off',
  tooDifferent: 'More than half of the words differ, so marking would only colour the page.',
  sources: 'Show sources',
  hideSources: 'Hide sources',
  sourcesFirst: 'Judge this pair first. Who wrote which shows after that.',
  revealed: 'Saved. It stands now.',
  writer: (side: string, name: string): string => `${side}: ${name}`,
  save: 'Save and next',
  saveChange: 'Save the change',
  backToNow: 'Back',
  next: 'Next',
  chooseFirst: 'Choose a strength first: keys 1 to 7, X for both bad, S to skip.',
  saved: (position: number, verdict: string): string => `Pair ${position}: ${verdict}. Saved.`,
  undone: (position: number): string => `Pair ${position} is open again.`,
  nothingToUndo: 'There is no judgement left to undo.',
  reviewing: (position: number, when: string): string => `Pair ${count(position)}, judged ${when}.`,
  changed: (position: number): string => `Pair ${position} was changed.`,

  done: {
    title: (judged: number): string => `All ${counted(judged, 'pair')} judged`,
    text: (trainable: number): string =>
      trainable === 0
        ? 'None of them prefers an answer, so there is nothing to train on. Make more pairs, or change a judgement in the history.'
        : `${counted(trainable, 'judgement')} ${trainable === 1 ? 'prefers' : 'prefer'} an answer and can be trained on. Ties, both bad and skipped pairs are left out.`,
    more: 'Make more pairs',
    back: 'Go back to the last one',
  },
  making: {
    title: 'Making the first pairs',
    text: 'Each prompt is answered twice. Judging can begin when the first pairs are there.',
    progress: (made: number, done: number, total: number): string =>
      `${counted(made, 'pair')} from ${count(done)} of ${counted(total, 'prompt')}`,
    label: 'Pairs made',
    cancel: 'Stop making pairs',
    stopped: (made: number): string => `Stopped. ${counted(made, 'pair')} made so far can be judged.`,
    skipped: (n: number): string =>
      n === 1 ? '1 left out: both answers came out the same.' : `${count(n)} left out: both answers came out the same.`,
    waiting: 'More pairs are being made. The next one shows as soon as it is there.',
  },
  gone: {
    title: 'This pair set is gone',
    text: 'It was deleted, or its making was stopped before the first pair.',
    act: 'See all pair sets',
  },

  history: {
    title: 'History',
    search: 'Find in the history',
    none: 'Judged pairs show here, newest first. Choose one to look again or change it.',
    nothing: (query: string, n: number): string => `Nothing matches “${query}”. ${counted(n, 'judgement')} searched.`,
    more: 'Show more',
    item: (position: number, verdict: string): string => `Pair ${position}, ${verdict}. Look again`,
    close: 'Close the history',
  },
  side: {
    title: 'Left chosen',
    of: (left: number, decided: number): string => `${count(left)} of ${count(decided)}`,
    none: 'Shows after the first decided pair.',
    likely: (ratio: number, low: number, high: number): string =>
      `${percent(ratio)}, likely ${hundredth(low)} to ${hundredth(high)}.`,
    fine: 'No sign of a side habit.',
    left: 'You choose the left more often than chance would. Read B first for a while.',
    right: 'You choose the right more often than chance would. Read A first for a while.',
    short: (ratio: number): string => `left ${percent(ratio)}`,
  },
  length: {
    title: 'Longer chosen',
    fine: 'No sign of a length habit.',
    longer: 'The longer answer wins more often than chance would. A model trained on this may learn to ramble.',
    shorter: 'The shorter answer wins more often than chance would. A model trained on this may learn to be brief.',
  },
  pace: (time: string): string => `Middle pace ${time} a pair`,
  seconds: (n: string): string => `${n} s`,

  sets: {
    empty: {
      title: 'No pairs to judge yet',
      text: 'A pair is two answers to one prompt. You say which is better, and a model learns it by DPO. Have a model answer your prompts twice, or judge the pairs of a file.',
      act: 'Make pairs',
    },
    make: 'Make pairs',
    columns: { name: 'Pair set', from: 'Answers by', judged: 'Judged', left: 'Left', when: 'Made' },
    from: { generated: 'answers by', imported: 'pairs of a file', chat: 'from chat' },
    imported: (data: string): string => `pairs of ${data}`,
    doneAll: 'all judged',
    go: 'Go on judging',
  },
  fromChat: {
    title: 'Labels from chat',
    none: 'Thumbs, kept answers and edits in a chat are labels too. They gather here.',
    preference: (n: number): string => counted(n, 'preference'),
    thumb: (n: number): string => counted(n, 'thumb'),
    edit: (n: number): string => counted(n, 'edited answer'),
    about: {
      preference: 'One answer over another to the same question. DPO learns from these.',
      thumb: 'One answer, good or poor. Kept as a data set for methods that learn from thumbs.',
      edit: 'An answer as you would have had it. SFT learns from these.',
    },
    train: 'Train on them',
    data: 'Make a data set',
  },

  create: {
    title: 'Make pairs',
    source: 'Where pairs come from',
    sources: { generate: 'A model answers twice', import: 'Pairs of a file' },
    first: 'Who answers',
    second: 'Who answers beside',
    same: 'The same again, with another seed',
    sameNote: 'Two answers by one model differ by chance alone',
    prompts: 'Prompts from',
    promptsHelp: 'The prompts are drawn from the training rows by the seed. Answers in the file are not shown.',
    count: 'How many pairs',
    countOf: (rows: number): string => `of ${counted(rows, 'row')}`,
    countBad: (most: string): string => `A whole number from 1 to ${most} is needed.`,
    temperature: 'Temperature',
    temperatureHelp: 'Higher makes the two answers differ more.',
    longest: 'Longest answer',
    tokens: (n: number): string => counted(n, 'token'),
    seed: 'Seed',
    name: 'Name',
    namePlaceholder: 'Named by who answers',
    act: 'Make pairs',
    importFrom: 'Preference data',
    importHelp: 'Its own choice is hidden until you have judged; Show sources then tells which answer the data chose.',
    importAct: 'Judge these pairs',
    noPreferences: 'No preference data yet. Import a file with a chosen and a rejected answer in each row.',
    noPrompts: {
      title: 'No prompts yet',
      text: 'Pairs need prompts: import questions, conversations or preferences first.',
      act: 'Import a file',
    },
    noAnswerers: {
      title: 'No model yet',
      text: 'Someone has to answer. Add a model first.',
      act: 'Add a model',
    },
  },
  exporting: {
    title: (name: string): string => `Export ${name}`,
    out: 'Into file',
    help: 'JSONL with prompt, chosen and rejected, as TRL reads it.',
    act: 'Export',
    done: (rows: number, leftOut: number, file: string): string =>
      `${counted(rows, 'row')} written to ${file}.${leftOut > 0 ? ` ${counted(leftOut, 'tie or skipped pair', 'ties and skipped pairs')} left out.` : ''}`,
  },
  again: 'Try again',
}
