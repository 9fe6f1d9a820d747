/* SPDX-License-Identifier: Apache-2.0 */
/* A sender that seals in the form of COSE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_gateway.h"

static void begin_cose(const larch_kem *set)
{
    static larch_trust_basis basis;
    basis = basis_of(&ours, true);
    larch_sender_config c = config();
    c.kem = set;
    c.trust = &basis;
    c.cose = true;
    begin(&c);
}

static bool is_cose(void)
{
    larch_bytes format;
    return larch_coap_option_find(&request, LARCH_COAP_OPT_CONTENT_FORMAT, &format);
}

/* Only what is sealed has a Content-Format; the answer and its receipt are those of the other form. */
static void test_accepted(void **state)
{
    (void)state;
    begin_cose(kem);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_false(is_cose());
    answer_key(&ours);
    for (unsigned i = 0; i < 2; i++) {
        post("Hello");
        assert_true(is_cose());
        assert_true(opens(&ours, "Hello"));
        assert_false(opens(&stranger, "Hello"));
        answer_with_receipt(&ours, LARCH_COAP_CHANGED, "OK");
        assert_state(LARCH_SENDER_READY);
        assert_true(larch_sender_proven(&s));
    }
    post("Hello");
    answer_with_receipt(&ours, LARCH_COAP_UNAUTHORIZED, "OK"); /* the receipt is for another code */
    assert_failed(LARCH_SENDER_FAIL_REFUSED);
}

/* The key was rotated: the text is sealed anew, as COSE again. */
static void test_sealed_anew(void **state)
{
    (void)state;
    begin_cose(kem);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&next);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    assert_false(is_cose());
    answer_next(&ours, &next);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_true(is_cose());
    assert_true(opens(&next, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
}

/* A gateway without COSE. */
static void test_refused(void **state)
{
    (void)state;
    begin_cose(kem);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT, "");
    assert_failed(LARCH_SENDER_FAIL_REFUSED);
}

/* Prototypes have no COSE: they are not asked, and one that answers late is none. */
static void test_no_prototype(void **state)
{
    (void)state;
    larch_sender_config c = config();
    c.cose = c.prototype = true;
    assert_int_equal(larch_sender_init(&s, now_ms, &c), LARCH_STATE);
    begin_cose(kem);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    now_ms += 1500;
    expect_nothing();
}

static void test_longest_text(void **state)
{
    (void)state;
    static uint8_t text[LARCH_DIRECT_TEXT_MAX];
    const larch_kem *set;
    for (size_t i = 0; (set = larch_direct_kem_at(i)) != NULL; i++) {
        larch_sender_config c = config();
        c.kem = set;
        const size_t without = larch_sender_text_max(&c);
        c.cose = true;
        const size_t most = larch_sender_text_max(&c);
        assert_int_equal(without, larch_direct_text_max(set));
        assert_int_equal(most, larch_direct_cose_text_max(set));
        assert_true(most <= without);
    }
    begin_cose(kem);
    fetch_and_get(&ours);
    assert_int_equal(larch_sender_post(&s, now_ms, (larch_bytes){text, larch_sender_text_max(&s.config) + 1}),
                     LARCH_SPACE);
    assert_int_equal(larch_sender_post(&s, now_ms, (larch_bytes){text, larch_sender_text_max(&s.config)}), LARCH_OK);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_accepted, setup),     cmocka_unit_test_setup(test_sealed_anew, setup),
        cmocka_unit_test_setup(test_refused, setup),      cmocka_unit_test_setup(test_no_prototype, setup),
        cmocka_unit_test_setup(test_longest_text, setup),
    };
    return cmocka_run_group_tests_name("sender_cose", tests, NULL, NULL);
}
