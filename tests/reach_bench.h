/* SPDX-License-Identifier: Apache-2.0 */
/* Reachability by itself, with its table and a source of random numbers, for tests. */
#ifndef LARCH_TESTS_REACH_BENCH_H
#define LARCH_TESTS_REACH_BENCH_H

#include <stdlib.h>

#include "larch/reach.h"
#include "sim.h"

enum { REACH_ENTRIES = 256 };

typedef struct reach_bench {
    larch_reach reach;
    larch_reach_entry entries[REACH_ENTRIES];
    larch_sim_random random_state;
    larch_random random;
    uint32_t wait_s; /* of the last verdict */
} reach_bench;

static inline void reach_begin(reach_bench *f, size_t entries, uint64_t seed, const larch_reach_limits *limits)
{
    f->random_state = (larch_sim_random){.state = seed};
    f->random = larch_sim_random_of(&f->random_state);
    for (size_t i = 0; i < REACH_ENTRIES; i++)
        f->entries[i] = (larch_reach_entry){0};
    if (larch_reach_init(&f->reach, f->entries, entries, limits, &f->random) != LARCH_OK)
        abort();
}

static inline larch_peer reach_on_link(uint32_t address)
{
    larch_peer peer = larch_sim_ipv4(address, 5000);
    peer.is_on_link = true;
    return peer;
}

static inline larch_reach_verdict reach_take(reach_bench *f, uint64_t now_ms, const larch_peer *peer, larch_bytes echo,
                                             larch_reach_cost cost)
{
    const larch_reach_source source = larch_reach_identify(&f->reach, now_ms, peer, echo);
    f->wait_s = 0;
    return larch_reach_take(&f->reach, now_ms, &source, cost, &f->wait_s);
}

/* With a genuine Echo. */
static inline larch_reach_verdict reach_take_echo(reach_bench *f, uint64_t now_ms, const larch_peer *peer,
                                                  larch_reach_cost cost)
{
    uint8_t echo[LARCH_ECHO_LEN];
    larch_reach_echo(&f->reach, now_ms, peer, echo);
    return reach_take(f, now_ms, peer, LARCH_BYTES(echo), cost);
}

static inline void reach_prove(reach_bench *f, uint64_t now_ms, const larch_peer *peer)
{
    uint8_t echo[LARCH_ECHO_LEN];
    larch_reach_echo(&f->reach, now_ms, peer, echo);
    (void)larch_reach_identify(&f->reach, now_ms, peer, LARCH_BYTES(echo));
}

static inline void reach_note(reach_bench *f, uint64_t now_ms, const larch_peer *peer)
{
    const larch_reach_source source = larch_reach_identify(&f->reach, now_ms, peer, (larch_bytes){0});
    larch_reach_note_good(&f->reach, now_ms, &source);
}

static inline larch_reach_standing reach_standing(reach_bench *f, uint64_t now_ms, const larch_peer *peer)
{
    return (larch_reach_standing)larch_reach_identify(&f->reach, now_ms, peer, (larch_bytes){0}).standing;
}

/* How many of so many tries in a row are granted at once. */
static inline unsigned reach_count(reach_bench *f, uint64_t now_ms, const larch_peer *peer, larch_reach_cost cost,
                                   unsigned tries)
{
    unsigned granted = 0;
    for (unsigned i = 0; i < tries; i++)
        granted += reach_take(f, now_ms, peer, (larch_bytes){0}, cost) == LARCH_REACH_GRANTED;
    return granted;
}

#endif
