// What the parts say, rendered without a browser.
import { expect, test } from 'vitest'
import { render } from 'svelte/server'
import ErrorNote from '../../src-renderer/parts/ErrorNote.svelte'
import Progress from '../../src-renderer/parts/Progress.svelte'
import RunTag from '../../src-renderer/parts/RunTag.svelte'
import Sparkline from '../../src-renderer/parts/Sparkline.svelte'
import TokenRun from '../../src-renderer/parts/TokenRun.svelte'
import { plain } from '../../src-renderer/parts/token-text.ts'
import { rowAt, tokensOf } from './bridge.ts'

const textOf = (html: string): string =>
  html
    .replace(/<!--.*?-->/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')

test('a failure says what, where and what next; the place is told once', () => {
  const failure = {
    kind: 'BadFile',
    message: 'The file is not UTF-8.',
    where: 'line 12 of a.jsonl',
    next: 'Save it as UTF-8.',
  }
  const said = textOf(render(ErrorNote, { props: { failure } }).body)
  expect(said).toContain('The file is not UTF-8.')
  expect(said).toContain('line 12 of a.jsonl')
  expect(said).toContain('Save it as UTF-8.')
  const named = { ...failure, message: 'line 12 of a.jsonl is not UTF-8.' }
  expect(textOf(render(ErrorNote, { props: { failure: named } }).body).match(/line 12/g)).toHaveLength(1)
})

test('several problems are all said', () => {
  const failure = {
    kind: 'BadOption' as const,
    message: 'Two settings are wrong.',
    problems: [
      { where: 'rank', message: 'Rank must be at least 1.' },
      { where: 'alpha', message: 'Alpha must be a number.' },
    ],
  }
  const said = textOf(render(ErrorNote, { props: { failure } }).body)
  expect(said).toContain('Rank must be at least 1.')
  expect(said).toContain('Alpha must be a number.')
})

test('a state is a word, never colour alone', () => {
  expect(textOf(render(RunTag, { props: { state: 'failed' } }).body)).toContain('failed')
  expect(render(RunTag, { props: { state: 'failed' } }).body).toContain('<svg')
})

test('progress carries its number for screen readers and none while it is unknown', () => {
  expect(render(Progress, { props: { ratio: 0.12, label: 'Training' } }).body).toContain('aria-valuenow="12"')
  expect(render(Progress, { props: { ratio: null, label: 'Training' } }).body).not.toContain('aria-valuenow')
})

test('a line with gaps is drawn from what is a number', () => {
  const { body } = render(Sparkline, { props: { values: [3, NaN, 2, 1], label: 'Loss' } })
  expect(body).not.toContain('NaN')
  expect(body.match(/L/g)?.length).toBeGreaterThanOrEqual(2)
})

test('a token run marks exactly what is trained on', () => {
  const row = tokensOf(rowAt(1))
  const { body } = render(TokenRun, { props: { row } })
  const trained = row.lossMask.filter((one) => one === 1).length
  const tags = [...body.matchAll(/<(?:i|span)\b[^>]*data-at="\d+"[^>]*>/g)].map(([tag]) => tag)
  const marked = tags.filter((tag) => /class="(?:[^"]* )?t(?: [^"]*)?"/.test(tag))
  expect(tags).toHaveLength(row.tokens.length)
  expect(marked).toHaveLength(trained)
  expect(body).toContain(`${row.tokens.length} tokens, ${trained} trained on`)
  expect(plain('<|im_start|>')).toBe('im_start')
  expect(plain('[INST]')).toBe('INST')
})
