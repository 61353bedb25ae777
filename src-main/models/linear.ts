// y = x W' + s (x A') B': a linear layer with an optional low-rank adapter (LoRA, Hu et al. 2021), and its way back.
// What is frozen gets no gradient. Dropout on the adapter's input is left out.
import type { Backend, Tensor } from '../engine/backend.ts'

/** One array of numbers with its name on disk. `grad` is null where it is not trained. */
export interface Parameter {
  name: string
  value: Tensor
  grad: Tensor | null
}

export interface Linear {
  weight: Parameter // [out,in]
  adapter: { a: Parameter /* [R,in] */; b: Parameter /* [out,R] */; scale: number } | null
}

/** Whether the backward pass needs the layer's input again. */
export function isTrained({ weight, adapter }: Linear): boolean {
  return weight.grad !== null || (adapter !== null && adapter.a.grad !== null)
}

/** out [N,out] (+)= x W' + s low B', where low [N,R] = x A' is kept for the way back; low null: the adapter is off. */
export function linear(
  backend: Backend,
  out: Tensor,
  x: Tensor,
  { weight, adapter }: Linear,
  low: Tensor | null,
  accumulate = false,
): void {
  backend.matmul(out, x, weight.value, { transposeB: true, accumulate })
  if (adapter === null || low === null) return
  backend.matmul(low, x, adapter.a.value, { transposeB: true })
  backend.matmul(out, low, adapter.b.value, { transposeB: true, scale: adapter.scale, accumulate: true })
}

/**
 * Adds the gradients of what is trained, and writes (or adds, where `accumulate`) dX [N,in] where one is given.
 * dY [N,out]; x [N,in]; low [N,R] as the forward pass left it, null if the adapter was off; dLow [N,R] is overwritten.
 */
export function linearBackward(
  backend: Backend,
  dX: Tensor | null,
  dY: Tensor,
  x: Tensor,
  { weight, adapter }: Linear,
  low: { kept: Tensor; gradient: Tensor } | null,
  accumulate = false,
): void {
  if (weight.grad) backend.matmul(weight.grad, dY, x, { transposeA: true, accumulate: true }) // dW += dY' x
  if (dX) backend.matmul(dX, dY, weight.value, { accumulate }) // dX (+)= dY W
  if (adapter === null || low === null) return
  const { a, b, scale } = adapter
  backend.matmul(low.gradient, dY, b.value, { scale }) // dLow = s dY B
  if (b.grad) backend.matmul(b.grad, dY, low.kept, { transposeA: true, scale, accumulate: true }) // dB += s dY' low
  if (a.grad) backend.matmul(a.grad, low.gradient, x, { transposeA: true, accumulate: true }) // dA += dLow' x
  if (dX) backend.matmul(dX, low.gradient, a.value, { accumulate: true }) // dX += dLow A
}
