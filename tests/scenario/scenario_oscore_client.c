/* SPDX-License-Identifier: Apache-2.0 */
/* A client in a session over a network that loses, copies, reorders and forges: only what its peer protected counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oscore_peers.h"

#define LONG_MS (4u * 60 * 1000)
#define SEEDS   12

static const larch_sim_faults sound = {.delay_min_ms = 10, .delay_max_ms = 10};
static const larch_sim_faults faulty = {
    .loss = 200, .duplication = 200, .corruption = 50, .delay_min_ms = 5, .delay_max_ms = 900};

static void expect_answer(uint8_t code)
{
    assert_int_equal(w.outcome, LARCH_OK);
    assert_int_equal(w.answer.code, code);
    assert_false(larch_oscore_client_is_busy(&w.c));
}

static void test_request(void **state)
{
    (void)state;
    begin_world(1, &sound);
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("21.5")), LARCH_OK);
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("21.5")), LARCH_STATE);
    run_for(LONG_MS);
    expect_answer(LARCH_COAP_CHANGED);
    assert_int_equal(w.deliveries, 1);
    assert_int_equal(w.numbers, 1);
    assert_int_equal(larch_sim_sent(w.sim), 2);
    assert_int_equal(larch_oscore_client_hint(&w.c), 0);
    end_world();
}

/* Both ways, each block under a number of its own. */
static void test_blocks(void **state)
{
    (void)state;
    begin_world(2, &sound);
    assert_int_equal(ask(LARCH_COAP_GET, "big", (larch_bytes){NULL, 0}), LARCH_OK);
    run_for(LONG_MS);
    expect_answer(LARCH_COAP_CONTENT);
    assert_true(larch_bytes_equal(w.answer.body, LARCH_BYTES(w.pattern)));
    assert_int_equal(w.numbers, 3);
    assert_int_equal(ask(LARCH_COAP_POST, "up", (larch_bytes){w.pattern, 1900}), LARCH_OK);
    run_for(LONG_MS);
    expect_answer(LARCH_COAP_CHANGED);
    assert_int_equal(w.uploads, 1);
    assert_int_equal(w.numbers, 5);
    end_world();
}

static void test_inner_echo(void **state)
{
    (void)state;
    begin_world(3, &sound);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(larch_oscore_forget_window(&w.server.session.oscore, &w.server.source), LARCH_OK);
        assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
        run_for(LONG_MS);
        expect_answer(LARCH_COAP_CHANGED);
        assert_int_equal(w.challenges, i);
        assert_int_equal(w.deliveries, i);
        assert_int_equal(w.numbers, 2 * i);
    }
    end_world();
}

/* The same number again, with the Echo outside; then a new one with the Echo inside. */
static void test_outer_echo(void **state)
{
    (void)state;
    begin_world(4, &sound);
    assert_int_equal(larch_oscore_forget_window(&w.server.session.oscore, &w.server.source), LARCH_OK);
    w.outer_echoes = 1;
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
    run_for(LONG_MS);
    expect_answer(LARCH_COAP_CHANGED);
    assert_int_equal(w.echoed, 1);
    assert_int_equal(w.numbers, 2);
    assert_int_equal(w.deliveries, 1);
    end_world();
}

/* A peer that challenges whatever it gets is asked no more than a few times. */
static void test_challenges_end(void **state)
{
    (void)state;
    begin_world(5, &sound);
    w.outer_echoes = UINT32_MAX;
    w.refusal = LARCH_COAP_UNAUTHORIZED;
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
    run_for(LONG_MS);
    assert_int_equal(w.outcome, LARCH_TIMEOUT);
    assert_int_equal(larch_oscore_client_hint(&w.c), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(w.numbers, 1);
    assert_true(larch_sim_sent(w.sim) <= 2 * (1 + LARCH_COAP_MAX_RETRANSMIT));
    end_world();
}

static void test_unprotected_errors(void **state)
{
    (void)state;
    begin_world(6, &sound);
    w.refusal = LARCH_COAP_NOT_FOUND;
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
    run_for(1000);
    assert_int_equal(w.outcome, LARCH_AGAIN);
    w.refusal = 0;
    memset(w.server.exchanges, 0, sizeof w.server.exchanges); /* it started anew, and knows the context again */
    run_for(LONG_MS);
    expect_answer(LARCH_COAP_CHANGED);
    assert_int_equal(larch_oscore_client_hint(&w.c), LARCH_COAP_NOT_FOUND);
    end_world();
}

static void test_nobody(void **state)
{
    (void)state;
    begin_world(7, &sound);
    w.is_mute = true;
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
    run_for(LONG_MS);
    assert_int_equal(w.outcome, LARCH_TIMEOUT);
    assert_int_equal(larch_oscore_client_hint(&w.c), 0);
    assert_false(larch_oscore_client_is_busy(&w.c));
    end_world();
}

static void test_numbers_refused(void **state)
{
    (void)state;
    static const struct {
        larch_error number, outcome;
    } rows[] = {{LARCH_AGAIN, LARCH_BUSY}, {LARCH_SPENT, LARCH_SPENT}, {LARCH_PLATFORM, LARCH_PLATFORM}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_world(8, &sound);
        w.number_error = rows[i].number;
        assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), rows[i].outcome);
        assert_false(larch_oscore_client_is_busy(&w.c));
        run_for(LONG_MS);
        assert_int_equal(larch_sim_sent(w.sim), 0);
        w.number_error = LARCH_OK;
        assert_int_equal(ask(LARCH_COAP_GET, "big", (larch_bytes){NULL, 0}), LARCH_OK);
        w.number_error = rows[i].number; /* before the second block */
        run_for(LONG_MS);
        assert_int_equal(w.outcome, rows[i].outcome);
        assert_int_equal(w.answer.body.len, 0);
        assert_false(larch_oscore_client_is_busy(&w.c));
        end_world();
    }
}

