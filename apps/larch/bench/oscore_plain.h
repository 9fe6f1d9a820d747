/* SPDX-License-Identifier: Apache-2.0 */
/* larch's server and OSCORE service alone: what a gateway costs without its outbox. */
#ifndef LARCH_APP_BENCH_OSCORE_PLAIN_H
#define LARCH_APP_BENCH_OSCORE_PLAIN_H

#include "bench/oscore.h"
#include "udp.h"

/* Serves on the socket with these devices' contexts, and returns only if it cannot. Readings are stored nowhere. */
void larch_bench_run_plain(larch_udp *udp, const larch_bench_devices *devices);

#endif
