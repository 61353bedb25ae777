// A JSON file that is one long list, or several values one after another: split into its records as the bytes arrive,
// so that the file is never held. A damaged record is refused and reading goes on at the next that can be made out.
import { isUtf8 } from 'node:buffer'
import { heldBytes, isRefusal, listNotClosed, notUtf8, refusal, tooLong, type Read } from './lines.ts'
import { parseRecord } from './read-jsonl.ts'
import type { Source } from './source.ts'

const [quote, backslash, newline, comma] = [0x22, 0x5c, 0x0a, 0x2c]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Records of `[a, b, c]` (`inList`) or of `a b c`. Their `line` is the record's number, from 1. */
export async function* readJsonArray(source: Source, inList: boolean): AsyncGenerator<Read[]> {
  let record = 0
  let line = 1
  let position = source.skippedBytes // of the current chunk's first byte
  const base = inList ? 1 : 0
  const stack = new Uint8Array(1024) // what is open: openList or openObject
  let depth = 0 // the outer list counts
  let inString = false
  let escaped = false
  let previous = 0 // last byte that is neither space nor inside a string
  let started = false // a record is being read
  let broken = false // and cannot be right
  let recordLine = 1
  let recordAt = 0
  let indent = -1 // bytes before the first record on its line, when it begins a line
  let lineAt = 0 // where the current line begins
  let onlySpace = true // since it began
  let ended = false // the outer list is closed
  let closed = false
  let afterEnd: string | null = null
  let held: Buffer[] = []
  let heldSize = 0
  let batch: Read[] = []

  const begin = (at: number): void => {
    started = true
    broken = false
    recordLine = line
    recordAt = at
    if (record === 0 && onlySpace) indent = at - lineAt
  }
  /** Ends the record before chunk[end]. `open`: the file stopped inside it. */
  const finish = (chunk: Buffer, from: number, end: number, open: boolean): void => {
    if (!started) return
    started = false
    const last = chunk.subarray(from, end)
    const size = heldSize + last.length
    const bytes =
      size > heldBytes
        ? Buffer.concat([...held, last]).subarray(0, 1000)
        : held.length === 0
          ? last
          : Buffer.concat([...held, last])
    held = []
    heldSize = 0
    record++
    const text = bytes.toString('utf8').trim()
    if (size > heldBytes) batch.push(refusal(record, tooLong(size, 'bytes'), text))
    else if (!isUtf8(bytes)) batch.push(refusal(record, notUtf8(bytes, recordAt), text))
    else {
      const read = parseRecord(text, record, open)
      if (isRefusal(read) && line > 1) read.reason += ` It begins on line ${recordLine}.`
      batch.push(read)
    }
  }

  for await (const chunk of source.chunks) {
    let from = 0 // where the part of the record in this chunk begins
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) {
          inString = false
          previous = quote
        }
        if (byte !== newline) continue
        inString = false // a string cannot hold a line break: a quote is missing
        escaped = false
        broken = true
      }
      if (byte === newline) {
        line++
        lineAt = position + i + 1
        onlySpace = true
        continue
      }
      if (isSpace(byte)) continue
      const leads = onlySpace
      if (ended) {
        if (byte === closeObject && !closed) {
          closed = true // of an object around the list
          continue
        }
        afterEnd ??= chunk.toString('utf8', i, Math.min(chunk.length, i + 200))
        break
      }
      if (inList && depth === 0) {
        // Before the outer list: its bracket, or the opening of an object around it.
        if (byte === openList) depth = 1
        stack[0] = openList
        onlySpace = false
        previous = byte
        continue
      }
      const misplaced =
        byte === openObject &&
        depth > base &&
        stack[depth - 1] === openObject &&
        (previous === comma || previous === openObject)
      if (misplaced) broken = true
      const restart =
        byte === openObject &&
        started &&
        depth > base &&
        broken &&
        ((leads && position + i - lineAt === indent) || (misplaced && depth === base + 1))
      const next = byte === openObject && started && depth === base // the comma before it is missing
      if (restart || next) {
        finish(chunk, from, i, false)
        depth = base
      }
      if (depth === base && byte === comma) {
        finish(chunk, from, i, false)
      } else if (inList && depth === base && byte === closeList) {
        finish(chunk, from, i, false)
        ended = true
      } else {
        if (!started) {
          begin(position + i)
          from = i
        }
        if (byte === quote) inString = true
        else if (byte === openObject || byte === openList) {
          if (depth < stack.length) stack[depth] = byte
          depth++
        } else if ((byte === closeObject || byte === closeList) && depth > base) {
          depth--
          if (depth < stack.length && stack[depth] !== (byte === closeObject ? openObject : openList)) broken = true
          if (!inList && depth === base) finish(chunk, from, i + 1, false)
        }
      }
      onlySpace = false
      previous = byte
    }
    if (started) {
      const rest = chunk.subarray(from)
      if (heldSize <= heldBytes) held.push(rest)
      heldSize += rest.length
    }
    position += chunk.length
    if (batch.length > 0) yield batch
    batch = []
  }
  const inside = started
  finish(Buffer.alloc(0), 0, 0, true)
  const cut = inside && isRefusal(batch[batch.length - 1])
  const damage = source.damage()
  if (damage !== null) batch.push(refusal(record + 1, damage, ''))
  else if (inList && !ended && !cut) batch.push(refusal(record + 1, listNotClosed, ''))
  if (afterEnd !== null)
    batch.push(refusal(record + 1, 'There is text after the end of the list. It was not read.', afterEnd))
  if (batch.length > 0) yield batch
}
