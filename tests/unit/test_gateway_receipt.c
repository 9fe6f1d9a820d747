/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: who gets one, which one, and when it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"

static bench b;
static bench_answer answer;
static larch_peer sender;
static uint16_t message_id;

typedef struct letter {
    larch_direct_receipt receipt;
    bool is_cose;
    size_t len;
    uint8_t bytes[LARCH_COAP_BODY_MAX];
} letter;

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

static letter seal_as(const larch_kem *kem, bool is_cose)
{
    letter l = {.is_cose = is_cose};
    const larch_bytes ek = larch_gateway_key_of(&b.gw, kem, NULL, NULL);
    assert_int_equal((is_cose ? larch_direct_seal_cose : larch_direct_seal)(
                         kem, &b.random, NULL, ek, LARCH_TEXT("Hello"), l.bytes, sizeof l.bytes, &l.len, &l.receipt),
                     LARCH_OK);
    return l;
}

static letter seal(const larch_kem *kem) { return seal_as(kem, false); }

static void post(const letter *l, const char *query)
{
    enum { SIZE = 1024 };
    b.now_ms += 1000; /* past every bucket */
    for (size_t at = 0; at < l->len; at += SIZE) {
        const bool more = at + SIZE < l->len;
        const bench_ask ask = {.code = LARCH_COAP_POST,
                               .message_id = message_id++,
                               .token = LARCH_TEXT("12345678"),
                               .path = LARCH_DIRECT_PATH_DATA,
                               .has_format = l->is_cose,
                               .format = LARCH_COAP_FORMAT_COSE_ENCRYPT,
                               .query = query,
                               .has_block1 = l->len > SIZE,
                               .block1 = {(uint32_t)(at / SIZE), more, 6},
                               .payload = {l->bytes + at, more ? SIZE : l->len - at}};
        bench_say(&b, &sender, false, &ask, &answer);
    }
}

/* The answer is text and a genuine receipt for this letter. */
static bool is_receipted(const bench_answer *a, const letter *l, uint8_t code, const char *text)
{
    const size_t len = strlen(text);
    return a->any && a->message.code == code && a->message.payload.len == len + LARCH_DIRECT_TAG_LEN &&
           memcmp(a->message.payload.data, text, len) == 0 &&
           larch_direct_receipt_check(&l->receipt, code,
                                      (larch_bytes){a->message.payload.data + len, LARCH_DIRECT_TAG_LEN}) == LARCH_OK;
}

static bool is_ok(const letter *l) { return is_receipted(&answer, l, LARCH_COAP_CHANGED, "OK"); }
static bool is_replay(const letter *l) { return is_receipted(&answer, l, LARCH_COAP_UNAUTHORIZED, "REPLAY"); }

/* ---- who gets one ------------------------------------------------------------ */

/* Every set, in both forms: OK, then REPLAY, also under the key before, after a restart, and when it was first sent without. */
static void test_every_set(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_direct_kem_at(i / 2)) != NULL; i++) {
        const bool is_cose = i % 2 == 1;
        const letter first = seal_as(kem, is_cose), second = seal_as(kem, is_cose), other = seal_as(kem, is_cose);
        post(&first, "receipt");
        assert_true(is_ok(&first));
        assert_false(is_ok(&other));
        post(&first, "receipt");
        assert_true(is_replay(&first));
        post(&second, NULL);
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        post(&second, NULL);
        assert_true(bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY"));
        post(&second, "receipt");
        assert_true(is_replay(&second));
        assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
        post(&first, "receipt");
        assert_true(is_replay(&first));
        post(&other, "receipt");
        assert_true(is_ok(&other));
        larch_gateway_wipe(&b.gw);
        assert_int_equal(bench_start(&b), LARCH_OK);
        post(&other, "receipt");
        assert_true(is_replay(&other));
        /* A key that is gone proves nothing. */
        assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
        post(&other, "receipt");
        assert_true(bench_answers(&answer, LARCH_COAP_BAD_REQUEST, "AUTH_FAIL"));
    }
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 2 * 3 * LARCH_DIRECT_SETS);
}

/* Other queries are as if they were not there. */
static void test_other_queries(void **state)
{
    (void)state;
    static const char *const queries[] = {"", "receipt=", "receipt=1", "receipts", "receip", "Receipt", "kem=768", "x"};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        const letter l = seal(larch_kem_find(512));
        post(&l, queries[i]);
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        post(&l, queries[i]);
        assert_true(bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY"));
    }
}

