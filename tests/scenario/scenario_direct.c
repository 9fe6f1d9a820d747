/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sender and gateway over a network that loses, repeats, reorders and corrupts, with power
 * cuts at the gateway. Whatever happens, a message is accepted at most once, and one that
 * the sender calls delivered was accepted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"
#include "larch/sender.h"

enum { TEXT_LEN = 12, SCHEDULES = 3000 };

typedef struct world {
    larch_sim *sim;
    bench gateway;
    bool gateway_is_on;
    larch_peer gateway_address, sender_address;
    larch_sender sender;
    larch_sim_random sender_state;
    larch_random sender_random;
    unsigned accepted; /* the message under way, by its text */
    uint8_t text[TEXT_LEN];
    unsigned cut_permille; /* for each datagram that reaches the gateway */
    uint64_t after_ms;
} world;

static world w;

/* ---- the two hosts ----------------------------------------------------- */

static void note_accepted(void *context, larch_bytes text)
{
    world *at = context;
    bench_require(larch_bytes_equal(text, LARCH_BYTES(at->text))); /* nothing altered, nothing made up */
    at->accepted++;
}

static void gateway_drain(world *at, uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    while (at->gateway_is_on && larch_gateway_send(&at->gateway.gw, now_ms, &peer, &datagram) == LARCH_OK)
        larch_sim_send(at->sim, &at->gateway_address, &peer, datagram);
    if (at->gateway.flash.off)
        at->gateway_is_on = false;
}

/* The power comes back at the next datagram. */
static void gateway_power_on(world *at, uint64_t now_ms)
{
    bench *b = &at->gateway;
    larch_gateway_wipe(&b->gw);
    larch_flash_power_on(&b->flash);
    b->now_ms = now_ms;
    bench_require(bench_start(b) == LARCH_OK);
    at->gateway_is_on = true;
}

static void gateway_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                            larch_bytes datagram)
{
    world *at = context;
    if (!at->gateway_is_on)
        gateway_power_on(at, now_ms);
    if (at->cut_permille > 0 && larch_sim_below(at->sim, 1000) < at->cut_permille)
        at->gateway.flash.cut_at = at->gateway.flash.operations + larch_sim_below(at->sim, 3);
    bench_require(larch_gateway_receive(&at->gateway.gw, now_ms, from, multicast, datagram) == LARCH_OK);
    gateway_drain(at, now_ms);
}

static void gateway_poll(void *context, uint64_t now_ms) { gateway_drain(context, now_ms); }

static uint64_t gateway_deadline(void *context)
{
    const world *at = context;
    return at->gateway_is_on ? larch_gateway_deadline_ms(&at->gateway.gw) : UINT64_MAX;
}

static void sender_poll(void *context, uint64_t now_ms)
{
    world *at = context;
    larch_peer peer;
    larch_bytes datagram;
    while (larch_sender_send(&at->sender, now_ms, &peer, &datagram) == LARCH_OK)
        larch_sim_send(at->sim, &at->sender_address, &peer, datagram);
}

static void sender_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    world *at = context;
    bench_require(!multicast);
    larch_sender_receive(&at->sender, now_ms, from, datagram);
    sender_poll(context, now_ms);
}

static uint64_t sender_deadline(void *context) { return larch_sender_deadline_ms(&((const world *)context)->sender); }

static void begin(uint64_t seed, const larch_kem *kem, uint32_t marks, const larch_sim_faults *faults)
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
    const larch_bytes ek = larch_gateway_key_of(&w.gateway.gw, kem, NULL, NULL);
    const larch_sender_config config = {
        .random = &w.sender_random, .kem = kem, .peer = w.gateway_address, .pinned_ek = ek};
    bench_require(larch_sender_init(&w.sender, 1000000, &config) == LARCH_OK);
    const larch_sim_node gateway = {w.gateway_address, &w, gateway_receive, gateway_poll, gateway_deadline};
    const larch_sim_node sender = {w.sender_address, &w, sender_receive, sender_poll, sender_deadline};
    larch_sim_add(w.sim, &gateway);
    larch_sim_add(w.sim, &sender);
}

static void end(void)
{
    larch_sim_destroy(w.sim);
    bench_end(&w.gateway);
    larch_sender_wipe(&w.sender);
}

static bool sender_is_done(void)
{
    larch_sender_state state = larch_sender_state_of(&w.sender);
    return state == LARCH_SENDER_READY || state == LARCH_SENDER_FAILED;
}

/* Until the sender knows how it ended, and then as long as w.after_ms for what is still on its way. */
static void settle(void)
{
    size_t steps = 0;
    uint64_t start_ms = larch_sim_now_ms(w.sim);
    while (!sender_is_done() && larch_sim_step(w.sim, UINT64_MAX))
        assert_true(++steps < 100000);
    assert_true(sender_is_done());
    assert_true(larch_sim_now_ms(w.sim) - start_ms < 1000000);
    assert_true(larch_sim_run(w.sim, larch_sim_now_ms(w.sim) + w.after_ms, 100000) < 100000);
}

static bool fetch(void)
{
    assert_int_equal(larch_sender_fetch(&w.sender, larch_sim_now_ms(w.sim)), LARCH_OK);
    settle();
    return larch_sender_state_of(&w.sender) == LARCH_SENDER_READY;
}

/* One message, named by number; whether the sender calls it delivered. */
static bool deliver(unsigned number)
{
    snprintf((char *)w.text, sizeof w.text, "message %03u", number % 1000);
    w.accepted = 0;
    assert_int_equal(larch_sender_post(&w.sender, larch_sim_now_ms(w.sim), LARCH_BYTES(w.text)), LARCH_OK);
    settle();
    bool delivered = larch_sender_state_of(&w.sender) == LARCH_SENDER_READY;
    assert_true(w.accepted <= 1);
    assert_true(!delivered || w.accepted == 1);
    return delivered;
}

