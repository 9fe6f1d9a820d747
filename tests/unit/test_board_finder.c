/* SPDX-License-Identifier: Apache-2.0 */
/* The sender board's discovery: which of those who answer is asked for its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "larch/coap_message.h"
#include "larch/crypto.h"
#include "roles/finder.h"
#include "sim.h"

static const larch_kem *kem;
static larch_sim_random random_state;
static larch_random source;
static uint8_t ek[2][LARCH_KEM_EK_MAX], hash[2][32];
static const larch_peer peers[2] = {{.address = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}, .port = 5683},
                                    {.address = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 2}, .port = 5683}};

static int setup(void **state)
{
    static uint8_t dk[LARCH_KEM_DK_MAX];
    (void)state;
    kem = larch_kem_at(0);
    random_state = (larch_sim_random){.state = 3};
    source = larch_sim_random_of(&random_state);
    if (larch_crypto_init() != LARCH_OK)
        return -1;
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t seed[LARCH_KEM_SEED_LEN];
        memset(seed, i + 1, sizeof seed);
        if (larch_kem_keygen(kem, seed, ek[i], dk) != LARCH_OK ||
            larch_direct_key_hash((larch_bytes){ek[i], kem->ek_len}, hash[i]) != LARCH_OK)
            return -1;
    }
    return 0;
}

/* The answer of gateway i to a question; token, id and bytes may be wrong. */
static larch_bytes answer(larch_bytes question, unsigned i, uint16_t id_wrong, uint8_t code, size_t len)
{
    static uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message m;
    larch_coap_builder b;
    larch_bytes datagram;
    assert_int_equal(larch_coap_parse(question, &m), LARCH_OK);
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_ACK, code, (uint16_t)(m.message_id ^ id_wrong),
                     (larch_bytes){0});
    larch_coap_build_payload(&b, (larch_bytes){ek[i], len});
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

static larch_bytes ask(larch_finder *f, uint64_t now_ms)
{
    static uint8_t out[LARCH_FINDER_ASK_MAX];
    size_t len = 0;
    assert_int_equal(larch_finder_ask(f, now_ms, out, &len), LARCH_OK);
    return (larch_bytes){out, len};
}

static void start(larch_finder *f, uint64_t now_ms, const uint8_t *wanted)
{
    assert_int_equal(larch_finder_start(f, now_ms, kem, wanted, &source), LARCH_OK);
}

static void test_question(void **state)
{
    (void)state;
    larch_finder f;
    larch_coap_message m;
    uint8_t out[LARCH_FINDER_ASK_MAX];
    size_t len;
    start(&f, 1000, NULL);
    assert_int_equal(larch_coap_parse(ask(&f, 1000), &m), LARCH_OK);
    assert_int_equal(m.type, LARCH_COAP_CON);
    assert_int_equal(m.code, LARCH_COAP_POST);
    assert_int_equal(m.token.len, 0);
    assert_int_equal(m.payload.len, 0);
    assert_int_equal(larch_finder_ask(&f, 2999, out, &len), LARCH_AGAIN);
    (void)ask(&f, 3000);
    assert_int_equal(larch_finder_ask(&f, 6999, out, &len), LARCH_AGAIN);
    (void)ask(&f, 7000);
    /* Never rarer than each half minute. */
    uint64_t now_ms = 7000;
    for (unsigned i = 0; i < 20; i++)
        (void)ask(&f, now_ms += 30000);
}

/* Anyone will do without a pin. */
static void test_any(void **state)
{
    (void)state;
    larch_finder f;
    larch_peer found;
    start(&f, 0, NULL);
    const larch_bytes question = ask(&f, 0);
    assert_int_equal(larch_finder_found(&f, 5, &found), LARCH_AGAIN);
    larch_finder_take(&f, 5, &peers[1], answer(question, 1, 0, LARCH_COAP_CHANGED, kem->ek_len));
    assert_int_equal(larch_finder_found(&f, 5, &found), LARCH_OK);
    assert_true(larch_peer_equal(&found, &peers[1]));
}

/* The pinned one is taken at once, even after another; the other only after a time. */
static void test_pinned(void **state)
{
    (void)state;
    larch_finder f;
    larch_peer found;
    start(&f, 0, hash[1]);
    const larch_bytes question = ask(&f, 0);
    larch_finder_take(&f, 5, &peers[0], answer(question, 0, 0, LARCH_COAP_CHANGED, kem->ek_len));
    assert_int_equal(larch_finder_found(&f, 6, &found), LARCH_AGAIN);
    larch_finder f2 = f;
    larch_finder_take(&f, 7, &peers[1], answer(question, 1, 0, LARCH_COAP_CHANGED, kem->ek_len));
    assert_int_equal(larch_finder_found(&f, 7, &found), LARCH_OK);
    assert_true(larch_peer_equal(&found, &peers[1]));
    assert_int_equal(larch_finder_found(&f2, 1004, &found), LARCH_AGAIN);
    assert_int_equal(larch_finder_found(&f2, 1005, &found), LARCH_OK);
    assert_true(larch_peer_equal(&found, &peers[0]));
}

/* What is no answer to this question leads to nothing. */
static void test_others(void **state)
{
    (void)state;
    larch_finder f;
    larch_peer found;
    start(&f, 0, NULL);
    const larch_bytes question = ask(&f, 0);
    larch_finder_take(&f, 1, &peers[0], answer(question, 0, 1, LARCH_COAP_CHANGED, kem->ek_len));
    larch_finder_take(&f, 1, &peers[0], answer(question, 0, 0, LARCH_COAP_NOT_FOUND, kem->ek_len));
    larch_finder_take(&f, 1, &peers[0], answer(question, 0, 0, LARCH_COAP_CHANGED, kem->ek_len - 1));
    larch_finder_take(&f, 1, &peers[0], LARCH_TEXT("noise"));
    larch_finder_take(&f, 1, &peers[0], (larch_bytes){0});
    assert_int_equal(larch_finder_found(&f, UINT64_MAX - 1, &found), LARCH_AGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_question), cmocka_unit_test(test_any),
                                       cmocka_unit_test(test_pinned), cmocka_unit_test(test_others)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
