// Causal attention within segments, grouped heads, forward and backward. As in FlashAttention (Dao et al. 2022) no
// matrix of all tokens by all tokens is kept: the way back computes the probabilities again from the rows' log-sums.
// Unlike it, a few query rows see all their keys at once (a strip of scores in scratch memory), so softmax is plain.
// Only the visible part of a strip is computed. Left out: dropout, windows, biases.
#include "exp.h"
#include "tile.h"

typedef struct {
  Index heads, keyValueHeads, headWidth; // H, K, C
  float scale;
} AttentionShape;

/** One sequence: `queries` rows at the end of `keys` rows. Query j sees keys 0 .. keys - queries + j. */
typedef struct {
  Index firstQuery, queries, firstKey, keys;
} Segment;

typedef struct {
  Engine *engine;
  AttentionShape shape;
  const int32_t *segments;
  float *out, *logSums;
  const float *q, *k, *v;
  const float *dOut; // backward only, with out and logSums only read
  float *dQ, *dK, *dV;
} Attention;

static Segment segment_at(const Attention *x, Index s) {
  const int32_t *at = x->segments + 4 * s;
  return (Segment){at[0], at[1], at[2], at[3]};
}

/** Floats from one row of a strip to the next. Odd in cache lines, so that rows do not fall upon one another. */
static Index strip_width(Index keys) { return round_up(keys + TILE_COLUMNS + TILE_ROWS, 4 * TILE_COLUMNS) + LANES; }

/** In place: scores become exp(scale * (score - largest)); returns the log of the sum of exp(scale * score). */
static float softmax_row(float *row, Index n, float scale, float *sum) {
  Vec largest = splat(row[0]), total = {0};
  Index j = 0;
  for (; j + LANES <= n; j += LANES) largest = at_least(load(row + j), largest);
  float top = largest_lane(largest);
  for (; j < n; j++) top = row[j] > top ? row[j] : top;
  for (j = 0; j < n; j += LANES) {
    Vec p = exp_lanes((load(row + j) - top) * scale); // strips are wider than their rows: reading on is harmless
    store(row + j, p);
    if (j + LANES > n) p = load_some(row + j, n - j);
    total += p;
  }
  *sum = sum_lanes(total);
  return top * scale + (float)natural_log(*sum);
}

// ---- Forward

enum { FEW_QUERIES = 4 }; // so few are not worth packing the keys for: decoding

/** One query: its scores are dot products with the keys as they lie, and its answer a sum of the values as they lie. */
static void attend_one(const Attention *x, Segment s, Index row, Index head, float *strip) {
  const Index C = x->shape.headWidth, down = x->shape.keyValueHeads * C;
  const Index group = x->shape.heads / x->shape.keyValueHeads, visible = s.keys - s.queries + row + 1;
  const float *q = x->q + ((s.firstQuery + row) * x->shape.heads + head) * C;
  const float *k = x->k + s.firstKey * down + head / group * C, *v = x->v + s.firstKey * down + head / group * C;
  float *out = x->out + ((s.firstQuery + row) * x->shape.heads + head) * C, sum;
  for (Index j = 0; j < visible; j++) strip[j] = dot(q, k + j * down, C);
  x->logSums[(s.firstQuery + row) * x->shape.heads + head] = softmax_row(strip, visible, x->shape.scale, &sum);
  for (Index c = 0; c < C; c += LANES) {
    Index some = smaller(LANES, C - c);
    Vec total = {0};
    if (some == LANES)
      for (Index j = 0; j < visible; j++) total = multiply_add(splat(strip[j]), load(v + j * down + c), total);
    else
      for (Index j = 0; j < visible; j++) total = multiply_add(splat(strip[j]), load_some(v + j * down + c, some), total);
    store_some(out + c, total / splat(sum), some);
  }
}

/** Floats of scratch that one unit of the way forward needs. */
static Index forward_scratch(Index C, Index keys) {
  return C * round_up(keys, TILE_COLUMNS) + keys * round_up(C, TILE_COLUMNS) + TILE_ROWS * (C + strip_width(keys));
}

