// The refused lines of a dataset as a CSV file that the browser or Electron saves.
import { api } from '../../api.ts'
import type { Dataset } from '../../../src-main/contract/records.ts'

const quoted = (value: string | number): string => `"${String(value).replaceAll('"', '""')}"`

/** Rejects with a Failure when they cannot be read. */
export async function saveRefusals(dataset: Dataset): Promise<void> {
  const lines = ['line,reason,text']
  for (let from = 0; from < dataset.refused; from += 1000) {
    const { refusals } = await api.call('data.refusals', { id: dataset.id, from, count: 1000 })
    for (const one of refusals) lines.push([one.line, one.reason, one.text].map(quoted).join(','))
    if (refusals.length === 0) break
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([lines.join('\r\n') + '\r\n'], { type: 'text/csv' }))
  link.download = `${dataset.name}-refused.csv`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
