// What every kernel sees of the engine: sizes, threads and scratch memory. One Engine belongs to one backend object,
// so that several worker threads of Node can load this library and never meet.
#ifndef TEMPER_ENGINE_H
#define TEMPER_ENGINE_H

#include <stddef.h>
#include <stdint.h>

// Counts and strides, in elements. As wide as an address: 64 bits at home, 32 in WebAssembly, where 64 would be slow.
typedef ptrdiff_t Index;

enum { MOST_THREADS = 64 };

typedef struct {
  void *memory;
  size_t bytes;
} Scratch;

typedef struct Engine {
  int threads;
  struct Pool *pool;       // null where one thread does all
  struct Block *blocks;    // native: all memory given out, so that close can free what is left
  Scratch shared;          // one for the kernel that runs
  Scratch own[MOST_THREADS]; // and one for each thread
} Engine;

/** Does units 0 .. units-1, each once, on any thread, and returns when all are done. A unit must not depend on another,
 * nor on which thread does it: then the result has the same bits whatever the threads did. `work` is about how many
 * operations all of it takes: where it is little, one thread does it at once. */
typedef void Task(void *context, Index unit, int thread);
void parallel(Engine *engine, double work, Index units, Task *task, void *context);

/** Makes room for a kernel's scratch before it starts; kept for the next call. 0 when there is no more memory. */
int reserve(Engine *engine, size_t sharedBytes, size_t ownBytes);

/** 64-byte aligned memory, zeroed; null when there is none. The size is given back on release. */
void *allocate(Engine *engine, size_t bytes);
void release(Engine *engine, void *memory, size_t bytes);

/** What one build of the kernels offers: see kernels.c. */
typedef struct {
  const char *level;  // the instructions that it was compiled for
  const char *names;  // "fill/3 copy/3 ...": each kernel and how many arguments it takes
  double (*call)(Engine *engine, int kernel, const double *arguments);
} Kernels;

static inline Index smaller(Index a, Index b) { return a < b ? a : b; }
static inline Index larger(Index a, Index b) { return a > b ? a : b; }
static inline Index divide_up(Index a, Index b) { return (a + b - 1) / b; }
static inline Index round_up(Index a, Index b) { return divide_up(a, b) * b; }

#endif