/* A refusal has none: nobody can tell who altered what. */
static void test_refusals(void **state)
{
    (void)state;
    letter l = seal(larch_kem_find(512));
    const letter sound = l;
    l.bytes[l.len - 1] ^= 1;
    post(&l, "receipt");
    assert_true(bench_answers(&answer, LARCH_COAP_BAD_REQUEST, "AUTH_FAIL"));
    l.bytes[0] ^= 1;
    post(&l, "receipt");
    assert_true(bench_answers(&answer, LARCH_COAP_BAD_REQUEST, "BAD_TYPE"));
    post(&sound, "receipt");
    assert_true(is_ok(&sound));
    /* An altered message with the mark of one that was accepted is a replay, but proves nothing. */
    for (size_t at = 18 + LARCH_MARK_FRONT_LEN; at < l.len; at += 50) {
        l = sound;
        l.bytes[at] ^= 1;
        post(&l, "receipt");
        assert_true(bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY"));
    }
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 1);
}

/* ---- when it leaves ------------------------------------------------------------ */

static void hand_in(const letter *l)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = message_id++,
                           .path = LARCH_DIRECT_PATH_DATA,
                           .query = "receipt",
                           .payload = {l->bytes, l->len}};
    assert_int_equal(larch_gateway_receive(&b.gw, b.now_ms, &sender, false, bench_compose(&ask, out)), LARCH_OK);
}

static void take_answer(void)
{
    larch_bytes datagram;
    memset(&answer, 0, sizeof answer);
    assert_int_equal(bench_send(&b, &answer.peer, &datagram), LARCH_OK);
    answer.any = true;
    memcpy(answer.bytes, datagram.data, datagram.len);
    assert_int_equal(larch_coap_parse((larch_bytes){answer.bytes, datagram.len}, &answer.message), LARCH_OK);
}

/* One that repeats a message that is not stored yet gets a REPLAY with a receipt once that is. A repetition whose tag is
 * wrong waits for it too, and gets none. */
static void test_followers(void **state)
{
    (void)state;
    const letter l = seal(larch_kem_find(512));
    letter altered = l;
    altered.bytes[altered.len - 1] ^= 1;
    hand_in(&l);
    hand_in(&l);
    hand_in(&altered);
    take_answer();
    assert_true(is_ok(&l));
    take_answer();
    assert_true(is_replay(&l));
    take_answer();
    assert_true(bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY"));
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 1);
    bench_collect(&b, &answer);
    assert_false(answer.any);

    /* What found no room has no receipt, and neither has what repeats it. */
    const letter late = seal(larch_kem_find(512));
    b.no_room = 1;
    hand_in(&late);
    hand_in(&late);
    for (unsigned i = 0; i < 2; i++) {
        take_answer();
        assert_true(bench_answers(&answer, LARCH_COAP_SERVICE_UNAVAILABLE, ""));
    }
    bench_collect(&b, &answer);
    assert_false(answer.any);
    post(&late, "receipt");
    assert_true(is_ok(&late));
}

/* No receipt leaves before the mark is durable, and none stays in memory. */
static void test_storage_fails(void **state)
{
    (void)state;
    const letter l = seal(larch_kem_find(512));
    uint8_t tag[LARCH_DIRECT_TAG_LEN];
    assert_int_equal(larch_direct_receipt_make(&l.receipt, LARCH_COAP_CHANGED, tag), LARCH_OK);
    b.flash.fail_at = b.flash.operations;
    b.flash.fail_count = 2;
    post(&l, "receipt");
    assert_int_equal(answer.error, LARCH_PLATFORM);
    assert_false(answer.any);
    for (unsigned i = 0; i < 4 && !answer.any; i++) {
        b.now_ms = larch_gateway_deadline_ms(&b.gw);
        bench_collect(&b, &answer);
    }
    assert_true(is_ok(&l));
    for (size_t i = 0; i < BENCH_SLOTS; i++)
        assert_memory_not_equal(b.slots[i].message.receipt, tag, sizeof tag);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_set, begin, end),
        cmocka_unit_test_setup_teardown(test_other_queries, begin, end),
        cmocka_unit_test_setup_teardown(test_refusals, begin, end),
        cmocka_unit_test_setup_teardown(test_followers, begin, end),
        cmocka_unit_test_setup_teardown(test_storage_fails, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
