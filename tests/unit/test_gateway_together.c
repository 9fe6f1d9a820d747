/* SPDX-License-Identifier: Apache-2.0 */
/* More sealed messages at once than the gateway has slots: it takes what finds one, in order, and each message once.
 * The result does not depend on the build, which may look at several together or take each by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_bench.h"

enum { COUNT = 10 };

static const larch_peer sender = {.address = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 9}, .port = 5683};

static bench b;
static bench_sealed sealed[COUNT];
static uint8_t bytes[COUNT][LARCH_COAP_DATAGRAM_MAX];
static larch_server_datagram datagrams[COUNT];
static unsigned accepted;

static void note_text(void *context, larch_bytes text)
{
    (void)context;
    assert_int_equal(text.len, 1);
    assert_int_equal(text.data[0], accepted++);
}

static void compose(uint16_t message_id)
{
    for (size_t i = 0; i < COUNT; i++) {
        const bench_ask ask = {.code = LARCH_COAP_POST,
                               .message_id = (uint16_t)(message_id + i),
                               .path = LARCH_DIRECT_PATH_DATA,
                               .payload = {sealed[i].bytes, sealed[i].len}};
        uint8_t out[LARCH_COAP_DATAGRAM_MAX];
        const larch_bytes datagram = bench_compose(&ask, out);
        memcpy(bytes[i], datagram.data, datagram.len);
        datagrams[i] = (larch_server_datagram){sender, false, {bytes[i], datagram.len}};
    }
}

/* Hands in all of them, as many as go at a time, and collects an answer to each, in order. */
static void give(uint16_t message_id, uint8_t code)
{
    larch_peer peer;
    larch_bytes datagram;
    size_t done = 0;
    compose(message_id);
    for (size_t answered = 0; answered < COUNT;) {
        size_t taken;
        const size_t left = COUNT - done, expected = left < BENCH_SLOTS ? left : BENCH_SLOTS;
        assert_int_equal(larch_gateway_receive_many(&b.gw, b.now_ms, datagrams + done, left, &taken),
                         left > BENCH_SLOTS ? LARCH_AGAIN : LARCH_OK);
        assert_int_equal(taken, expected);
        done += taken;
        for (; bench_send(&b, &peer, &datagram) == LARCH_OK; answered++) {
            larch_coap_message m;
            assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
            assert_int_equal(m.code, code);
            assert_int_equal(m.message_id, message_id + answered);
        }
        assert_int_equal(answered, done);
    }
}

static void test_each_once(void **state)
{
    (void)state;
    bench_begin(&b, 7, 16);
    b.accepted = note_text;
    for (uint8_t i = 0; i < COUNT; i++)
        bench_seal(&b, larch_kem_at(0), (larch_bytes){&i, 1}, &sealed[i]);
    give(1, LARCH_COAP_CHANGED);
    assert_int_equal(accepted, COUNT);
    give(1000, LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(accepted, COUNT);
    assert_int_equal(b.told[LARCH_EVENT_REPLAY], COUNT);
    bench_end(&b);
}

#if LARCH_SERVER_SESSIONS
/* ---- requests that are not what they look like ----------------------------------- */

static unsigned decapsulations;

static void count_step(void *context, larch_step step, bool begins, size_t count)
{
    (void)context;
    if (step == LARCH_STEP_KEM_DECAPS && !begins)
        decapsulations += (unsigned)(count / LARCH_KEM_SS_LEN);
}

static bool open_none(void *context, const larch_request *rq, larch_coap_message *inner, larch_session **session,
                      larch_server_protection *protection)
{
    (void)context, (void)rq, (void)inner, (void)session, (void)protection;
    return false;
}

static void done(void *context) { (void)context; }

/* A sealed message behind an OSCORE option belongs to a session: no key opens it, and nobody is charged for it. So
 * nothing of it may be decapsulated ahead of its turn. */
static void test_oscore_is_not_sealed(void **state)
{
    (void)state;
    static const larch_trace trace = {count_step, NULL};
    static const larch_protection protection = {.open = open_none, .done = done};
    size_t taken;
    bench_prepare(&b, 7, 16);
    b.config.server.trace = &trace;
    b.config.server.protection = &protection;
    assert_int_equal(bench_start(&b), LARCH_OK);
    for (size_t i = 0; i < BENCH_SLOTS; i++) {
        bench_seal(&b, larch_kem_at(0), (larch_bytes){(const uint8_t *)"x", 1}, &sealed[i]);
        larch_coap_builder builder;
        larch_bytes datagram;
        larch_coap_build(&builder, bytes[i], sizeof bytes[i], LARCH_COAP_CON, LARCH_COAP_POST, (uint16_t)i,
                         (larch_bytes){NULL, 0});
        larch_coap_build_option(&builder, LARCH_COAP_OPT_OSCORE, LARCH_TEXT("\x09\x01x"));
        larch_coap_build_path(&builder, LARCH_DIRECT_PATH_DATA);
        larch_coap_build_payload(&builder, (larch_bytes){sealed[i].bytes, sealed[i].len});
        assert_int_equal(larch_coap_build_end(&builder, &datagram), LARCH_OK);
        datagrams[i] = (larch_server_datagram){sender, false, datagram};
    }
    decapsulations = 0;
    assert_int_equal(larch_gateway_receive_many(&b.gw, b.now_ms, datagrams, BENCH_SLOTS, &taken), LARCH_OK);
    assert_int_equal(decapsulations, 0);
    bench_end(&b);
}
#endif

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once),
#if LARCH_SERVER_SESSIONS
        cmocka_unit_test(test_oscore_is_not_sealed),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
