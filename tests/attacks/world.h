/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway on the simulated network that needs time for its work: datagrams wait in a queue of bounded length, as in
 * a socket's buffer, and each takes as long as its decapsulations make it. So the gateway has a rate at which it
 * drains, in fake time and the same on every machine. The bytes between it and strangers are added up.
 */
#ifndef LARCH_TESTS_ATTACKS_WORLD_H
#define LARCH_TESTS_ATTACKS_WORLD_H

#include "gateway_bench.h"
#include "one_responder.h"

enum {
    WORLD_QUEUE = 1024,           /* datagrams that wait */
    WORLD_DATAGRAM_US = 200,      /* for each: 5,000 a second */
    WORLD_DECAPSULATION_US = 800, /* and for each decapsulation: 1,000 messages a second */
    WORLD_MARKS = 1 << 15,        /* of a key; more than any attack here may fill */
    WORLD_REACH = 1 << 14,
    WORLD_EXCHANGES = 16384,
    WORLD_WINDOW_S = 10, /* over which amplification is bounded */
    WORLD_TICK_MS = 100,
    WORLD_TICKS = WORLD_WINDOW_S * 1000 / WORLD_TICK_MS,
    WORLD_LAG_TICKS = 20, /* an answer follows its request by two seconds at most */
};

/* What an answer to strangers may exceed three times their requests by, in any 10 s: at once, and then a second. */
enum { WORLD_BUDGET_ONCE = 64 << 10, WORLD_BUDGET_S = 16 << 10 };

/* Bytes between the gateway and strangers, and the worst of all windows. */
typedef struct ledger {
    uint64_t tick;                              /* the present one */
    uint64_t in[WORLD_TICKS + WORLD_LAG_TICKS]; /* rings, by tick */
    uint64_t out[WORLD_TICKS];
    uint64_t total_in, total_out;
    int64_t worst; /* bytes out, less three times bytes in; largest over all windows */
} ledger;

typedef struct world {
    larch_sim *sim;
    bench b;
    larch_peer address;
    bool is_home;
    struct {
        larch_peer peer;
        bool multicast;
        size_t len;
        uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    } queue[WORLD_QUEUE];
    size_t queue_first, queue_count;
    uint64_t free_at_us; /* when the gateway turns to the next datagram */
    uint64_t handled, overrun;
    unsigned decapsulations;
    larch_trace trace;
    larch_server_slot *slots;
    uint8_t *pool;
    larch_coap_exchange *exchanges;
    uint8_t *answers;
    larch_reach_entry *reach;
    uint64_t *marks;
    one_session oscore;
    one_responder responder;
    ledger ledger;
    larch_peer friends[16]; /* whose bytes are no stranger's */
    size_t friend_count;
    void (*stored)(void *context, larch_bytes text); /* each message, as it is stored; may be NULL */
    void *context;
} world;

/* 0: as by default. */
typedef struct world_settings {
    uint32_t marks;    /* of a key; as many are given out an hour, as the gateway's program does it */
    uint32_t noted_ms; /* how long an address stays noted */
    bool is_home;      /* 10.1.0.0/16, where the senders are, is the link of the gateway's interface */
} world_settings;

world *world_begin(uint64_t seed, const world_settings *settings);
void world_end(world *w);
void world_run(world *w, uint64_t ms);
uint64_t world_now(const world *w);
void world_befriend(world *w, const larch_peer *peer);

/* Whether over any 10 s strangers got less than three times their bytes and the budget. */
bool world_is_frugal(const world *w);

#endif
