/* SPDX-License-Identifier: Apache-2.0 */
/* Trust by identity: what its root endorses counts, for a day, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "identity_pair.h"
#include "larch/trust.h"
#include "sim.h"

#define HOUR_MS  ((uint64_t)3600 * 1000)
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const larch_kem *kem;
static identity_pair home, other;
static key_pair ours, next, stranger;
static larch_sim_random random_state;
static larch_random source;
static larch_trust t;
static uint64_t now_ms;
static uint8_t question[LARCH_COAP_BODY_MAX], reply[LARCH_DIRECT_NEXT_LEN];
static size_t question_len;

static int setup(void **state)
{
    (void)state;
    kem = larch_kem_find(512);
    source = larch_sim_random_of(&random_state);
    home = identity_pair_of(kem, 0x21);
    other = identity_pair_of(kem, 0x22);
    ours = key_pair_of(kem, 1);
    next = key_pair_of(kem, 2);
    stranger = key_pair_of(kem, 3);
    return 0;
}

/* ---- steps --------------------------------------------------------------- */

static void begin(const larch_trust_basis *basis)
{
    random_state = (larch_sim_random){.state = 3};
    now_ms = 5 * HOUR_MS; /* less than the ages below: these are differences */
    assert_int_equal(larch_trust_init(&t, kem, basis, now_ms), LARCH_OK);
}

/* The identity, and of its record the root and the key with the age of its endorsement. */
static larch_trust_basis basis_of(bool root, const key_pair *direct, uint64_t age_ms)
{
    larch_trust_basis basis = {.pinned = true, .pin = home.pin, .age_ms = age_ms};
    if (root)
        basis.root_ek = ek_of(&home.root);
    if (direct != NULL)
        basis.ek = ek_of(direct);
    return basis;
}

static void begin_with(bool root, const key_pair *direct, uint64_t age_ms)
{
    const larch_trust_basis basis = basis_of(root, direct, age_ms);
    begin(&basis);
}

/* A record of a key, which may move to an identity. */
static void begin_key(const key_pair *p, bool identify)
{
    const larch_trust_basis basis = {.identify = identify, .ek = ek_of(p)};
    begin(&basis);
}

static void need(larch_trust_need expected)
{
    assert_int_equal(larch_trust_need_of(&t, now_ms), expected);
    if (expected == LARCH_TRUST_REFUSED) {
        assert_false(larch_trust_is_usable(&t, now_ms));
        assert_int_equal(larch_trust_trusted_key(&t, now_ms).len, 0);
    }
}

static void refused(larch_trust_fault fault)
{
    need(LARCH_TRUST_REFUSED);
    assert_int_equal(larch_trust_fault_of(&t), fault);
}

static void key(const key_pair *p)
{
    need(LARCH_TRUST_KEY);
    assert_int_equal(larch_trust_process_key(&t, NULL, ek_of(p)), LARCH_OK);
}

static void document(const identity_pair *p)
{
    need(LARCH_TRUST_DOCUMENT);
    assert_int_equal(larch_trust_process_document(&t, document_of(p)), LARCH_OK);
}

static void root(const key_pair *p)
{
    need(LARCH_TRUST_ROOT);
    assert_int_equal(larch_trust_process_root(&t, ek_of(p)), LARCH_OK);
}

/* Asks, and answers as the holder of a key that says a hash. */
static void say(larch_trust_need what, const key_pair *holder, const uint8_t said[32])
{
    const larch_kem *asked;
    larch_bytes hint, kem_ct;
    need(what);
    assert_int_equal(larch_trust_compose_question(&t, &source, now_ms, question, sizeof question, &question_len),
                     LARCH_OK);
    assert_int_equal(larch_direct_next_parse((larch_bytes){question, question_len}, &asked, &hint, &kem_ct), LARCH_OK);
    assert_memory_equal(hint.data, holder->hash, hint.len);
    assert_int_equal((what == LARCH_TRUST_VOUCHER ? larch_direct_root_answer : larch_direct_next_answer)(
                         kem, holder->dk, kem_ct, holder->hash, said, reply),
                     LARCH_OK);
    assert_int_equal(larch_trust_process_answer(&t, LARCH_BYTES(reply)), LARCH_OK);
    assert_int_equal(larch_trust_process_answer(&t, LARCH_BYTES(reply)), LARCH_STATE); /* once */
}

