import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Message } from '../../../src-main/contract/records.ts'
import { chooseTemplate, renderTemplate, templateHash } from '../../../src-main/text/templates.ts'

interface Golden {
  templates: Record<
    string,
    { template: string; bos: string; eos: string; rows: { messages: Message[]; text: string; prompt: string }[] }
  >
  probes: Record<string, { template: string; text: string }>
  probe_messages: Message[]
}
const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/templates.json'), 'utf8')) as Golden
const plain = { messages: [], addGenerationPrompt: false, bosToken: '', eosToken: '' }

test.each(Object.entries(golden.templates))('%s writes what transformers writes', (_, { template, bos, eos, rows }) => {
  const variables = { bosToken: bos, eosToken: eos }
  for (const { messages, text, prompt } of rows) {
    expect(renderTemplate(template, { ...variables, messages, addGenerationPrompt: false })).toBe(text)
    expect(renderTemplate(template, { ...variables, messages: messages.slice(0, -1), addGenerationPrompt: true })).toBe(
      prompt,
    )
  }
})

test.each(Object.entries(golden.probes))('%s behaves as in transformers', (_, { template, text }) => {
  const variables = { bosToken: '<|begin_of_text|>', eosToken: '<|eot_id|>', addGenerationPrompt: false }
  expect(renderTemplate(template, { ...variables, messages: golden.probe_messages })).toBe(text)
})

test('a template that refuses its messages is heard in its own words', () => {
  const template = "{{ raise_exception('Roles must alternate user/assistant') }}"
  expect(() => renderTemplate(template, plain)).toThrow(
    expect.objectContaining({
      kind: 'BadExample',
      message: expect.stringContaining('Roles must alternate') as string,
    }) as Error,
  )
})

test.each([
  ['endless work', '{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}'],
  ['long lists over and over', '{% for i in range(9999) %}{% set x = range(9999) %}{% endfor %}'],
  [
    'long strings over and over',
    "{% set s = '-' ~ range(9000) ~ '-' %}{% for i in range(9999) %}{% set x = s ~ i %}{% set y = s.split('1') %}{% endfor %}",
  ],
  ['a huge range', '{{ range(1000000000) }}'],
  [
    'a string that doubles',
    "{% set ns = namespace(s='ab') %}{% for i in range(90) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
  ],
  ['endless recursion', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
  ['broken syntax', '{% for m in messages %}{{ m.content'],
  ['megabytes of template', 'x'.repeat(200_000)],
  ['a desert of blanks', '{{ 1 }}' + ' '.repeat(90_000)],
])('%s ends as a bad file, soon', (_, template) => {
  const began = performance.now()
  expect(() => renderTemplate(template, plain)).toThrow(expect.objectContaining({ kind: 'BadFile' }) as Error)
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('a template has no clock of its own', () => {
  const template = "{{ strftime_now('%d %b %Y, %A') }}"
  expect(renderTemplate(template, plain)).toBe('26 Jul 2024, Friday')
  expect(renderTemplate(template, { ...plain, now: new Date(Date.UTC(2026, 0, 2)) })).toBe('02 Jan 2026, Friday')
})

test('chat_template.jinja wins over tokenizer_config.json, and a list means its default', () => {
  expect(chooseTemplate('file', { chat_template: 'inline' })).toBe('file')
  expect(chooseTemplate(null, { chat_template: 'inline' })).toBe('inline')
  const list = [
    { name: 'tool_use', template: 'tools' },
    { name: 'default', template: 'usual' },
  ]
  expect(chooseTemplate(null, { chat_template: list })).toBe('usual')
  expect(chooseTemplate(null, {})).toBeNull()
  expect(chooseTemplate(null, null)).toBeNull()
})

test('the hash tells templates apart', () => {
  expect(templateHash('')).toBe('cbf29ce484222325') // the offset basis of 64-bit FNV-1a
  expect(templateHash('a')).toBe('af63dc4c8601ec8c') // from the FNV authors' test suite
  expect(templateHash('{{ a }}')).not.toBe(templateHash('{{ b }}'))
})