/* ---- each loss, each pair ---------------------------------------------- */

static void exchange_without(const larch_kem *kem, const unsigned *drop, size_t count)
{
    const larch_sim_faults faults = {.delay_min_ms = 20, .delay_max_ms = 20, .drop = drop, .drop_count = count};
    begin(1, kem, BENCH_MARKS, &faults);
    assert_true(fetch());
    assert_true(deliver(1));
    assert_int_equal(w.accepted, 1);
    assert_int_equal(w.gateway.told[LARCH_GATEWAY_REPLAY], 0); /* repeats are known by their message ID */
}

static void test_every_loss_and_pair(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++) {
        exchange_without(kem, NULL, 0);
        unsigned datagrams = larch_sim_sent(w.sim);
        end();
        assert_true(datagrams >= 4);
        /* A loss makes for more datagrams, which may be the second to be lost. */
        for (unsigned first = 0; first < datagrams; first++)
            for (unsigned second = first; second < datagrams + 4; second++) {
                const unsigned drop[] = {first, second};
                exchange_without(kem, drop, 2);
                end();
            }
    }
}

/* ---- random schedules -------------------------------------------------- */

static void test_random_schedules(void **state)
{
    (void)state;
    unsigned delivered = 0, failed_accepted = 0, failed = 0, cuts = 0;
    for (unsigned seed = 0; seed < SCHEDULES; seed++) {
        const larch_kem *kem = larch_kem_at(seed % 10 == 0 ? 1 + seed / 10 % 2 : 0);
        const larch_sim_faults faults = {
            .loss = seed % 5 * 80,
            .duplication = seed / 5 % 4 * 100,
            .corruption = seed / 20 % 3 * 50,
            .delay_min_ms = 5,
            .delay_max_ms = seed % 7 == 0 ? 5 : 3000,
        };
        begin(seed, kem, BENCH_MARKS, &faults);
        w.cut_permille = seed / 60 % 4 * 100;
        if (fetch())
            for (unsigned i = 0; i < 3 && larch_sender_state_of(&w.sender) == LARCH_SENDER_READY; i++) {
                bool ok = deliver(i);
                delivered += ok;
                failed += !ok;
                failed_accepted += !ok && w.accepted == 1;
            }
        cuts += !w.gateway_is_on || w.gateway.random_state.calls > 3 + 2 * LARCH_GATEWAY_SETS;
        end();
    }
    printf("%u delivered, %u failed (%u of them accepted without the sender knowing)\n", delivered, failed,
           failed_accepted);
    /* The schedules are hard, but not so hard that nothing was tested. */
    assert_true(delivered > SCHEDULES && failed > 50 && cuts > SCHEDULES / 4);
}

/* ---- rotations under way ----------------------------------------------- */

/* A sender follows through rotations that fall between, and into, its messages. */
static void test_rotations(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 100; seed++) {
        const larch_sim_faults faults = {.loss = seed % 3 * 50, .delay_min_ms = 5, .delay_max_ms = 500};
        begin(seed, larch_kem_find(512), 16, &faults); /* rotates every 14 messages */
        assert_true(fetch());
        unsigned delivered = 0;
        for (unsigned i = 0; i < 40 && larch_sender_state_of(&w.sender) == LARCH_SENDER_READY; i++)
            delivered += deliver(i);
        if (faults.loss == 0)
            assert_int_equal(delivered, 40);
        assert_true(delivered < 20 || larch_sender_rotated(&w.sender));
        end();
    }
}

/* ---- floods ------------------------------------------------------------ */

/* Forged addresses ask for keys and send what looks sealed; a sender known from before is served. */
static void test_flood(void **state)
{
    (void)state;
    const larch_sim_faults faults = {.delay_min_ms = 5, .delay_max_ms = 5};
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    static uint8_t garbage[18 + 768 + 16] = {3, 0, 0, 3};
    begin(1, larch_kem_find(512), BENCH_MARKS, &faults);
    assert_true(fetch());
    assert_true(deliver(0));
    unsigned refused = 0;
    w.after_ms = 0;
    for (unsigned i = 1; i < 30; i++) {
        uint64_t now_ms = larch_sim_now_ms(w.sim);
        for (uint32_t forged = 0; forged < 1000; forged++) {
            bool ask_key = forged % 2 == 0;
            const bench_ask ask = {.type = LARCH_COAP_NON,
                                   .code = ask_key ? LARCH_COAP_GET : LARCH_COAP_POST,
                                   .message_id = (uint16_t)forged,
                                   .path = ask_key ? "pqkem-pk" : "pqkem-data",
                                   .payload = {garbage, ask_key ? 0 : sizeof garbage}};
            const larch_peer peer = larch_sim_ipv4(0x20000000 + (i << 20) + (forged << 8), 1);
            larch_sim_send(w.sim, &peer, &w.gateway_address, bench_compose(&ask, out));
        }
        (void)larch_sim_run(w.sim, now_ms + 4, SIZE_MAX);
        assert_true(deliver(i));
        refused = w.gateway.told[LARCH_GATEWAY_RATE];
    }
    assert_true(refused > 10000);
    assert_int_equal(w.gateway.told[LARCH_GATEWAY_ACCEPTED], 30);
    end();
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_loss_and_pair),
        cmocka_unit_test(test_random_schedules),
        cmocka_unit_test(test_rotations),
        cmocka_unit_test(test_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
