// Vectors of floats, as wide as the machine has them. GCC's and clang's vector extensions give arithmetic on every
// machine; the few things that they do not say (largest of two, fused multiply-add in WebAssembly) are said here.
#ifndef TEMPER_VECTOR_H
#define TEMPER_VECTOR_H

#include "engine.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#define LANES 16
#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES 8
#else
#define LANES 4
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__wasm__)
#include <wasm_simd128.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif
#endif

#define INLINE static inline __attribute__((always_inline, unused))

typedef float Vec __attribute__((vector_size(LANES * 4)));
typedef int32_t IntVec __attribute__((vector_size(LANES * 4)));
typedef float LooseVec __attribute__((vector_size(LANES * 4), aligned(4), may_alias)); // at any float's address

INLINE Vec load(const float *from) { return *(const LooseVec *)from; }
INLINE void store(float *to, Vec v) { *(LooseVec *)to = v; }
INLINE Vec splat(float x) { return x - (Vec){0}; }

/** The first `count` floats, zeros after them: for the ends of rows. */
INLINE Vec load_some(const float *from, Index count) {
#if defined(__AVX512F__)
  return (Vec)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#else
  float lanes[LANES] = {0};
  for (Index i = 0; i < count; i++) lanes[i] = from[i];
  return load(lanes);
#endif
}
INLINE void store_some(float *to, Vec v, Index count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
#else
  for (Index i = 0; i < count; i++) to[i] = v[i];
#endif
}

/** x * y + sum, rounded once where the machine can. */
INLINE Vec multiply_add(Vec x, Vec y, Vec sum) {
#if defined(__wasm__)
  return (Vec)__builtin_wasm_relaxed_madd_f32x4(x, y, sum);
#else
  return x * y + sum; // contracted by the compiler
#endif
}

// The order of the arguments matters: a NaN in x comes through, so that a run that diverges is seen to diverge.
INLINE Vec at_least(Vec x, Vec limit) {
#if defined(__AVX512F__)
  return (Vec)_mm512_max_ps((__m512)limit, (__m512)x);
#elif defined(__AVX2__)
  return (Vec)_mm256_max_ps((__m256)limit, (__m256)x);
#elif defined(__SSE2__)
  return (Vec)_mm_max_ps((__m128)limit, (__m128)x);
#elif defined(__wasm__)
  return (Vec)wasm_f32x4_pmax((v128_t)x, (v128_t)limit);
#elif defined(__ARM_NEON)
  return (Vec)vmaxq_f32((float32x4_t)limit, (float32x4_t)x);
#else
  IntVec below = x < limit;
  return (Vec)((below & (IntVec)limit) | (~below & (IntVec)x));
#endif
}
INLINE Vec at_most(Vec x, Vec limit) { return -at_least(-x, -limit); }

// ---- Across lanes, by way of vectors of four, which every machine can shuffle

typedef float Four __attribute__((vector_size(16)));
typedef float LooseFour __attribute__((vector_size(16), aligned(4), may_alias));
INLINE Four load_four(const float *from) { return *(const LooseFour *)from; }

#if defined(__clang__) || __GNUC__ >= 12
#define PICK(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define PICK(a, b, i, j, k, l) __builtin_shuffle(a, b, (int32_t __attribute__((vector_size(16)))){i, j, k, l})
#endif

/** lines[p][l] becomes lines[l][p]. */
INLINE void transpose_fours(Four lines[4]) {
  Four ab = PICK(lines[0], lines[1], 0, 4, 1, 5), AB = PICK(lines[0], lines[1], 2, 6, 3, 7);
  Four cd = PICK(lines[2], lines[3], 0, 4, 1, 5), CD = PICK(lines[2], lines[3], 2, 6, 3, 7);
  lines[0] = PICK(ab, cd, 0, 1, 4, 5), lines[1] = PICK(ab, cd, 2, 3, 6, 7);
  lines[2] = PICK(AB, CD, 0, 1, 4, 5), lines[3] = PICK(AB, CD, 2, 3, 6, 7);
}

/** Four lanes whose sum is that of all lanes. */
INLINE Four fold(Vec v) {
  union { Vec whole; Four parts[LANES / 4]; } lanes = {v};
#if LANES == 16
  return (lanes.parts[0] + lanes.parts[2]) + (lanes.parts[1] + lanes.parts[3]);
#elif LANES == 8
  return lanes.parts[0] + lanes.parts[1];
#else
  return lanes.parts[0];
#endif
}
/** The sums of the lanes of four vectors, side by side. Always added in the same order. */
INLINE Four sum_lanes_of_four(const Vec v[4]) {
  Four parts[4] = {fold(v[0]), fold(v[1]), fold(v[2]), fold(v[3])};
  transpose_fours(parts);
  return (parts[0] + parts[2]) + (parts[1] + parts[3]);
}
INLINE float sum_lanes(Vec v) {
  Four part = fold(v);
  part += PICK(part, part, 2, 3, 0, 1);
  return part[0] + part[1];
}
INLINE float largest_lane(Vec v) {
  float largest = v[0];
  for (int i = 1; i < LANES; i++) largest = v[i] > largest ? v[i] : largest;
  return largest;
}

/** sum of x[i] * y[i] */
INLINE float dot(const float *x, const float *y, Index n) {
  Vec even = {0}, odd = {0}; // two chains: a fused multiply-add takes four cycles
  Index i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    even = multiply_add(load(x + i), load(y + i), even);
    odd = multiply_add(load(x + i + LANES), load(y + i + LANES), odd);
  }
  for (; i < n; i += LANES) {
    Index some = smaller(n - i, LANES);
    even = multiply_add(load_some(x + i, some), load_some(y + i, some), even);
  }
  return sum_lanes(even + odd);
}

#endif
