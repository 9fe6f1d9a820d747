/* SPDX-License-Identifier: Apache-2.0 */
/* The Initiator: what it makes of answers, genuine and forged, and when it stores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "lake_world.h"

#define LONG_MS (6u * 60 * 1000)

static const larch_sim_faults sound = {.delay_min_ms = 10, .delay_max_ms = 10};
static lake_world w;

static void begin(void)
{
    lw_begin(&w, 3, &sound);
    w.unix_s = LW_UNIX_S;
}

static void run(void) { lw_run(&w, LONG_MS); }

static void shake(unsigned method)
{
    lw_shake(&w, larch_sim_now_ms(w.sim), method);
    run();
}

/* No secret is left in the client. */
static void expect_clean(void)
{
    assert_int_equal(larch_lake_client_due_ms(&w.client), UINT64_MAX);
    assert_true(all_are(w.request, sizeof w.request, 0));
    assert_true(all_are(w.client.lake.prk, sizeof w.client.lake.prk, 0));
    assert_true(all_are(w.client.lake.ephemeral, sizeof w.client.lake.ephemeral, 0));
    assert_true(all_are((const uint8_t *)&w.client.session, sizeof w.client.session, 0));
}

static void expect_failure(larch_error e)
{
    assert_int_equal(w.outcome, e);
    assert_false(larch_lake_client_is_stored(&w.client));
    assert_false(w.device_context.is);
    expect_clean();
}

/* ---- suites ----------------------------------------------------------------------- */

static void set_suites(const larch_lake_suite **suites, size_t *count, int64_t first, int64_t second)
{
    suites[0] = larch_lake_suite_find(first);
    suites[1] = larch_lake_suite_find(second);
    *count = 2;
}

static void test_other_suite(void **state)
{
    (void)state;
    begin();
    set_suites(w.device_suites, &w.device_party.suite_count, LARCH_LAKE_SUITE_X_WING, LARCH_LAKE_SUITE_PQ_2);
    w.suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_2);
    shake(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.outcome, LARCH_OK);
    assert_int_equal(w.reported, LARCH_OK);
    assert_int_equal(w.device_context.o.aead->number, LARCH_COSE_A256GCM);
    assert_int_equal(larch_lake_client_error_code(&w.client), LARCH_LAKE_ERROR_SUITE);
    lw_end(&w);
}

/* The Responder has none that the enrolment allows; or one whose hash is not the PSK's. */
static void test_no_suite(void **state)
{
    (void)state;
    begin();
    w.suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_2);
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_AUTH);
    assert_int_equal(larch_lake_client_error_code(&w.client), LARCH_LAKE_ERROR_SUITE);
    assert_int_equal(larch_lake_client_hint(&w.client), LARCH_COAP_BAD_REQUEST);
    set_suites(w.device_suites, &w.device_party.suite_count, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_SUITE_PQ_3);
    w.suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_3);
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_AUTH);
    set_suites(w.device_suites, &w.device_party.suite_count, LARCH_LAKE_SUITE_PQ_3, LARCH_LAKE_SUITE_PQ_1);
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_STATE); /* it never asks with it */
    lw_end(&w);
}

/* ---- a Responder that answers as it likes -------------------------------------------- */

/* Answers of a forger that sees the requests, and answers in the gateway's place. */
static struct forger {
    uint8_t code;
    bool has_echo;
    uint32_t max_age;
    larch_bytes payload;
    unsigned times; /* and then the gateway answers */
    unsigned asked;
} forged;

static void forge(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message m;
    larch_coap_builder b;
    larch_bytes answer;
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    if (forged.asked == forged.times || LARCH_COAP_CLASS(m.code) != 0 || m.code == LARCH_COAP_EMPTY) {
        lw_gateway_receive(context, now_ms, from, multicast, datagram);
        return;
    }
    forged.asked++;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_ACK, forged.code, m.message_id, m.token);
    if (forged.max_age > 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_MAX_AGE, forged.max_age);
    if (forged.has_echo)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_TEXT("echo"));
    larch_coap_build_payload(&b, forged.payload);
    assert_int_equal(larch_coap_build_end(&b, &answer), LARCH_OK);
    larch_sim_send(w.sim, &w.gateway_address, from, answer);
}

