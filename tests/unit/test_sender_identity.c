/* SPDX-License-Identifier: Apache-2.0 */
/* A sender that follows an identity: what it asks for, what hinders it, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "identity_pair.h"
#include "scripted_gateway.h"

#define HOUR_MS ((uint64_t)3600 * 1000)

static identity_pair home, other;

static int setup_identities(void **state)
{
    (void)setup(state);
    home = identity_pair_of(kem, 0x21);
    other = identity_pair_of(kem, 0x22);
    return 0;
}

/* ---- the other end --------------------------------------------------------- */

static void answer_document(const identity_pair *p)
{
    expect_request(LARCH_COAP_GET, "pqkem-root");
    larch_bytes value;
    assert_false(larch_coap_query_find(&request, "kem", &value));
    const reply r = {.code = LARCH_COAP_CONTENT, .payload = document_of(p)};
    answer(&r);
}

static void answer_root(const identity_pair *p)
{
    larch_bytes value;
    expect_request(LARCH_COAP_GET, "pqkem-root");
    assert_true(larch_coap_query_find(&request, "kem", &value) && larch_bytes_equal(value, LARCH_TEXT("512")));
    const reply r = {.code = LARCH_COAP_CONTENT, .payload = ek_of(&p->root)};
    answer(&r);
}

/* The question to holder, which says a hash. */
static void answer_word(const char *path, const key_pair *holder, const uint8_t said[32])
{
    const larch_kem *asked;
    larch_bytes hint, kem_ct;
    uint8_t out[LARCH_DIRECT_NEXT_LEN];
    expect_request(LARCH_COAP_POST, path);
    assert_int_equal(larch_direct_next_parse(request.payload, &asked, &hint, &kem_ct), LARCH_OK);
    assert_memory_equal(hint.data, holder->hash, 4);
    assert_int_equal((strcmp(path, "pqkem-root") == 0 ? larch_direct_root_answer : larch_direct_next_answer)(
                         kem, holder->dk, kem_ct, holder->hash, said, out),
                     LARCH_OK);
    const reply r = {.code = LARCH_COAP_CHANGED, .payload = LARCH_BYTES(out)};
    answer(&r);
}

static void name(const key_pair *p) { answer_word("pqkem-next", &home.root, p->hash); }

static void answer_fetch(const key_pair *p)
{
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(p);
}

static void begin_identity(const key_pair *direct, uint64_t age_ms, uint32_t patience_ms)
{
    larch_trust_basis basis = {.pinned = true, .pin = home.pin, .age_ms = age_ms};
    if (direct != NULL) {
        basis.root_ek = ek_of(&home.root);
        basis.ek = ek_of(direct);
    }
    larch_sender_config c = config();
    c.trust = &basis;
    c.patience_ms = patience_ms;
    begin(&c);
}

static void fetch(void) { assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK); }

