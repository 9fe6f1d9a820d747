/* SPDX-License-Identifier: Apache-2.0 */
/* Whose key is trusted: every state against everything that can be done in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "key_pair.h"
#include "larch/crypto.h"
#include "larch/trust.h"
#include "sim.h"

#define NOW_MS       ((uint64_t)1000000)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const larch_kem *kem;
static key_pair ours, next, stranger;
static larch_sim_random random_state;
static larch_random source;
static larch_trust t;
static uint8_t question[LARCH_COAP_BODY_MAX], reply[LARCH_DIRECT_NEXT_LEN];
static size_t question_len;

static int setup(void **state)
{
    (void)state;
    kem = larch_kem_find(512);
    source = larch_sim_random_of(&random_state);
    ours = key_pair_of(kem, 1);
    next = key_pair_of(kem, 2);
    stranger = key_pair_of(kem, 3);
    return 0;
}

/* ---- what a trust begins with ------------------------------------------ */

typedef enum start { NOTHING, FINGERPRINT, RECORD, BOTH } start;

static void begin(start with)
{
    random_state = (larch_sim_random){.state = 3};
    larch_trust_basis basis = {.pinned = with == FINGERPRINT || with == BOTH, .pin = {.kind = LARCH_FINGERPRINT_KEY}};
    memcpy(basis.pin.bytes, ours.hash, sizeof basis.pin.bytes);
    if (with == RECORD || with == BOTH)
        basis.ek = ek_of(&ours);
    assert_int_equal(larch_trust_init(&t, kem, &basis, NOW_MS), LARCH_OK);
    assert_int_equal(larch_trust_need_of(&t, NOW_MS), LARCH_TRUST_KEY);
    assert_false(larch_trust_is_usable(&t, NOW_MS));
    assert_int_equal(larch_trust_fetched_key(&t, NULL).len, 0);
}

static larch_trust_need need(void) { return larch_trust_need_of(&t, NOW_MS); }

static larch_trust_need show(const key_pair *p)
{
    assert_int_equal(larch_trust_process_key(&t, NULL, ek_of(p)), LARCH_OK);
    return need();
}

static larch_error compose(size_t cap)
{
    return larch_trust_compose_question(&t, &source, NOW_MS, question, cap, &question_len);
}

/* The answer to the question, by the holder of old, naming fresh. */
static larch_bytes answer_by(const key_pair *old, const key_pair *fresh)
{
    const larch_kem *asked;
    larch_bytes hint, kem_ct;
    assert_int_equal(larch_direct_next_parse((larch_bytes){question, question_len}, &asked, &hint, &kem_ct), LARCH_OK);
    assert_ptr_equal(asked, kem);
    assert_memory_equal(hint.data, ours.hash, hint.len);
    assert_int_equal(larch_direct_next_answer(kem, old->dk, kem_ct, ours.hash, fresh->hash, reply), LARCH_OK);
    return LARCH_BYTES(reply);
}

static void assert_no_secret(void)
{
    for (size_t i = 0; i < sizeof t.ss; i++)
        assert_int_equal(t.ss[i], 0);
}

/* ---- verdicts ---------------------------------------------------------- */