static void begin_forged(uint8_t code, larch_bytes payload, unsigned times)
{
    begin();
    larch_sim_destroy(w.sim);
    w.sim = larch_sim_create(3, w.g.now_ms);
    larch_sim_set_faults(w.sim, &sound);
    larch_sim_set_tap(w.sim, lw_tap, &w);
    larch_sim_add(w.sim, &(larch_sim_node){w.gateway_address, &w, forge, lw_gateway_poll, lw_gateway_deadline});
    larch_sim_add(w.sim, &(larch_sim_node){w.address, &w, lw_device_receive, lw_device_poll, lw_device_deadline});
    forged = (struct forger){.code = code, .payload = payload, .times = times};
}

static void test_forged_answers(void **state)
{
    static const struct {
        uint8_t code;
        const char *payload;
        size_t len;
        larch_error e;
        int64_t error_code;
    } rows[] = {
        {LARCH_COAP_BAD_REQUEST, "\x01\x67refused", 9, LARCH_AUTH, 1},
        {LARCH_COAP_BAD_REQUEST, "\x02\x02", 2, LARCH_AUTH, 2}, /* suite 2 */
        {LARCH_COAP_BAD_REQUEST, "\x02\x37", 2, LARCH_AUTH, 2}, /* the rejected one again */
        {LARCH_COAP_BAD_REQUEST, "\x03\xf5", 2, LARCH_AUTH, 3},
        {LARCH_COAP_BAD_REQUEST, "no CBOR", 7, LARCH_AUTH, 0},
        {LARCH_COAP_NOT_FOUND, "", 0, LARCH_AUTH, 0},
        {LARCH_COAP_CHANGED, "", 0, LARCH_MALFORMED, 0},
        {LARCH_COAP_CHANGED, "\x41\x01", 2, LARCH_MALFORMED, 0},
        {LARCH_COAP_UNAUTHORIZED, "", 0, LARCH_AUTH, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_forged(rows[i].code, (larch_bytes){(const uint8_t *)rows[i].payload, rows[i].len}, 1);
        shake(LARCH_LAKE_METHOD_PSK);
        expect_failure(rows[i].e);
        assert_int_equal(larch_lake_client_error_code(&w.client), rows[i].error_code);
        assert_int_equal(forged.asked, 1);
        shake(LARCH_LAKE_METHOD_PSK); /* anew: nothing of it is left */
        assert_int_equal(w.outcome, LARCH_OK);
        assert_int_equal(w.reported, LARCH_OK);
        lw_end(&w);
    }
}

/* Echos without end; and each is returned, up to a bound. */
static void test_echos(void **state)
{
    (void)state;
    begin_forged(LARCH_COAP_UNAUTHORIZED, (larch_bytes){NULL, 0}, 3);
    forged.has_echo = true;
    shake(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.outcome, LARCH_OK);
    lw_end(&w);
    begin_forged(LARCH_COAP_UNAUTHORIZED, (larch_bytes){NULL, 0}, 100);
    forged.has_echo = true;
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_AUTH);
    assert_int_equal(forged.asked, 5);
    lw_end(&w);
}

/* 5.03 with Max-Age: the same message again, then. */
static void test_later(void **state)
{
    (void)state;
    begin_forged(LARCH_COAP_SERVICE_UNAVAILABLE, (larch_bytes){NULL, 0}, 3);
    forged.max_age = 20;
    const uint64_t from_ms = larch_sim_now_ms(w.sim);
    lw_shake(&w, from_ms, LARCH_LAKE_METHOD_PSK);
    lw_run(&w, 59000);
    assert_int_equal(w.outcome, LARCH_AGAIN);
    assert_int_equal(forged.asked, 3);
    run();
    assert_int_equal(w.outcome, LARCH_OK);
    lw_end(&w);
    begin_forged(LARCH_COAP_SERVICE_UNAVAILABLE, (larch_bytes){NULL, 0}, 100);
    forged.max_age = 1;
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_BUSY);
    assert_int_equal(forged.asked, 11);
    lw_end(&w);
}

static void test_nobody(void **state)
{
    (void)state;
    begin();
    w.gateway_cut.is_off = true;
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_TIMEOUT);
    lw_end(&w);
}

/* ---- a wrong Responder -------------------------------------------------------------------- */