static void name(const key_pair *p) { say(LARCH_TRUST_NEXT, &home.root, p->hash); }

static void trusts(const key_pair *p)
{
    need(LARCH_TRUST_NOTHING);
    assert_true(larch_bytes_equal(larch_trust_trusted_key(&t, now_ms), ek_of(p)));
    assert_true(larch_trust_has_identity(&t));
    assert_memory_equal(larch_trust_identity(&t), home.pin.bytes, LARCH_FINGERPRINT_LEN);
}

/* ---- a pinned identity ---------------------------------------------------- */

static void test_from_the_fingerprint_alone(void **state)
{
    (void)state;
    begin_with(false, NULL, 0);
    document(&home);
    root(&home.root);
    name(&ours);
    assert_false(larch_trust_is_usable(&t, now_ms));
    key(&ours);
    trusts(&ours);
    assert_false(larch_trust_rotated(&t));
    now_ms += HOUR_MS;
    const larch_trust_basis record = larch_trust_record(&t, now_ms);
    assert_true(record.pinned && record.pin.kind == LARCH_FINGERPRINT_IDENTITY && record.age_ms == HOUR_MS);
    assert_true(larch_bytes_equal(record.root_ek, ek_of(&home.root)) && larch_bytes_equal(record.ek, ek_of(&ours)));
}