static void test_verdicts(void **state)
{
    (void)state;
    static const struct {
        start with;
        const key_pair *shown;
        larch_trust_need need;
    } rows[] = {
        {NOTHING, &ours, LARCH_TRUST_DECISION},    {NOTHING, &stranger, LARCH_TRUST_DECISION},
        {FINGERPRINT, &ours, LARCH_TRUST_NOTHING}, {FINGERPRINT, &stranger, LARCH_TRUST_REFUSED},
        {RECORD, &ours, LARCH_TRUST_NOTHING},      {RECORD, &stranger, LARCH_TRUST_NEXT},
        {BOTH, &ours, LARCH_TRUST_NOTHING},        {BOTH, &stranger, LARCH_TRUST_NEXT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t *hash;
        begin(rows[i].with);
        assert_int_equal(show(rows[i].shown), rows[i].need);
        assert_true(larch_bytes_equal(larch_trust_fetched_key(&t, &hash), ek_of(rows[i].shown)));
        assert_memory_equal(hash, rows[i].shown->hash, 32);
        bool trusted = rows[i].need == LARCH_TRUST_NOTHING;
        assert_true(larch_bytes_equal(larch_trust_trusted_key(&t, NOW_MS), trusted ? ek_of(&ours) : (larch_bytes){0}));
        assert_false(larch_trust_rotated(&t));
        /* What each verdict allows. */
        bool unpinned = rows[i].need == LARCH_TRUST_DECISION, differs = rows[i].need == LARCH_TRUST_NEXT;
        assert_int_equal(larch_trust_process_answer(&t, LARCH_BYTES(reply)), LARCH_STATE);
        assert_int_equal(compose(sizeof question), differs ? LARCH_OK : LARCH_STATE);
        assert_int_equal(larch_trust_accept(&t, NOW_MS), unpinned ? LARCH_OK : LARCH_STATE);
        assert_int_equal(larch_trust_trusted_key(&t, NOW_MS).len, trusted || unpinned ? kem->ek_len : 0);
    }
}

/* A key that was shown under its fingerprint, or that a user vouched for, is on record: another can be asked about. */
static void test_what_is_trusted_is_pinned(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        begin(way == 0 ? FINGERPRINT : NOTHING);
        if (show(&ours) == LARCH_TRUST_DECISION)
            assert_int_equal(larch_trust_accept(&t, NOW_MS), LARCH_OK);
        assert_int_equal(show(&next), LARCH_TRUST_NEXT);
        assert_int_equal(larch_trust_trusted_key(&t, NOW_MS).len, 0);
        assert_int_equal(show(&ours), LARCH_TRUST_NOTHING);
    }
}

static void test_init(void **state)
{
    (void)state;
    key_pair broken = ours;
    memset(broken.ek, 0xff, 3); /* coefficients beyond q */
    larch_trust_basis basis = {.ek = ek_of(&broken)};
    assert_int_equal(larch_trust_init(&t, kem, &basis, NOW_MS), LARCH_MALFORMED);
    basis.ek = (larch_bytes){ours.ek, kem->ek_len - 1u};
    assert_int_equal(larch_trust_init(&t, kem, &basis, NOW_MS), LARCH_MALFORMED);
    basis = (larch_trust_basis){.pinned = true, .pin = {.kind = LARCH_FINGERPRINT_KEY}, .ek = ek_of(&ours)};
    memcpy(basis.pin.bytes, next.hash, sizeof basis.pin.bytes);
    assert_int_equal(larch_trust_init(&t, kem, &basis, NOW_MS), LARCH_STATE);
    basis = (larch_trust_basis){.ek = ek_of(&ours), .root_ek = ek_of(&next)}; /* a root of no identity */
    assert_int_equal(larch_trust_init(&t, kem, &basis, NOW_MS), LARCH_STATE);
    begin(BOTH);
    larch_trust_wipe(&t);
    assert_int_equal(t.direct_ek[0], 0);
}

static void test_no_key(void **state)
{
    (void)state;
    static uint8_t bytes[LARCH_KEM_EK_MAX + 1];
    const size_t lens[] = {0, 1, 799, 801, 1184, 1568};
    for (unsigned i = 0; i <= COUNT(lens); i++) {
        begin(RECORD);
        assert_int_equal(show(&ours), LARCH_TRUST_NOTHING);
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, ours.ek, kem->ek_len);
        if (i == COUNT(lens))
            memset(bytes + 300, 0xff, 3);
        const larch_bytes ek = {bytes, i < COUNT(lens) ? lens[i] : kem->ek_len};
        assert_int_equal(larch_trust_process_key(&t, NULL, ek), LARCH_MALFORMED);
        assert_int_equal(need(), LARCH_TRUST_KEY);
        assert_int_equal(larch_trust_trusted_key(&t, NOW_MS).len, 0);
        assert_int_equal(larch_trust_fetched_key(&t, NULL).len, 0);
        assert_int_equal(show(&ours), LARCH_TRUST_NOTHING); /* the pin is as it was */
    }
}

/* ---- endorsement ------------------------------------------------------- */

