// out (+)= scale * a b, in three layers after Goto & van de Geijn (2008), "Anatomy of high-performance matrix
// multiplication": a tile of the result in registers; panels, which a tile reads straight through (both in tile.h);
// and, here, blocks of panels that fit the caches, shared among the threads.
// Every element is summed by one thread in the order of k, so its bits do not depend on the number of threads.
#include "tile.h"

enum {
  DEPTH = 256,                 // about the k of one block
  BLOCK_ROWS = 16 * TILE_ROWS, // of a, the most for one unit: in the second-level cache of its thread
  BLOCK_COLUMNS = 2048,        // of b, packed by all threads together
};

typedef struct {
  Engine *engine;
  Index m, n, k;   // of the block at hand
  View a, b;       // its operands
  float *packed;   // b in panels
  Index rows, columns; // of a and b for one unit, multiples of TILE_ROWS and TILE_COLUMNS
  Index rowBlocks;     // units are rowBlocks x (n / columns)
  Target out;
} Product;

// ---- Few rows: decoding, and the thin side of adapters. Where all lines are straight along k, the result is so many dot
// products, nothing is packed, and the long operand is read once from memory, which is most of the time that it takes.

enum { FEW_ROWS = 16, FEW_COLUMNS = 64, AT_ONCE = 4 };

/** sums[r] = dot products of `rows` (<= AT_ONCE) rows of a with two columns of b. */
INLINE void few_dots(int rows, Index k, const float *a, Index aDown, const float *b0, const float *b1, Four sums[2]) {
  Vec sum[2][AT_ONCE] = {{{0}}};
  Index p = 0;
  for (; p + LANES <= k; p += LANES) {
    Vec x = load(b0 + p), y = load(b1 + p);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      Vec left = load(a + r * aDown + p);
      sum[0][r] = multiply_add(left, x, sum[0][r]);
      sum[1][r] = multiply_add(left, y, sum[1][r]);
    }
  }
  if (p < k) {
    Vec x = load_some(b0 + p, k - p), y = load_some(b1 + p, k - p);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      Vec left = load_some(a + r * aDown + p, k - p);
      sum[0][r] = multiply_add(left, x, sum[0][r]);
      sum[1][r] = multiply_add(left, y, sum[1][r]);
    }
  }
  sums[0] = sum_lanes_of_four(sum[0]);
  sums[1] = sum_lanes_of_four(sum[1]);
}

static void few_unit(void *context, Index unit, int thread) {
  (void)thread;
  Product *x = context;
  Index end = smaller((unit + 1) * FEW_COLUMNS, x->n);
  for (Index j = unit * FEW_COLUMNS; j < end; j += 2)
    for (Index i = 0; i < x->m; i += AT_ONCE) {
      const float *a = x->a.data + i * x->a.down, *b0 = x->b.data + j * x->b.right;
      const float *b1 = j + 1 < end ? b0 + x->b.right : b0;
      Four sums[2];
      Index rows = smaller(AT_ONCE, x->m - i);
      if (rows == 1) few_dots(1, x->k, a, x->a.down, b0, b1, sums);
      else if (rows == 2) few_dots(2, x->k, a, x->a.down, b0, b1, sums);
      else if (rows == 3) few_dots(3, x->k, a, x->a.down, b0, b1, sums);
      else few_dots(4, x->k, a, x->a.down, b0, b1, sums);
      for (Index c = 0; c < smaller(2, end - j); c++)
        for (Index r = 0; r < rows; r++) {
          float *to = x->out.data + (i + r) * x->out.down + (j + c) * x->out.right;
          *to = sums[c][r] * x->out.scale + (x->out.add ? *to : 0);
        }
    }
}

// ---- Blocks

static void pack_unit(void *context, Index unit, int thread) {
  (void)thread;
  Product *x = context;
  Index j = unit * TILE_COLUMNS;
  pack_columns(x->packed + j * x->k, view_from(x->b, 0, j), x->k, smaller(TILE_COLUMNS, x->n - j));
}