static void attention_unit(void *context, Index unit, int thread) {
  const Attention *x = context;
  const Index H = x->shape.heads, K = x->shape.keyValueHeads, C = x->shape.headWidth, head = unit % H;
  const Segment s = segment_at(x, unit / H);
  float *scratch = x->engine->own[thread].memory;
  if (s.queries <= FEW_QUERIES) {
    for (Index row = 0; row < s.queries; row++) attend_one(x, s, row, head, scratch);
    return;
  }
  const Index width = strip_width(s.keys);
  float *keys = scratch, *values = keys + C * round_up(s.keys, TILE_COLUMNS); // in panels: [C, keys] and [keys, C]
  float *queries = values + s.keys * round_up(C, TILE_COLUMNS), *strip = queries + TILE_ROWS * C;
  const float *k = x->k + s.firstKey * K * C + head / (H / K) * C, *v = x->v + s.firstKey * K * C + head / (H / K) * C;
  pack_columns(keys, (View){k, 1, K * C}, C, s.keys);
  pack_columns(values, (View){v, K * C, 1}, s.keys, C);

  for (Index first = 0; first < s.queries; first += TILE_ROWS) {
    const Index rows = smaller(TILE_ROWS, s.queries - first);
    const Index seen = s.keys - s.queries + first + rows; // by the last of these rows
    const Index at = ((s.firstQuery + first) * H + head) * C;
    float sums[TILE_ROWS] = {0};
    pack_rows(queries, (View){x->q + at, H * C, 1}, rows, C);
    for (Index j = 0; j < seen; j += TILE_COLUMNS)
      tile_beside(C, queries, TILE_ROWS, keys + j * C, TILE_COLUMNS, (Target){strip + j, width, 1, 1, 0});
    for (Index r = 0; r < rows; r++) {
      const Index visible = seen - rows + r + 1;
      float *row = strip + r * width;
      x->logSums[(s.firstQuery + first + r) * H + head] = softmax_row(row, visible, x->shape.scale, &sums[r]);
      for (Index j = visible; j < seen; j++) row[j] = 0;
    }
    for (Index c = 0; c < C; c += TILE_COLUMNS) {
      Target out = {x->out + at + c, H * C, 1, 1, 0};
      any_tile(rows, smaller(TILE_COLUMNS, C - c), seen, strip, width, 1, values + c * s.keys, TILE_COLUMNS, out);
    }
    for (Index r = 0; r < rows; r++)
      for (Index c = 0; c < C; c++) x->out[at + r * H * C + c] /= sums[r];
  }
}

/** 0 when there is no memory. */
static int attention(Engine *engine, Attention x, Index segments) {
  x.engine = engine;
  Index most = 0;
  double work = 0;
  for (Index i = 0; i < segments; i++) {
    Segment s = segment_at(&x, i);
    most = larger(most, s.queries <= FEW_QUERIES ? strip_width(s.keys) : forward_scratch(x.shape.headWidth, s.keys));
    work += 2.0 * s.queries * s.keys * x.shape.headWidth * x.shape.heads;
  }
  if (!reserve(engine, 0, (size_t)most * 4)) return 0;
  parallel(engine, work, segments * x.shape.heads, attention_unit, &x);
  return 1;
}

// ---- Backward. With S = scale q k', P = softmax(S) and dP = dOut v':
//   dS = P (dP - row sum of dOut * out);  dQ = scale dS k;  dK = scale dS' q;  dV = P' dOut.

enum { BLOCK_QUERIES = TILE_ROWS * (TILE_ROWS >= 8 ? 4 : 8) }; // rows summed into dK and dV at once

static Index backward_scratch(Index C, Index keys) {
  const Index panels = 2 * C * round_up(keys, TILE_COLUMNS) + keys * round_up(C, TILE_COLUMNS);
  const Index rows = 2 * TILE_ROWS * C + 2 * BLOCK_QUERIES * round_up(C, TILE_COLUMNS);
  return panels + rows + 2 * BLOCK_QUERIES * strip_width(keys);
}

/** dX[key, c] += factor * sum over the block's rows of strip[row, key] right[row, c]; right is in panels. */
static void add_to_keys(float *dX, Index down, Index C, Index seen, Index unseen, const float *strip, Index width,
                        const float *right, Index rows, float factor) {
  for (Index key = 0; key < seen; key += TILE_ROWS) {
    const Index from = smaller(rows, larger(0, key - unseen)); // earlier rows do not see this key
    for (Index c = 0; c < C; c += TILE_COLUMNS)
      any_tile(smaller(TILE_ROWS, seen - key), smaller(TILE_COLUMNS, C - c), rows - from, strip + from * width + key, 1,
               width, right + c * rows + from * TILE_COLUMNS, TILE_COLUMNS,
               (Target){dX + key * down + c, down, 1, factor, 1});
  }
}

