// AdamW (Kingma & Ba 2015; decoupled weight decay after Loshchilov & Hutter 2019), in PyTorch's order: decay, moments,
// step. The factor on the gradient is where one over the weight of the batch, and clipping, come in.
#include "vector.h"

enum { ADAM_PIECE = 1 << 13 };

typedef struct {
  Index size;
  float *w, *m, *v;
  const float *g;
  double learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale;
} AdamW;

typedef struct {
  AdamW how;
  float keep, rate, correction; // 1 - learningRate weightDecay; learningRate / (1 - beta1^step); 1 / sqrt(1 - beta2^step)
} AdamWStep;

static double to_power(double base, double exponent) {
  double result = 1;
  for (Index n = (Index)exponent; n > 0; n /= 2, base *= base)
    if (n % 2) result *= base;
  return result;
}

static void adamw_unit(void *context, Index unit, int thread) {
  (void)thread;
  const AdamWStep *x = context;
  const Index first = unit * ADAM_PIECE, count = smaller(ADAM_PIECE, x->how.size - first);
  float *restrict w = x->how.w + first, *restrict m = x->how.m + first, *restrict v = x->how.v + first;
  const float *restrict g = x->how.g + first;
  const float scale = (float)x->how.gradientScale, keep = x->keep, rate = x->rate, correction = x->correction;
  const float beta1 = (float)x->how.beta1, beta2 = (float)x->how.beta2, epsilon = (float)x->how.epsilon;
  const float rest1 = (float)(1 - x->how.beta1), rest2 = (float)(1 - x->how.beta2);
  for (Index i = 0; i < count; i++) {
    const float gradient = g[i] * scale;
    m[i] = beta1 * m[i] + rest1 * gradient;
    v[i] = beta2 * v[i] + rest2 * gradient * gradient;
    w[i] = keep * w[i] - rate * m[i] / (__builtin_sqrtf(v[i]) * correction + epsilon);
  }
}

static void adamw(Engine *engine, AdamW how) {
  AdamWStep x = {.how = how};
  x.keep = (float)(1 - how.learningRate * how.weightDecay);
  x.rate = (float)(how.learningRate / (1 - to_power(how.beta1, how.step)));
  x.correction = (float)(1 / __builtin_sqrt(1 - to_power(how.beta2, how.step)));
  parallel(engine, 12.0 * how.size, divide_up(how.size, ADAM_PIECE), adamw_unit, &x);
}