static void deliver(const key_pair *p)
{
    post("Hello");
    assert_true(opens(p, "Hello"));
    answer_with_receipt(p, LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    assert_true(larch_sender_proven(&s));
}

/* ---- whom it asks ---------------------------------------------------------- */

static void test_from_the_fingerprint(void **state)
{
    (void)state;
    begin_identity(NULL, 0, 0);
    fetch();
    assert_state(LARCH_SENDER_FETCH_DOCUMENT);
    answer_document(&home);
    assert_state(LARCH_SENDER_FETCH_ROOT);
    answer_root(&home);
    assert_state(LARCH_SENDER_ENDORSE);
    name(&ours);
    assert_state(LARCH_SENDER_FETCH_KEY);
    answer_fetch(&ours);
    assert_state(LARCH_SENDER_READY);
    assert_int_equal(larch_sender_answer(&s, NULL), 0); /* bytes that are nothing to read */
    deliver(&ours);
}

/* A fresh endorsement on record asks for nothing; a rotation, for one question. */
static void test_from_the_record(void **state)
{
    (void)state;
    begin_identity(&ours, HOUR_MS, 0);
    fetch();
    assert_state(LARCH_SENDER_READY);
    expect_nothing();
    deliver(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    name(&next);
    answer_fetch(&next);
    assert_state(LARCH_SENDER_POST);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_true(opens(&next, "Hello"));
    answer_with_receipt(&next, LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    assert_true(larch_sender_rotated(&s));
}

/* However often the key is rotated in between, the root finds the present one. */
static void test_any_number_of_rotations(void **state)
{
    (void)state;
    begin_identity(&ours, HOUR_MS, 0);
    fetch();
    for (uint8_t seed = 40; seed < 50; seed++) {
        const key_pair fresh = key_pair_of(kem, seed);
        post("Hello");
        answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
        name(&fresh);
        answer_fetch(&fresh);
        expect_request(LARCH_COAP_POST, "pqkem-data");
        answer_with_receipt(&fresh, LARCH_COAP_CHANGED, "OK");
        assert_state(LARCH_SENDER_READY);
    }
}

static void test_auth_fail_of_the_named_key(void **state)
{
    (void)state;
    begin_identity(&ours, HOUR_MS, 0);
    fetch();
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    name(&ours); /* it was not rotated: the message is at fault */
    assert_failed(LARCH_SENDER_FAIL_AUTH);
}

static void test_refusals(void **state)
{
    (void)state;
    static const larch_sender_failure failures[] = {LARCH_SENDER_FAIL_NO_IDENTITY,  LARCH_SENDER_FAIL_WRONG_IDENTITY,
                                                    LARCH_SENDER_FAIL_BAD_IDENTITY, LARCH_SENDER_FAIL_BAD_IDENTITY,
                                                    LARCH_SENDER_FAIL_WRONG_KEY,    LARCH_SENDER_FAIL_WRONG_KEY,
                                                    LARCH_SENDER_FAIL_BAD_IDENTITY};
    for (unsigned way = 0; way < sizeof failures / sizeof failures[0]; way++) {
        begin_identity(NULL, 0, 0);
        fetch();
        if (way == 0) {
            expect_request(LARCH_COAP_GET, "pqkem-root");
            answer_text(LARCH_COAP_NOT_FOUND, "");
        } else if (way == 1) {
            answer_document(&other);
        } else if (way == 2) {
            expect_request(LARCH_COAP_GET, "pqkem-root");
            answer_text(LARCH_COAP_CONTENT, "larch-id");
        } else {
            answer_document(&home);
            answer_root(way == 3 ? &other : &home);
            if (way == 4) {
                expect_request(LARCH_COAP_POST, "pqkem-next");
                answer_text(LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY");
            } else if (way == 5) {
                name(&ours);
                answer_fetch(&stranger);
                name(&ours);
            } else if (way == 6) {
                name(&ours);
                answer_fetch(&home.root);
            }
        }
        assert_failed(failures[way]);
        assert_true(larch_sender_refused(&s));
    }
}

/* It is never taken for a prototype: silence brings no POST for the key, and such an answer would not count. */
static void test_no_prototype(void **state)
{
    (void)state;
    begin_identity(NULL, 0, 0);
    fetch();
    answer_document(&home);
    answer_root(&home);
    name(&ours);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_true(run_alone() <= LARCH_COAP_MAX_RETRANSMIT);
    assert_failed(LARCH_SENDER_FAIL_NO_ANSWER);

    larch_trust_basis basis = {.pinned = true, .pin = home.pin};
    larch_sender_config c = config();
    c.trust = &basis;
    c.prototype = true;
    assert_int_equal(larch_sender_init(&s, now_ms, &c), LARCH_STATE);
}

/* ---- renewal --------------------------------------------------------------- */

static void test_renewal_before_a_message(void **state)
{
    (void)state;
    begin_identity(&ours, HOUR_MS, 0);
    fetch();
    deliver(&ours);
    now_ms += 11 * HOUR_MS;
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("Hello")), LARCH_OK);
    assert_state(LARCH_SENDER_ENDORSE);
    name(&ours);
    assert_state(LARCH_SENDER_POST);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_true(opens(&ours, "Hello"));
    answer_with_receipt(&ours, LARCH_COAP_CHANGED, "OK");
    assert_true(larch_trust_record(larch_sender_trust_of(&s), now_ms).age_ms == 0);
    deliver(&ours); /* without another question */
}

/* Between 12 and 24 hours nothing about the endorsement hinders a message: a spent budget, a challenge, silence. */
static void test_renewal_does_not_hinder(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        begin_identity(&ours, 13 * HOUR_MS, 0);
        fetch();
        expect_request(LARCH_COAP_POST, "pqkem-next");
        if (way == 0) {
            answer_text(LARCH_COAP_SERVICE_UNAVAILABLE, "");
        } else if (way == 1) {
            answer_text(LARCH_COAP_TOO_MANY_REQUESTS, "");
        } else if (way == 2) {
            challenge("first echo!!");
            expect_request(LARCH_COAP_POST, "pqkem-next");
            assert_echo("first echo!!");
            challenge("second echo!");
        } else {
            assert_true(larch_sender_deadline_ms(&s) <= now_ms + 5000);
            now_ms += 5000;
            expect_nothing();
        }
        assert_state(LARCH_SENDER_READY);
        for (size_t i = 0; i < sizeof s.trust.ss; i++)
            assert_int_equal(s.trust.ss[i], 0);
        deliver(&ours); /* not asked again at once */
        now_ms += 16 * 60 * 1000;
        assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("Hello")), LARCH_OK);
        name(&next);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        answer_text(LARCH_COAP_SERVICE_UNAVAILABLE, ""); /* nor does this */
        expect_request(LARCH_COAP_POST, "pqkem-data");
        assert_true(opens(&ours, "Hello"));
        answer_with_receipt(&ours, LARCH_COAP_CHANGED, "OK");
        assert_state(LARCH_SENDER_READY);
    }
}

