/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LAKE handshakes: what each method and suite sends and computes, and how many a gateway completes in a second.
 *
 *     handshake_pair.c     both parties in this process: messages and CPU time
 *     handshake_wire.c     what messages become on the wire: blocks, datagrams, frames, air time, energy
 *     handshake_devices.c  devices that shake hands with a gateway over sockets
 *     handshake_load.c     the gateway and its load
 *     handshake_table.c    text, Markdown and JSON
 */
#ifndef LARCH_APP_BENCH_HANDSHAKE_H
#define LARCH_APP_BENCH_HANDSHAKE_H

#include "bench/bench.h"
#include "larch/lake.h"

#define LARCH_BENCH_MESSAGES 4

/* ---- both parties (handshake_pair.c) ---------------------------------------- */

/* Operations of one party in one handshake, with the keys that follow from it: OSCORE's and those of a resumption. */
typedef struct larch_bench_operations {
    unsigned keygen, encaps, decaps; /* of a KEM */
    unsigned dh;                     /* multiplications of points, those that make keys included */
    unsigned sign, verify;
    unsigned kdf;  /* EDHOC_Extract and EDHOC_KDF: a KMAC256 each, or HMAC */
    unsigned hash; /* transcripts, and SHA-256 of messages */
    unsigned aead;
} larch_bench_operations;

typedef enum larch_bench_party { LARCH_BENCH_INITIATOR, LARCH_BENCH_RESPONDER, LARCH_BENCH_PARTIES } larch_bench_party;

typedef struct larch_bench_handshake {
    unsigned method;
    const larch_lake_suite *suite;
    size_t message_len[LARCH_BENCH_MESSAGES];
    size_t first_len[2]; /* what stands before messages 1 and 3 */
    larch_bench_operations operations[LARCH_BENCH_PARTIES];
    double cpu_us[LARCH_BENCH_PARTIES];
    unsigned long runs;
    size_t place_len; /* of a Responder's pool, with the answer that it keeps */
} larch_bench_handshake;

/* Runs handshakes of this method and suite for so long, at least a few. false: one failed. */
bool larch_bench_run_pair(larch_bench_handshake *handshake, unsigned method, const larch_lake_suite *suite,
                          double seconds);
/* The operations by method and suite, as the protocol has them. */
larch_bench_operations larch_bench_operations_of(unsigned method, const larch_lake_suite *suite,
                                                 larch_bench_party party);

#endif
