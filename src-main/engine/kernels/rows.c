// Rows picked by number: token embedding and its gradient, and the rows whose next token is scored.
#include "vector.h"

enum { GATHER_ROWS = 64, SCATTER_COLUMNS = 64 };

typedef struct {
  float *to;
  const float *from;
  const int32_t *numbers; // of rows, `count` of them
  Index count, width;
} Rows;

static void gather_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Rows *x = context;
  for (Index m = unit * GATHER_ROWS; m < smaller(x->count, (unit + 1) * GATHER_ROWS); m++)
    __builtin_memcpy(x->to + m * x->width, x->from + x->numbers[m] * x->width, (size_t)x->width * 4);
}

/** to[m] = from[numbers[m]] */
static void gather_rows(Engine *engine, Rows x) {
  parallel(engine, 1.0 * x.count * x.width, divide_up(x.count, GATHER_ROWS), gather_unit, &x);
}

/** A row may be named twice, so threads share the columns, not the rows: each sum is made in order of m. */
static void scatter_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Rows *x = context;
  const Index first = unit * SCATTER_COLUMNS, end = smaller(x->width, first + SCATTER_COLUMNS);
  for (Index m = 0; m < x->count; m++) {
    float *to = x->to + x->numbers[m] * x->width;
    const float *from = x->from + m * x->width;
    for (Index j = first; j < end; j++) to[j] += from[j];
  }
}

/** to[numbers[m]] += from[m], in order of m */
static void scatter_add_rows(Engine *engine, Rows x) {
  parallel(engine, 2.0 * x.count * x.width, divide_up(x.width, SCATTER_COLUMNS), scatter_unit, &x);
}
