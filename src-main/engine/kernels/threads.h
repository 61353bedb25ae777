#ifndef TEMPER_THREADS_H
#define TEMPER_THREADS_H

#include "engine.h"

/** Starts threads - 1 helpers, at most MOST_THREADS - 1. 0 when the system gives none. */
int start_threads(Engine *engine, int threads);
/** Ends them; harmless where there are none. */
void end_threads(Engine *engine);

#endif