/** One key/value head of one segment, with all query heads that share it, in order: so dK and dV have one writer. */
static void attention_backward_unit(void *context, Index unit, int thread) {
  const Attention *x = context;
  const Index H = x->shape.heads, K = x->shape.keyValueHeads, C = x->shape.headWidth, keyHead = unit % K;
  const Segment s = segment_at(x, unit / K);
  const Index down = K * C, keyAt = s.firstKey * down + keyHead * C, width = strip_width(s.keys);
  const Index wide = round_up(C, TILE_COLUMNS), panel = C * round_up(s.keys, TILE_COLUMNS);
  float *keysAcross = x->engine->own[thread].memory, *valuesAcross = keysAcross + panel; // [C, keys]
  float *keysDown = valuesAcross + panel;                                                // [keys, C]
  float *left = keysDown + s.keys * wide, *leftOut = left + TILE_ROWS * C;                // q and dOut, as left operands
  float *right = leftOut + TILE_ROWS * C, *rightOut = right + BLOCK_QUERIES * wide;       // and as right ones
  float *strips = rightOut + BLOCK_QUERIES * wide, *dStrips = strips + BLOCK_QUERIES * width; // P, and dP then dS
  pack_columns(keysAcross, (View){x->k + keyAt, 1, down}, C, s.keys);
  pack_columns(valuesAcross, (View){x->v + keyAt, 1, down}, C, s.keys);
  pack_columns(keysDown, (View){x->k + keyAt, down, 1}, s.keys, C);

  for (Index head = keyHead * (H / K); head < (keyHead + 1) * (H / K); head++)
    for (Index block = 0; block < s.queries; block += BLOCK_QUERIES) {
      const Index blockRows = smaller(BLOCK_QUERIES, s.queries - block), unseen = s.keys - s.queries + block;
      const Index blockSeen = unseen + blockRows, blockAt = ((s.firstQuery + block) * H + head) * C;
      pack_columns(right, (View){x->q + blockAt, H * C, 1}, blockRows, C);
      pack_columns(rightOut, (View){x->dOut + blockAt, H * C, 1}, blockRows, C);

      for (Index first = 0; first < blockRows; first += TILE_ROWS) {
        const Index rows = smaller(TILE_ROWS, blockRows - first), seen = unseen + first + rows;
        const Index at = blockAt + first * H * C;
        float *strip = strips + first * width, *dStrip = dStrips + first * width;
        pack_rows(left, (View){x->q + at, H * C, 1}, rows, C);
        pack_rows(leftOut, (View){x->dOut + at, H * C, 1}, rows, C);
        for (Index j = 0; j < seen; j += TILE_COLUMNS) {
          tile_beside(C, left, TILE_ROWS, keysAcross + j * C, TILE_COLUMNS, (Target){strip + j, width, 1, 1, 0});
          tile_beside(C, leftOut, TILE_ROWS, valuesAcross + j * C, TILE_COLUMNS, (Target){dStrip + j, width, 1, 1, 0});
        }
        for (Index r = 0; r < rows; r++) {
          const Index visible = unseen + first + r + 1, token = s.firstQuery + block + first + r;
          const float mean = dot(x->dOut + at + r * H * C, x->out + at + r * H * C, C);
          const Vec logSum = splat(x->logSums[token * H + head]), scale = splat(x->shape.scale);
          float *p = strip + r * width, *dS = dStrip + r * width;
          for (Index j = 0; j < visible; j += LANES) {
            const Vec probability = exp_lanes(load(p + j) * scale - logSum);
            store(p + j, probability);
            store(dS + j, probability * (load(dS + j) - mean));
          }
          for (Index j = visible; j < blockSeen; j++) p[j] = dS[j] = 0;
        }
        for (Index c = 0; c < C; c += TILE_COLUMNS)
          any_tile(rows, smaller(TILE_COLUMNS, C - c), seen, dStrip, width, 1, keysDown + c * s.keys, TILE_COLUMNS,
                   (Target){x->dQ + at + c, H * C, 1, x->shape.scale, 1});
      }
      add_to_keys(x->dK + keyAt, down, C, blockSeen, unseen, dStrips, width, right, blockRows, x->shape.scale);
      add_to_keys(x->dV + keyAt, down, C, blockSeen, unseen, strips, width, rightOut, blockRows, 1);
    }
}

/** 0 when there is no memory. */
static int attention_backward(Engine *engine, Attention x, Index segments) {
  x.engine = engine;
  Index most = 0;
  double work = 0;
  for (Index i = 0; i < segments; i++) {
    Segment s = segment_at(&x, i);
    most = larger(most, backward_scratch(x.shape.headWidth, s.keys));
    work += 5.0 * s.queries * s.keys * x.shape.headWidth * x.shape.heads;
  }
  if (!reserve(engine, 0, (size_t)most * 4)) return 0;
  parallel(engine, work, segments * x.shape.keyValueHeads, attention_backward_unit, &x);
  return 1;
}
