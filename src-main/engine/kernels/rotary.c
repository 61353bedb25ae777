// Rotary position embedding (Su et al. 2021), half-split as in Hugging Face's Llama: within a head, number i and number
// i + C/2 are turned as one point by the position's angle i. In place; direction -1 turns back.
#include "vector.h"

enum { ROTARY_ROWS = 32 };

typedef struct {
  float *x;           // [rows, heads, C]
  const float *table; // [positions, C]: cos of C/2 angles, then sin of them
  const int32_t *positions;
  Index rows, heads, headWidth;
  float direction;
} Rotary;

static void rotary_unit(void *context, Index unit, int thread) {
  (void)thread;
  const Rotary *o = context;
  const Index C = o->headWidth, half = C / 2, end = smaller(o->rows, (unit + 1) * ROTARY_ROWS);
  for (Index n = unit * ROTARY_ROWS; n < end; n++) {
    const float *cosine = o->table + o->positions[n] * C, *sine = cosine + half;
    for (Index h = 0; h < o->heads; h++) {
      float *restrict a = o->x + (n * o->heads + h) * C, *restrict b = a + half;
      for (Index i = 0; i < half; i++) {
        const float first = a[i], second = b[i], s = sine[i] * o->direction;
        a[i] = first * cosine[i] - second * s;
        b[i] = second * cosine[i] + first * s;
      }
    }
  }
}

static void rotary(Engine *engine, Rotary o) {
  parallel(engine, 3.0 * o.rows * o.heads * o.headWidth, divide_up(o.rows, ROTARY_ROWS), rotary_unit, &o);
}