/* Renewed from 12 hours on, refused only after 24. */
static void test_ages(void **state)
{
    (void)state;
    static const struct {
        uint64_t age_ms;
        bool asks, usable;
    } rows[] = {{0, false, true},
                {12 * HOUR_MS - 1, false, true},
                {12 * HOUR_MS, true, true},
                {24 * HOUR_MS - 1, true, true},
                {24 * HOUR_MS, true, false},
                {UINT64_MAX, true, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin_with(true, &ours, rows[i].age_ms);
        need(rows[i].asks ? LARCH_TRUST_NEXT : LARCH_TRUST_NOTHING);
        assert_int_equal(larch_trust_is_usable(&t, now_ms), rows[i].usable);
        if (!rows[i].asks)
            continue;
        name(&ours);
        trusts(&ours);
        assert_false(larch_trust_rotated(&t));
        now_ms += 12 * HOUR_MS - 1;
        trusts(&ours);
        now_ms++;
        need(LARCH_TRUST_NEXT);
        now_ms += 12 * HOUR_MS;
        assert_false(larch_trust_is_usable(&t, now_ms));
    }
    /* It is as old as the question, not as its answer. */
    begin_with(true, &ours, 13 * HOUR_MS);
    const larch_kem *asked;
    larch_bytes hint, kem_ct;
    assert_int_equal(larch_trust_compose_question(&t, &source, now_ms, question, sizeof question, &question_len),
                     LARCH_OK);
    assert_int_equal(larch_direct_next_parse((larch_bytes){question, question_len}, &asked, &hint, &kem_ct), LARCH_OK);
    assert_int_equal(larch_direct_next_answer(kem, home.root.dk, kem_ct, home.root.hash, ours.hash, reply), LARCH_OK);
    now_ms += HOUR_MS;
    assert_int_equal(larch_trust_process_answer(&t, LARCH_BYTES(reply)), LARCH_OK);
    assert_true(larch_trust_record(&t, now_ms).age_ms == HOUR_MS);
}

static void test_a_rotation_costs_one_question(void **state)
{
    (void)state;
    for (unsigned doubted = 0; doubted < 2; doubted++) {
        begin_with(true, &ours, doubted == 1 ? HOUR_MS : 13 * HOUR_MS);
        if (doubted == 1)
            larch_trust_doubt(&t);
        assert_int_equal(larch_trust_is_usable(&t, now_ms), doubted == 0);
        name(&next);
        assert_int_equal(larch_trust_is_usable(&t, now_ms), doubted == 0); /* the old one, until the new one is there */
        const uint8_t before = larch_trust_changes(&t);
        key(&next);
        trusts(&next);
        assert_true(larch_trust_rotated(&t) && larch_trust_changes(&t) != before);
    }
    /* In doubt, and the root names the key again: that it is trusted is nothing new. */
    begin_with(true, &ours, HOUR_MS);
    const uint8_t before = larch_trust_changes(&t);
    larch_trust_doubt(&t);
    name(&ours);
    trusts(&ours);
    assert_true(larch_trust_changes(&t) == before);
}

/* The key that is fetched must be the one that is named; a rotation in between is made up for once. */
static void test_named_and_fetched(void **state)
{
    (void)state;
    begin_with(true, NULL, 0);
    name(&ours);
    key(&next); /* rotated since */
    name(&next);
    trusts(&next);

    begin_with(true, NULL, 0);
    name(&ours);
    key(&stranger);
    name(&ours);
    refused(LARCH_TRUST_FAULT_KEY);

    begin_with(true, &ours, 30 * HOUR_MS);
    name(&next);
    key(&ours); /* an old key shown again */
    name(&next);
    refused(LARCH_TRUST_FAULT_KEY);
}

/* ---- what is refused ------------------------------------------------------ */

static void test_documents_that_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[LARCH_IDENTITY_DOCUMENT_MAX + 1];
    static const struct {
        int flip;   /* the byte that is altered; -1: none */
        int longer; /* bytes that are missing or too many */
        larch_trust_fault fault;
    } rows[] = {{0, 0, LARCH_TRUST_FAULT_DOCUMENT},   {8, 0, LARCH_TRUST_FAULT_DOCUMENT},
                {9, 0, LARCH_TRUST_FAULT_DOCUMENT},   {10, 0, LARCH_TRUST_FAULT_DOCUMENT},
                {20, 0, LARCH_TRUST_FAULT_IDENTITY},  {60, 0, LARCH_TRUST_FAULT_IDENTITY},
                {-1, -1, LARCH_TRUST_FAULT_DOCUMENT}, {-1, -35, LARCH_TRUST_FAULT_DOCUMENT},
                {-1, 1, LARCH_TRUST_FAULT_DOCUMENT},  {-1, -80, LARCH_TRUST_FAULT_DOCUMENT}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin_with(false, NULL, 0);
        need(LARCH_TRUST_DOCUMENT);
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, home.document, home.document_len);
        if (rows[i].flip >= 0)
            bytes[rows[i].flip] ^= 0x40;
        const size_t len = (size_t)((int)home.document_len + rows[i].longer);
        assert_int_equal(larch_trust_process_document(&t, (larch_bytes){bytes, len}), LARCH_OK);
        refused(rows[i].fault);
    }
    begin_with(false, NULL, 0);
    document(&other);
    refused(LARCH_TRUST_FAULT_IDENTITY);
    assert_memory_equal(larch_trust_identity(&t), other.pin.bytes, LARCH_FINGERPRINT_LEN); /* to be shown */

    /* An identity without a root of this set. */
    const identity_pair bigger = identity_pair_of(larch_kem_find(768), 0x23);
    larch_trust_basis basis = basis_of(false, NULL, 0);
    basis.pin = bigger.pin;
    begin(&basis);
    document(&bigger);
    refused(LARCH_TRUST_FAULT_NO_ROOT);
}

static void test_roots_that_are_refused(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 3; way++) {
        begin_with(false, NULL, 0);
        document(&home);
        need(LARCH_TRUST_ROOT);
        key_pair shown = way == 0 ? other.root : home.root;
        if (way == 1)
            memset(shown.ek, 0xff, 3); /* coefficients beyond q */
        const larch_bytes ek = {shown.ek, kem->ek_len - (way == 2 ? 1u : 0u)};
        assert_int_equal(larch_trust_process_root(&t, ek), LARCH_OK);
        refused(LARCH_TRUST_FAULT_ROOT);
    }
    /* A root as a direct key: fetched, named, or on record. */
    begin_with(true, NULL, 0);
    name(&ours);
    key(&home.root);
    refused(LARCH_TRUST_FAULT_ROOT);
    begin_with(true, NULL, 0);
    name(&home.root);
    refused(LARCH_TRUST_FAULT_ROOT);
    larch_trust_basis basis = basis_of(true, &home.root, 0);
    assert_int_equal(larch_trust_init(&t, kem, &basis, now_ms), LARCH_STATE);
    /* Fetched before the document says that it is one. */
    begin_key(&home.root, true);
    key(&home.root);
    document(&home);
    refused(LARCH_TRUST_FAULT_ROOT);
    basis = (larch_trust_basis){.identify = true};
    begin(&basis);
    key(&home.root);
    document(&home);
    refused(LARCH_TRUST_FAULT_ROOT);
}

