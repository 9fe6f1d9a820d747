/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LAKE handshakes: what each method and suite sends and computes, and how many a gateway completes in a second.
 *
 *     handshake_pair.c         both parties in this process: messages and CPU time
 *     handshake_operations.c   what a party computes
 *     handshake_wire.c         what messages become on the wire: blocks, datagrams, air time, energy
 *     handshake_devices.c      devices that shake hands with a gateway over sockets
 *     handshake_load.c         the gateway, and its load
 *     handshake_table.c        text, Markdown and JSON
 */
#ifndef LARCH_APP_BENCH_HANDSHAKE_H
#define LARCH_APP_BENCH_HANDSHAKE_H

#include "bench/bench.h"
#include "larch/lake.h"

#define LARCH_BENCH_MESSAGES 4

/* ---- both parties (handshake_pair.c) ---------------------------------------- */

/* Operations of one party in one handshake, with the keys that follow from it: OSCORE's and those of a resumption. */
#define LARCH_BENCH_OPERATIONS(X)                                                       \
    X(keygen)                                                                           \
    X(encaps)                                                                           \
    X(decaps)                                                                           \
    X(dh)     /* multiplications of points, those that make keys included */            \
    X(expand) /* private keys of signatures, from their seeds */                        \
    X(sign)                                                                             \
    X(verify)                                                                           \
    X(mac)  /* KMAC256, or HMAC: of EDHOC_Extract, and of each block of EDHOC_Expand */ \
    X(hash) /* transcripts, and SHA-256 of the messages that were received */           \
    X(aead)                                                                             \
    X(hkdf) /* keys of OSCORE */

typedef struct larch_bench_operations {
#define LARCH_BENCH_OPERATION(name) unsigned name;
    LARCH_BENCH_OPERATIONS(LARCH_BENCH_OPERATION)
#undef LARCH_BENCH_OPERATION
} larch_bench_operations;

typedef enum larch_bench_party { LARCH_BENCH_INITIATOR, LARCH_BENCH_RESPONDER, LARCH_BENCH_PARTIES } larch_bench_party;

typedef struct larch_bench_handshake {
    unsigned method;
    const larch_lake_suite *suite;
    size_t message_len[LARCH_BENCH_MESSAGES];
    size_t prefix_len[2]; /* what stands before messages 1 and 3 in their requests */
    double cpu_us[LARCH_BENCH_PARTIES];
    unsigned long runs;
    size_t place_len; /* of a Responder's pool: the session with the answer that it keeps */
} larch_bench_handshake;

/* Runs handshakes of this method and suite for so long, at least a few. false: one failed. */
bool larch_bench_run_pair(larch_bench_handshake *handshake, unsigned method, const larch_lake_suite *suite,
                          double seconds);

/* ---- operations (handshake_operations.c) -------------------------------------- */

larch_bench_operations larch_bench_operations_of(const larch_bench_handshake *handshake, larch_bench_party party);

/* ---- the wire (handshake_wire.c) ------------------------------------------------ */

typedef struct larch_bench_way {
    unsigned datagrams;
    size_t bytes; /* of CoAP */
    unsigned frames;
    size_t air_bytes; /* with the acknowledgements of what comes the other way */
} larch_bench_way;

typedef struct larch_bench_wire {
    size_t block;
    unsigned blocks[LARCH_BENCH_MESSAGES];
    larch_bench_way up, down;
    unsigned round_trips; /* one of them for the Echo */
    double air_ms, device_mj;
} larch_bench_wire;

/* szx: of the blocks. */
void larch_bench_count_wire(const larch_bench_handshake *handshake, uint8_t szx, larch_bench_wire *wire);
/* A paragraph. */
const char *larch_bench_wire_assumptions(void);

/* ---- a gateway under load (handshake_load.c) ---------------------------------- */

typedef struct larch_bench_handshake_load {
    unsigned devices; /* each has one handshake under way */
    double rate;      /* completed in a second */
    double cpu_us;    /* of the gateway, for each */
    double p50_us, p99_us;
    double seconds;
    size_t completed, challenged, refused, lost, datagrams;
    size_t peak_kib;
    bool has_one_core; /* for gateway and devices */
} larch_bench_handshake_load;

larch_exit larch_bench_load_handshakes(const larch_bench_options *options, double seconds,
                                       larch_bench_handshake_load *out);

/* ---- output (handshake_table.c) ----------------------------------------------- */

#define LARCH_BENCH_PAIRS 18 /* methods and suites, at most */

typedef struct larch_bench_handshakes {
    size_t count;
    larch_bench_handshake handshake[LARCH_BENCH_PAIRS];
    larch_bench_handshake_load load;
} larch_bench_handshakes;

void larch_bench_show_handshakes(const larch_bench_options *options, const larch_bench_handshakes *found);

#endif
