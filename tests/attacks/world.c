/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { SLOTS = 16, ANSWER_BYTES = 32, DELAY_MS = 5, START_MS = 1000000 };

static const larch_sim_faults network = {.delay_min_ms = DELAY_MS, .delay_max_ms = DELAY_MS};

/* ---- bytes --------------------------------------------------------------- */

static void look_at_window(ledger *l)
{
    int64_t in = 0, out = 0;
    for (size_t i = 0; i < sizeof l->in / sizeof l->in[0]; i++)
        in += (int64_t)l->in[i];
    for (size_t i = 0; i < WORLD_TICKS; i++)
        out += (int64_t)l->out[i];
    if (out - 3 * in > l->worst)
        l->worst = out - 3 * in;
}

static void move_to(ledger *l, uint64_t now_ms)
{
    const uint64_t tick = now_ms / WORLD_TICK_MS;
    if (tick == l->tick)
        return;
    look_at_window(l);
    for (size_t i = 0; l->tick != tick && i < sizeof l->in / sizeof l->in[0]; i++) {
        l->tick++;
        l->in[l->tick % (WORLD_TICKS + WORLD_LAG_TICKS)] = 0;
        l->out[l->tick % WORLD_TICKS] = 0;
    }
    l->tick = tick;
}

static bool is_friend(const world *w, const larch_peer *peer)
{
    for (size_t i = 0; i < w->friend_count; i++)
        if (memcmp(w->friends[i].address, peer->address, sizeof peer->address) == 0)
            return true;
    return false;
}

static void tap(void *context, uint64_t now_ms, const larch_peer *from, const larch_peer *to, larch_bytes datagram,
                bool lost)
{
    world *w = context;
    ledger *l = &w->ledger;
    (void)lost;
    move_to(l, now_ms);
    if (larch_peer_equal(from, &w->address)) {
        if (is_friend(w, to))
            return;
        l->total_out += datagram.len;
        l->out[l->tick % WORLD_TICKS] += datagram.len;
    } else if (!is_friend(w, from)) {
        l->total_in += datagram.len;
        l->in[l->tick % (WORLD_TICKS + WORLD_LAG_TICKS)] += datagram.len;
    }
}

bool world_is_frugal(const world *w)
{
    ledger l = w->ledger;
    look_at_window(&l);
    return l.worst < WORLD_BUDGET_ONCE + WORLD_WINDOW_S * WORLD_BUDGET_S;
}

void world_befriend(world *w, const larch_peer *peer)
{
    bench_require(w->friend_count < sizeof w->friends / sizeof w->friends[0]);
    w->friends[w->friend_count++] = *peer;
}

/* ---- the gateway --------------------------------------------------------- */

static void count_step(void *context, larch_step step, bool begin, size_t bytes)
{
    world *w = context;
    if (step == LARCH_STEP_KEM_DECAPS && !begin)
        w->decapsulations += (unsigned)(bytes / LARCH_KEM_SS_LEN);
}

static void drain(world *w, uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    w->b.now_ms = now_ms;
    while (bench_send(&w->b, &peer, &datagram) == LARCH_OK)
        larch_sim_send(w->sim, &w->address, &peer, datagram);
}

static void gateway_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                            larch_bytes datagram)
{
    world *w = context;
    if (w->queue_count == WORLD_QUEUE || datagram.len > LARCH_COAP_DATAGRAM_MAX) {
        w->overrun++;
        return;
    }
    const size_t at = (w->queue_first + w->queue_count++) % WORLD_QUEUE;
    w->queue[at].peer = *from;
    w->queue[at].peer.is_on_link = w->is_home && from->address[12] == 10 && from->address[13] == 1;
    w->queue[at].multicast = multicast;
    w->queue[at].len = datagram.len;
    memcpy(w->queue[at].bytes, datagram.data, datagram.len);
    if (w->free_at_us < now_ms * 1000)
        w->free_at_us = now_ms * 1000;
}

static void gateway_poll(void *context, uint64_t now_ms)
{
    world *w = context;
    while (w->queue_count > 0 && w->free_at_us / 1000 <= now_ms) {
        const size_t at = w->queue_first;
        const unsigned before = w->decapsulations;
        w->queue_first = (at + 1) % WORLD_QUEUE;
        w->queue_count--;
        bench_require(larch_gateway_receive(&w->b.gw, now_ms, &w->queue[at].peer, w->queue[at].multicast,
                                            (larch_bytes){w->queue[at].bytes, w->queue[at].len}) == LARCH_OK);
        w->handled++;
        drain(w, now_ms);
        w->free_at_us += WORLD_DATAGRAM_US + (uint64_t)(w->decapsulations - before) * WORLD_DECAPSULATION_US;
    }
    drain(w, now_ms);
}