/* Only its root speaks for the identity: not a direct key, another root, a cut answer, or the word for a document. */
static void test_words_that_are_refused(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 5; way++) {
        const larch_kem *asked;
        larch_bytes hint, kem_ct, answer = LARCH_BYTES(reply);
        begin_with(true, &ours, 13 * HOUR_MS);
        assert_int_equal(larch_trust_compose_question(&t, &source, now_ms, question, sizeof question, &question_len),
                         LARCH_OK);
        assert_int_equal(larch_direct_next_parse((larch_bytes){question, question_len}, &asked, &hint, &kem_ct),
                         LARCH_OK);
        const key_pair *holder = way == 0 ? &ours : way == 1 ? &other.root : &home.root;
        assert_int_equal((way == 2 ? larch_direct_root_answer : larch_direct_next_answer)(
                             kem, holder->dk, kem_ct, home.root.hash, next.hash, reply),
                         LARCH_OK);
        if (way == 3)
            answer.len--;
        if (way == 4)
            reply[0] ^= 1;
        assert_int_equal(larch_trust_process_answer(&t, answer), LARCH_OK);
        refused(LARCH_TRUST_FAULT_KEY);
        larch_trust_begin(&t); /* what is pinned stays */
        need(LARCH_TRUST_NEXT);
        assert_true(larch_trust_is_usable(&t, now_ms));
    }
}

/* With an identity, 4.04 is a refusal wherever it comes. */
static void test_absence(void **state)
{
    (void)state;
    begin_with(false, NULL, 0);
    larch_trust_process_absence(&t, now_ms);
    refused(LARCH_TRUST_FAULT_NO_IDENTITY);
    begin_with(false, NULL, 0);
    document(&home);
    larch_trust_process_absence(&t, now_ms);
    refused(LARCH_TRUST_FAULT_ROOT);
    begin_with(true, &ours, 13 * HOUR_MS);
    larch_trust_process_absence(&t, now_ms);
    refused(LARCH_TRUST_FAULT_KEY);
    assert_false(larch_trust_stop_identifying(&t));
}

/* ---- a key moves to the identity ------------------------------------------ */

static void vouch(const key_pair *by) { say(LARCH_TRUST_VOUCHER, by, home.document_hash); }

static void test_a_key_moves(void **state)
{
    (void)state;
    for (unsigned rotated = 0; rotated < 2; rotated++) {
        const key_pair *present = rotated == 1 ? &next : &ours;
        begin_key(&ours, true);
        key(present);
        document(&home);
        vouch(&ours);
        root(&home.root);
        name(present);
        trusts(present);
        assert_int_equal(larch_trust_rotated(&t), rotated == 1);
        assert_true(larch_trust_record(&t, now_ms).age_ms == 0);
        /* From now on its root alone counts. */
        larch_trust_doubt(&t);
        larch_trust_process_absence(&t, now_ms);
        refused(LARCH_TRUST_FAULT_KEY);
    }
}

/* Whatever is missing or wrong on the way: the key stays, and what it endorses. */
static void test_a_key_stays(void **state)
{
    (void)state;
    for (unsigned rotated = 0; rotated < 2; rotated++)
        for (unsigned way = 0; way < 9; way++) {
            const key_pair *present = rotated == 1 ? &next : &ours;
            begin_key(&ours, true);
            key(present);
            if (way == 0) {
                larch_trust_process_absence(&t, now_ms); /* an older gateway */
            } else if (way == 1) {
                assert_int_equal(larch_trust_process_document(&t, LARCH_TEXT("larch-id")), LARCH_OK);
            } else {
                document(&home);
                if (way == 2) {
                    assert_true(larch_trust_stop_identifying(&t)); /* its budget is spent */
                } else if (way == 3) {
                    say(LARCH_TRUST_VOUCHER, &ours, other.document_hash);
                } else if (way == 4) {
                    larch_trust_process_absence(&t, now_ms); /* it holds the pinned key no more, it says */
                } else {
                    vouch(&ours);
                    if (way == 5) {
                        root(&other.root);
                    } else {
                        root(&home.root);
                        if (way == 6) {
                            larch_trust_process_absence(&t, now_ms);
                        } else if (way == 7) {
                            say(LARCH_TRUST_NEXT, &home.root, home.root.hash);
                        } else {
                            name(&stranger);
                            key(present);
                        }
                    }
                }
            }
            assert_false(larch_trust_has_identity(&t));
            if (rotated == 1)
                say(LARCH_TRUST_NEXT, &ours, next.hash);
            need(LARCH_TRUST_NOTHING);
            assert_true(larch_bytes_equal(larch_trust_trusted_key(&t, now_ms), ek_of(present)));
            assert_int_equal(larch_trust_record(&t, now_ms).pin.kind, LARCH_FINGERPRINT_KEY);
            assert_int_equal(larch_trust_record(&t, now_ms).root_ek.len, 0);
        }
}

