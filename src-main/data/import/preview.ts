// What a person sees before an import: the recognised form, the mapping to correct, the first rows and refusals.
import { basename } from 'node:path'
import type { Preview } from '../../contract/commands.ts'
import { Failure } from '../../contract/errors.ts'
import type { Mapping, Refusal, Row } from '../../contract/records.ts'
import { columnsOf } from './columns.ts'
import { convert } from './convert.ts'
import { isRefusal, refusal } from './lines.ts'
import { readRecords, type Reading } from './read-records.ts'
import type { TextDivision } from './read-text.ts'
import { recognise, unknownForm, type Recognition } from './recognise.ts'

const sampleRecords = 200
const shownRows = 50
/** Long rows: what has been read by then is sample enough. */
const sampleBytes = 8_388_608

export const wholeFileForm = 'plain-text-whole'

/** How plain text is to be divided under a mapping. */
export function divisionOf(mapping: Mapping | undefined): TextDivision {
  return mapping?.form === wholeFileForm ? 'whole-file' : 'blank-lines'
}

interface Sample {
  records: { line: number; record: unknown }[]
  refusals: Refusal[]
  /** Bytes of the file that the sample took, and whether it is the whole file. */
  readBytes: number
  isAll: boolean
}

async function takeSample(reading: Reading): Promise<Sample> {
  const sample: Sample = { records: [], refusals: [], readBytes: 0, isAll: false }
  for (;;) {
    const next = await reading.batches.next()
    sample.isAll = next.done === true
    if (next.done === true) break
    for (const one of next.value) {
      if (isRefusal(one)) sample.refusals.push(one)
      else sample.records.push(one)
    }
    sample.readBytes = reading.readBytes()
    const enough = sample.records.length >= sampleRecords || sample.refusals.length >= 10 * sampleRecords
    if (enough || sample.readBytes > sampleBytes) break
  }
  await reading.batches.return(undefined)
  return sample
}

/**
 * The start of the file at `path`, read by `mapping` or by the likeliest one. `recognised` is false when no form fits:
 * then a person maps the keys by hand. Throws NotFound, and BadFile when nothing in the file can be read.
 */
export async function preview(path: string, mapping?: Mapping): Promise<Preview> {
  const opened = await readRecords(path, { division: divisionOf(mapping), sliceRows: sampleRecords })
  const sample = await takeSample(opened)
  const records = sample.records.slice(0, sampleRecords).map((one) => one.record)
  if (records.length === 0) throw nothingRead(path, sample.refusals)
  const found = waysToRead(opened, records, path)
  const used = mapping ?? found[0]?.mapping
  const isKnown = used !== undefined
  const chosen = used ?? { form: 'by-hand', kind: 'completion' as const, parts: {}, roles: {}, asChat: true }
  const reading = found.find((one) => JSON.stringify(one.mapping) === JSON.stringify(chosen))
  const title = reading?.title
  const rows: Row[] = []
  const refusals = [...sample.refusals]
  for (const { line, record } of isKnown ? sample.records : []) {
    const example = convert(record, chosen)
    if ('reason' in example) refusals.push(refusal(line, example.reason, JSON.stringify(record)))
    else if (rows.length < shownRows) rows.push({ row: rows.length + 1, line, split: 'train', example })
  }
  const read = sample.records.length + sample.refusals.length
  const estimate = sample.readBytes === 0 ? read : Math.round((read * opened.totalBytes) / sample.readBytes)
  return {
    file: basename(path),
    bytes: opened.totalBytes,
    recognised: isKnown,
    title: title ?? (isKnown ? 'Mapped by hand' : 'Not a form that Temper knows'),
    mapping: chosen,
    notes: reading?.notes ?? [],
    alternatives: found.filter((one) => one.title !== title).map((one) => ({ title: one.title, mapping: one.mapping })),
    keys: columnsOf(records).map((column) => ({
      key: column.key,
      sample: shortly(column.values[0]),
      part:
        Object.entries(chosen.parts).find(
          ([, from]) => from === column.key || from.startsWith(`${column.key}.`),
        )?.[0] ?? null,
    })),
    rows,
    refusals: refusals.sort((a, b) => a.line - b.line).slice(0, shownRows),
    estimatedRows: opened.rows ?? (sample.isAll ? read : Math.max(read, estimate)),
  }
}

/** The mapping by which a file is read when nobody chose one; throws BadFile when its form is not known. */
export async function likeliestMapping(path: string): Promise<Recognition> {
  const reading = await readRecords(path, { sliceRows: sampleRecords })
  const sample = await takeSample(reading)
  const records = sample.records.slice(0, sampleRecords).map((one) => one.record)
  if (records.length === 0) throw nothingRead(path, sample.refusals)
  const [first] = waysToRead(reading, records, path)
  if (first === undefined) throw unknownForm(records, path)
  return first
}

function waysToRead(reading: Reading, records: unknown[], path: string): Recognition[] {
  const found = recognise(records, path)
  if (reading.format !== 'text') return found
  const [text] = found
  const divided = {
    ...text,
    title: 'Plain text, a document between blank lines',
    mapping: { ...text.mapping, form: 'plain-text' },
  }
  return [
    divided,
    {
      ...divided,
      title: 'Plain text, the whole file as one document',
      mapping: { ...text.mapping, form: wholeFileForm },
    },
  ]
}

/** Why no record could be read at all. */
export function nothingRead(path: string, refusals: readonly Refusal[]): Failure {
  if (refusals.length === 0)
    return new Failure('BadFile', 'The file holds no rows.', { where: path, next: 'Choose a file with rows in it.' })
  const [first] = refusals
  return new Failure('BadFile', `No row of this file can be read. ${first.reason}`, {
    where: `${path}, line ${first.line}`,
    next: 'Repair the file, or save it again as UTF-8 in JSONL, JSON, CSV, Parquet or plain text.',
  })
}

function shortly(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > 120 ? `${text.slice(0, 120)} …` : text
}
