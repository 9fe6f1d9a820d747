/* SPDX-License-Identifier: Apache-2.0 */
/* What the measurements share: clocks, samples, and what they are asked for. */
#ifndef LARCH_APP_BENCH_H
#define LARCH_APP_BENCH_H

#include <time.h>

#include "larch/kem.h"

typedef struct larch_bench_options {
    const char *uri; /* NULL: a gateway of our own */
    const char *get; /* path to measure GET on; NULL: sealed messages */
    const char *durability;
    const larch_kem *kem; /* NULL: the command's default */
    double seconds;       /* 0: the command's default */
    unsigned senders;
    unsigned window;
    bool json;
    bool markdown;
} larch_bench_options;

/* Each returns the program's exit code. */
int larch_bench_kem(const larch_bench_options *options);
int larch_bench_gateway(const larch_bench_options *options);

static inline uint64_t larch_bench_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Sorts the samples; permille 500 is the median. 0 without samples. */
uint64_t larch_bench_percentile(uint64_t *samples, size_t count, unsigned permille);

#endif
