// Arithmetic number by number, in pieces that the threads share, and the sum of squares.
#include "exp.h"

enum { PIECE = 1 << 14 }; // elements of a unit: 64 KB

typedef struct {
  Index size;
  float *to;
  const float *from;
  float factor;
} Plain;

static void fill_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Plain *x = context;
  for (Index i = unit * PIECE; i < smaller(x->size, (unit + 1) * PIECE); i++) x->to[i] = x->factor;
}
static void copy_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Plain *x = context;
  const Index from = unit * PIECE, count = smaller(PIECE, x->size - from);
  __builtin_memmove(x->to + from, x->from + from, (size_t)count * 4);
}
static void add_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Plain *x = context;
  for (Index i = unit * PIECE; i < smaller(x->size, (unit + 1) * PIECE); i++) x->to[i] += x->factor * x->from[i];
}
static void scale_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Plain *x = context;
  for (Index i = unit * PIECE; i < smaller(x->size, (unit + 1) * PIECE); i++) x->to[i] *= x->factor;
}
static void plain(Engine *engine, Task *task, Plain x) {
  parallel(engine, 2.0 * x.size, divide_up(x.size, PIECE), task, &x);
}

// ---- Gated activation (SwiGLU, Shazeer 2020): h = silu(gate) up with silu(x) = x / (1 + e^-x)

typedef struct {
  Index size;
  const float *gate, *up, *dH;
  float *h, *dGate, *dUp;
} Gated;

static void gated_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Gated *x = context;
  const Index end = smaller(x->size, (unit + 1) * PIECE);
  for (Index i = unit * PIECE; i < end; i += LANES) {
    const Index some = smaller(LANES, end - i);
    const Vec gate = some == LANES ? load(x->gate + i) : load_some(x->gate + i, some);
    const Vec up = some == LANES ? load(x->up + i) : load_some(x->up + i, some);
    const Vec h = gate / (1.0f + exp_lanes(-gate)) * up;
    if (some == LANES) store(x->h + i, h);
    else store_some(x->h + i, h, some);
  }
}
static void gated_silu(Engine *engine, Gated x) {
  parallel(engine, 16.0 * x.size, divide_up(x.size, PIECE), gated_unit, &x);
}

/** dGate or dUp may be dH itself: all is read before anything is written. */
static void gated_backward_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Gated *x = context;
  const Index end = smaller(x->size, (unit + 1) * PIECE);
  for (Index i = unit * PIECE; i < end; i += LANES) {
    const Index some = smaller(LANES, end - i);
    const Vec gate = some == LANES ? load(x->gate + i) : load_some(x->gate + i, some);
    const Vec up = some == LANES ? load(x->up + i) : load_some(x->up + i, some);
    const Vec dH = some == LANES ? load(x->dH + i) : load_some(x->dH + i, some);
    const Vec s = 1.0f / (1.0f + exp_lanes(-gate)), silu = gate * s;
    const Vec dUp = dH * silu, dGate = dH * up * (s + silu * (1.0f - s));
    if (some == LANES) store(x->dUp + i, dUp), store(x->dGate + i, dGate);
    else store_some(x->dUp + i, dUp, some), store_some(x->dGate + i, dGate, some);
  }
}
static void gated_silu_backward(Engine *engine, Gated x) {
  parallel(engine, 20.0 * x.size, divide_up(x.size, PIECE), gated_backward_unit, &x);
}

// ---- Sum of squares, in double: each piece by itself, then the pieces in order

typedef struct {
  Index size;
  const float *from;
  double *sums; // one for each piece
} Squares;

static void squares_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Squares *x = context;
  double sum[8] = {0};
  Index i = unit * PIECE, end = smaller(x->size, (unit + 1) * PIECE);
  for (; i + 8 <= end; i += 8)
    for (int lane = 0; lane < 8; lane++) sum[lane] += (double)x->from[i + lane] * x->from[i + lane];
  for (; i < end; i++) sum[0] += (double)x->from[i] * x->from[i];
  x->sums[unit] = ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/** -1 when there is no memory. */
static double sum_squares(Engine *engine, Index size, const float *from) {
  const Index pieces = divide_up(size, PIECE);
  if (!reserve(engine, (size_t)pieces * sizeof(double), 0)) return -1;
  Squares x = {size, from, engine->shared.memory};
  parallel(engine, 2.0 * size, pieces, squares_unit, &x);
  double sum = 0;
  for (Index i = 0; i < pieces; i++) sum += x.sums[i];
  return sum;
}
