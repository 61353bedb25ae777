// A pool of threads for one engine. A job is `units` pieces of work in as many stretches as there are threads. Each thread,
// the caller among them, claims the pieces of its own stretch, which it likely has in its cache from the job before, and
// then what others left. A thread that sleeps is not waited for: on a busy machine the others do its share.
#include "threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SPIN_NANOSECONDS = 30000 }; // waking takes about as long; spinning longer robs a loaded machine

struct Pool {
  // For each thread the number of the job, and below it how many units of its stretch are not yet claimed: claimed by one
  // compare-and-swap, so that a late thread can never take a unit of a job that it has not seen.
  struct {
    _Alignas(64) _Atomic uint64_t ticket; // a cache line each
  } stretches[MOST_THREADS];
  _Atomic Index unfinished;
  Task *task; // these three stand still while a ticket has units left
  void *context;
  Index units;

  pthread_mutex_t lock;
  pthread_cond_t begun, finished;
  _Atomic int sleepers, callerSleeps, closing, count;
  pthread_t threads[MOST_THREADS];
};

typedef struct {
  struct Pool *pool;
  int thread;
} Worker;

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int units_left(struct Pool *pool) {
  for (int thread = 0; thread <= pool->count; thread++)
    if ((uint32_t)atomic_load(&pool->stretches[thread].ticket) != 0) return 1;
  return 0;
}

/** Where the stretch of a thread begins; that of the thread after the last is the end. */
static Index stretch_start(struct Pool *pool, int thread) { return pool->units * thread / (pool->count + 1); }

/** Does what is left of the stretch of `owner`. */
static void work_through(struct Pool *pool, int owner, int thread) {
  for (;;) {
    uint64_t ticket = atomic_load(&pool->stretches[owner].ticket);
    const uint32_t left = (uint32_t)ticket;
    if (left == 0) return;
    if (!atomic_compare_exchange_weak(&pool->stretches[owner].ticket, &ticket, ticket - 1)) continue;
    pool->task(pool->context, stretch_start(pool, owner + 1) - left, thread);
    if (atomic_fetch_sub(&pool->unfinished, 1) == 1 && atomic_load(&pool->callerSleeps)) {
      pthread_mutex_lock(&pool->lock);
      pthread_cond_signal(&pool->finished);
      pthread_mutex_unlock(&pool->lock);
    }
  }
}

static void work(struct Pool *pool, int thread) {
  for (int i = 0; i <= pool->count; i++) work_through(pool, (thread + i) % (pool->count + 1), thread);
}

static void *live(void *argument) {
  Worker worker = *(Worker *)argument;
  struct Pool *pool = worker.pool;
  free(argument);
  while (!atomic_load(&pool->closing)) {
    work(pool, worker.thread);
    for (int64_t end = nanoseconds() + SPIN_NANOSECONDS; !units_left(pool) && nanoseconds() < end;)
      for (int i = 0; i < 16; i++) relax();
    if (units_left(pool)) continue;
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1); // first this, then look: the caller does it the other way round
    while (!units_left(pool) && !atomic_load(&pool->closing)) pthread_cond_wait(&pool->begun, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
  }
  return 0;
}

enum { TOO_LITTLE = 100000 }; // operations, some 10 us: to share fewer takes longer than to do them

void parallel(Engine *engine, double operations, Index units, Task *task, void *context) {
  struct Pool *pool = engine->pool;
  if (!pool || units < 2 || operations < TOO_LITTLE) {
    for (Index unit = 0; unit < units; unit++) task(context, unit, 0);
    return;
  }
  pool->task = task;
  pool->context = context;
  pool->units = units;
  atomic_store(&pool->unfinished, units);
  const uint64_t job = (atomic_load(&pool->stretches[0].ticket) >> 32) + 1;
  for (int thread = 0; thread <= pool->count; thread++) {
    const Index own = stretch_start(pool, thread + 1) - stretch_start(pool, thread);
    atomic_store(&pool->stretches[thread].ticket, job << 32 | (uint32_t)own);
  }
  if (atomic_load(&pool->sleepers) > 0) {
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->lock);
  }
  work(pool, 0);
  for (int64_t end = nanoseconds() + SPIN_NANOSECONDS; atomic_load(&pool->unfinished) > 0 && nanoseconds() < end;)
    for (int i = 0; i < 16; i++) relax();
  if (atomic_load(&pool->unfinished) == 0) return;
  pthread_mutex_lock(&pool->lock);
  atomic_store(&pool->callerSleeps, 1);
  while (atomic_load(&pool->unfinished) > 0) pthread_cond_wait(&pool->finished, &pool->lock);
  atomic_store(&pool->callerSleeps, 0);
  pthread_mutex_unlock(&pool->lock);
}

void end_threads(Engine *engine) {
  struct Pool *pool = engine->pool;
  if (!pool) return;
  pthread_mutex_lock(&pool->lock);
  atomic_store(&pool->closing, 1);
  pthread_cond_broadcast(&pool->begun);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 0; i < pool->count; i++) pthread_join(pool->threads[i], 0);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->begun);
  pthread_cond_destroy(&pool->finished);
  free(pool);
  engine->pool = 0;
}

int start_threads(Engine *engine, int threads) {
  engine->threads = 1;
  if (threads < 2) return 1;
  struct Pool *pool;
  if (posix_memalign((void **)&pool, 64, sizeof *pool)) return 0;
  memset(pool, 0, sizeof *pool);
  pthread_mutex_init(&pool->lock, 0);
  pthread_cond_init(&pool->begun, 0);
  pthread_cond_init(&pool->finished, 0);
  engine->pool = pool;
  for (int thread = 1; thread < threads && thread < MOST_THREADS; thread++) {
    Worker *worker = malloc(sizeof *worker);
    if (worker) *worker = (Worker){pool, thread};
    if (!worker || pthread_create(&pool->threads[pool->count], 0, live, worker)) {
      free(worker);
      end_threads(engine);
      return 0;
    }
    pool->count++;
  }
  engine->threads = pool->count + 1;
  return 1;
}
