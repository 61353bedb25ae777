// Root-mean-square norm (Zhang & Sennrich 2019): y = x r weight with r = 1 / sqrt(mean(x^2) + epsilon), a row at a time.
// The way back, with g = dY weight:  dX += r (g - x r^2 mean(g x)),  dWeight += sum over rows of dY x r.
#include "vector.h"

enum { NORM_ROWS = 32, NORM_PARTS = 32 };

typedef struct {
  Engine *engine;
  Index rows, width;
  float *y, *r;
  const float *x, *weight, *dY;
  float *dX, *dWeight;
  float epsilon;
} Norm;

static void norm_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Norm *n = context;
  const Index width = n->width, end = smaller(n->rows, (unit + 1) * NORM_ROWS);
  for (Index i = unit * NORM_ROWS; i < end; i++) {
    const float *x = n->x + i * width;
    float *y = n->y + i * width;
    const float r = 1 / __builtin_sqrtf(dot(x, x, width) / width + n->epsilon);
    for (Index j = 0; j < width; j++) y[j] = x[j] * r * n->weight[j];
    n->r[i] = r;
  }
}

static void rms_norm(Engine *engine, Norm n) {
  parallel(engine, 4.0 * n.rows * n.width, divide_up(n.rows, NORM_ROWS), norm_unit, &n);
}

/** Rows are cut into NORM_PARTS parts, whatever the threads, each with its own sum for dWeight: added in order below. */
static void norm_backward_unit(void *context, Index part, int thread) {
  (void)thread;
  const Norm *n = context;
  const Index width = n->width, end = n->rows * (part + 1) / NORM_PARTS;
  float *dWeight = n->dWeight ? (float *)n->engine->shared.memory + part * width : 0;
  for (Index j = 0; dWeight && j < width; j++) dWeight[j] = 0;
  for (Index i = n->rows * part / NORM_PARTS; i < end; i++) {
    const float *x = n->x + i * width, *dY = n->dY + i * width, *weight = n->weight;
    const float r = n->r[i];
    float *dX = n->dX + i * width;
    Vec sum = {0};
    Index j = 0;
    for (; j + LANES <= width; j += LANES) sum = multiply_add(load(dY + j) * load(weight + j), load(x + j), sum);
    float along = sum_lanes(sum);
    for (; j < width; j++) along += dY[j] * weight[j] * x[j];
    const float pull = along / width * r * r * r;
    for (j = 0; j < width; j++) dX[j] += dY[j] * weight[j] * r - x[j] * pull;
    if (dWeight)
      for (j = 0; j < width; j++) dWeight[j] += dY[j] * x[j] * r;
  }
}

/** 0 when there is no memory. */
static int rms_norm_backward(Engine *engine, Norm n) {
  n.engine = engine;
  if (!reserve(engine, (size_t)(NORM_PARTS * n.width) * 4, 0)) return 0;
  parallel(engine, 8.0 * n.rows * n.width, NORM_PARTS, norm_backward_unit, &n);
  const float *parts = engine->shared.memory;
  for (Index part = 0; n.dWeight && part < NORM_PARTS; part++)
    for (Index j = 0; j < n.width; j++) n.dWeight[j] += parts[part * n.width + j];
  return 1;
}
