// The native door: the kernels as a Node-API addon. JavaScript holds an engine as an opaque value, and tensors as
// addresses in numbers: no buffer of ours is ever shown to V8, because Electron refuses those. compiled.ts checks every
// shape before an address comes here.
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"

// ---- Memory

/** Stands before each block, so that close, or the end of a worker thread, can free what is left. */
typedef struct Block {
  struct Block *before, *after;
  char pad[64 - 2 * sizeof(void *)]; // the data after it stays 64-byte aligned
} Block;

void *allocate(Engine *engine, size_t bytes) {
  Block *block;
  if (bytes > SIZE_MAX - sizeof(Block) || posix_memalign((void **)&block, 64, sizeof(Block) + bytes)) return 0;
  *block = (Block){.after = engine->blocks};
  if (engine->blocks) engine->blocks->before = block;
  engine->blocks = block;
  return memset(block + 1, 0, bytes);
}

void release(Engine *engine, void *memory, size_t bytes) {
  (void)bytes;
  if (!memory) return;
  Block *block = (Block *)memory - 1;
  if (block->before) block->before->after = block->after;
  else engine->blocks = block->after;
  if (block->after) block->after->before = block->before;
  free(block);
}

static int grow(Engine *engine, Scratch *scratch, size_t bytes) {
  if (bytes <= scratch->bytes) return 1;
  release(engine, scratch->memory, scratch->bytes);
  scratch->memory = allocate(engine, bytes);
  scratch->bytes = scratch->memory ? bytes : 0;
  return scratch->memory != 0;
}

int reserve(Engine *engine, size_t sharedBytes, size_t ownBytes) {
  if (!grow(engine, &engine->shared, sharedBytes)) return 0;
  for (int thread = 0; thread < engine->threads; thread++)
    if (!grow(engine, &engine->own[thread], ownBytes)) return 0;
  return 1;
}

// ---- Which build of the kernels this machine can run, best first

extern const Kernels kernels_plain;
#if defined(__x86_64__)
extern const Kernels kernels_avx2, kernels_avx512;
#endif

static const Kernels *choose(const char *wanted) {
#if defined(__x86_64__)
  const int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512 && (!*wanted || !strcmp(wanted, "avx512"))) return &kernels_avx512;
  if (avx2 && (!*wanted || !strcmp(wanted, "avx2"))) return &kernels_avx2;
#endif
  return !*wanted || !strcmp(wanted, "plain") ? &kernels_plain : 0;
}

// ---- Node-API

typedef struct {
  Engine engine;
  const Kernels *kernels;
} Open;

static void shut(Open *open) {
  end_threads(&open->engine);
  while (open->engine.blocks) release(&open->engine, open->engine.blocks + 1, 0);
  open->kernels = 0;
}
static void collected(napi_env env, void *open, void *hint) {
  (void)env, (void)hint;
  shut(open);
  free(open);
}

/** The arguments of a call; the first is the engine, if `open` is asked for. */
static size_t arguments(napi_env env, napi_callback_info info, napi_value *values, size_t most, Open **open) {
  size_t count = most;
  napi_get_cb_info(env, info, &count, values, 0, 0);
  if (open && (count == 0 || napi_get_value_external(env, values[0], (void **)open) != napi_ok || !(*open)->kernels)) {
    napi_throw_error(env, 0, "This engine is closed.");
    *open = 0;
  }
  return count;
}
static double number(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result;
}
static napi_value from_number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}
/** Where a typed array's numbers lie, and how many bytes they take. */
static void *numbers(napi_env env, napi_value array, size_t *bytes) {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void *data = 0;
  napi_get_typedarray_info(env, array, &type, &length, &data, 0, 0);
  *bytes = length * (type == napi_float64_array ? 8 : 4); // only Float64Array, Float32Array and Int32Array come here
  return data;
}

/** open(threads, level): an engine, or null where the level cannot run here or no thread can be had. */
static napi_value open_engine(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  arguments(env, info, values, 2, 0);
  char level[16] = "";
  napi_get_value_string_utf8(env, values[1], level, sizeof level, 0);
  napi_get_null(env, &result);
  Open *open = calloc(1, sizeof *open);
  if (!open) return result;
  open->kernels = choose(level);
  if (!open->kernels || !start_threads(&open->engine, (int)number(env, values[0]))) {
    free(open);
    return result;
  }
  napi_create_external(env, open, collected, 0, &result);
  return result;
}

/** describe(engine): "avx2 fill/3 copy/3 ..." */
static napi_value describe(napi_env env, napi_callback_info info) {
  napi_value value, result;
  Open *open;
  arguments(env, info, &value, 1, &open);
  if (!open) return 0;
  char text[2048];
  const size_t level = strlen(open->kernels->level), names = strlen(open->kernels->names);
  if (level + 1 + names >= sizeof text) return 0;
  memcpy(text, open->kernels->level, level);
  text[level] = ' ';
  memcpy(text + level + 1, open->kernels->names, names);
  napi_create_string_utf8(env, text, level + 1 + names, &result);
  return result;
}

/** allocate(engine, bytes): an address, 0 when there is no memory. */
static napi_value allocate_memory(napi_env env, napi_callback_info info) {
  napi_value values[2];
  Open *open;
  arguments(env, info, values, 2, &open);
  if (!open) return 0;
  return from_number(env, (double)(uintptr_t)allocate(&open->engine, (size_t)number(env, values[1])));
}
/** release(engine, address, bytes) */
static napi_value release_memory(napi_env env, napi_callback_info info) {
  napi_value values[3];
  Open *open;
  arguments(env, info, values, 3, &open);
  if (open) release(&open->engine, (void *)(uintptr_t)number(env, values[1]), 0);
  return 0;
}
/** write(engine, address, array): array to memory */
static napi_value write_memory(napi_env env, napi_callback_info info) {
  napi_value values[3];
  Open *open;
  size_t bytes;
  arguments(env, info, values, 3, &open);
  if (!open) return 0;
  const void *from = numbers(env, values[2], &bytes);
  if (bytes) memcpy((void *)(uintptr_t)number(env, values[1]), from, bytes);
  return 0;
}
/** read(engine, address, array): memory to array */
static napi_value read_memory(napi_env env, napi_callback_info info) {
  napi_value values[3];
  Open *open;
  size_t bytes;
  arguments(env, info, values, 3, &open);
  if (!open) return 0;
  void *to = numbers(env, values[2], &bytes);
  if (bytes) memcpy(to, (const void *)(uintptr_t)number(env, values[1]), bytes);
  return 0;
}
/** call(engine, kernel, arguments as a Float64Array): what the kernel returns */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value values[3];
  Open *open;
  size_t bytes;
  arguments(env, info, values, 3, &open);
  if (!open) return 0;
  const double *x = numbers(env, values[2], &bytes);
  return from_number(env, open->kernels->call(&open->engine, (int)number(env, values[1]), x));
}
/** close(engine): frees all its memory and ends its threads */
static napi_value close_engine(napi_env env, napi_callback_info info) {
  napi_value value;
  Open *open;
  arguments(env, info, &value, 1, &open);
  if (open) shut(open);
  return 0;
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback callback;
  } functions[] = {{"open", open_engine},          {"describe", describe},  {"allocate", allocate_memory},
                   {"release", release_memory},    {"write", write_memory}, {"read", read_memory},
                   {"call", call},                 {"close", close_engine}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, 0, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