static void test_endorsed(void **state)
{
    (void)state;
    begin(RECORD);
    assert_int_equal(show(&next), LARCH_TRUST_NEXT);
    assert_int_equal(compose(sizeof question), LARCH_OK);
    assert_int_equal(compose(sizeof question), LARCH_STATE);
    assert_int_equal(larch_trust_process_answer(&t, answer_by(&ours, &next)), LARCH_OK);
    assert_true(larch_bytes_equal(larch_trust_trusted_key(&t, NOW_MS), ek_of(&next)));
    assert_true(larch_trust_rotated(&t));
    assert_no_secret();
    assert_int_equal(larch_trust_process_answer(&t, LARCH_BYTES(reply)), LARCH_STATE); /* it counts once */
    assert_int_equal(show(&ours), LARCH_TRUST_NEXT);                                   /* the old one is past */
    assert_int_equal(show(&next), LARCH_TRUST_NOTHING);
}

static void test_not_endorsed(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 6; way++) {
        begin(RECORD);
        assert_int_equal(show(&stranger), LARCH_TRUST_NEXT);
        assert_int_equal(compose(sizeof question), LARCH_OK);
        larch_bytes answer = answer_by(way == 0 ? &stranger : &ours, way == 1 ? &next : &stranger);
        if (way == 2)
            answer.len--;
        if (way == 3)
            answer = (larch_bytes){0}; /* the gateway gave none */
        if (way == 4)
            reply[sizeof reply - 1] ^= 1;
        if (way == 5)
            reply[0] ^= 1;
        assert_int_equal(larch_trust_process_answer(&t, answer), LARCH_OK);
        assert_int_equal(need(), LARCH_TRUST_REFUSED);
        assert_int_equal(larch_trust_trusted_key(&t, NOW_MS).len, 0);
        assert_false(larch_trust_rotated(&t));
        assert_no_secret();
        assert_int_equal(larch_trust_process_answer(&t, answer_by(&ours, &stranger)), LARCH_STATE);
        assert_int_equal(show(&ours), LARCH_TRUST_NOTHING);
    }
}

/* An endorsement that was asked for one key does not serve for another that was shown meanwhile. */
static void test_a_key_between(void **state)
{
    (void)state;
    begin(RECORD);
    assert_int_equal(show(&next), LARCH_TRUST_NEXT);
    assert_int_equal(compose(sizeof question), LARCH_OK);
    assert_int_equal(show(&stranger), LARCH_TRUST_NEXT);
    assert_no_secret();
    assert_int_equal(larch_trust_process_answer(&t, answer_by(&ours, &stranger)), LARCH_STATE);
    assert_int_equal(compose(sizeof question), LARCH_OK);
    larch_trust_drop_question(&t);
    assert_int_equal(need(), LARCH_TRUST_NEXT);
    assert_int_equal(larch_trust_trusted_key(&t, NOW_MS).len, 0);
    assert_no_secret();
}

static void test_compose_fails(void **state)
{
    (void)state;
    begin(RECORD);
    assert_int_equal(show(&next), LARCH_TRUST_NEXT);
    const size_t whole = LARCH_DIRECT_HINT_LEN + (size_t)kem->ct_len;
    assert_int_equal(compose(whole - 1), LARCH_SPACE);
    random_state.fails_at = random_state.calls + 1;
    assert_int_equal(compose(whole), LARCH_PLATFORM);
    assert_no_secret();
    assert_int_equal(need(), LARCH_TRUST_NEXT);
    random_state.fails_at = 0;
    assert_int_equal(compose(whole), LARCH_OK);
    assert_int_equal(question_len, whole);
    assert_int_equal(larch_trust_process_answer(&t, answer_by(&ours, &next)), LARCH_OK);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),      cmocka_unit_test(test_what_is_trusted_is_pinned),
        cmocka_unit_test(test_init),          cmocka_unit_test(test_no_key),
        cmocka_unit_test(test_endorsed),      cmocka_unit_test(test_not_endorsed),
        cmocka_unit_test(test_a_key_between), cmocka_unit_test(test_compose_fails),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
