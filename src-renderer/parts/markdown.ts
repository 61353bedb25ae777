// Markdown into HTML that can do nothing: what a model or a model's card wrote is never trusted.
import DOMPurify from 'dompurify'
import { Marked, marked } from 'marked'

const allowed = [
  'a',
  'b',
  'blockquote',
  'br',
  'code',
  'del',
  'em',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'hr',
  'i',
  'li',
  'ol',
  'p',
  'pre',
  'strong',
  'sub',
  'sup',
  'table',
  'tbody',
  'td',
  'th',
  'thead',
  'tr',
  'ul',
]

/** A card may begin with settings between two rules, which are for machines. */
const withoutFrontMatter = (text: string): string => text.replace(/^\s*---\r?\n[\s\S]*?\n---\r?\n/, '')

const clean = (html: string): string =>
  DOMPurify.sanitize(html, {
    ALLOWED_TAGS: allowed,
    ALLOWED_ATTR: ['href', 'align', 'start'],
    ALLOWED_URI_REGEXP: /^https?:/i,
  })

/** Only tags of text; only links to the web, which open outside. Raw HTML in the source is taken out. */
export function safeHtml(text: string): string {
  const html = marked.parse(withoutFrontMatter(text), { async: false, gfm: true, breaks: false })
  return clean(html).replaceAll('<a href=', '<a target="_blank" rel="noreferrer noopener" href=')
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** What a model says is shown as it said it: raw HTML as its own text, links and pictures as words and address, unpressed. */
const answers = new Marked({
  gfm: true,
  breaks: true,
  tokenizer: {
    // "42." alone is an answer, not the beginning of a list without items.
    list: (source) => (/^ {0,3}(\d{1,9}[.)]|[-+*])[ \t]*(\n|$)/.test(source) ? undefined : false),
  },
  renderer: {
    html: ({ text }) => escaped(text),
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens)
      return words === escaped(href) ? words : `${words} <code>${escaped(href)}</code>`
    },
    image: ({ href, text }) => `${escaped(text)} <code>${escaped(href)}</code>`,
    checkbox: ({ checked }) => (checked ? '[x] ' : '[ ] '),
  },
})

/** An answer's Markdown before the last cleaning: already without anything to press, fetch or run. */
export const answerMarkup = (text: string): string => answers.parse(text, { async: false })

/** An answer's Markdown: nothing in it can be pressed, fetched or run, and nothing that was said is hidden. */
export const answerHtml = (text: string): string => clean(answerMarkup(text))
