/* SPDX-License-Identifier: Apache-2.0 */
/* What a sender makes of the answers to its messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_gateway.h"

typedef struct receipt_row {
    uint8_t code;
    const char *text;
    larch_sender_failure failure;
} receipt_row;

static void test_receipts(void **state)
{
    (void)state;
    static const receipt_row rows[] = {
        {LARCH_COAP_UNAUTHORIZED, "REPLAY", LARCH_SENDER_FAIL_REPLAY},
        {LARCH_COAP_BAD_REQUEST, "BAD_LEN", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_TYPE", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_CT", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_TEXTLEN", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_COSE", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_ALG", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT, "", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "OK", LARCH_SENDER_FAIL_REFUSED}, /* OK is 2.04 */
        {LARCH_COAP_SERVICE_UNAVAILABLE, "", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_NOT_FOUND, "no such path, and a text of more than forty bytes", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_CHANGED, "", LARCH_SENDER_FAIL_BAD_ANSWER},
        {LARCH_COAP_CHANGED, "ok", LARCH_SENDER_FAIL_BAD_ANSWER},
        {LARCH_COAP_CHANGED, "BAD_LEN", LARCH_SENDER_FAIL_BAD_ANSWER},
        {LARCH_COAP_CONTENT, "OK", LARCH_SENDER_FAIL_BAD_ANSWER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_bytes text;
        begin_pinned(&ours, true);
        fetch_and_get(&ours);
        post("Hello");
        answer_text(rows[i].code, rows[i].text);
        if (larch_sender_failure_of(&s) != rows[i].failure)
            print_error("row: %s\n", rows[i].text);
        assert_int_equal(larch_sender_answer(&s, &text), rows[i].code);
        size_t len = strlen(rows[i].text);
        assert_int_equal(text.len, len < 40 ? len : 40);
        assert_failed(rows[i].failure);
    }
}

/* Could not be opened: the key may have been rotated meanwhile. Fetched anew, once. */
static void test_auth_fail(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    assert_state(LARCH_SENDER_FETCH_KEY);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&next);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&ours, &next);
    assert_state(LARCH_SENDER_POST);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_true(opens(&next, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    assert_true(larch_sender_rotated(&s));
    /* That one message was sent anew does not make the next fetch send another. */
    fetch_and_get(&next);
    assert_state(LARCH_SENDER_READY);
    expect_nothing();
    post("again");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL"); /* each message has one retry */
    assert_state(LARCH_SENDER_FETCH_KEY);
}

static void test_auth_fail_for_good(void **state)
{
    (void)state;
    /* The same key again: it was not rotated. */
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&ours);
    assert_failed(LARCH_SENDER_FAIL_AUTH);

    /* Refused under the new key too. */
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&next);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&ours, &next);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    assert_failed(LARCH_SENDER_FAIL_AUTH);

    /* Another key that the pinned one does not endorse gets nothing of the text. */
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&stranger);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&stranger, &stranger);
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

static void test_answer_is_of_this_request(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        begin_pinned(&ours, true);
        assert_no_answer();
        fetch_and_get(&ours);
        assert_no_answer(); /* a key is nothing to read */
        post("Hello");
        assert_no_answer();
        answer_text(LARCH_COAP_CHANGED, "OK");
        assert_int_equal(larch_sender_answer(&s, NULL), LARCH_COAP_CHANGED);
        if (way == 3) {
            assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
            assert_no_answer();
            expect_request(LARCH_COAP_GET, "pqkem-pk");
            reset();
            assert_failed(LARCH_SENDER_FAIL_RESET);
            assert_no_answer();
            continue;
        }
        post("again");
        assert_no_answer();
        if (way == 0) {
            (void)run_alone();
            assert_failed(LARCH_SENDER_FAIL_NO_ANSWER);
        } else if (way == 1) {
            reset();
            assert_failed(LARCH_SENDER_FAIL_RESET);
        } else { /* could not be opened, and then nobody answers the question for the key */
            answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
            (void)run_alone();
            assert_failed(LARCH_SENDER_FAIL_NO_ANSWER);
        }
        assert_no_answer();
    }
}

/* It is named, at whichever request, and is forgotten with the next one. */
static void test_unknown_critical_option(void **state)
{
    (void)state;
    for (unsigned posts = 0; posts < 2; posts++) {
        begin_pinned(&ours, true);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        if (posts == 1) {
            answer_key(&ours);
            post("Hello");
        }
        assert_int_equal(larch_sender_bad_option(&s), 0);
        const reply elective = {.code = LARCH_COAP_CONTENT, .option = 65000, .payload = ek_of(&ours)};
        const reply critical = {.code = LARCH_COAP_CHANGED, .option = 65001, .payload = LARCH_TEXT("OK")};
        if (posts == 0) {
            answer(&elective);
            assert_state(LARCH_SENDER_READY);
            assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
            expect_request(LARCH_COAP_GET, "pqkem-pk");
        }
        answer(&critical);
        assert_failed(LARCH_SENDER_FAIL_OPTION);
        assert_int_equal(larch_sender_bad_option(&s), 65001);
        assert_no_answer(); /* it was rejected */
    }
}

static void test_too_long(void **state)
{
    (void)state;
    static const uint8_t text[LARCH_DIRECT_TEXT_MAX + 1] = {'x'};
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_BYTES(text)), LARCH_SPACE);
    assert_state(LARCH_SENDER_READY);
    assert_int_equal(larch_sender_post(&s, now_ms, (larch_bytes){NULL, 0}), LARCH_OK);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_true(opens(&ours, ""));
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_auth_fail),
        cmocka_unit_test(test_auth_fail_for_good),
        cmocka_unit_test(test_answer_is_of_this_request),
        cmocka_unit_test(test_unknown_critical_option),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
