/* SPDX-License-Identifier: Apache-2.0 */
/* What the measurements are asked for. */
#ifndef LARCH_APP_BENCH_H
#define LARCH_APP_BENCH_H

#include "common/app.h"
#include "larch/kem.h"
#include "measure.h"

typedef struct larch_bench_options {
    const char *uri; /* NULL: a gateway of our own */
    const char *get; /* path to measure GET on; NULL: sealed messages */
    const char *durability;
    const char *libcoap;  /* program; NULL: the one in PATH */
    const larch_kem *kem; /* NULL: the command's default */
    double seconds;       /* 0: the command's default */
    unsigned senders;
    unsigned window;
    bool receipt; /* sealed messages ask for one */
    bool json;
    bool markdown;
} larch_bench_options;

larch_exit larch_bench_compare(const larch_bench_options *options, bool kex);
larch_exit larch_bench_gateway(const larch_bench_options *options);
larch_exit larch_bench_oscore(const larch_bench_options *options);
larch_exit larch_bench_handshake_main(const larch_bench_options *options);

#endif