static void test_misuse(void **state)
{
    (void)state;
    begin_world(9, &sound);
    const larch_coap_target group = {.peer = w.server.address, .type = LARCH_COAP_CON, .flags = LARCH_COAP_ANY_PEER};
    const larch_coap_ask put = {.method = LARCH_COAP_PUT, .path = "state", .content_format = 0xffff};
    assert_int_equal(larch_oscore_client_ask(&w.c, &w.config, 0, &group, &put, w.body, sizeof w.body), LARCH_STATE);
    assert_int_equal(larch_oscore_client_observe(&w.c, &w.config, 0, &group, &put, w.body, sizeof w.body), LARCH_STATE);
    assert_int_equal(larch_oscore_client_deregister(&w.c, 0), LARCH_STATE);
    assert_int_equal(larch_oscore_client_reregister(&w.c, 0), LARCH_STATE);
    w.client.random.fails_at = w.client.random.calls + 1;
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_PLATFORM);
    assert_false(larch_oscore_client_is_busy(&w.c));
    end_world();
}

/* ---- forgeries ----------------------------------------------------------- */

static void inject(const larch_peer *from, larch_coap_type type, uint8_t code, uint16_t id, larch_bytes token,
                   bool is_oscore, larch_bytes payload)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, sizeof out, type, code, id, token);
    if (is_oscore)
        larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, (larch_bytes){NULL, 0});
    larch_coap_build_payload(&b, payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    larch_sim_send(w.sim, from, &w.client.address, datagram);
}

/* All that an attacker can say who sees the request, from the peer's address and from its own. */
static void forge_responses(larch_bytes datagram)
{
    static const uint8_t codes[] = {LARCH_COAP_CHANGED, LARCH_COAP_CONTENT, LARCH_COAP_UNAUTHORIZED,
                                    LARCH_COAP_NOT_FOUND, LARCH_COAP_SERVICE_UNAVAILABLE};
    static const larch_coap_type types[] = {LARCH_COAP_ACK, LARCH_COAP_CON, LARCH_COAP_NON};
    const larch_peer sources[] = {w.server.address, larch_sim_ipv4(OTHER_ADDRESS, 4444)};
    static uint16_t id;
    larch_coap_message m;
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    if (LARCH_COAP_CLASS(m.code) != 0 || m.code == LARCH_COAP_EMPTY)
        return;
    for (size_t from = 0; from < 2; from++)
        for (size_t type = 0; type < 3; type++)
            for (size_t code = 0; code < sizeof codes; code++) {
                const uint16_t used = types[type] == LARCH_COAP_ACK ? m.message_id : ++id;
                inject(&sources[from], types[type], codes[code], used, m.token, false, LARCH_TEXT("forged"));
            }
    for (size_t from = 0; from < 2; from++)
        inject(&sources[from], LARCH_COAP_ACK, LARCH_COAP_CHANGED, m.message_id, m.token, true,
               LARCH_TEXT("forged and long enough"));
    inject(&sources[1], LARCH_COAP_ACK, LARCH_COAP_EMPTY, m.message_id, (larch_bytes){NULL, 0}, false,
           (larch_bytes){NULL, 0});
    inject(&sources[1], LARCH_COAP_RST, LARCH_COAP_EMPTY, m.message_id, (larch_bytes){NULL, 0}, false,
           (larch_bytes){NULL, 0});
}

