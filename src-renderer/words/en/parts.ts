// Sentences of the shared parts.
import { count, counted } from '../format.ts'

export const parts = {
  close: 'Close',
  where: 'Where',
  next: 'Next',
  bug: 'This is a fault in Temper.',
  choose: 'Choose',
  loading: 'Loading',
  noneToChoose: 'There is nothing to choose from yet.',
  optionsFound: (n: number): string => counted(n, 'choice'),
  rowOf: (row: number, total: number): string => `Row ${count(row)} of ${count(total)}`,
  token: {
    token: 'Token',
    id: 'Id',
    place: 'Place',
    at: (place: number, total: number, trained: boolean, special: boolean): string =>
      `${count(place)} of ${count(total)}, ${trained ? 'trained on' : 'read only'}${special ? ', special' : ''}`,
    trained: 'trained on',
    read: 'read only',
    special: 'special',
    run: (total: number, trained: number): string =>
      `${counted(total, 'token')}, ${count(trained)} trained on. Left and Right move along them.`,
    cut: 'This row is longer than the limit and was cut at the end.',
  },
  chart: {
    table: 'Table',
    chart: 'Chart',
    waiting: (step: number): string => `First point after step ${count(step)}`,
    nothing: 'No points yet.',
    train: 'train',
    heldOut: 'held-out',
    smoothed: (weight: string): string => `Smoothed, weight ${weight}. The raw line is behind it.`,
    noLog: 'A logarithmic scale needs values above zero.',
    summary: (title: string, lines: string[]): string => `${title}. ${lines.join(' ')}`,
    line: (name: string, split: string, first: string, last: string, points: number): string =>
      `${name}, ${split}: from ${first} to ${last}, ${counted(points, 'point')}.`,
    checkpoint: (n: number): string => `checkpoint ${n}`,
    step: (step: number): string => `Step ${count(step)}`,
    before: 'before training',
  },
  difference: 'Difference',
}
