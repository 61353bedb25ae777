// e^x and ln x. Both backends use these instead of a C library, so that native and WebAssembly agree.
#ifndef TEMPER_EXP_H
#define TEMPER_EXP_H

#include "vector.h"

/** e^x of every lane, relative error about 1e-7. Below -87.3 it stays at the smallest normal number, above 88.3 at the
 * largest; NaN stays NaN. x = n ln 2 + r with |r| <= ln 2 / 2, then e^x = 2^n e^r (Cephes, S. Moshier, 1989). */
INLINE Vec exp_lanes(Vec x) {
  x = at_most(at_least(x, splat(-87.3f)), splat(88.3f));
  // Adding 1.5 * 2^23 leaves no bits for a fraction: it rounds, and n stands in the lowest bits of the sum.
  const float round = 12582912.0f;
  Vec shifted = multiply_add(x, splat(1.44269504f), splat(round));
  Vec n = shifted - round;
  Vec r = multiply_add(n, splat(-0.693359375f), x); // ln 2 in two parts: the first has few bits, so n * it is exact
  r = multiply_add(n, splat(2.12194440e-4f), r);
  Vec p = splat(1.9875691500e-4f);
  p = multiply_add(p, r, splat(1.3981999507e-3f));
  p = multiply_add(p, r, splat(8.3334519073e-3f));
  p = multiply_add(p, r, splat(4.1665795894e-2f));
  p = multiply_add(p, r, splat(1.6666665459e-1f));
  p = multiply_add(p, r, splat(5.0000001201e-1f));
  p = multiply_add(p, r * r, r + 1.0f);
  return (Vec)((IntVec)p + ((IntVec)shifted << 23)); // times 2^n: n is added to the exponent's bits
}

/** ln x for a positive x, to twelve digits: x = 2^n m, ln m = 2 artanh((m-1)/(m+1)). Infinity and NaN come back. */
static inline double natural_log(double x) {
  if (!(x < 1e300)) return x;
  union { double value; uint64_t bits; } parts = {x};
  int n = (int)(parts.bits >> 52) - 1023;
  parts.bits = (parts.bits & 0xfffffffffffffull) | 0x3ff0000000000000ull; // m in [1, 2)
  double m = parts.value;
  if (m > 1.4142135623730951) m *= 0.5, n++;
  double t = (m - 1) / (m + 1), square = t * t, sum = 0; // |t| <= 0.1716
  for (int odd = 15; odd >= 1; odd -= 2) sum = sum * square + 1.0 / odd;
  return 2 * t * sum + n * 0.6931471805599453;
}

#endif
