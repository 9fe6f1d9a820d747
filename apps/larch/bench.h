/* SPDX-License-Identifier: Apache-2.0 */
/* What the measurements are asked for. */
#ifndef LARCH_APP_BENCH_H
#define LARCH_APP_BENCH_H

#include "larch/kem.h"
#include "measure.h"

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
int larch_bench_compare(const larch_bench_options *options, bool kex);
int larch_bench_gateway(const larch_bench_options *options);

#endif
