/* SPDX-License-Identifier: Apache-2.0 */
/* A sender and a gateway over a simulated network. A program that includes this has included cmocka.h. */
#ifndef TESTS_SENDER_WORLD_H
#define TESTS_SENDER_WORLD_H

#include <stdio.h>

#include "gateway_bench.h"
#include "larch/sender.h"

enum { TEXT_LEN = 12 };

typedef struct world {
    larch_sim *sim;
    bench gateway;
    bool gateway_is_on;
    bool gateway_resets; /* whatever it is asked */
    larch_peer gateway_address, sender_address;
    larch_sender sender;
    larch_sim_random sender_state;
    larch_random sender_random;
    unsigned accepted; /* the message under way, by its text */
    uint8_t text[TEXT_LEN];
    unsigned cut_permille;    /* for each datagram that reaches the gateway */
    unsigned rotate_permille; /* as well; before it is read */
    unsigned rotations;
    uint64_t after_ms;
} world;

static world w;

/* ---- the two hosts ----------------------------------------------------- */

static inline void note_accepted(void *context, larch_bytes text)
{
    world *at = context;
    bench_require(larch_bytes_equal(text, LARCH_BYTES(at->text))); /* nothing altered, nothing made up */
    at->accepted++;
}

static inline void gateway_drain(world *at, uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    at->gateway.now_ms = now_ms;
    while (at->gateway_is_on && bench_send(&at->gateway, &peer, &datagram) == LARCH_OK)
        larch_sim_send(at->sim, &at->gateway_address, &peer, datagram);
    if (at->gateway.flash.off)
        at->gateway_is_on = false;
}

/* The power comes back at the next datagram. */
static inline void gateway_power_on(world *at, uint64_t now_ms)
{
    bench *b = &at->gateway;
    larch_gateway_wipe(&b->gw);
    larch_flash_power_on(&b->flash);
    b->now_ms = now_ms;
    bench_require(bench_start(b) == LARCH_OK);
    at->gateway_is_on = true;
}

static inline void gateway_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                                   larch_bytes datagram)
{
    world *at = context;
    if (at->gateway_resets) {
        const uint8_t reset[] = {0x70, 0, datagram.data[2], datagram.data[3]};
        larch_sim_send(at->sim, &at->gateway_address, from, LARCH_BYTES(reset));
        return;
    }
    if (!at->gateway_is_on)
        gateway_power_on(at, now_ms);
    if (at->cut_permille > 0 && larch_sim_below(at->sim, 1000) < at->cut_permille)
        at->gateway.flash.cut_at = at->gateway.flash.operations + larch_sim_below(at->sim, 3);
    if (at->rotate_permille > 0 && larch_sim_below(at->sim, 1000) < at->rotate_permille) {
        const larch_error e = larch_gateway_rotate(&at->gateway.gw, now_ms, at->sender.config.kem);
        bench_require(e == LARCH_OK || at->gateway.flash.off);
        at->gateway_is_on = e == LARCH_OK;
        at->rotations += e == LARCH_OK;
        if (e != LARCH_OK)
            return; /* the power went before the datagram was read */
    }
    bench_require(larch_gateway_receive(&at->gateway.gw, now_ms, from, multicast, datagram) == LARCH_OK);
    gateway_drain(at, now_ms);
}

static inline void gateway_poll(void *context, uint64_t now_ms) { gateway_drain(context, now_ms); }

static inline uint64_t gateway_deadline(void *context)
{
    const world *at = context;
    return at->gateway_is_on ? larch_gateway_deadline_ms(&at->gateway.gw) : UINT64_MAX;
}

static inline void sender_poll(void *context, uint64_t now_ms)
{
    world *at = context;
    larch_peer peer;
    larch_bytes datagram;
    while (larch_sender_send(&at->sender, now_ms, &peer, &datagram) == LARCH_OK)
        larch_sim_send(at->sim, &at->sender_address, &peer, datagram);
}

static inline void sender_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                                  larch_bytes datagram)
{
    world *at = context;
    bench_require(!multicast);
    larch_sender_receive(&at->sender, now_ms, from, datagram);
    sender_poll(context, now_ms);
}

