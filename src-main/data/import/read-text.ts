// Plain text: documents divided by blank lines, or the whole file as one. Line ends become \n.
import { heldBytes, isRefusal, longestRow, readLines, refusal, tooLong, type Read } from './lines.ts'
import type { Source } from './source.ts'

export type TextDivision = 'blank-lines' | 'whole-file'

/** Records `{ text }`; `line` is where the document begins. */
export async function* readText(source: Source, division: TextDivision): AsyncGenerator<Read[]> {
  let begun = 0 // line where the current document began, 0: none
  let parts: string[] = []
  let size = 0 // characters
  const finish = (): Read[] => {
    if (begun === 0) return []
    const text = parts.join('\n').trimEnd()
    const made = size > longestRow ? refusal(begun, tooLong(size - 1), text) : { line: begun, record: { text } }
    begun = 0
    parts = []
    size = 0
    return text === '' ? [] : [made]
  }
  for await (const lines of readLines(source)) {
    const batch: Read[] = []
    for (const one of lines) {
      if (isRefusal(one)) batch.push(...finish(), one)
      else if (one.text.trim() === '' && (division === 'blank-lines' || begun === 0)) batch.push(...finish())
      else {
        if (begun === 0) begun = one.line
        if (size < heldBytes) parts.push(one.text)
        size += one.text.length + 1
      }
    }
    if (batch.length > 0) yield batch
  }
  const last = finish()
  if (last.length > 0) yield last
}
