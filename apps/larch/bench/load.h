/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load of CoAP requests against one server: several source ports, each with its
 * own message IDs and a window of requests in flight. A challenge (4.01 with Echo,
 * [RFC9175 2.3]) is met by the same request with that Echo.
 */
#ifndef LARCH_APP_BENCH_LOAD_H
#define LARCH_APP_BENCH_LOAD_H

#include "address.h"
#include "larch/base.h"

#define LARCH_LOAD_SENDERS  256
#define LARCH_LOAD_WINDOW   64
#define LARCH_LOAD_VERIFIED 64
#define LARCH_LOAD_SAMPLES  2000000 /* latencies kept */

typedef struct larch_load {
    larch_peer peer;
    const char *path;
    const char *query; /* NULL: none */
    unsigned senders;  /* up to LARCH_LOAD_SENDERS */
    unsigned window;   /* of each, up to LARCH_LOAD_WINDOW */
    double seconds;
    const uint8_t *bodies; /* each is posted once; NULL: GET, without end */
    size_t body_len;
    size_t body_count;
    bool is_non;   /* requests are non-confirmable */
    bool is_ready; /* a body is all that follows a request's token; the sources post one stretch each, in its order */
    /* Runs for one answer in LARCH_LOAD_VERIFIED; false: it is not counted as answered. NULL: all are taken as they are. */
    bool (*verify)(void *context, size_t body, larch_bytes datagram);
    void *context;

    /* what came of it */
    uint64_t *latency_ns; /* the caller's, LARCH_LOAD_SAMPLES */
    size_t latency_count;
    uint64_t elapsed_ns;
    size_t posted;
    size_t answered;   /* with success */
    size_t lost;       /* no answer within a second */
    size_t challenged; /* and asked again */
    size_t refused;    /* with another code, the last of which is */
    size_t unverified; /* answers that verify refused, among the refused */
    uint8_t refused_code;
    uint64_t bytes_in; /* payload of the answers */
} larch_load;

/* Returns 0, or -1 with the reason. Ends early when the bodies are used up. */
int larch_load_run(larch_load *load, larch_posix_reason *why);

#endif
