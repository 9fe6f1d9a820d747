/* SPDX-License-Identifier: Apache-2.0 */
/* Medians of single runs; stack by painting it. */
#include "measure.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES     20000
#define STACK_LEN   ((size_t)1 << 20)
#define FRAME_LEN   512 /* of paint() itself and of what it calls: not painted */
#define PAINT       0xA5
#define LOWEST_PAGE 4096

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t larch_measure_percentile(uint64_t *samples, size_t count, unsigned permille)
{
    if (count == 0)
        return 0;
    qsort(samples, count, sizeof *samples, compare);
    return samples[(count - 1) * permille / 1000];
}

/* ---- time ---------------------------------------------------------------- */

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define HAS_COUNTER 1
static inline uint64_t tick(void) { return __builtin_ia32_rdtsc(); }
#else
#define HAS_COUNTER 0
static inline uint64_t tick(void) { return larch_measure_now_ns(); }
#endif

/* Single runs are timed by the counter alone, which costs some 20 cycles against 20 ns for the clock; the clock, read
 * before and after all of them, tells how long a tick is. */
bool larch_measure_time(const larch_scheme *scheme, unsigned op, double seconds, larch_figures *out)
{
    uint64_t *samples = calloc(SAMPLES, sizeof *samples);
    const uint64_t begin_ns = larch_measure_now_ns(), begin = tick();
    size_t n = 0;
    bool ok = samples != NULL;
    for (uint64_t now_ns = begin_ns; ok && n < SAMPLES && (n == 0 || now_ns - begin_ns < (uint64_t)(seconds * 1e9));
         now_ns = larch_measure_now_ns()) {
        const uint64_t before = tick();
        ok = scheme->run(scheme->state, op);
        samples[n++] = tick() - before;
    }
    const uint64_t ticks = tick() - begin, ns = larch_measure_now_ns() - begin_ns;
    if (ok) {
        const double each = (double)larch_measure_percentile(samples, n, 500) / scheme->batch;
        *out = (larch_figures){each * (double)ns / (double)(ticks + !ticks) / 1e3, HAS_COUNTER ? each : 0, n};
    }
    free(samples);
    return ok;
}

/* ---- stack --------------------------------------------------------------- */

typedef struct painting {
    const larch_scheme *scheme;
    unsigned op;
    uint8_t *lowest;
    size_t used;
} painting;

static void *paint(void *argument)
{
    painting *p = argument;
    uint8_t here = 0;
    const size_t depth = (size_t)((uintptr_t)&here - (uintptr_t)p->lowest);
    /* Once before: what a library does in each new thread is not the operation's. */
    if (depth <= FRAME_LEN || !p->scheme->run(p->scheme->state, p->op))
        return NULL;
    memset(p->lowest, PAINT, depth - FRAME_LEN);
    if (!p->scheme->run(p->scheme->state, p->op))
        return NULL;
    size_t untouched = 0;
    while (untouched < depth - FRAME_LEN && p->lowest[untouched] == PAINT)
        untouched++;
    p->used = depth - untouched;
    return NULL;
}

size_t larch_measure_stack(const larch_scheme *scheme, unsigned op)
{
    painting p = {.scheme = scheme, .op = op};
    pthread_attr_t attributes;
    pthread_t thread;
    p.lowest = aligned_alloc(LOWEST_PAGE, STACK_LEN);
    if (p.lowest != NULL && pthread_attr_init(&attributes) == 0) {
        if (pthread_attr_setstack(&attributes, p.lowest, STACK_LEN) == 0 &&
            pthread_create(&thread, &attributes, paint, &p) == 0)
            (void)pthread_join(thread, NULL);
        (void)pthread_attr_destroy(&attributes);
    }
    free(p.lowest);
    return p.used;
}
