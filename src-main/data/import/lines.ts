// Bytes to lines. A line that is not UTF-8, or too long to hold, becomes a refusal; every other keeps its number.
import { isUtf8 } from 'node:buffer'
import type { Refusal } from '../../contract/records.ts'
import { zipDamaged, type Source } from './source.ts'

/** The most characters that a row may hold: longer ones are near always a damaged file. */
export const longestRow = 100_000
/** The most bytes of one row that are kept while it is being read (escapes can take six bytes for a character). */
export const heldBytes = 4_194_304

export interface Line {
  line: number // from 1
  text: string // without its line ending
  /** The last line of a file that does not end in a line break. */
  open: boolean
}
export type Read = { line: number; record: unknown } | Refusal

export const isRefusal = (one: object): one is Refusal => 'reason' in one

export function refusal(line: number, reason: string, text: string): Refusal {
  return { line, reason, text: text.length > 200 ? `${text.slice(0, 200)} …` : text }
}

export const cutInside = 'The file ends in the middle of this record.'
export const listNotClosed = 'The list is not closed: the file may have been cut off after this record.'

/** What is wrong with the whole file and not with one of its rows. */
export function isFaultOfFile({ reason }: Refusal): boolean {
  return [cutInside, listNotClosed, zipDamaged].some((fault) => reason.startsWith(fault)) || badByte.test(reason)
}
const badByte = /^Byte [\d,]+ of the file \(0x/

export function tooLong(characters: number, unit = 'characters'): string {
  return `This row is ${characters.toLocaleString('en')} ${unit} long; at most ${longestRow.toLocaleString('en')} characters are read. Split it into shorter ones.`
}

/** Walks the source as lines, a batch for each chunk. Blank lines are included; a final line break makes no line. */
export async function* readLines(source: Source): AsyncGenerator<(Line | Refusal)[]> {
  let line = 1
  let position = source.skippedBytes // in the text, of the line's first byte
  let held: Buffer[] = [] // the line so far, when it began in an earlier chunk
  let length = 0 // bytes of the line so far, held or dropped
  const finish = (end: Buffer, open: boolean): Line | Refusal => {
    const bytes = held.length === 0 ? end : Buffer.concat([...held, end])
    const all = length + end.length
    const made = makeLine(line, all > heldBytes ? bytes.subarray(0, 1000) : bytes, all, position, open)
    position += all + 1
    line++
    held = []
    length = 0
    return made
  }
  for await (const chunk of source.chunks) {
    const batch: (Line | Refusal)[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      batch.push(finish(chunk.subarray(start, end), false))
      start = end + 1
    }
    const rest = chunk.subarray(start)
    if (rest.length > 0 && length <= heldBytes) held.push(rest)
    length += rest.length
    if (batch.length > 0) yield batch
  }
  if (length > 0) yield [finish(Buffer.alloc(0), true)]
  const damage = source.damage()
  if (damage !== null) yield [refusal(line, damage, '')]
}

function makeLine(line: number, bytes: Buffer, length: number, position: number, open: boolean): Line | Refusal {
  if (length > heldBytes) return refusal(line, tooLong(length, 'bytes'), bytes.toString('utf8', 0, 200))
  const end = bytes.length > 0 && bytes[bytes.length - 1] === 13 ? bytes.length - 1 : bytes.length
  if (!isUtf8(bytes)) return refusal(line, notUtf8(bytes, position), bytes.toString('utf8', 0, 200))
  return { line, text: bytes.toString('utf8', 0, end), open }
}

/** The reason for bytes that are not UTF-8: `position` is that of bytes[0] in the file. */
export function notUtf8(bytes: Buffer, position: number): string {
  const at = firstBadByte(bytes)
  const value = bytes[at].toString(16).toUpperCase().padStart(2, '0')
  return `Byte ${(position + at + 1).toLocaleString('en')} of the file (0x${value}) is not UTF-8. Save the file as UTF-8.`
}

export function firstBadByte(bytes: Buffer): number {
  const text = bytes.toString('utf8')
  let at = 0 // byte
  for (const character of text) {
    const size = Buffer.byteLength(character)
    if (character === '�' && !(bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd)) return at
    at += size
  }
  return Math.max(0, bytes.length - 1)
}
