/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed messages in the form of COSE at a gateway, beside those in the form of fields. Receipts for both are in
 * test_gateway_receipt.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"

#define COSE LARCH_COAP_FORMAT_COSE_ENCRYPT

static bench b;
static bench_answer answer;
static larch_peer sender;
static uint16_t message_id;

static int begin(void **state)
{
    (void)state;
    bench_begin(&b, 1, BENCH_MARKS);
    sender = larch_sim_ipv4(0x0a000001, 40000);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_end(&b);
    return 0;
}

static bench_sealed seal(const char *text)
{
    bench_sealed out;
    const larch_kem *kem = larch_kem_find(512);
    assert_int_equal(larch_direct_seal_cose(kem, &b.random, NULL, larch_gateway_key_of(&b.gw, kem, NULL, NULL),
                                            (larch_bytes){(const uint8_t *)text, strlen(text)}, out.bytes,
                                            sizeof out.bytes, &out.len, NULL),
                     LARCH_OK);
    return out;
}

/* format: BENCH_NONE for no Content-Format. */
static bench_ask ask_of(const bench_sealed *m, int32_t format)
{
    message_id++;
    return (bench_ask){.code = LARCH_COAP_POST,
                       .message_id = message_id,
                       .token = LARCH_TEXT("tk"),
                       .path = LARCH_DIRECT_PATH_DATA,
                       .has_format = format != BENCH_NONE,
                       .format = (uint32_t)format,
                       .payload = {m->bytes, m->len}};
}

static void post(const bench_sealed *m, int32_t format)
{
    const bench_ask ask = ask_of(m, format);
    b.now_ms += 1000; /* past every bucket */
    bench_say(&b, &sender, false, &ask, &answer);
}

static bool is_refused(const char *text) { return bench_answers(&answer, LARCH_COAP_BAD_REQUEST, text); }

/* ---- which form a message has -------------------------------------------------- */

static void test_formats(void **state)
{
    (void)state;
    static const int32_t fields[] = {BENCH_NONE, LARCH_COAP_FORMAT_OCTETS};
    static const int32_t others[] = {0, 16, 40, 41, 50, 60, 97, 98, 18, 65535};
    bench_sealed m;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        bench_seal(&b, larch_kem_find(512), LARCH_TEXT("fields"), &m);
        post(&m, COSE);
        assert_true(is_refused("BAD_COSE"));
        post(&m, fields[i]);
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        m = seal("cose");
        post(&m, fields[i]);
        assert_true(is_refused("BAD_TYPE"));
        post(&m, COSE);
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        assert_true(larch_bytes_equal(b.message.text, LARCH_TEXT("cose")));
    }
    m = seal("cose");
    const unsigned malformed = b.told[LARCH_EVENT_MALFORMED];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        post(&m, others[i]);
        assert_true(bench_answers(&answer, LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT, ""));
    }
    assert_int_equal(b.told[LARCH_EVENT_MALFORMED], malformed);
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 4);
}

static void test_refusals(void **state)
{
    (void)state;
    bench_sealed m = seal("Hello"), altered = m;
    altered.len--;
    post(&altered, COSE);
    assert_true(is_refused("BAD_COSE") && b.last.kind == LARCH_EVENT_MALFORMED);
    assert_string_equal(b.last.detail, "BAD_COSE");
    altered = m;
    altered.bytes[7] = 31; /* AES-CCM-16-128-256 */
    post(&altered, COSE);
    assert_true(is_refused("BAD_ALG"));
    altered = m;
    altered.bytes[m.len - 2] ^= 1;
    post(&altered, COSE);
    assert_true(is_refused("AUTH_FAIL"));
    post(&m, COSE);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    assert_int_equal(b.told[LARCH_EVENT_AUTH], 1);
}

/* ---- marks ---------------------------------------------------------------------- */

