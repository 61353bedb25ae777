// Markdown into HTML that can do nothing: what a model or a model's card wrote is never trusted.
import DOMPurify from 'dompurify'
import { marked } from 'marked'

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

/** Only tags of text; only links to the web, which open outside. Raw HTML in the source is taken out. */
export function safeHtml(text: string): string {
  const html = marked.parse(withoutFrontMatter(text), { async: false, gfm: true, breaks: false })
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: allowed,
    ALLOWED_ATTR: ['href', 'align'],
    ALLOWED_URI_REGEXP: /^https?:/i,
  }).replaceAll('<a href=', '<a target="_blank" rel="noreferrer noopener" href=')
}
