/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network, a clock and randomness in one process, the same for the same seed.
 * Nodes say when they want to be polled; time jumps from one thing to the next,
 * so that minutes of back-off pass in microseconds. For tests: it aborts the
 * process if memory runs out.
 */
#ifndef LARCH_SIM_H
#define LARCH_SIM_H

#include "larch/base.h"

typedef struct larch_sim larch_sim;

/* One host. poll is called when its deadline has come; after it, or after
 * receive, deadline_ms is asked again (UINT64_MAX: nothing waits). Within both
 * the node may call larch_sim_send. */
typedef struct larch_sim_node {
    larch_peer address;
    void *context;
    void (*receive)(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram);
    void (*poll)(void *context, uint64_t now_ms);
    uint64_t (*deadline_ms)(void *context);
} larch_sim_node;

/* What the network does to each datagram, in thousandths, and how long one takes.
 * A range of delays reorders. drop: indices, counted from 0 over all datagrams
 * sent, that never arrive; may be NULL if drop_count is 0. */
typedef struct larch_sim_faults {
    unsigned loss, duplication, corruption;
    unsigned delay_min_ms, delay_max_ms;
    const unsigned *drop;
    size_t drop_count;
} larch_sim_faults;

/* The clock starts at start_ms. */
larch_sim *larch_sim_create(uint64_t seed, uint64_t start_ms);
void larch_sim_destroy(larch_sim *sim);
/* faults, and the list in it, must outlive sim or the next call. */
void larch_sim_set_faults(larch_sim *sim, const larch_sim_faults *faults);
void larch_sim_add(larch_sim *sim, const larch_sim_node *node);
/* Sends a copy of datagram. To 255.255.255.255 or ff00::/8: to every other node with that port. */
void larch_sim_send(larch_sim *sim, const larch_peer *from, const larch_peer *to, larch_bytes datagram);

/* Sees every datagram as it is sent; lost: it will not arrive. */
typedef void larch_sim_tap(void *context, uint64_t now_ms, const larch_peer *from, const larch_peer *to,
                           larch_bytes datagram, bool lost);
void larch_sim_set_tap(larch_sim *sim, larch_sim_tap *tap, void *context);

/* Moves the clock to the next datagram or deadline and lets it happen; false if nothing is left before until_ms
 * (the clock then stands at until_ms, unless that is UINT64_MAX). */
bool larch_sim_step(larch_sim *sim, uint64_t until_ms);
/* Steps until nothing is left before until_ms. Returns how many steps; max_steps if it did not come to rest. */
size_t larch_sim_run(larch_sim *sim, uint64_t until_ms, size_t max_steps);

uint64_t larch_sim_now_ms(const larch_sim *sim);
unsigned larch_sim_sent(const larch_sim *sim);
/* A number from 0 to limit - 1, from the network's own sequence. */
uint32_t larch_sim_below(larch_sim *sim, uint32_t limit);

/* An IPv4 peer, a.b.c.d as one number. */
larch_peer larch_sim_ipv4(uint32_t address, uint16_t port);

/* ---- randomness -------------------------------------------------------- */

/* Pseudo-random and repeatable. fails_at: the call, counted from 1, that returns LARCH_PLATFORM, as do all after it;
 * 0: none does. */
typedef struct larch_sim_random {
    uint64_t state;
    unsigned calls;
    unsigned fails_at;
} larch_sim_random;

/* A source over state, which must outlive it. */
larch_random larch_sim_random_of(larch_sim_random *state);

#endif