static uint64_t gateway_deadline(void *context)
{
    const world *w = context;
    const uint64_t own_ms = larch_gateway_deadline_ms(&w->b.gw);
    const uint64_t queue_ms = w->queue_count > 0 ? w->free_at_us / 1000 : UINT64_MAX;
    return own_ms < queue_ms ? own_ms : queue_ms;
}

static void note_stored(void *context, larch_bytes text)
{
    const world *w = context;
    if (w->stored != NULL)
        w->stored(w->context, text);
}

/* ---- life ---------------------------------------------------------------- */

static void *need(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    bench_require(memory != NULL);
    return memory;
}

static void lend_memory(world *w, uint32_t marks)
{
    larch_server_config *server = &w->b.config.server;
    larch_direct_config *direct = &w->b.config.direct;
    w->slots = need(SLOTS, sizeof *w->slots);
    w->pool = need(SLOTS, LARCH_COAP_DATAGRAM_MAX);
    w->exchanges = need(WORLD_EXCHANGES, sizeof *w->exchanges);
    w->answers = need(WORLD_EXCHANGES, ANSWER_BYTES);
    w->reach = need(WORLD_REACH, sizeof *w->reach);
    w->marks = need((size_t)2 * LARCH_DIRECT_SETS * marks, sizeof *w->marks);
    server->slots = w->slots;
    server->slot_count = SLOTS;
    server->pool = w->pool;
    server->pool_len = (size_t)SLOTS * LARCH_COAP_DATAGRAM_MAX;
    server->coap = (larch_coap_memory){w->exchanges, WORLD_EXCHANGES, w->answers, WORLD_EXCHANGES * ANSWER_BYTES};
    server->reach = w->reach;
    server->reach_count = WORLD_REACH;
    for (size_t i = 0; i < 2 * LARCH_DIRECT_SETS; i++)
        direct->replay[i / 2][i % 2] = w->marks + i * marks;
}

world *world_begin(uint64_t seed, const world_settings *settings)
{
    const uint32_t marks = settings->marks > 0 ? settings->marks : WORLD_MARKS;
    world *w = need(1, sizeof *w);
    w->sim = larch_sim_create(seed, START_MS);
    larch_sim_set_faults(w->sim, &network);
    larch_sim_set_tap(w->sim, tap, w);
    w->ledger.tick = START_MS / WORLD_TICK_MS;
    w->address = larch_sim_ipv4(0x0a000001, LARCH_COAP_PORT);
    bench_prepare(&w->b, seed, marks);
    lend_memory(w, marks);
    larch_reach_limits *limits = &w->b.config.server.limits;
    *limits = larch_reach_default_limits();
    if (settings->marks > 0)
        limits->marks = limits->mark_burst = marks / 16 * 15 / 8 * 7;
    w->trace = (larch_trace){count_step, w};
    w->b.config.server.trace = &w->trace;
    one_responder_begin(&w->responder, &w->oscore, &w->b.random);
    one_session_begin(&w->oscore, START_MS, &w->b.random, &w->responder.lake.handshakes);
    w->b.config.server.protection = &w->oscore.oscore.protection;
    w->b.config.server.bodies = w->responder.bodies;
    w->b.config.server.body_count = sizeof w->responder.bodies / sizeof w->responder.bodies[0];
    w->b.config.server.body_bytes = w->responder.body_bytes;
    w->b.config.server.body_bytes_len = sizeof w->responder.body_bytes;
    w->b.config.beside[0] = &w->oscore.oscore.service;
    w->b.config.beside[1] = &w->responder.lake.service;
    if (settings->noted_ms > 0)
        limits->noted_ms = settings->noted_ms;
    w->is_home = settings->is_home;
    w->b.accepted = note_stored;
    w->b.context = w;
    bench_require(bench_start(&w->b) == LARCH_OK);
    const larch_sim_node node = {w->address, w, gateway_receive, gateway_poll, gateway_deadline};
    larch_sim_add(w->sim, &node);
    return w;
}

void world_end(world *w)
{
    larch_sim_destroy(w->sim);
    bench_end(&w->b);
    free(w->slots);
    free(w->pool);
    free(w->exchanges);
    free(w->answers);
    free(w->reach);
    free(w->marks);
    free(w);
}

void world_run(world *w, uint64_t ms) { (void)larch_sim_run(w->sim, larch_sim_now_ms(w->sim) + ms, SIZE_MAX); }
uint64_t world_now(const world *w) { return larch_sim_now_ms(w->sim); }
