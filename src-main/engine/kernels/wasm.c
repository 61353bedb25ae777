// The WebAssembly door: one engine, one thread, and memory that only grows. compiled.ts writes a call's arguments where
// arguments() says, and tensors by their addresses in linear memory.
#include "engine.h"

#define EXPORT(name) __attribute__((export_name(name)))

extern const Kernels kernels_wasm;
extern unsigned char __heap_base; // set by the linker: the first free address

static Engine engine = {.threads = 1};
static double argument[32];

// ---- Memory: blocks of four sizes to each power of two; a freed block waits in its size's list for the next of its size.

enum { PAGE = 65536, CLASSES = 4 * 32 };

typedef struct Free {
  struct Free *next;
} Free;

static Free *waiting[CLASSES];
static uintptr_t top;

/** The smallest size of block that holds so many bytes, 64 * (4..7) * 2^n or less, and its class. */
static size_t block_size(size_t bytes, int *class) {
  size_t lines = (bytes + 63) / 64, step = 1;
  *class = 0;
  if (lines < 4) {
    *class = (int)lines;
    return (lines ? lines : 1) * 64;
  }
  while (lines > 7 * step) step *= 2, *class += 4;
  lines = (lines + step - 1) / step;
  *class += (int)lines;
  return lines * step * 64;
}

void *allocate(Engine *of, size_t bytes) {
  (void)of;
  int class;
  if (bytes > 0xf0000000u) return 0;
  const size_t size = block_size(bytes, &class);
  Free *block = waiting[class];
  if (block) waiting[class] = block->next;
  else {
    if (!top) top = ((uintptr_t)&__heap_base + 63) & ~(uintptr_t)63;
    const uint64_t end = (uint64_t)top + size, have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
    if (end > 0xffff0000u) return 0;
    // Grown by an eighth at least, since each growth makes JavaScript look at the memory anew.
    if (end > have) {
      const uint64_t need = (end - have + PAGE - 1) / PAGE, eighth = have / PAGE / 8;
      if (__builtin_wasm_memory_grow(0, (size_t)(need > eighth ? need : eighth)) == (size_t)-1 &&
          __builtin_wasm_memory_grow(0, (size_t)need) == (size_t)-1)
        return 0;
    }
    block = (Free *)top;
    top = (uintptr_t)end;
  }
  return __builtin_memset(block, 0, size);
}

void release(Engine *of, void *memory, size_t bytes) {
  (void)of;
  if (!memory) return;
  int class;
  block_size(bytes, &class);
  Free *block = memory;
  block->next = waiting[class];
  waiting[class] = block;
}

static int grow(Scratch *scratch, size_t bytes) {
  if (bytes <= scratch->bytes) return 1;
  release(&engine, scratch->memory, scratch->bytes);
  scratch->memory = allocate(&engine, bytes);
  scratch->bytes = scratch->memory ? bytes : 0;
  return scratch->memory != 0;
}

int reserve(Engine *of, size_t sharedBytes, size_t ownBytes) {
  return grow(&of->shared, sharedBytes) && grow(&of->own[0], ownBytes);
}

void parallel(Engine *of, double work, Index units, Task *task, void *context) {
  (void)of, (void)work;
  for (Index unit = 0; unit < units; unit++) task(context, unit, 0);
}

// ---- The door

EXPORT("arguments") double *arguments(void) { return argument; }
EXPORT("names") const char *names(void) { return kernels_wasm.names; }
EXPORT("allocate") void *allocate_memory(double bytes) { return bytes < 4e9 ? allocate(&engine, (size_t)bytes) : 0; }
EXPORT("release") void release_memory(void *memory, double bytes) { release(&engine, memory, (size_t)bytes); }
EXPORT("call") double call(int kernel) { return kernels_wasm.call(&engine, kernel, argument); }
