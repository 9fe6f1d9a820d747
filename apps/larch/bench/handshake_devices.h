/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that shake hands with a gateway over sockets, in method 4 with suite -24: each one handshake after the other, from
 * an address of its own, with the round trip for the Echo. The ephemeral key pairs are made before the clock starts.
 */
#ifndef LARCH_APP_BENCH_HANDSHAKE_DEVICES_H
#define LARCH_APP_BENCH_HANDSHAKE_DEVICES_H

#include "address.h"
#include "larch/enrolment.h"
#include "larch/lake.h"

#define LARCH_BENCH_SHAKERS 128

/* One that is enrolled. */
typedef struct larch_bench_shaker {
    size_t enrolled_len;
    uint8_t enrolled[LARCH_ENROLMENT_MAX];
} larch_bench_shaker;

typedef struct larch_bench_shaking {
    larch_peer gateway; /* at 127.0.0.1 */
    const larch_bench_shaker *shakers;
    unsigned count;
    double seconds;
    size_t prepared; /* handshakes that there are key pairs for, at most */

    /* what came of it */
    uint64_t *latency_ns; /* the caller's, prepared of them */
    size_t completed;     /* message_4 is authentic */
    size_t challenged, refused, lost;
    uint8_t refused_code; /* the last */
    size_t datagrams;     /* sent and received, of completed ones and others */
    uint64_t elapsed_ns;
} larch_bench_shaking;

/* false: errno says why, or the cryptography failed. Ends early when the key pairs are used up. */
bool larch_bench_shake(larch_bench_shaking *shaking);

#endif
