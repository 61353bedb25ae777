// What a model says, before the last cleaning by DOMPurify (which needs a browser: tests/e2e/talk.e2e.ts looks there).
import { expect, test } from 'vitest'
import { answerMarkup } from '../../src-renderer/parts/markdown.ts'

const tagsOf = (html: string): string[] => [
  ...new Set([...html.matchAll(/<([a-z][a-z0-9]*)/gi)].map((found) => found[1]!.toLowerCase())),
]

test('raw HTML shows as the words that were said, whatever it is', () => {
  for (const hostile of [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'before <iframe src="https://example.org"></iframe> after',
    '<svg/onload=alert(1)>',
    '<style>*{display:none}</style>',
    '<a href="javascript:alert(1)">press</a>',
    '<!-- <img src=x> -->',
    '<form action="https://example.org"><button>go</button></form>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  ]) {
    const html = answerMarkup(hostile)
    expect(tagsOf(html).filter((tag) => !['p', 'br'].includes(tag))).toEqual([])
    expect(html).toContain('&lt;')
  }
})

test('pictures fetch nothing and links lead nowhere; both say their address', () => {
  const html = answerMarkup(
    '![a cat](https://example.org/c.png) and [the bank](https://evil.example/"x) <https://a.example>',
  )
  expect(tagsOf(html)).toEqual(expect.not.arrayContaining(['img', 'a']))
  expect(html).toContain('https://example.org/c.png')
  expect(html).toContain('the bank')
  expect(html).toContain('https://evil.example/')
  expect(answerMarkup('[x](javascript:alert(1))')).not.toMatch(/<a|href/)
})

test('an address cannot break out of its place', () => {
  const html = answerMarkup('[x](<https://a.example/"><img src=x onerror=alert(1)>>)')
  expect(tagsOf(html)).not.toContain('img')
})

test('lines stay lines, and nothing at the beginning is taken for settings', () => {
  expect(answerMarkup('one\ntwo')).toContain('<br>')
  expect(answerMarkup('---\nname: x\n---\nthe answer')).toContain('name: x')
  expect(answerMarkup('**bold** and `code`')).toContain('<strong>bold</strong>')
})

test('a number with a full stop is what was said, and lists keep their first number', () => {
  expect(answerMarkup('42.')).toBe('<p>42.</p>\n')
  expect(answerMarkup('The sum:\n\n7.')).toContain('<p>7.</p>')
  expect(answerMarkup('3. flour\n4. milk')).toContain('<ol start="3">')
  expect(answerMarkup('- flour')).toContain('<li>flour</li>')
})
