/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of LAKE parties, and what the tests of several files say of it. Include cmocka.h first. */
#ifndef TESTS_LAKE_CHECKS_H
#define TESTS_LAKE_CHECKS_H

#include "lake/lake_int.h"
#include "lake_pair.h"

static lake_pair p;

static const int8_t suite_numbers[] = {
    LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_SUITE_PQ_2, LARCH_LAKE_SUITE_PQ_3, LARCH_LAKE_SUITE_X_WING, 2, 3};

#define SUITES sizeof suite_numbers

/* A list of one suite; its memory stays. */
static inline const larch_lake_suite *const *only(int number)
{
    static const larch_lake_suite *lists[SUITES];
    for (size_t n = 0; n < SUITES; n++)
        if (suite_numbers[n] == number) {
            lists[n] = larch_lake_suite_find(number);
            assert_non_null(lists[n]);
            return &lists[n];
        }
    fail();
    return NULL;
}

static inline void init(unsigned method, int suite, larch_lake_reference_kind kind)
{
    assert_true(lake_pair_init(&p, method, only(suite), kind));
}

static inline void init_psk(void) { init(LARCH_LAKE_METHOD_PSK, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_KID); }
static inline void init_signatures(void)
{
    init(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_KID);
}

static inline void assert_same_keys(void)
{
    const larch_lake_keys *i = larch_lake_keys_of(&p.i.session), *r = larch_lake_keys_of(&p.r.session);
    larch_lake_oscore oi, or ;
    larch_lake_resumption ri, rr;
    assert_non_null(i);
    assert_non_null(r);
    assert_memory_equal(i->prk_out, r->prk_out, i->suite->hash_len);
    assert_memory_equal(i->prk_exporter, r->prk_exporter, i->suite->hash_len);
    assert_false(is_zero(i->prk_out, i->suite->hash_len));
    assert_int_equal(larch_lake_derive_oscore(i, &oi), LARCH_OK);
    assert_int_equal(larch_lake_derive_oscore(r, & or), LARCH_OK);
    assert_memory_equal(oi.master_secret, or.master_secret, oi.master_secret_len);
    assert_memory_equal(oi.master_salt, or.master_salt, sizeof oi.master_salt);
    assert_memory_equal(&oi.sender_id, & or.recipient_id, sizeof oi.sender_id);
    assert_memory_equal(&oi.recipient_id, & or.sender_id, sizeof oi.sender_id);
    assert_int_equal(larch_lake_derive_resumption(i, LARCH_LAKE_KID_LEN, &ri), LARCH_OK);
    assert_int_equal(larch_lake_derive_resumption(r, LARCH_LAKE_KID_LEN, &rr), LARCH_OK);
    assert_memory_equal(&ri, &rr, sizeof ri);
    assert_int_equal(ri.psk_len, i->suite->hash_len);
}

static inline void run_whole(void)
{
    for (unsigned step = COMPOSE_1; step < LAKE_STEPS; step++) {
        assert_int_equal(lake_pair_step(&p, step), LARCH_OK);
        assert_int_equal(larch_lake_keys_of(&p.i.session) != NULL, step >= COMPOSE_3);
        assert_int_equal(larch_lake_keys_of(&p.r.session) != NULL, step >= PROCESS_3);
    }
    assert_same_keys();
    assert_int_equal(p.i.session.state, LARCH_LAKE_COMPLETED);
    assert_int_equal(p.r.session.state, LARCH_LAKE_COMPLETED);
    assert_true(is_zero(p.i.session.prk, sizeof p.i.session.prk) && is_zero(p.i.session.th, sizeof p.i.session.th) &&
                is_zero(p.i.session.ephemeral, sizeof p.i.session.ephemeral));
    assert_true(is_zero(p.r.session.prk, sizeof p.r.session.prk) && is_zero(p.r.session.th, sizeof p.r.session.th) &&
                is_zero(p.r.session.ephemeral, sizeof p.r.session.ephemeral));
    assert_true(is_zero(p.i.scratch, sizeof p.i.scratch) && is_zero(p.r.scratch, sizeof p.r.scratch));
}

static inline void assert_refused(unsigned step, larch_error expected, unsigned error)
{
    lake_end *end = lake_actor(&p, step);
    uint8_t bytes[32];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_lake_error parsed;
    assert_int_equal(lake_pair_step(&p, step), expected);
    assert_int_equal(end->session.state, LARCH_LAKE_ABORTED);
    assert_true(lake_is_empty(&end->session) && is_zero(end->scratch, sizeof end->scratch));
    if (step % 2 == 1)
        assert_true(is_zero((const uint8_t *)&end->received, sizeof end->received));
    assert_null(larch_lake_keys_of(&end->session));
    assert_int_equal(larch_lake_compose_error(&end->session, &end->party, &w), LARCH_OK);
    assert_int_equal(larch_lake_parse_error((larch_bytes){bytes, w.len}, &parsed), LARCH_OK);
    assert_int_equal(parsed.code, error);
    assert_int_equal(larch_lake_compose_error(&end->session, &end->party, &w), LARCH_AGAIN); /* once */
}

#endif