/* A pin on a key alone asks for no identity. */
static void test_a_key_alone(void **state)
{
    (void)state;
    begin_key(&ours, false);
    key(&ours);
    need(LARCH_TRUST_NOTHING);
    assert_null(larch_trust_identity(&t));
}

/* ---- nothing is pinned ---------------------------------------------------- */

static void test_first_use(void **state)
{
    (void)state;
    const larch_trust_basis basis = {.identify = true};
    begin(&basis);
    key(&ours);
    document(&home);
    root(&home.root);
    now_ms += HOUR_MS;
    name(&ours);
    need(LARCH_TRUST_DECISION);
    assert_int_equal(larch_trust_trusted_key(&t, now_ms).len, 0);
    assert_memory_equal(larch_trust_identity(&t), home.pin.bytes, LARCH_FINGERPRINT_LEN);
    now_ms += HOUR_MS;
    assert_int_equal(larch_trust_accept(&t, now_ms), LARCH_OK);
    trusts(&ours);
    assert_true(larch_trust_record(&t, now_ms).age_ms == HOUR_MS);

    /* Fetched before a rotation, and named after it: fetched once more. */
    begin(&basis);
    key(&ours);
    document(&home);
    root(&home.root);
    name(&next);
    key(&next);
    need(LARCH_TRUST_DECISION);
    begin(&basis);
    key(&ours);
    document(&home);
    root(&home.root);
    name(&next);
    key(&ours);
    refused(LARCH_TRUST_FAULT_ROOT);

    /* An older gateway has a key alone. */
    begin(&basis);
    key(&ours);
    larch_trust_process_absence(&t, now_ms);
    need(LARCH_TRUST_DECISION);
    assert_null(larch_trust_identity(&t));
    assert_int_equal(larch_trust_accept(&t, now_ms), LARCH_OK);
    assert_false(larch_trust_has_identity(&t));
    need(LARCH_TRUST_NOTHING);

    /* A document that is not sound is no older gateway's. */
    begin(&basis);
    key(&ours);
    assert_int_equal(larch_trust_process_document(&t, LARCH_TEXT("larch-id")), LARCH_OK);
    refused(LARCH_TRUST_FAULT_DOCUMENT);
}

static void test_steps_out_of_turn(void **state)
{
    (void)state;
    begin_with(true, &ours, 0);
    need(LARCH_TRUST_NOTHING);
    assert_int_equal(larch_trust_compose_question(&t, &source, now_ms, question, sizeof question, &question_len),
                     LARCH_STATE);
    assert_int_equal(larch_trust_accept(&t, now_ms), LARCH_STATE);
    assert_int_equal(larch_trust_process_answer(&t, LARCH_BYTES(reply)), LARCH_STATE);
    /* A key whose root is not on record is endorsed anew. */
    begin_with(false, &ours, 0);
    assert_false(larch_trust_is_usable(&t, now_ms));
    document(&home);
    root(&home.root);
    name(&ours);
    trusts(&ours);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_the_fingerprint_alone),
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_a_rotation_costs_one_question),
        cmocka_unit_test(test_named_and_fetched),
        cmocka_unit_test(test_documents_that_are_refused),
        cmocka_unit_test(test_roots_that_are_refused),
        cmocka_unit_test(test_words_that_are_refused),
        cmocka_unit_test(test_absence),
        cmocka_unit_test(test_a_key_moves),
        cmocka_unit_test(test_a_key_stays),
        cmocka_unit_test(test_a_key_alone),
        cmocka_unit_test(test_first_use),
        cmocka_unit_test(test_steps_out_of_turn),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
