/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: what proves that a message was opened, and what a sender believes without; and how it waits for a gateway
 * whose budget is spent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "identity_pair.h"
#include "scripted_gateway.h"

static identity_pair home;

static int setup_identity(void **state)
{
    (void)setup(state);
    home = identity_pair_of(kem, 0x21);
    return 0;
}

static void begin_ready(bool identity, uint32_t patience_ms)
{
    larch_trust_basis basis = {.ek = ek_of(&ours)};
    if (identity)
        basis = (larch_trust_basis){.pinned = true, .pin = home.pin, .root_ek = ek_of(&home.root), .ek = ek_of(&ours)};
    larch_sender_config c = config();
    c.trust = &basis;
    c.patience_ms = patience_ms;
    begin(&c);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    if (!identity) {
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        answer_key(&ours);
    }
    assert_state(LARCH_SENDER_READY);
}

/* ---- what is believed ------------------------------------------------------ */

typedef enum tag { BARE, GENUINE, OF_STRANGER, OF_CODE, FLIPPED, SHORT, LONG } tag;

/* The answer of the holder of the key, of a host that has only the public key, or of one that alters it. */
static void answer_tagged(uint8_t code, const char *text, tag how)
{
    uint8_t body[64];
    size_t len = strlen(text);
    memcpy(body, text, len);
    if (how != BARE) {
        receipt_of(&ours, how == OF_CODE ? (uint8_t)(code + 1) : code, body + len);
        len += LARCH_DIRECT_TAG_LEN;
    }
    if (how == OF_STRANGER)
        memset(body + strlen(text), 0x5a, LARCH_DIRECT_TAG_LEN);
    if (how == FLIPPED)
        body[len - 1] ^= 1;
    if (how == SHORT)
        len--;
    if (how == LONG)
        body[len++] = 0;
    const reply r = {.code = code, .payload = {body, len}};
    answer(&r);
}

typedef struct row {
    uint8_t code;
    const char *text;
    tag tag;
    larch_sender_failure key, identity;
} row;

static void test_what_is_believed(void **state)
{
    (void)state;
    static const row rows[] = {
        {LARCH_COAP_CHANGED, "OK", GENUINE, LARCH_SENDER_FAIL_NONE, LARCH_SENDER_FAIL_NONE},
        {LARCH_COAP_CHANGED, "OK", BARE, LARCH_SENDER_FAIL_NONE, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_CHANGED, "OK", OF_STRANGER, LARCH_SENDER_FAIL_RECEIPT, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_CHANGED, "OK", OF_CODE, LARCH_SENDER_FAIL_RECEIPT, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_CHANGED, "OK", FLIPPED, LARCH_SENDER_FAIL_RECEIPT, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_CHANGED, "OK", SHORT, LARCH_SENDER_FAIL_RECEIPT, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_CHANGED, "OK", LONG, LARCH_SENDER_FAIL_RECEIPT, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_UNAUTHORIZED, "REPLAY", GENUINE, LARCH_SENDER_FAIL_NONE, LARCH_SENDER_FAIL_NONE},
        {LARCH_COAP_UNAUTHORIZED, "REPLAY", BARE, LARCH_SENDER_FAIL_REPLAY, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_UNAUTHORIZED, "REPLAY", FLIPPED, LARCH_SENDER_FAIL_RECEIPT, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_UNAUTHORIZED, "REPLAY", OF_CODE, LARCH_SENDER_FAIL_RECEIPT, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_CHANGED, "REPLAY", GENUINE, LARCH_SENDER_FAIL_BAD_ANSWER, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_BAD_REQUEST, "OK", GENUINE, LARCH_SENDER_FAIL_REFUSED, LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_CHANGED, "", BARE, LARCH_SENDER_FAIL_BAD_ANSWER, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_CHANGED, "", GENUINE, LARCH_SENDER_FAIL_BAD_ANSWER, LARCH_SENDER_FAIL_RECEIPT},
        {LARCH_COAP_BAD_REQUEST, "BAD_LEN", BARE, LARCH_SENDER_FAIL_REFUSED, LARCH_SENDER_FAIL_REFUSED},
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        const row *r = &rows[i / 2];
        const larch_sender_failure expected = i % 2 == 0 ? r->key : r->identity;
        larch_bytes value, text;
        begin_ready(i % 2 == 1, 0);
        post("Hello");
        assert_true(larch_coap_option_find(&request, LARCH_COAP_OPT_URI_QUERY, &value));
        assert_true(larch_bytes_equal(value, LARCH_TEXT("receipt")));
        assert_false(larch_sender_proven(&s));
        answer_tagged(r->code, r->text, r->tag);
        if (larch_sender_failure_of(&s) != expected)
            print_error("row %zu: %s, tag %d\n", i, r->text, (int)r->tag);
        assert_int_equal(larch_sender_answer(&s, &text), r->code);
        for (size_t k = 0; k < sizeof s.receipt.key; k++)
            assert_int_equal(s.receipt.key[k], 0);
        if (expected != LARCH_SENDER_FAIL_NONE) {
            assert_failed(expected);
            assert_int_equal(larch_sender_refused(&s), expected == LARCH_SENDER_FAIL_RECEIPT);
            continue;
        }
        assert_state(LARCH_SENDER_READY);
        assert_int_equal(larch_sender_proven(&s), r->tag == GENUINE);
        assert_true(larch_bytes_equal(text, (larch_bytes){(const uint8_t *)r->text, strlen(r->text)}));
        assert_int_equal(s.text[0], 0);
    }
}

