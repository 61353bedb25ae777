// Memory that is taken once and used in every step: named arrays that grow to the most rows ever asked for, so that a
// steady state allocates nothing. models/estimate.ts says beforehand how much that will be.
import type { Backend, Shape, Tensor } from './backend.ts'

export interface Workspace {
  /** The array `name` as [rows, ...rest]. Its contents are whatever was there: fill it, or overwrite it whole. */
  take(name: string, rows: number, ...rest: number[]): Tensor
  readonly bytes: number
  free(): void
}

export function createWorkspace(backend: Backend): Workspace {
  const kept = new Map<string, Tensor>()
  return {
    take(name, rows, ...rest) {
      let whole = kept.get(name)
      if (whole === undefined || whole.shape[0]! < rows) {
        if (whole !== undefined) backend.free(whole)
        kept.delete(name) // an allocation that fails leaves nothing that is already free
        whole = backend.alloc([Math.max(1, rows), ...rest] satisfies Shape)
        kept.set(name, whole)
      }
      return whole.shape[0] === rows ? whole : backend.rows(whole, 0, rows)
    },
    get bytes() {
      return [...kept.values()].reduce((sum, t) => sum + t.size * 4, 0)
    },
    free() {
      backend.free(...kept.values())
      kept.clear()
    },
  }
}
