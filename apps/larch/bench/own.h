/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway of our own, started for a measurement: this program, in a state folder that goes with it. */
#ifndef LARCH_APP_BENCH_OWN_H
#define LARCH_APP_BENCH_OWN_H

#include <sys/resource.h>
#include <sys/types.h>

#include "common/app.h"
#include "larch/base.h"

#define LARCH_BENCH_FOLDER_MAX 256

typedef struct larch_bench_own {
    pid_t pid; /* 0: not started */
    larch_peer peer;
    char folder[LARCH_BENCH_FOLDER_MAX];
    struct rusage usage; /* once it has ended */
} larch_bench_own;

/* A free port of 127.0.0.1. */
bool larch_bench_pick_port(larch_peer *peer);

/* Makes the folder, and settings without the limits that a load would reach; picks where the gateway will listen. */
larch_exit larch_bench_own_prepare(larch_bench_own *own, larch_peer *peer);
/* durability: for the gateway; NULL: its default. is_silent: what it reports is dropped. */
larch_exit larch_bench_own_start(larch_bench_own *own, const char *durability, bool is_silent);
/* Ends the gateway, if it runs, and removes the folder. */
void larch_bench_own_stop(larch_bench_own *own);

/* ---- cores and processes ----------------------------------------------------- */

/* The first two cores that this process may use. -1: there is one alone, or they are not known. */
void larch_bench_choose_cores(int *server, int *load);
/* Keeps this process, and what it starts, to a core; -1: to none in particular. */
void larch_bench_pin(int core);
/* CPU time that a process has used. */
uint64_t larch_bench_process_ns(pid_t pid);

#endif