/* The receipt of one message is none of another. */
static void test_a_receipt_of_another_message(void **state)
{
    (void)state;
    uint8_t body[2 + LARCH_DIRECT_TAG_LEN] = "OK";
    begin_ready(true, 0);
    post("Hello");
    receipt_of(&ours, LARCH_COAP_CHANGED, body + 2);
    const reply r = {.code = LARCH_COAP_CHANGED, .payload = LARCH_BYTES(body)};
    answer(&r);
    assert_state(LARCH_SENDER_READY);
    post("Hello");
    answer(&r);
    assert_failed(LARCH_SENDER_FAIL_RECEIPT);
}

static void test_none_is_asked_for(void **state)
{
    (void)state;
    larch_bytes value;
    const larch_trust_basis basis = {.ek = ek_of(&ours)};
    larch_sender_config c = config();
    c.trust = &basis;
    c.no_receipt = true;
    begin(&c);
    fetch_and_get(&ours);
    post("Hello");
    assert_false(larch_coap_option_find(&request, LARCH_COAP_OPT_URI_QUERY, &value));
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    assert_false(larch_sender_proven(&s));
}

/* ---- what is sent again is the same bytes ---------------------------------- */

static void test_the_same_bytes_again(void **state)
{
    (void)state;
    uint8_t sealed[LARCH_COAP_DATAGRAM_MAX];
    begin_ready(true, 30000);
    post("Hello");
    const size_t len = request.payload.len;
    memcpy(sealed, request.payload.data, len);
    challenge("first echo!!");
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_echo("first echo!!");
    assert_memory_equal(request.payload.data, sealed, len);
    const uint8_t later[] = {LARCH_COAP_SERVICE_UNAVAILABLE, LARCH_COAP_TOO_MANY_REQUESTS};
    for (size_t i = 0; i < sizeof later; i++) {
        answer_later(later[i], 5);
        assert_state(LARCH_SENDER_POST);
        expect_nothing();
        assert_true(larch_sender_deadline_ms(&s) == now_ms + 5000);
        now_ms += 4999;
        expect_nothing();
        now_ms++;
        expect_request(LARCH_COAP_POST, "pqkem-data");
        assert_echo("first echo!!");
        assert_int_equal(request.payload.len, len);
        assert_memory_equal(request.payload.data, sealed, len);
    }
    answer_with_receipt(&ours, LARCH_COAP_UNAUTHORIZED, "REPLAY"); /* the first one came through after all */
    assert_state(LARCH_SENDER_READY);
    assert_true(larch_sender_proven(&s));
}

/* It waits no longer than it may, and not at all for a time that it cannot wait; without Max-Age that is a minute. */
static void test_patience_ends(void **state)
{
    (void)state;
    begin_ready(true, 10000);
    post("Hello");
    answer_later(LARCH_COAP_SERVICE_UNAVAILABLE, 10);
    assert_failed(LARCH_SENDER_FAIL_REFUSED);

    begin_ready(true, 60000);
    post("Hello");
    answer_text(LARCH_COAP_SERVICE_UNAVAILABLE, "");
    assert_failed(LARCH_SENDER_FAIL_REFUSED);

    begin_ready(true, 10000);
    post("Hello");
    unsigned times = 0;
    while (larch_sender_state_of(&s) == LARCH_SENDER_POST) {
        assert_true(++times < 20);
        answer_later(LARCH_COAP_SERVICE_UNAVAILABLE, 0); /* at least a second all the same */
        if (larch_sender_state_of(&s) != LARCH_SENDER_POST)
            break;
        now_ms = larch_sender_deadline_ms(&s);
        expect_request(LARCH_COAP_POST, "pqkem-data");
    }
    assert_int_equal(times, 10);
    assert_failed(LARCH_SENDER_FAIL_REFUSED);

    /* Fetching waits too. */
    const larch_trust_basis basis = {.ek = ek_of(&ours)};
    larch_sender_config c = config();
    c.trust = &basis;
    c.patience_ms = 10000;
    begin(&c);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_later(LARCH_COAP_SERVICE_UNAVAILABLE, 3);
    expect_nothing();
    now_ms += 3000;
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_believed),  cmocka_unit_test(test_a_receipt_of_another_message),
        cmocka_unit_test(test_none_is_asked_for), cmocka_unit_test(test_the_same_bytes_again),
        cmocka_unit_test(test_patience_ends),
    };
    return cmocka_run_group_tests(tests, setup_identity, NULL);
}