/* Forgeries arrive before the true answer, which takes several tries. */
static void test_forgeries(void **state)
{
    (void)state;
    static const unsigned drop[] = {0};
    static const larch_sim_faults faults = {.delay_min_ms = 10, .delay_max_ms = 10, .drop = drop, .drop_count = 1};
    begin_world(10, &faults);
    w.forge = forge_responses;
    for (unsigned i = 1; i <= 5; i++) {
        assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
        run_for(LONG_MS);
        expect_answer(LARCH_COAP_CHANGED);
        assert_int_equal(w.answer.body.len, 0);
        assert_int_equal(w.deliveries, i);
    }
    assert_true(larch_oscore_client_hint(&w.c) != 0);
    assert_true(w.client.session.failed >= 10);
    end_world();
}

/* A flood from another address neither reaches the limit of failures nor shuts out the peer. */
static void forge_flood(larch_bytes datagram)
{
    const larch_peer other = larch_sim_ipv4(OTHER_ADDRESS, 4444);
    larch_coap_message m;
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    for (unsigned i = 0; i < 1000; i++)
        inject(&other, LARCH_COAP_ACK, LARCH_COAP_CHANGED, m.message_id, m.token, true,
               LARCH_TEXT("forged and longer"));
}

static void test_forged_flood(void **state)
{
    (void)state;
    begin_world(11, &sound);
    w.forge = forge_flood;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
        run_for(LONG_MS);
        expect_answer(LARCH_COAP_CHANGED);
    }
    assert_true(w.client.session.failed > 0 && w.client.session.failed <= LARCH_SESSION_BURST + 2);
    end_world();
}

/* What the peer protected counts from wherever it comes; and once. */
static void test_from_elsewhere(void **state)
{
    (void)state;
    begin_world(12, &sound);
    w.answers_from_elsewhere = true;
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
    run_for(LONG_MS);
    expect_answer(LARCH_COAP_CHANGED);
    const larch_peer other = larch_sim_ipv4(OTHER_ADDRESS, 4444);
    assert_true(larch_peer_equal(&w.from, &other));
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.deliveries, 1);
    end_world();
}

/* ---- a bad network ------------------------------------------------------- */

static void test_bad_network(void **state)
{
    (void)state;
    unsigned answered = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        unsigned done = 0, failed = 0;
        begin_world(seed, &faulty);
        for (unsigned i = 0; i < 12; i++) {
            if (i % 4 == 0)
                assert_int_equal(larch_oscore_forget_window(&w.server.session.oscore, &w.server.source), LARCH_OK);
            w.outer_echoes = i % 3 == 0 ? 2 : 0;
            const bool is_long = i % 5 == 4;
            assert_int_equal(
                ask(LARCH_COAP_POST, is_long ? "up" : "r/t", (larch_bytes){w.pattern, is_long ? 1900 : 10}), LARCH_OK);
            run_for(2 * LONG_MS);
            /* A damaged acknowledgement may be a Reset. */
            assert_true(w.outcome == LARCH_OK || w.outcome == LARCH_TIMEOUT || w.outcome == LARCH_RESET);
            done += w.outcome == LARCH_OK && w.answer.code == LARCH_COAP_CHANGED;
            failed += w.outcome != LARCH_OK;
        }
        /* A request that failed was carried out once or not at all. */
        const unsigned taken = w.deliveries + w.uploads;
        assert_true(taken >= done && taken <= done + failed);
        answered += done;
        end_world();
    }
    assert_true(answered > SEEDS * 12 / 2);
}

/* ---- observation --------------------------------------------------------- */

static void set_state(uint8_t value, size_t len)
{
    w.state = value;
    w.state_len = len;
}

static void expect_state(unsigned answers)
{
    assert_int_equal(w.answers, answers);
    assert_int_equal(w.answer.code, LARCH_COAP_CONTENT);
    assert_int_equal(w.answer.body.len, w.state_len);
    for (size_t i = 0; i < w.state_len; i++)
        assert_int_equal(w.answer.body.data[i], w.state);
    assert_true(larch_oscore_client_is_observing(&w.c));
}

