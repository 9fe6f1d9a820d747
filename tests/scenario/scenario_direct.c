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

#include "sender_world.h"

enum { SCHEDULES = 3000 };

/* ---- each loss, each pair ---------------------------------------------- */

static void exchange_without(const larch_kem *kem, const unsigned *drop, size_t count)
{
    const larch_sim_faults faults = {.delay_min_ms = 20, .delay_max_ms = 20, .drop = drop, .drop_count = count};
    begin(1, kem, BENCH_MARKS, &faults);
    assert_true(fetch());
    assert_true(deliver(1));
    assert_int_equal(w.accepted, 1);
    assert_int_equal(w.gateway.told[LARCH_EVENT_REPLAY], 0); /* repeats are known by their message ID */
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
        cuts += !w.gateway_is_on ||
                w.gateway.random_state.calls > 3 + 3 * LARCH_DIRECT_SETS + LARCH_MLDSA_44 + LARCH_MLDSA_87;
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
        refused = w.gateway.told[LARCH_EVENT_RATE];
    }
    assert_true(refused > 10000);
    assert_int_equal(w.gateway.told[LARCH_EVENT_ACCEPTED], 30);
    end();
}

/* ---- each cause of failure --------------------------------------------- */

typedef enum cause { SILENCE, RESETS, FULL_TABLE, NO_MESSAGE_ID, NO_RANDOM } cause;
typedef enum phase { FETCHING, POSTING, SECOND_BLOCK } phase;

static const larch_sim_faults nothing_arrives = {.loss = 1000};

static void bring_about(cause why)
{
    larch_coap_endpoint *ep = &w.sender.endpoint;
    larch_coap_builder b;
    uint32_t handle;
    switch (why) {
    case SILENCE:
        larch_sim_set_faults(w.sim, &nothing_arrives);
        break;
    case RESETS:
        w.gateway_resets = true;
        break;
    case FULL_TABLE:
        for (uint32_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
            const larch_peer other = larch_sim_ipv4(0x0a000100 + i, 5683);
            assert_int_equal(larch_coap_endpoint_request(ep, larch_sim_now_ms(w.sim), &other, LARCH_COAP_CON,
                                                         LARCH_COAP_GET, 0, NULL, &b, &handle),
                             LARCH_OK);
        }
        break;
    case NO_MESSAGE_ID: /* as after 2^16 messages within EXCHANGE_LIFETIME */
        ep->next_message_id = 0;
        ep->message_ids_free_ms[0] = larch_sim_now_ms(w.sim) + LARCH_COAP_EXCHANGE_LIFETIME_MS;
        break;
    default:
        w.sender_state.fails_at = w.sender_state.calls + 1;
        break;
    }
}

/* What the sender says is what happened, at once or in the end, and no answer of an earlier request stands beside it. */
static void test_causes(void **state)
{
    (void)state;
    static const struct {
        cause why;
        phase when;
        larch_error at_once;
        larch_sender_failure failure; /* NONE: it waits, and works then */
    } rows[] = {
        {SILENCE, FETCHING, LARCH_OK, LARCH_SENDER_FAIL_NO_ANSWER},
        {SILENCE, POSTING, LARCH_OK, LARCH_SENDER_FAIL_NO_ANSWER},
        {SILENCE, SECOND_BLOCK, LARCH_OK, LARCH_SENDER_FAIL_NO_ANSWER},
        {RESETS, FETCHING, LARCH_OK, LARCH_SENDER_FAIL_RESET},
        {RESETS, POSTING, LARCH_OK, LARCH_SENDER_FAIL_RESET},
        {RESETS, SECOND_BLOCK, LARCH_OK, LARCH_SENDER_FAIL_RESET},
        {FULL_TABLE, FETCHING, LARCH_OK, LARCH_SENDER_FAIL_NONE},
        {FULL_TABLE, POSTING, LARCH_OK, LARCH_SENDER_FAIL_NONE},
        {NO_MESSAGE_ID, FETCHING, LARCH_OK, LARCH_SENDER_FAIL_NONE},
        {NO_MESSAGE_ID, POSTING, LARCH_OK, LARCH_SENDER_FAIL_NONE},
        {NO_MESSAGE_ID, SECOND_BLOCK, LARCH_OK, LARCH_SENDER_FAIL_NONE},
        {NO_RANDOM, FETCHING, LARCH_PLATFORM, LARCH_SENDER_FAIL_PLATFORM},
        {NO_RANDOM, POSTING, LARCH_PLATFORM, LARCH_SENDER_FAIL_PLATFORM},
        {NO_RANDOM, SECOND_BLOCK, LARCH_OK, LARCH_SENDER_FAIL_PLATFORM},
    };
    const larch_sim_faults none = {.delay_min_ms = 1, .delay_max_ms = 1};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_bytes text;
        begin(i, larch_kem_find(1024), BENCH_MARKS, &none); /* whose messages take two blocks */
        if (rows[i].when != FETCHING)
            assert_true(fetch() && deliver(1));
        if (rows[i].when != SECOND_BLOCK)
            bring_about(rows[i].why);
        const uint64_t now_ms = larch_sim_now_ms(w.sim);
        larch_error e = rows[i].when == FETCHING ? larch_sender_fetch(&w.sender, now_ms)
                                                 : larch_sender_post(&w.sender, now_ms, LARCH_BYTES(w.text));
        assert_int_equal(e, rows[i].at_once);
        assert_int_equal(larch_sender_answer(&w.sender, &text), 0);
        assert_int_equal(text.len, 0);
        if (rows[i].when == SECOND_BLOCK) {
            sender_poll(&w, now_ms); /* the first one is on its way */
            assert_true(larch_sim_step(w.sim, UINT64_MAX));
            bring_about(rows[i].why);
        }
        if (rows[i].failure == LARCH_SENDER_FAIL_NONE) {
            assert_true(rows[i].when == SECOND_BLOCK || larch_sender_held_until_ms(&w.sender) > now_ms);
            if (rows[i].why == FULL_TABLE)
                memset(w.sender.endpoint.transmissions, 0, sizeof w.sender.endpoint.transmissions);
        }
        if (e == LARCH_OK)
            settle();
        assert_int_equal(larch_sender_failure_of(&w.sender), rows[i].failure);
        if (rows[i].failure == LARCH_SENDER_FAIL_NONE) {
            assert_int_equal(larch_sender_state_of(&w.sender), LARCH_SENDER_READY);
            assert_true(deliver(2));
        } else {
            assert_int_equal(larch_sender_state_of(&w.sender), LARCH_SENDER_FAILED);
            assert_int_equal(larch_sender_answer(&w.sender, &text), 0);
        }
        end();
    }
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
        cmocka_unit_test(test_causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
