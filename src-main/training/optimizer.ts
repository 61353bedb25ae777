// AdamW's two moments for every parameter (Loshchilov & Hutter 2019); the arithmetic itself is the backend's kernel.
// Matrices decay and vectors (norms) do not, as in transformers' Trainer.
import type { AdamWStep, Backend, Tensor } from '../engine/backend.ts'
import type { Parameter } from '../models/linear.ts'

export interface Optimizer {
  /** By parameter name, in order: what a checkpoint keeps. */
  readonly moments: readonly { name: string; m: Tensor; v: Tensor }[]
  /** One update of every parameter by its gradient, which stays as it is. */
  update(how: AdamWStep): void
  free(): void
}

/** Moments begin at zero. `parameters` keep their order for the life of the optimizer. */
export function createOptimizer(backend: Backend, parameters: readonly Parameter[]): Optimizer {
  const moments = parameters.map(({ name, value }) => ({
    name,
    m: backend.alloc(value.shape),
    v: backend.alloc(value.shape),
  }))
  return {
    moments,
    update(how) {
      parameters.forEach(({ value, grad }, i) => {
        const weightDecay = value.shape.length > 1 ? how.weightDecay : 0
        backend.adamW(value, grad!, moments[i]!.m, moments[i]!.v, { ...how, weightDecay })
      })
    },
    free() {
      for (const { m, v } of moments) backend.free(m, v)
    },
  }
}
