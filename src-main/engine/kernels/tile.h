// The two lower layers of a matrix product: a tile of the result in registers, and panels, which are copies of the
// operands that a tile reads straight through. matmul.c builds whole products of them, attention.c its small blocks.
#ifndef TEMPER_TILE_H
#define TEMPER_TILE_H

#include "vector.h"

// A tile of the result, TILE_ROWS x TILE_COLUMNS, is held in registers while its sums run over k. Each step of k loads
// WIDTH vectors of b and one number of a for each row. The more registers, the larger the tile, the fewer loads.
#define WIDTH 2
#define TILE_COLUMNS (WIDTH * LANES)
#if defined(TILE_ROWS)
#elif defined(__AVX512F__)
#define TILE_ROWS 8 // 16 sums of 32 registers; 12 or 14 rows were measured and are slower: more is lost at the edges
#elif defined(__AVX2__)
#define TILE_ROWS 6 // 12 sums of 16 registers
#elif defined(__aarch64__)
#define TILE_ROWS 8 // 16 sums of 32 registers
#else
#define TILE_ROWS 4 // 8 sums of 16 registers
#endif

/** A matrix as it lies: element (i, j) is at data[i * down + j * right]. Transposed, only the strides change places. */
typedef struct {
  const float *data;
  Index down, right;
} View;

INLINE View view_from(View v, Index i, Index j) { return (View){v.data + i * v.down + j * v.right, v.down, v.right}; }
INLINE View transposed(View v) { return (View){v.data, v.right, v.down}; }

/** What becomes of a finished tile: the element at data[i * down + j * right] (+)= scale * sum. */
typedef struct {
  float *data;
  Index down, right;
  float scale;
  int add; // to what is there
} Target;

// ---- The tile

/** out tile (+)= scale * sum over k of a[., k] b[k, .], where out.right is 1. Row r of a lies at a[r * aDown], its next k at + aRight; b's
 * next k lies at + bDown. Always inlined, so that constant strides make a tile of their own. */
INLINE void tile(Index k, const float *a, Index aDown, Index aRight, const float *b, Index bDown, Target out) {
  Vec sum[TILE_ROWS][WIDTH] = {{{0}}};
#if !defined(__wasm__) // the result will be wanted once the sums are made
  for (int r = 0; r < TILE_ROWS; r++)
    for (int w = 0; w < WIDTH; w++) __builtin_prefetch(out.data + r * out.down + w * LANES, 1);
#endif
#if defined(__wasm__)
#pragma clang loop unroll(disable) // unrolled, V8 runs out of registers
#endif
  for (Index p = 0; p < k; p++) {
    Vec right[WIDTH];
    for (int w = 0; w < WIDTH; w++) right[w] = load(b + w * LANES);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++) {
      Vec left = splat(a[r * aDown]);
      for (int w = 0; w < WIDTH; w++) sum[r][w] = multiply_add(left, right[w], sum[r][w]);
    }
    a += aRight;
    b += bDown;
  }
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
    for (int w = 0; w < WIDTH; w++) {
      float *to = out.data + r * out.down + w * LANES;
      store(to, out.add ? sum[r][w] * out.scale + load(to) : sum[r][w] * out.scale);
    }
}

/** A tile whose rows of a stand side by side (packed, or a transposed matrix as it lies). */
static void tile_beside(Index k, const float *a, Index aRight, const float *b, Index bDown, Target out) {
  tile(k, a, 1, aRight, b, bDown, out);
}

/** A tile whose rows of a lie far apart, each of them straight: a matrix as it lies. */
static void tile_apart(Index k, const float *a, Index aDown, const float *b, Index bDown, Target out) {
  tile(k, a, aDown, 1, b, bDown, out);
}

/** Brings the part of a tile that lies inside the result from where it was put together. */
static void store_edge(const float *whole, Index rows, Index columns, Target out) {
  for (Index i = 0; i < rows; i++)
    for (Index j = 0; j < columns; j++) {
      float *to = out.data + i * out.down + j * out.right;
      *to = whole[i * TILE_COLUMNS + j] * out.scale + (out.add ? *to : 0);
    }
}

/** tile_beside or tile_apart for a tile of which only rows x columns exist, or that lies transposed. All TILE_ROWS rows of a are read. */
static __attribute__((unused)) void any_tile(Index rows, Index columns, Index k, const float *a, Index aDown, Index aRight, const float *b,
                     Index bDown, Target out) {
  float whole[TILE_ROWS * TILE_COLUMNS];
  int edge = rows < TILE_ROWS || columns < TILE_COLUMNS || out.right != 1;
  Target to = edge ? (Target){whole, TILE_COLUMNS, 1, 1, 0} : out;
  if (aDown == 1) tile_beside(k, a, aRight, b, bDown, to);
  else tile_apart(k, a, aDown, b, bDown, to);
  if (edge) store_edge(whole, rows, columns, out);
}

// ---- The panels

/** to[p * step + l] = from[l * line + p] for l, p = 0 .. 3 */
INLINE void transpose_four(float *to, Index step, const float *from, Index line) {
  Four lines[4] = {load_four(from), load_four(from + line), load_four(from + 2 * line), load_four(from + 3 * line)};
  transpose_fours(lines);
  for (int p = 0; p < 4; p++) *(LooseFour *)(to + p * step) = lines[p];
}

/** One panel: to[p * width + l] = from[l * line + p * next] for `lines` lines, zeros for the rest of the width. */
INLINE void pack_panel(float *to, int width, const float *from, Index line, Index next, Index lines, Index depth) {
  if (lines == width && line == 1) {
    for (Index p = 0; p < depth; p++)
      for (int l = 0; l < width; l++) to[p * width + l] = from[p * next + l];
    return;
  }
  Index p = 0, whole = lines / 4 * 4;
  if (next == 1)
    for (; p + 4 <= depth; p += 4) {
      float *at = to + p * width;
      for (Index l = 0; l < whole; l += 4) transpose_four(at + l, width, from + l * line + p, line);
      for (Index q = 0; q < 4; q++) {
        for (Index l = whole; l < lines; l++) at[q * width + l] = from[l * line + p + q];
        for (Index l = lines; l < width; l++) at[q * width + l] = 0;
      }
    }
  for (; p < depth; p++)
    for (Index l = 0; l < width; l++) to[p * width + l] = l < lines ? from[l * line + p * next] : 0;
}

/** The rows of a [rows, depth] in panels of TILE_ROWS, each [depth, TILE_ROWS]. */
static __attribute__((unused)) void pack_rows(float *to, View a, Index rows, Index depth) {
  for (Index i = 0; i < rows; i += TILE_ROWS, to += depth * TILE_ROWS)
    pack_panel(to, TILE_ROWS, a.data + i * a.down, a.down, a.right, smaller(TILE_ROWS, rows - i), depth);
}

/** The columns of b [depth, columns] in panels of TILE_COLUMNS, each [depth, TILE_COLUMNS]. */
static __attribute__((unused)) void pack_columns(float *to, View b, Index depth, Index columns) {
  for (Index j = 0; j < columns; j += TILE_COLUMNS, to += depth * TILE_COLUMNS)
    pack_panel(to, TILE_COLUMNS, b.data + j * b.right, b.right, b.down, smaller(TILE_COLUMNS, columns - j), depth);
}

#endif
