// From scores over the vocabulary to the log-probability of each row's target, and back:
//   logprob = score[target] - logSum,  dScore[j] = dLogprob * ((j == target) - exp(score[j] - logSum)).
#include "exp.h"

typedef struct {
  Index rows, vocabulary;
  float *scores; // only read on the way forward
  const int32_t *targets;
  float *logprobs, *logSums;
  float *entropy, *best; // may be null
  const float *dLogprobs;
} Vocabulary;

static void logprobs_unit(void *context, Index row, int thread) {
  (void)thread;
  const Vocabulary *x = context;
  const Index V = x->vocabulary, whole = V / LANES * LANES;
  const float *scores = x->scores + row * V, own = scores[x->targets[row]];
  Vec tops = splat(scores[0]), sums = {0}, weighed = {0};
  for (Index j = 0; j < whole; j += LANES) tops = at_least(load(scores + j), tops);
  float top = largest_lane(tops);
  for (Index j = whole; j < V; j++) top = scores[j] > top ? scores[j] : top;
  for (Index j = 0; j < whole; j += LANES) {
    const Vec below = load(scores + j) - top, p = exp_lanes(below);
    sums += p;
    weighed = multiply_add(p, below, weighed);
  }
  float sum = sum_lanes(sums), weight = sum_lanes(weighed);
  for (Index j = whole; j < V; j++) {
    const float below = scores[j] - top, p = exp_lanes(splat(below))[0];
    sum += p;
    weight += p * below;
  }
  const double logSum = natural_log(sum); // beyond top
  x->logprobs[row] = (float)((double)own - top - logSum);
  x->logSums[row] = (float)(top + logSum);
  if (x->entropy) x->entropy[row] = (float)(logSum - weight / sum);
  if (x->best) x->best[row] = own >= top;
}

static void logprobs(Engine *engine, Vocabulary x) {
  parallel(engine, 10.0 * x.rows * x.vocabulary, x.rows, logprobs_unit, &x);
}

static void logprobs_backward_unit(void *context, Index row, int thread) {
  (void)thread;
  const Vocabulary *x = context;
  const Index V = x->vocabulary, whole = V / LANES * LANES;
  const float d = x->dLogprobs[row], logSum = x->logSums[row];
  float *scores = x->scores + row * V;
  for (Index j = 0; j < whole; j += LANES) store(scores + j, exp_lanes(load(scores + j) - logSum) * -d);
  for (Index j = whole; j < V; j++) scores[j] = exp_lanes(splat(scores[j] - logSum))[0] * -d;
  scores[x->targets[row]] += d;
}

/** In place: scores become their gradient. */
static void logprobs_backward(Engine *engine, Vocabulary x) {
  parallel(engine, 10.0 * x.rows * x.vocabulary, x.rows, logprobs_backward_unit, &x);
}
