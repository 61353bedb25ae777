// JSON lines: one record a line. Blank lines are skipped; a comma after a record, a byte order mark inside the file and
// Windows line ends are forgiven; whatever is not JSON is refused with its line and reason, and the rest is kept.
import { cutInside, isRefusal, longestRow, readLines, refusal, tooLong, type Read } from './lines.ts'
import type { Source } from './source.ts'

export async function* readJsonl(source: Source): AsyncGenerator<Read[]> {
  for await (const lines of readLines(source)) {
    const batch: Read[] = []
    for (const one of lines) {
      if (isRefusal(one)) batch.push(one)
      else {
        const text = one.text.trim() // trims a byte order mark too
        if (text !== '' && text !== ',') batch.push(parseRecord(text, one.line, one.open))
      }
    }
    if (batch.length > 0) yield batch
  }
}

/** One record from its text. `open` says that the file ended before the line or list did. */
export function parseRecord(text: string, line: number, open: boolean): Read {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch (error) {
    if (text.endsWith(',') || text.endsWith(', ')) {
      const without = parseRecord(text.slice(0, -1).trimEnd(), line, open)
      if (!isRefusal(without)) return without
    }
    return refusal(line, whyNotJson(text, error as Error, open), text)
  }
  if (text.length > longestRow) {
    const characters = countCharacters(record)
    if (characters > longestRow) return refusal(line, tooLong(characters), text)
  }
  return { line, record }
}

/** Characters of all strings in a parsed value, keys left out. */
export function countCharacters(value: unknown): number {
  const open: unknown[] = [value] // a stack of our own: damaged files nest deeper than calls can
  let characters = 0
  while (open.length > 0) {
    const one = open.pop()
    if (typeof one === 'string') characters += one.length
    else if (typeof one === 'object' && one !== null) for (const part of Object.values(one)) open.push(part)
  }
  return characters
}

function whyNotJson(text: string, error: Error, open: boolean): string {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  const number = /(?:^|[:,[\s])(-?(?:NaN|Infinity))\b/.exec(bare)
  if (number !== null) return `${number[1]} is not JSON. Write null, or a number.`
  const place = /at position (\d+)/.exec(error.message)
  const cut = /end of JSON|Unterminated string/i.test(error.message) || Number(place?.[1]) === text.length
  if (cut) return open ? cutInside : 'This record is cut off: it ends in the middle.'
  if (/^[[{]\s*'/.test(text))
    return 'This is written as Python prints it, with single quotes. Write it with json.dumps.'
  if (/\b(None|True|False)\b/.test(bare)) return 'None, True and False are Python. JSON writes null, true and false.'
  const token = /^Unexpected token '(.+?)'/.exec(error.message)
  if (token !== null) return `This is not valid JSON: “${token[1]}” stands where it cannot.`
  return place === null ? 'This is not valid JSON.' : `This is not valid JSON at character ${Number(place[1]) + 1}.`
}
