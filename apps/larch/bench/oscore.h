/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings of 32 bytes under OSCORE, in turn to a bare echo, to larch with and without its outbox, and to libcoap's
 * example server. All servers keep to one core, and the load to another.
 */
#ifndef LARCH_APP_BENCH_OSCORE_H
#define LARCH_APP_BENCH_OSCORE_H

#include <sys/types.h>

#include "bench/bench.h"
#include "bench/own.h"
#include "larch/oscore.h"

#define LARCH_BENCH_ROUNDS_MAX 9
#define LARCH_BENCH_DEVICES    64 /* the most senders: each is a device with a context of its own */
#define LARCH_BENCH_NAME       "larch-bench"

/* ---- contexts (oscore_contexts.c) ----------------------------------------- */

/* The devices' ends of the contexts that one server holds. */
typedef struct larch_bench_devices {
    unsigned count;
    bool has_one_secret; /* libcoap's file has one master secret for all recipients; larch wants each key once */
    uint64_t next[LARCH_BENCH_DEVICES];
    larch_oscore_context contexts[LARCH_BENCH_DEVICES];
} larch_bench_devices;

/* The parameters of one device's context, as the device or the server sees it; the views are the memory's. */
typedef struct larch_bench_ids {
    uint8_t secret[16], device, server;
} larch_bench_ids;
larch_oscore_parameters larch_bench_parameters(const larch_bench_devices *devices, unsigned device, bool is_server,
                                               larch_bench_ids *ids);
bool larch_bench_devices_init(larch_bench_devices *devices, unsigned count, bool has_one_secret);

/* Each device's first request, with its Echo if it is challenged. false: no answer within the time, or none of success. */
bool larch_bench_greet(larch_bench_devices *devices, const larch_peer *peer, uint64_t until_ms);

/* Bytes of a protected reading behind its token, at most. */
#define LARCH_BENCH_READING_MAX 96
/* Protects count readings of each device under ascending numbers: what follows the token of each, one after the other.
 * *len: of each. */
bool larch_bench_protect(larch_bench_devices *devices, size_t count, uint8_t *out, size_t *len);
/* Whether an answer to the reading that the device protected under this number is 2.04. */
bool larch_bench_verify(const larch_bench_devices *devices, unsigned device, uint64_t number, larch_bytes datagram);

/* ---- servers (oscore_server.c) --------------------------------------------- */

typedef enum larch_bench_server_kind {
    LARCH_BENCH_ECHO,
    LARCH_BENCH_PLAIN,  /* larch's server and OSCORE service, whose readings are stored nowhere */
    LARCH_BENCH_OUTBOX, /* larch gateway --durability process */
    LARCH_BENCH_LIBCOAP,
    LARCH_BENCH_SERVERS
} larch_bench_server_kind;

const char *larch_bench_server_name(larch_bench_server_kind kind);

typedef struct larch_bench_server {
    larch_bench_own own; /* its process and its folder */
    larch_bench_devices devices;
    const char *missing; /* why it is not there; NULL: it runs */
} larch_bench_server;

/* Starts one on a core (-1: any), and has its devices greet it. A server that is not to be had is LARCH_EXIT_DONE, with
 * missing set. */
larch_exit larch_bench_server_start(larch_bench_server *server, larch_bench_server_kind kind,
                                    const larch_bench_options *options, int core);

/* ---- figures ----------------------------------------------------------------- */

/* What came of one server with one type of message. */
typedef struct larch_bench_load {
    unsigned rounds;
    double rate[LARCH_BENCH_ROUNDS_MAX];
    double cpu_us[LARCH_BENCH_ROUNDS_MAX];
    size_t answered, lost, refused;
} larch_bench_load;

typedef struct larch_bench_table {
    size_t count;
    double find_ns;
    size_t bytes; /* of the table, with its indexes */
    size_t resident;
} larch_bench_table;

#define LARCH_BENCH_TABLES 3

typedef struct larch_bench_sessions {
    larch_bench_load loads[LARCH_BENCH_SERVERS][2]; /* [1]: confirmable */
    const char *missing[LARCH_BENCH_SERVERS];
    larch_bench_table tables[LARCH_BENCH_TABLES];
} larch_bench_sessions;

/* Looks sessions up in tables of 1, 1,000 and 100,000 (oscore_look_up.c). */
bool larch_bench_look_up(larch_bench_table tables[LARCH_BENCH_TABLES], double seconds);

/* oscore_table.c */
void larch_bench_show_sessions(const larch_bench_options *options, const larch_bench_sessions *sessions);

#endif