static inline uint64_t sender_deadline(void *context)
{
    return larch_sender_deadline_ms(&((const world *)context)->sender);
}

/* A sender whose trust begins so. */
static inline void begin_sender(const larch_kem *kem, const larch_trust_basis *basis)
{
    const larch_sender_config config = {
        .random = &w.sender_random, .kem = kem, .peer = w.gateway_address, .trust = basis};
    bench_require(larch_sender_init(&w.sender, larch_sim_now_ms(w.sim), &config) == LARCH_OK);
}

/* Both hosts; the sender has the gateway's key on record. */
static inline void begin(uint64_t seed, const larch_kem *kem, uint32_t marks, const larch_sim_faults *faults)
{
    memset(&w, 0, sizeof w);
    w.sim = larch_sim_create(seed, 1000000);
    w.after_ms = 10000;
    larch_sim_set_faults(w.sim, faults);
    w.gateway_address = larch_sim_ipv4(0x0a000001, 5683);
    w.sender_address = larch_sim_ipv4(0x0a000002, 40000);
    bench_prepare(&w.gateway, seed, marks);
    w.gateway.accepted = note_accepted;
    w.gateway.context = &w;
    bench_require(bench_start(&w.gateway) == LARCH_OK);
    w.gateway_is_on = true;
    w.sender_state = (larch_sim_random){.state = ~seed};
    w.sender_random = larch_sim_random_of(&w.sender_state);
    const larch_trust_basis basis = {.ek = larch_gateway_key_of(&w.gateway.gw, kem, NULL, NULL)};
    begin_sender(kem, &basis);
    const larch_sim_node gateway = {w.gateway_address, &w, gateway_receive, gateway_poll, gateway_deadline};
    const larch_sim_node sender = {w.sender_address, &w, sender_receive, sender_poll, sender_deadline};
    larch_sim_add(w.sim, &gateway);
    larch_sim_add(w.sim, &sender);
}

static inline void end(void)
{
    larch_sim_destroy(w.sim);
    bench_end(&w.gateway);
    larch_sender_wipe(&w.sender);
}

static inline bool sender_is_done(void)
{
    larch_sender_state state = larch_sender_state_of(&w.sender);
    return state == LARCH_SENDER_READY || state == LARCH_SENDER_FAILED;
}

/* Until the sender knows how it ended, and then as long as w.after_ms for what is still on its way. */
static inline void settle(void)
{
    size_t steps = 0;
    uint64_t start_ms = larch_sim_now_ms(w.sim);
    while (!sender_is_done() && larch_sim_step(w.sim, UINT64_MAX))
        assert_true(++steps < 100000);
    assert_true(sender_is_done());
    assert_true(larch_sim_now_ms(w.sim) - start_ms < 1000000);
    assert_true(larch_sim_run(w.sim, larch_sim_now_ms(w.sim) + w.after_ms, 100000) < 100000);
}

static inline bool fetch(void)
{
    assert_int_equal(larch_sender_fetch(&w.sender, larch_sim_now_ms(w.sim)), LARCH_OK);
    settle();
    return larch_sender_state_of(&w.sender) == LARCH_SENDER_READY;
}

/* One message, named by number; whether the sender calls it delivered. */
static inline bool deliver(unsigned number)
{
    snprintf((char *)w.text, sizeof w.text, "message %03u", number % 1000);
    w.accepted = 0;
    assert_int_equal(larch_sender_post(&w.sender, larch_sim_now_ms(w.sim), LARCH_BYTES(w.text)), LARCH_OK);
    settle();
    bool delivered = larch_sender_state_of(&w.sender) == LARCH_SENDER_READY;
    /* AUTH_FAIL is not authenticated: a key that was wiped after it opened the message lets the sender seal it anew. */
    const unsigned most = w.rotate_permille > 0 ? 2 : 1;
    assert_true(w.accepted <= most);
    assert_true(!delivered || w.accepted >= 1);
    return delivered;
}

#endif