/* After 24 hours it waits for the endorsement, as long as it may. */
static void test_a_stale_endorsement(void **state)
{
    (void)state;
    for (unsigned patient = 0; patient < 2; patient++) {
        begin_identity(&ours, 24 * HOUR_MS, patient == 1 ? 30000 : 0);
        fetch();
        expect_request(LARCH_COAP_POST, "pqkem-next");
        answer_later(LARCH_COAP_SERVICE_UNAVAILABLE, 7);
        if (patient == 0) {
            assert_failed(LARCH_SENDER_FAIL_REFUSED);
            assert_false(larch_sender_refused(&s));
            continue;
        }
        assert_true(larch_sender_deadline_ms(&s) == now_ms + 7000);
        now_ms += 7000;
        name(&ours);
        assert_state(LARCH_SENDER_READY);
    }
}

/* ---- a key moves ----------------------------------------------------------- */

static void begin_key(void)
{
    const larch_trust_basis basis = {.ek = ek_of(&ours), .identify = true};
    begin_with(&basis);
    fetch();
}

static void test_a_key_moves(void **state)
{
    (void)state;
    begin_key();
    answer_fetch(&next);
    answer_document(&home);
    assert_state(LARCH_SENDER_VOUCH);
    answer_word("pqkem-root", &ours, home.document_hash);
    answer_root(&home);
    name(&next);
    assert_state(LARCH_SENDER_READY);
    const larch_trust_basis record = larch_trust_record(larch_sender_trust_of(&s), now_ms);
    assert_int_equal(record.pin.kind, LARCH_FINGERPRINT_IDENTITY);
    assert_memory_equal(record.pin.bytes, home.pin.bytes, sizeof home.pin.bytes);
    deliver(&next);
}

static void test_a_key_of_an_older_gateway(void **state)
{
    (void)state;
    for (unsigned busy = 0; busy < 2; busy++) {
        begin_key();
        answer_fetch(&next);
        expect_request(LARCH_COAP_GET, "pqkem-root");
        answer_text(busy == 1 ? LARCH_COAP_SERVICE_UNAVAILABLE : LARCH_COAP_NOT_FOUND, "");
        answer_word("pqkem-next", &ours, next.hash);
        assert_state(LARCH_SENDER_READY);
        assert_int_equal(larch_trust_record(larch_sender_trust_of(&s), now_ms).pin.kind, LARCH_FINGERPRINT_KEY);
    }
}

/* Of a prototype no identity is asked for, and no receipt. */
static void test_a_key_of_a_prototype(void **state)
{
    (void)state;
    begin_key();
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    now_ms += 1000;
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    const reply r = {.code = LARCH_COAP_CHANGED, .uri_path = true, .payload = ek_of(&ours)};
    answer(&r);
    assert_state(LARCH_SENDER_READY);
    expect_nothing();
    post("Hello");
    larch_bytes value;
    assert_false(larch_coap_option_find(&request, LARCH_COAP_OPT_URI_QUERY, &value));
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    assert_false(larch_sender_proven(&s));
}

static void test_first_use(void **state)
{
    (void)state;
    const larch_trust_basis basis = {.identify = true};
    begin_with(&basis);
    fetch();
    answer_fetch(&ours);
    answer_document(&home);
    answer_root(&home);
    name(&ours);
    assert_state(LARCH_SENDER_DECIDE);
    assert_memory_equal(larch_trust_identity(larch_sender_trust_of(&s)), home.pin.bytes, sizeof home.pin.bytes);
    assert_int_equal(larch_sender_trust(&s, now_ms), LARCH_OK);
    deliver(&ours);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_the_fingerprint),
        cmocka_unit_test(test_from_the_record),
        cmocka_unit_test(test_any_number_of_rotations),
        cmocka_unit_test(test_auth_fail_of_the_named_key),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_prototype),
        cmocka_unit_test(test_renewal_before_a_message),
        cmocka_unit_test(test_renewal_does_not_hinder),
        cmocka_unit_test(test_a_stale_endorsement),
        cmocka_unit_test(test_a_key_moves),
        cmocka_unit_test(test_a_key_of_an_older_gateway),
        cmocka_unit_test(test_a_key_of_a_prototype),
        cmocka_unit_test(test_first_use),
    };
    return cmocka_run_group_tests(tests, setup_identities, NULL);
}
