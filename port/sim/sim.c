/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

typedef struct flight {
    struct flight *next; /* later, or sent later */
    uint64_t at_ms;
    size_t node;
    larch_peer from;
    bool multicast;
    uint8_t *bytes; /* a block of exactly len bytes, so that a sanitizer sees a read past its end */
    size_t len;
} flight;

struct larch_sim {
    uint64_t now_ms;
    uint64_t random;
    unsigned sent;
    larch_sim_faults faults;
    larch_sim_tap *tap;
    void *tap_context;
    flight *flights; /* in order of arrival */
    larch_sim_node *nodes;
    size_t node_count;
};

static void *need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint32_t larch_sim_below(larch_sim *sim, uint32_t limit)
{
    return (uint32_t)((next_random(&sim->random) >> 32) * limit >> 32);
}

larch_sim *larch_sim_create(uint64_t seed, uint64_t start_ms)
{
    larch_sim *sim = need(calloc(1, sizeof *sim));
    sim->random = seed;
    sim->now_ms = start_ms;
    return sim;
}

void larch_sim_destroy(larch_sim *sim)
{
    for (flight *f = sim->flights; f != NULL;) {
        flight *next = f->next;
        free(f->bytes);
        free(f);
        f = next;
    }
    free(sim->nodes);
    free(sim);
}

void larch_sim_set_faults(larch_sim *sim, const larch_sim_faults *faults) { sim->faults = *faults; }

void larch_sim_set_tap(larch_sim *sim, larch_sim_tap *tap, void *context)
{
    sim->tap = tap;
    sim->tap_context = context;
}

void larch_sim_add(larch_sim *sim, const larch_sim_node *node)
{
    sim->nodes = need(realloc(sim->nodes, (sim->node_count + 1) * sizeof *sim->nodes));
    sim->nodes[sim->node_count++] = *node;
}

uint64_t larch_sim_now_ms(const larch_sim *sim) { return sim->now_ms; }
unsigned larch_sim_sent(const larch_sim *sim) { return sim->sent; }

larch_peer larch_sim_ipv4(uint32_t address, uint16_t port)
{
    larch_peer peer = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, .port = port};
    for (size_t i = 0; i < 4; i++)
        peer.address[12 + i] = (uint8_t)(address >> (24 - 8 * i));
    return peer;
}

/* ---- the network ------------------------------------------------------- */

static bool chance(larch_sim *sim, unsigned permille) { return permille > 0 && larch_sim_below(sim, 1000) < permille; }

static bool is_listed(const larch_sim_faults *faults, unsigned index)
{
    for (size_t i = 0; i < faults->drop_count; i++)
        if (faults->drop[i] == index)
            return true;
    return false;
}

static bool is_multicast(const larch_peer *to)
{
    const larch_peer broadcast = larch_sim_ipv4(0xffffffff, to->port);
    return to->address[0] == 0xff || memcmp(to->address, broadcast.address, sizeof to->address) == 0;
}

static void launch(larch_sim *sim, size_t node, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    flight *f = need(malloc(sizeof *f));
    unsigned spread_ms = sim->faults.delay_max_ms - sim->faults.delay_min_ms;
    *f = (flight){NULL, sim->now_ms + sim->faults.delay_min_ms, node, *from, multicast, NULL, datagram.len};
    if (sim->faults.delay_max_ms > sim->faults.delay_min_ms)
        f->at_ms += larch_sim_below(sim, spread_ms + 1);
    f->bytes = need(malloc(datagram.len > 0 ? datagram.len : 1));
    if (datagram.len > 0)
        memcpy(f->bytes, datagram.data, datagram.len);
    if (datagram.len > 0 && chance(sim, sim->faults.corruption))
        f->bytes[larch_sim_below(sim, (uint32_t)datagram.len)] ^= (uint8_t)(1u << larch_sim_below(sim, 8));
    flight **at = &sim->flights;
    while (*at != NULL && (*at)->at_ms <= f->at_ms)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
}

void larch_sim_send(larch_sim *sim, const larch_peer *from, const larch_peer *to, larch_bytes datagram)
{
    bool multicast = is_multicast(to);
    bool lost = is_listed(&sim->faults, sim->sent) || chance(sim, sim->faults.loss);
    sim->sent++;
    if (sim->tap != NULL)
        sim->tap(sim->tap_context, sim->now_ms, from, to, datagram, lost);
    for (size_t i = 0; !lost && i < sim->node_count; i++) {
        const larch_peer *address = &sim->nodes[i].address;
        bool hears =
            multicast ? address->port == to->port && !larch_peer_equal(address, from) : larch_peer_equal(address, to);
        if (!hears)
            continue;
        launch(sim, i, from, multicast, datagram);
        if (chance(sim, sim->faults.duplication))
            launch(sim, i, from, multicast, datagram);
    }
}

/* ---- time -------------------------------------------------------------- */

static void deliver(larch_sim *sim)
{
    flight *f = sim->flights;
    const larch_sim_node *node = &sim->nodes[f->node];
    sim->flights = f->next;
    node->receive(node->context, sim->now_ms, &f->from, f->multicast, (larch_bytes){f->bytes, f->len});
    free(f->bytes);
    free(f);
}

bool larch_sim_step(larch_sim *sim, uint64_t until_ms)
{
    uint64_t next_ms = sim->flights != NULL ? sim->flights->at_ms : UINT64_MAX;
    const larch_sim_node *polled = NULL;
    for (size_t i = 0; i < sim->node_count; i++) {
        uint64_t deadline_ms = sim->nodes[i].deadline_ms(sim->nodes[i].context);
        if (deadline_ms < next_ms) {
            next_ms = deadline_ms;
            polled = &sim->nodes[i];
        }
    }
    if (next_ms >= until_ms) {
        if (until_ms != UINT64_MAX && sim->now_ms < until_ms)
            sim->now_ms = until_ms;
        return false;
    }
    if (sim->now_ms < next_ms)
        sim->now_ms = next_ms;
    if (polled != NULL)
        polled->poll(polled->context, sim->now_ms);
    else
        deliver(sim);
    return true;
}

size_t larch_sim_run(larch_sim *sim, uint64_t until_ms, size_t max_steps)
{
    size_t steps = 0;
    while (steps < max_steps && larch_sim_step(sim, until_ms))
        steps++;
    return steps;
}

/* ---- randomness -------------------------------------------------------- */

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    larch_sim_random *r = context;
    r->calls++;
    if (r->fails_at != 0 && r->calls >= r->fails_at)
        return LARCH_PLATFORM;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)next_random(&r->state);
    return LARCH_OK;
}

larch_random larch_sim_random_of(larch_sim_random *state) { return (larch_random){fill, state}; }