static void test_wrong_responder(void **state)
{
    (void)state;
    /* Method 0: a credential that the enrolment does not name, and a signature by another key. */
    begin();
    w.gateway_own = lw_signing(&w.devices[1], true);
    shake(LARCH_LAKE_METHOD_SIGNATURES);
    expect_failure(LARCH_AUTH);
    lw_end(&w);
    begin();
    w.gateway_own = lw_signing(&w.devices[1], true);
    w.gateway_own.id_cred = (larch_bytes){w.gateway.id, w.gateway.id_len};
    shake(LARCH_LAKE_METHOD_SIGNATURES);
    expect_failure(LARCH_AUTH);
    lw_end(&w);
    /* Method 4: who does not have the PSK makes a message_2 that nobody can tell from a genuine one, and cannot go on. */
    for (unsigned combined = 0; combined < 2; combined++) {
        begin();
        w.config.first = combined ? &w.first : NULL;
        w.devices[0].psk[0] ^= 1;
        lw_shake(&w, larch_sim_now_ms(w.sim), LARCH_LAKE_METHOD_PSK);
        w.devices[0].psk[0] ^= 1;
        uint8_t other[32] = {0};
        w.own.key.k = LARCH_BYTES(other);
        run();
        expect_failure(combined ? LARCH_TIMEOUT : LARCH_AUTH); /* an unprotected error ends nothing */
        assert_int_equal(larch_lake_client_hint(&w.client), LARCH_COAP_BAD_REQUEST);
        assert_int_equal(w.stores, 0);
        lw_end(&w);
    }
}

/* ---- the first request ---------------------------------------------------------------------- */

static void test_first(void **state)
{
    (void)state;
    begin();
    w.config.first = &w.first;
    shake(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.outcome, LARCH_OK);
    assert_int_equal(larch_lake_client_first(&w.client)->code, LARCH_COAP_CHANGED);
    expect_clean();
    lw_end(&w);
    /* It is too large to go along: message_3 goes alone, and the driver sends it later. */
    static const uint8_t large[1240] = {'1'};
    begin();
    w.first.payload = LARCH_BYTES(large);
    w.first.path =
        "a-very-long-path/of-a-resource/that-fills-the-datagram/together-with-a-block/of-1024-bytes/and-message_3/"
        "of-the-handshake/so-that-both-do-not-fit-it/and-more-of-it-still-comes-here/since-it-is-too-short";
    w.config.first = &w.first;
    shake(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.outcome, LARCH_OK);
    assert_null(larch_lake_client_first(&w.client));
    assert_int_equal(w.reported, LARCH_OK);
    lw_end(&w);
    /* Signatures never fit. */
    begin();
    w.config.first = &w.first;
    shake(LARCH_LAKE_METHOD_SIGNATURES);
    assert_int_equal(w.outcome, LARCH_OK);
    assert_null(larch_lake_client_first(&w.client));
    assert_int_equal(w.learned_s, LW_UNIX_S);
    lw_end(&w);
}

/* In blocks: message_3 goes with the first of them, and the session is stored before the second. */
static void test_first_in_blocks(void **state)
{
    static uint8_t large[1900];
    (void)state;
    begin();
    memset(large, '7', sizeof large);
    w.first.payload = LARCH_BYTES(large);
    w.config.first = &w.first;
    shake(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.outcome, LARCH_OK);
    assert_int_equal(larch_lake_client_first(&w.client)->code, LARCH_COAP_CHANGED);
    assert_int_equal(w.g.stored[0].len, sizeof large);
    assert_int_equal(w.confirms, 1);
    lw_end(&w);
    /* What cannot be stored sends no second one. */
    begin();
    w.first.payload = LARCH_BYTES(large);
    w.config.first = &w.first;
    w.device_cut = (lw_cut){.at = 0, .fails = true};
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_PLATFORM);
    assert_int_equal(w.g.stored_count, 0);
    assert_int_equal(w.confirms, 0);
    lw_end(&w);
}

/* The answer to message_3 is lost, and the gateway restarts: its challenge authenticates it too, so the device stores
 * before it answers that. The reading was stored, and is not stored again. */
static void test_first_challenged(void **state)
{
    static const unsigned answer = 5;
    static const larch_sim_faults lossy = {.delay_min_ms = 10, .delay_max_ms = 10, .drop = &answer, .drop_count = 1};
    (void)state;
    for (unsigned fails = 0; fails < 2; fails++) {
        begin();
        larch_sim_set_faults(w.sim, &lossy);
        w.config.first = &w.first;
        lw_shake(&w, larch_sim_now_ms(w.sim), LARCH_LAKE_METHOD_PSK);
        while (w.stores == 0)
            assert_true(larch_sim_step(w.sim, UINT64_MAX));
        assert_int_equal(larch_sim_sent(w.sim), answer + 1);
        assert_int_equal(w.g.stored_count, 1);
        lw_gateway_restart(&w);
        if (fails)
            w.device_cut = (lw_cut){.at = 0, .fails = true};
        run();
        if (fails) {
            expect_failure(LARCH_PLATFORM);
            assert_int_equal(w.g.noted_count, 0); /* the challenge was not answered */
        } else {
            assert_int_equal(w.outcome, LARCH_OK);
            assert_int_equal(larch_lake_client_first(&w.client)->code, LARCH_COAP_CHANGED);
            assert_int_equal(w.g.noted_count, 1);  /* under its second number */
            assert_int_equal(w.g.stored_count, 2); /* and the report */
            assert_int_equal(w.confirms, 1);
        }
        lw_end(&w);
    }
}