static void multiply_unit(void *context, Index unit, int thread) {
  Product *x = context;
  Index i0 = unit % x->rowBlocks * x->rows, j0 = unit / x->rowBlocks * x->columns;
  Index rows = smaller(x->rows, x->m - i0), end = smaller(j0 + x->columns, x->n);
  View a = view_from(x->a, i0, 0);
  // Whole tiles of straight rows are read as they lie, which costs less than packing; all else is packed by its thread.
#if defined(__wasm__)
  const int straight = 0; // V8 is 4% slower with so many addresses in a tile
#else
  const int straight = a.right == 1 && rows % TILE_ROWS == 0;
#endif
  float *packed = x->engine->own[thread].memory;
  if (!straight) pack_rows(packed, a, rows, x->k);
  for (Index i = 0; i < rows; i += TILE_ROWS)
    for (Index j = j0; j < end; j += TILE_COLUMNS) {
      const float *b = x->packed + j * x->k;
      const Index tileRows = smaller(TILE_ROWS, rows - i), tileColumns = smaller(TILE_COLUMNS, end - j);
      Target out = x->out;
      out.data += (i0 + i) * out.down + j * out.right;
      if (straight) any_tile(TILE_ROWS, tileColumns, x->k, a.data + i * a.down, a.down, 1, b, TILE_COLUMNS, out);
      else any_tile(tileRows, tileColumns, x->k, packed + i * x->k, 1, TILE_ROWS, b, TILE_COLUMNS, out);
    }
}

/** Room in whole tiles that a result of m x n takes. */
static double tiled(Index m, Index n) { return (double)round_up(m, TILE_ROWS) * round_up(n, TILE_COLUMNS); }

/** out [m, n] (+)= scale * a [m, k] b [k, n]. 0 when there is no memory for the panels. */
static int matmul(Engine *engine, Index m, Index n, Index k, View a, View b, Target out) {
  if (m == 0 || n == 0) return 1;
  // A thin result, as adapters make, fills no tile: its transpose b' a' fills more of them.
  if (n <= FEW_ROWS ? m > n : tiled(m, n) > 1.25 * tiled(n, m)) {
    View left = a;
    a = transposed(b), b = transposed(left);
    out = (Target){out.data, out.right, out.down, out.scale, out.add};
    Index rows = m;
    m = n, n = rows;
  }
  Product x = {.engine = engine, .m = m, .n = n, .k = k, .a = a, .b = b, .out = out};
  if (m <= FEW_ROWS && b.down == 1) {
    if (a.right != 1) { // few and short lines: laid straight at once
      if (!reserve(engine, (size_t)(m * k) * 4, 0)) return 0;
      float *lines = engine->shared.memory;
      for (Index p = 0; p < k; p++)
        for (Index i = 0; i < m; i++) lines[i * k + p] = a.data[i * a.down + p * a.right];
      x.a = (View){lines, k, 1};
    }
    parallel(engine, 8.0 * n * k, divide_up(n, FEW_COLUMNS), few_unit, &x);
    return 1;
  }
  // Equal blocks: one of a few k would cost as much reading and writing of the result as a whole one.
  const Index most = m <= FEW_ROWS ? 8 * DEPTH : DEPTH; // a thin product would wait for the other threads between blocks
  Index depth = larger(1, divide_up(k, larger(1, (k + most / 2) / most))), width = smaller(round_up(n, TILE_COLUMNS), BLOCK_COLUMNS);
  if (!reserve(engine, (size_t)(depth * width) * 4, (size_t)(depth * BLOCK_ROWS) * 4)) return 0;
  x.packed = engine->shared.memory;
  // Enough units that no thread is left waiting: of fewer rows, and only where there are not enough, of fewer columns,
  // since every unit packs its own rows.
  Index wanted = engine->threads == 1 ? 1 : 4 * engine->threads;
  x.rows = smaller(BLOCK_ROWS, round_up(divide_up(m, wanted), TILE_ROWS));
  x.rowBlocks = divide_up(m, x.rows);
  for (Index j = 0; j < n; j += BLOCK_COLUMNS) {
    x.n = smaller(BLOCK_COLUMNS, n - j);
    Index panels = divide_up(x.n, TILE_COLUMNS);
    x.columns = divide_up(panels, smaller(panels, divide_up(wanted, x.rowBlocks))) * TILE_COLUMNS;
    for (Index p = 0; p < k || p == 0; p += depth) {
      x.k = smaller(depth, k - p);
      x.a = view_from(a, 0, p);
      x.b = view_from(b, p, j);
      x.out = out;
      x.out.data += j * out.right;
      x.out.add = out.add || p > 0;
      parallel(engine, 4.0 * x.n * x.k, panels, pack_unit, &x);
      parallel(engine, 2.0 * m * x.n * x.k, x.rowBlocks * divide_up(x.n, x.columns), multiply_unit, &x);
    }
  }
  return 1;
}