/* A replay is one in its own form, over restarts; the two forms take no mark of each other, whatever their fields. */
static void test_replays(void **state)
{
    (void)state;
    const larch_sim_random twice = b.random_state;
    bench_sealed fields, cose = seal("Hello");
    bench_seal(&b, larch_kem_find(512), LARCH_TEXT("Hello"), &fields);
    post(&cose, COSE);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    post(&fields, BENCH_NONE);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    for (unsigned start = 0; start < 2; start++) {
        post(&cose, COSE);
        assert_true(bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY"));
        post(&fields, LARCH_COAP_FORMAT_OCTETS);
        assert_true(bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY"));
        larch_gateway_wipe(&b.gw);
        assert_int_equal(bench_start(&b), LARCH_OK);
    }
    /* a sender whose random repeats itself: one KEM ciphertext in both forms, and the longer nonce ends as the other */
    larch_direct_sealed a, z;
    uint8_t byte;
    b.random_state = twice;
    cose = seal("again");
    assert_int_equal(larch_direct_parse_cose((larch_bytes){cose.bytes, cose.len}, &a), LARCH_DIRECT_OK);
    b.random_state = twice;
    assert_int_equal(larch_random_fill(&b.random, &byte, 1), LARCH_OK);
    bench_seal(&b, larch_kem_find(512), LARCH_TEXT("again"), &fields);
    assert_int_equal(larch_direct_parse((larch_bytes){fields.bytes, fields.len}, &z), LARCH_DIRECT_OK);
    assert_memory_equal(a.nonce.data + 1, z.nonce.data, z.nonce.len);
    assert_true(larch_bytes_equal(a.kem_ct, z.kem_ct));
    post(&cose, COSE); /* this is the very first again */
    assert_true(bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY"));
    post(&fields, BENCH_NONE);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
}

/* Decapsulations that were begun, and KMACs. */
static unsigned steps[LARCH_STEP_COUNT];

static void count_step(void *context, larch_step step, bool begins, size_t bytes)
{
    (void)context, (void)bytes;
    steps[step] += begins;
}

/* The kid names the key: one that is kept from before opens its message, and one that is gone is not tried for. */
static void test_key_id(void **state)
{
    (void)state;
    static const larch_trace trace = {count_step, NULL};
    const larch_kem *kem = larch_kem_find(512);
    b.config.direct.trace = &trace;
    larch_gateway_wipe(&b.gw);
    assert_int_equal(bench_start(&b), LARCH_OK);
    const bench_sealed old = seal("old"), gone = seal("gone");
    assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
    post(&old, COSE);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
    post(&gone, COSE);
    assert_true(is_refused("AUTH_FAIL"));
    post(&old, COSE); /* its mark went with its key */
    assert_true(is_refused("AUTH_FAIL"));
    assert_int_equal(steps[LARCH_STEP_KEM_DECAPS], 1); /* for the one message whose key was there */
    assert_int_equal(steps[LARCH_STEP_KMAC], 1);
    assert_int_equal(steps[LARCH_STEP_KDF], 0);
}

/* ---- many at once ---------------------------------------------------------------- */

/* Messages of both forms in one group, one of them twice: each as if it had come alone. */
static void test_group(void **state)
{
    (void)state;
    enum { COUNT = 6 };
    static uint8_t bytes[COUNT][LARCH_COAP_DATAGRAM_MAX];
    larch_server_datagram group[COUNT];
    bench_sealed messages[COUNT];
    unsigned ok = 0, replays = 0;
    larch_bytes datagram;
    larch_peer peer;
    for (size_t i = 0; i < COUNT; i++) {
        if (i == COUNT - 1)
            messages[i] = messages[1];
        else if (i % 2 == 1)
            messages[i] = seal("in a group");
        else
            bench_seal(&b, larch_kem_find(512), LARCH_TEXT("in a group"), &messages[i]);
        const bench_ask ask = ask_of(&messages[i], i % 2 == 1 ? COSE : BENCH_NONE);
        group[i] = (larch_server_datagram){.peer = larch_sim_ipv4(0x0a000001 + (uint32_t)i, 40000),
                                           .bytes = bench_compose(&ask, bytes[i])};
    }
    for (size_t done = 0; done < COUNT;) {
        size_t taken;
        const larch_error e = larch_gateway_receive_many(&b.gw, b.now_ms, group + done, COUNT - done, &taken);
        assert_true(taken > 0 && e == (taken < COUNT - done ? LARCH_AGAIN : LARCH_OK));
        done += taken;
        while (bench_send(&b, &peer, &datagram) == LARCH_OK) {
            larch_coap_message m;
            assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
            ok += larch_bytes_equal(m.payload, LARCH_TEXT("OK"));
            replays += larch_bytes_equal(m.payload, LARCH_TEXT("REPLAY"));
        }
    }
    assert_int_equal(ok, COUNT - 1);
    assert_int_equal(replays, 1);
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], COUNT - 1);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_formats, begin, end),
        cmocka_unit_test_setup_teardown(test_refusals, begin, end),
        cmocka_unit_test_setup_teardown(test_replays, begin, end),
        cmocka_unit_test_setup_teardown(test_key_id, begin, end),
        cmocka_unit_test_setup_teardown(test_group, begin, end),
    };
    return cmocka_run_group_tests_name("gateway_cose", tests, NULL, NULL);
}