/* ---- storage and misuse ------------------------------------------------------------------------ */

static void test_store_fails(void **state)
{
    (void)state;
    for (unsigned combined = 0; combined < 2; combined++) {
        begin();
        w.config.first = combined ? &w.first : NULL;
        w.device_cut = (lw_cut){.at = 0, .fails = true};
        shake(LARCH_LAKE_METHOD_PSK);
        expect_failure(LARCH_PLATFORM);
        w.device_cut = (lw_cut){.at = LW_NEVER};
        shake(LARCH_LAKE_METHOD_PSK);
        assert_int_equal(w.outcome, LARCH_OK);
        lw_end(&w);
    }
}

static void test_random_fails(void **state)
{
    (void)state;
    for (unsigned call = 1; call < 8; call++) {
        begin();
        w.random_state.fails_at = w.random_state.calls + call;
        shake(LARCH_LAKE_METHOD_PSK);
        if (w.outcome == LARCH_OK)
            break;
        expect_failure(LARCH_PLATFORM);
        w.random_state.fails_at = 0;
        shake(LARCH_LAKE_METHOD_PSK);
        assert_int_equal(w.outcome, LARCH_OK);
        lw_end(&w);
    }
    lw_end(&w);
}

static void test_misuse(void **state)
{
    (void)state;
    begin();
    const uint64_t now_ms = larch_sim_now_ms(w.sim);
    larch_lake_client_cancel(&w.client); /* idle */
    w.config.c_i_len = 0;
    assert_int_equal(larch_lake_client_begin(&w.client, &w.config, now_ms), LARCH_STATE);
    w.config.c_i_len = 1;
    w.config.first = &w.first;
    w.config.scratch = NULL;
    assert_int_equal(larch_lake_client_begin(&w.client, &w.config, now_ms), LARCH_STATE);
    w.config.first = NULL;
    w.config.request_cap = 700;
    lw_shake(&w, now_ms, LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.outcome, LARCH_SPACE);
    w.config.request_cap = sizeof w.request;
    lw_shake(&w, now_ms, LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.outcome, LARCH_AGAIN);
    assert_int_equal(larch_lake_client_begin(&w.client, &w.config, now_ms), LARCH_STATE);
    larch_lake_client_cancel(&w.client);
    expect_clean();
    run();
    assert_int_equal(w.stores, 0);
    /* An answer that has no room. */
    w.config.answer_cap = 100;
    shake(LARCH_LAKE_METHOD_PSK);
    expect_failure(LARCH_SPACE);
    lw_end(&w);
}

/* Other requests take all the places of the endpoint: the message waits for one. */
static void test_endpoint_busy(void **state)
{
    (void)state;
    begin();
    larch_coap_client other = {0};
    uint8_t body[64];
    const larch_coap_target target = {.peer = w.gateway_address, .type = LARCH_COAP_CON};
    const larch_coap_ask ask = {.method = LARCH_COAP_GET, .path = "nothing", .content_format = LARCH_COAP_FORMAT_NONE};
    const uint64_t now_ms = larch_sim_now_ms(w.sim);
    assert_int_equal(larch_coap_client_ask(&other, &w.endpoint, now_ms, &target, &ask, body, sizeof body), LARCH_OK);
    lw_shake(&w, now_ms, LARCH_LAKE_METHOD_PSK); /* one request a peer */
    assert_int_equal(w.outcome, LARCH_AGAIN);
    assert_int_equal(larch_lake_client_due_ms(&w.client), now_ms + 250);
    run();
    assert_int_equal(w.outcome, LARCH_OK);
    lw_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_suite),     cmocka_unit_test(test_no_suite),
        cmocka_unit_test(test_forged_answers),  cmocka_unit_test(test_echos),
        cmocka_unit_test(test_later),           cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_wrong_responder), cmocka_unit_test(test_first),
        cmocka_unit_test(test_first_in_blocks), cmocka_unit_test(test_first_challenged),
        cmocka_unit_test(test_store_fails),     cmocka_unit_test(test_random_fails),
        cmocka_unit_test(test_misuse),          cmocka_unit_test(test_endpoint_busy),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
