// Clipping by the global norm (Pascanu et al. 2013): when all gradients together are longer than `maxNorm`, all are
// shortened by one factor. Only numbers here; the factor goes into AdamW's gradientScale, so no array is written twice.

/**
 * `sumSquares` of the summed gradients, which are first multiplied by `scale` (1 / weight of the step). Returns the norm
 * before clipping, which is what a chart shows, and the factor for gradientScale, `scale` included. `maxNorm` 0: no
 * clipping. The 1e-6 is PyTorch's clip_grad_norm_.
 */
export function clipByGlobalNorm(
  sumSquares: number,
  scale: number,
  maxNorm: number,
): { gradientNorm: number; gradientScale: number } {
  const gradientNorm = Math.sqrt(sumSquares) * Math.abs(scale)
  const factor = maxNorm > 0 ? Math.min(1, maxNorm / (gradientNorm + 1e-6)) : 1
  return { gradientNorm, gradientScale: scale * factor }
}
