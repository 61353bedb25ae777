// All kernels as one unit, compiled once for each level of instructions (see build.ts), and the list by which the two
// doors (native.c, wasm.c) and compiled.ts know them: name, number of arguments, call. An argument is a double: a count,
// a factor, or an address (exact below 2^53). A kernel that finds no memory for its scratch returns -1.
#include "attention.c"
#include "adamw.c"
#include "elementwise.c"
#include "matmul.c"
#include "norm.c"
#include "rotary.c"
#include "rows.c"
#include "vocabulary.c"

#define FLOATS(i) ((float *)(uintptr_t)x[i])
#define INTEGERS(i) ((const int32_t *)(uintptr_t)x[i])
#define COUNT(i) ((Index)x[i])
#define FACTOR(i) ((float)x[i])
#define TRIED(done) ((done) ? 0 : -1)

#define KERNELS(KERNEL)                                                                                                \
  KERNEL(fill, 3, (plain(e, fill_unit, (Plain){COUNT(0), FLOATS(1), 0, FACTOR(2)}), 0))                                \
  KERNEL(copy, 3, (plain(e, copy_unit, (Plain){COUNT(0), FLOATS(1), FLOATS(2), 0}), 0))                                \
  KERNEL(add, 4, (plain(e, add_unit, (Plain){COUNT(0), FLOATS(1), FLOATS(2), FACTOR(3)}), 0))                          \
  KERNEL(scale, 3, (plain(e, scale_unit, (Plain){COUNT(0), FLOATS(1), 0, FACTOR(2)}), 0))                              \
  KERNEL(sumSquares, 2, sum_squares(e, COUNT(0), FLOATS(1)))                                                           \
  KERNEL(matmul, 10,                                                                                                   \
         TRIED(matmul(e, COUNT(0), COUNT(1), COUNT(2), (View){FLOATS(4), x[6] ? 1 : COUNT(2), x[6] ? COUNT(0) : 1},    \
                      (View){FLOATS(5), x[7] ? 1 : COUNT(1), x[7] ? COUNT(2) : 1},                                     \
                      (Target){FLOATS(3), COUNT(1), 1, FACTOR(8), x[9] != 0})))                                           \
  KERNEL(gatherRows, 5, (gather_rows(e, (Rows){FLOATS(2), FLOATS(3), INTEGERS(4), COUNT(0), COUNT(1)}), 0))            \
  KERNEL(scatterAddRows, 5, (scatter_add_rows(e, (Rows){FLOATS(2), FLOATS(3), INTEGERS(4), COUNT(0), COUNT(1)}), 0))   \
  KERNEL(rmsNorm, 7,                                                                                                   \
         (rms_norm(e, (Norm){.rows = COUNT(0), .width = COUNT(1), .y = FLOATS(2), .r = FLOATS(3), .x = FLOATS(4),      \
                             .weight = FLOATS(5), .epsilon = FACTOR(6)}),                                              \
          0))                                                                                                          \
  KERNEL(rmsNormBackward, 8,                                                                                           \
         TRIED(rms_norm_backward(e, (Norm){.rows = COUNT(0), .width = COUNT(1), .dX = FLOATS(2), .dWeight = FLOATS(3), \
                                           .dY = FLOATS(4), .x = FLOATS(5), .weight = FLOATS(6), .r = FLOATS(7)})))    \
  KERNEL(rotary, 7,                                                                                                    \
         (rotary(e, (Rotary){.rows = COUNT(0), .heads = COUNT(1), .headWidth = COUNT(2), .x = FLOATS(3),               \
                             .table = FLOATS(4), .positions = INTEGERS(5), .direction = FACTOR(6)}),                   \
          0))                                                                                                          \
  KERNEL(attention, 11,                                                                                                \
         TRIED(attention(e, (Attention){.segments = INTEGERS(1), .shape = {COUNT(2), COUNT(3), COUNT(4), FACTOR(5)},   \
                                        .out = FLOATS(6), .logSums = FLOATS(7), .q = FLOATS(8), .k = FLOATS(9),        \
                                        .v = FLOATS(10)}, COUNT(0))))                                                  \
  KERNEL(attentionBackward, 15,                                                                                        \
         TRIED(attention_backward(e, (Attention){.segments = INTEGERS(1),                                              \
                                                 .shape = {COUNT(2), COUNT(3), COUNT(4), FACTOR(5)},                   \
                                                 .dQ = FLOATS(6), .dK = FLOATS(7), .dV = FLOATS(8), .dOut = FLOATS(9), \
                                                 .out = FLOATS(10), .logSums = FLOATS(11), .q = FLOATS(12),            \
                                                 .k = FLOATS(13), .v = FLOATS(14)}, COUNT(0))))                        \
  KERNEL(gatedSilu, 4,                                                                                                 \
         (gated_silu(e, (Gated){.size = COUNT(0), .h = FLOATS(1), .gate = FLOATS(2), .up = FLOATS(3)}), 0))            \
  KERNEL(gatedSiluBackward, 6,                                                                                         \
         (gated_silu_backward(e, (Gated){.size = COUNT(0), .dGate = FLOATS(1), .dUp = FLOATS(2), .dH = FLOATS(3),      \
                                         .gate = FLOATS(4), .up = FLOATS(5)}),                                         \
          0))                                                                                                          \
  KERNEL(logprobs, 8,                                                                                                  \
         (logprobs(e, (Vocabulary){.rows = COUNT(0), .vocabulary = COUNT(1), .logprobs = FLOATS(2),                    \
                                   .logSums = FLOATS(3), .entropy = FLOATS(4), .best = FLOATS(5), .scores = FLOATS(6), \
                                   .targets = INTEGERS(7)}),                                                           \
          0))                                                                                                          \
  KERNEL(logprobsBackward, 6,                                                                                          \
         (logprobs_backward(e, (Vocabulary){.rows = COUNT(0), .vocabulary = COUNT(1), .scores = FLOATS(2),             \
                                            .logSums = FLOATS(3), .targets = INTEGERS(4), .dLogprobs = FLOATS(5)}),    \
          0))                                                                                                          \
  KERNEL(adamW, 12,                                                                                                    \
         (adamw(e, (AdamW){COUNT(0), FLOATS(1), FLOATS(2), FLOATS(3), FLOATS(4), x[5], x[6], x[7], x[8], x[9], x[10],  \
                           x[11]}),                                                                                    \
          0))                                                                                                          \
  KERNEL(scratchBytes, 0, scratch_bytes(e))

static double scratch_bytes(Engine *e) {
  double bytes = (double)e->shared.bytes;
  for (int t = 0; t < e->threads; t++) bytes += (double)e->own[t].bytes;
  return bytes;
}

#define NAME(name, arguments, call) #name "/" #arguments " "
#define NUMBER(name, arguments, call) NUMBER_OF_##name,
#define CASE(name, arguments, call)                                                                                    \
  case NUMBER_OF_##name: return call;

enum { KERNELS(NUMBER) };

static double call_kernel(Engine *e, int kernel, const double *x) {
  switch (kernel) { KERNELS(CASE) }
  return -1;
}

// LEVEL names this build: kernels_avx2 and its brothers, among which native.c chooses when it is loaded.
#define JOIN(a, b) a##b
#define NAMED(level) JOIN(kernels_, level)
#define QUOTED(text) #text
#define TEXT(level) QUOTED(level)
const Kernels NAMED(LEVEL) = {TEXT(LEVEL), KERNELS(NAME), call_kernel};
