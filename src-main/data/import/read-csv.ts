// Tables: CSV, TSV, and with semicolons or bars. Our own splitter rather than a library's, because a damaged row must be
// refused by its line and must not take its neighbours with it (an unclosed quote swallows the rest of most readers).
// Values stay strings: "456" and "007" are text. Left out: escapes other than the doubled quote, comments.
import type { Refusal } from '../../contract/records.ts'
import { isRefusal, longestRow, readLines, refusal, tooLong, type Line, type Read } from './lines.ts'
import type { Source } from './source.ts'

/** A quoted value that runs on for longer than this was never closed. */
const longestOpen = 4 * longestRow

/** Records of strings by the header's names; `line` is where the row begins. */
export async function* readCsv(source: Source): AsyncGenerator<Read[]> {
  const delimiter = sniffDelimiter(source.head.toString('utf8'))
  let header: string[] | null = null
  let open: Line[] = [] // lines of a row whose quoted value goes on
  let openSize = 0
  let batch: Read[] = []

  const row = (fields: string[], line: number, text: string): void => {
    if (header === null) header = nameColumns(fields)
    else if (fields.length !== header.length) batch.push(refusal(line, ragged(fields.length, header.length), text))
    else if (text.length > longestRow) batch.push(refusal(line, tooLong(text.length), text))
    else {
      const record: Record<string, string> = {}
      for (let i = 0; i < fields.length; i++) record[header[i]] = fields[i]
      batch.push({ line, record })
    }
  }
  const take = (one: Line): void => {
    if (open.length > 0) {
      open.push(one)
      openSize += one.text.length + 1
      if (hasOddQuotes(one.text)) close(open.map((part) => part.text).join('\n'))
      else if (openSize > longestOpen) giveUp('A quote is opened in this row and never closed.')
      return
    }
    if (one.text.trim() === '') return
    if (header === null && /^sep=.$/i.test(one.text)) return
    const fields = splitRow(one.text, delimiter)
    if (fields === 'open') {
      open = [one]
      openSize = one.text.length
    } else if (typeof fields === 'string') batch.push(refusal(one.line, fields, one.text))
    else row(fields, one.line, one.text)
  }
  const close = (text: string): void => {
    const fields = splitRow(text, delimiter)
    if (fields === 'open') return // still open: goes on
    if (typeof fields === 'string') return giveUp(fields)
    const { line } = open[0]
    open = []
    row(fields, line, text)
  }
  /** The first line is refused; the lines that it had drawn in are read again, each by itself. */
  const giveUp = (reason: string): void => {
    const [first, ...again] = open
    open = []
    batch.push(refusal(first.line, reason, first.text))
    for (const one of again) take(one)
  }

  for await (const lines of readLines(source)) {
    for (const one of lines as (Line | Refusal)[]) {
      if (isRefusal(one)) {
        while (open.length > 0) giveUp('A quote is opened in this row, and the next line cannot be read.')
        batch.push(one)
      } else take(one)
    }
    if (batch.length > 0) yield batch
    batch = []
  }
  while (open.length > 0) giveUp('A quote is opened in this row and never closed.')
  if (batch.length > 0) yield batch
}

/** The fields of one row, 'open' when a quoted one has not ended, or the reason why it cannot be split. */
function splitRow(text: string, delimiter: string): string[] | 'open' | string {
  if (!text.includes('"')) return text.split(delimiter)
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (text[at] !== '"') {
      const end = text.indexOf(delimiter, at)
      const field = end === -1 ? text.slice(at) : text.slice(at, end)
      const inner = field.indexOf('"')
      if (inner > 0 && field.slice(0, inner).trim() === '')
        at += inner // blanks before a quoted value
      else {
        fields.push(field) // a quote mark inside is part of the value: 5" pipe
        if (end === -1) return fields
        at = end + 1
        continue
      }
    }
    let value = ''
    let from = at + 1
    for (;;) {
      const end = text.indexOf('"', from)
      if (end === -1) return 'open'
      value += text.slice(from, end)
      from = end + 1
      if (text[from] !== '"') break
      value += '"'
      from++
    }
    fields.push(value)
    while (text[from] === ' ') from++
    if (from >= text.length) return fields
    if (text[from] !== delimiter)
      return `There is text after the closing quote of column ${fields.length}. Double a quote mark inside a value.`
    at = from + 1
  }
}

function hasOddQuotes(text: string): boolean {
  let count = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count++
  return count % 2 === 1
}

function ragged(found: number, wanted: number): string {
  const columns = (n: number): string => (n === 1 ? '1 column' : `${n} columns`)
  return `This row has ${columns(found)}; the header has ${wanted}.`
}

function nameColumns(fields: string[]): string[] {
  const names: string[] = []
  for (const [i, field] of fields.entries()) {
    const wanted = field.trim() === '' ? `column ${i + 1}` : field.trim()
    let name = wanted
    for (let n = 2; names.includes(name); n++) name = `${wanted} (${n})`
    names.push(name)
  }
  return names
}

/** The delimiter of a table: the one that cuts the header into most columns, and is found in the next rows as well. */
export function sniffDelimiter(head: string): string {
  const declared = /^sep=(.)\r?\n/i.exec(head)
  if (declared !== null) return declared[1]
  const [header, ...rows] = head
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .slice(0, 20)
  let best = ','
  let bestScore = 0
  for (const delimiter of [',', '\t', ';', '|']) {
    const count = (line: string): number => line.replace(/"(?:[^"]|"")*"?/g, '').split(delimiter).length - 1
    const columns = count(header ?? '')
    const alike = rows.length === 0 ? 1 : rows.filter((row) => count(row) === columns).length / rows.length
    const score = columns * (0.2 + alike)
    if (score > bestScore) [best, bestScore] = [delimiter, score]
  }
  return best
}