static void test_observe(void **state)
{
    (void)state;
    begin_world(20, &sound);
    set_state('a', 10);
    assert_int_equal(larch_oscore_forget_window(&w.server.session.oscore, &w.server.source), LARCH_OK);
    assert_int_equal(observe(), LARCH_OK); /* it is challenged first */
    run_for(LONG_MS);
    expect_state(1);
    assert_int_equal(w.challenges, 1);
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_STATE);
    set_state('b', 20);
    notify(LARCH_COAP_NON);
    run_for(LONG_MS);
    expect_state(2);
    set_state('c', BIG_LEN); /* fetched on in blocks */
    notify(LARCH_COAP_CON);
    run_for(LONG_MS);
    expect_state(3);
    set_state('d', 0);
    w.answers_from_elsewhere = true;
    notify(LARCH_COAP_CON);
    run_for(LONG_MS);
    expect_state(4);
    w.answers_from_elsewhere = false;
    w.is_observed = false; /* the server forgot it */
    const larch_oscore_binding before = w.observation;
    uint8_t token[LARCH_COAP_TOKEN_MAX];
    memcpy(token, w.observer_token, sizeof token);
    assert_int_equal(larch_oscore_client_reregister(&w.c, larch_sim_now_ms(w.sim)), LARCH_OK);
    run_for(LONG_MS);
    expect_state(5);
    assert_memory_equal(token, w.observer_token, w.observer_token_len);
    assert_memory_not_equal(&before, &w.observation, sizeof before);
    set_state('e', 3);
    notify(LARCH_COAP_NON);
    run_for(LONG_MS);
    expect_state(6);

    assert_int_equal(larch_oscore_client_deregister(&w.c, larch_sim_now_ms(w.sim)), LARCH_OK);
    run_for(LONG_MS);
    assert_false(w.is_observed);
    expect_answer(LARCH_COAP_CONTENT);
    assert_int_equal(w.answers, 7);
    notify(LARCH_COAP_NON);
    run_for(LONG_MS);
    assert_int_equal(w.answers, 7);
    assert_int_equal(ask(LARCH_COAP_POST, "r/t", LARCH_TEXT("x")), LARCH_OK);
    end_world();
}

/* A copy is dropped, one that was overtaken too, and a lost one is not missed. */
static void test_notifications_grow(void **state)
{
    (void)state;
    static const larch_sim_faults twice = {.duplication = 1000, .delay_min_ms = 10, .delay_max_ms = 200};
    begin_world(21, &twice);
    set_state('a', 1);
    assert_int_equal(observe(), LARCH_OK);
    run_for(LONG_MS);
    expect_state(1);
    uint8_t newest = 'a';
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned k = 0; k < 3; k++) { /* these overtake each other */
            set_state((uint8_t)(w.state + 1), 1);
            notify(k % 2 == 0 ? LARCH_COAP_NON : LARCH_COAP_CON);
        }
        const unsigned before = w.answers;
        run_for(LONG_MS);
        assert_true(w.answers > before && w.answers <= before + 3);
        expect_state(w.answers); /* the newest is what stands in the end */
        assert_true(w.state > newest);
        newest = w.state;
    }
    end_world();
}

/* A newer notification takes the place of one whose blocks are still fetched. */
static void test_notification_overtakes_blocks(void **state)
{
    (void)state;
    begin_world(22, &sound);
    set_state('a', 1);
    assert_int_equal(observe(), LARCH_OK);
    run_for(LONG_MS);
    set_state('b', BIG_LEN);
    notify(LARCH_COAP_NON);
    run_for(25);
    assert_int_equal(w.answers, 1);
    set_state('c', 5);
    notify(LARCH_COAP_NON);
    run_for(LONG_MS);
    expect_state(2);
    end_world();
}

/* An error that was verified ends the observation; an unprotected one does not. */
static void test_observation_ends(void **state)
{
    (void)state;
    static uint8_t plain[64], out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_bytes datagram;
    begin_world(23, &sound);
    set_state('a', 1);
    assert_int_equal(observe(), LARCH_OK);
    run_for(LONG_MS);
    const larch_bytes token = {w.observer_token, w.observer_token_len};
    inject(&w.server.address, LARCH_COAP_CON, LARCH_COAP_NOT_FOUND, 900, token, false, (larch_bytes){NULL, 0});
    run_for(LONG_MS);
    expect_state(1);
    const uint64_t number = own_number();
    larch_coap_build(&b, plain, sizeof plain, LARCH_COAP_CON, LARCH_COAP_NOT_FOUND, 901, token);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    send_from_server(protect(&w.observation, &number, datagram, out));
    run_for(LONG_MS);
    expect_answer(LARCH_COAP_NOT_FOUND);
    assert_false(larch_oscore_client_is_observing(&w.c));
    end_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_inner_echo),
        cmocka_unit_test(test_outer_echo),
        cmocka_unit_test(test_challenges_end),
        cmocka_unit_test(test_unprotected_errors),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_numbers_refused),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_forgeries),
        cmocka_unit_test(test_forged_flood),
        cmocka_unit_test(test_from_elsewhere),
        cmocka_unit_test(test_bad_network),
        cmocka_unit_test(test_observe),
        cmocka_unit_test(test_notifications_grow),
        cmocka_unit_test(test_notification_overtakes_blocks),
        cmocka_unit_test(test_observation_ends),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
