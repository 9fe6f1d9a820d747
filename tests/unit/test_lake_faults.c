/* SPDX-License-Identifier: Apache-2.0 */
/* LAKE when something goes wrong: outputs too small, random that fails, messages that were changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lake_pair.h"

static lake_pair p;
static const larch_lake_suite *suites[1];

/* Method 0 with the largest messages that can be cut, and method 4. */
static void init(unsigned method)
{
    suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    assert_true(lake_pair_init(&p, method, suites, LARCH_LAKE_BY_KID));
}

static const uint8_t methods[] = {LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_PSK};

static void assert_aborted(unsigned step)
{
    lake_end *end = lake_actor(&p, step);
    assert_true(lake_is_empty(&end->session));
    assert_int_equal(end->session.error != 0, step != COMPOSE_1); /* of that one the peer knows nothing */
    assert_true(is_zero(end->scratch, sizeof end->scratch));
    if (step % 2 == 1)
        assert_true(is_zero((const uint8_t *)&end->received, sizeof end->received));
}

static void test_outputs_too_small(void **state)
{
    static const uint8_t front[3] = {0xaa, 0xbb, 0xcc};
    (void)state;
    for (size_t m = 0; m < 2; m++)
        for (unsigned step = COMPOSE_1; step < LAKE_STEPS; step += 2) {
            init(methods[m]);
            assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
            const size_t whole = p.w[step / 2].len;
            for (size_t missing = 1; missing <= whole; missing = missing < 4 ? missing + 1 : missing * 3) {
                larch_writer *w = &p.w[step / 2];
                uint8_t *bytes = p.bytes[step / 2];
                lake_pair_begin(&p);
                assert_int_equal(step == COMPOSE_1 ? LARCH_OK : lake_pair_run(&p, COMPOSE_1, step - 1), LARCH_OK);
                memset(bytes, 0, sizeof p.bytes[0]);
                bytes[sizeof front + whole - missing] = 0x5a;
                *w = larch_writer_to(bytes, sizeof front + whole - missing);
                larch_writer_put(w, LARCH_BYTES(front));
                assert_int_equal(lake_pair_step(&p, step), LARCH_SPACE);
                assert_int_equal(w->len, sizeof front);
                assert_memory_equal(bytes, front, sizeof front);
                assert_true(is_zero(bytes + sizeof front, whole - missing));
                assert_int_equal(bytes[sizeof front + whole - missing], 0x5a);
                assert_aborted(step);
            }
        }
}

/* With less scratch memory a step succeeds as before, or says that it is too small. */
static void test_scratch_too_small(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2; m++)
        for (unsigned step = COMPOSE_1; step < LAKE_STEPS; step++) {
            size_t refused = 0, done = 0;
            init(methods[m]);
            for (size_t size = 0; size < sizeof p.i.scratch; size = size < 24 ? size + 1 : size + size / 5) {
                lake_pair_begin(&p);
                lake_end *end = lake_actor(&p, step);
                end->party.scratch_size = sizeof end->scratch;
                assert_int_equal(step == COMPOSE_1 ? LARCH_OK : lake_pair_run(&p, COMPOSE_1, step - 1), LARCH_OK);
                end->party.scratch_size = size;
                memset(end->scratch + size, 0xaa, sizeof end->scratch - size);
                const larch_error e = lake_pair_step(&p, step);
                assert_true(all_are(end->scratch + size, sizeof end->scratch - size, 0xaa));
                assert_true(e == LARCH_OK || e == LARCH_SPACE);
                assert_int_equal(done > 0 && e != LARCH_OK, false); /* once enough, always enough */
                memset(end->scratch, 0, sizeof end->scratch);
                if (e != LARCH_OK)
                    assert_aborted(step);
                refused += e != LARCH_OK;
                done += e == LARCH_OK;
            }
            lake_actor(&p, step)->party.scratch_size = sizeof p.i.scratch;
            assert_true(done > 0);
            assert_true(refused > 0 || step == PROCESS_1 || step >= COMPOSE_4);
        }
    init(LARCH_LAKE_METHOD_PSK); /* what the header promises */
    p.i.party.scratch_size = p.r.party.scratch_size = LARCH_LAKE_SCRATCH_PSK;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
}

static void test_random_fails(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2; m++) {
        long calls = 0;
        for (unsigned step = COMPOSE_1; step < LAKE_STEPS; calls++) {
            init(methods[m]);
            p.random_left = calls;
            larch_error e = LARCH_OK;
            for (step = COMPOSE_1; step < LAKE_STEPS && e == LARCH_OK; step++)
                e = lake_pair_step(&p, step);
            if (e == LARCH_OK)
                break;
            step--;
            assert_int_equal(e, LARCH_PLATFORM);
            assert_int_equal(p.w[step / 2].len, 0);
            assert_true(is_zero(p.bytes[step / 2], sizeof p.bytes[0]));
            assert_aborted(step);
        }
        assert_int_equal(calls, m == 0 ? 4 : 2); /* ephemeral keys and, of method 0, signatures */
    }
}

/* Whatever is done to a message, nobody ends up with keys that the other side has not, or takes it for genuine. */
static void assert_harmless(unsigned step, larch_bytes changed)
{
    lake_pair_begin(&p);
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, step - 1), LARCH_OK);
    if (lake_pair_process(&p, step, changed) != LARCH_OK) {
        assert_aborted(step);
        return;
    }
    /* message_1 and, of method 4, message_2 are not authenticated yet: that follows with message_3 */
    assert_true(step == PROCESS_1 || (step == PROCESS_2 && p.method == LARCH_LAKE_METHOD_PSK));
    assert_true(lake_pair_run(&p, step + 1, PROCESS_3) != LARCH_OK);
    assert_true(lake_is_empty(&p.i.session) || lake_is_empty(&p.r.session));
    assert_false(p.i.session.state == LARCH_LAKE_COMPLETED || p.r.session.state == LARCH_LAKE_COMPLETED);
}

static void test_changed_messages(void **state)
{
    static uint8_t changed[LAKE_MESSAGE_MAX];
    (void)state;
    for (size_t m = 0; m < 2; m++)
        for (unsigned step = PROCESS_1; step < LAKE_STEPS; step += 2) {
            init(methods[m]);
            assert_int_equal(lake_pair_run(&p, COMPOSE_1, step - 1), LARCH_OK);
            const size_t len = p.w[step / 2].len, stride = len < 64 ? 1 : len / 24;
            memcpy(changed, p.bytes[step / 2], len);
            for (size_t at = 0; at < len; at += at < 8 || at + 8 >= len ? 1 : stride) {
                changed[at] ^= (uint8_t)(1u << (at % 8));
                assert_harmless(step, (larch_bytes){changed, len});
                changed[at] ^= (uint8_t)(1u << (at % 8));
            }
            for (size_t cut = 0; cut < len; cut += cut < 8 || cut + 8 >= len ? 1 : stride)
                assert_harmless(step, (larch_bytes){changed, cut});
            changed[len] = 0xf6;
            assert_harmless(step, (larch_bytes){changed, len + 1});
        }
}

/* Whole byte strings that are too short for what they should hold. */
static void test_short_messages(void **state)
{
    static const uint8_t zeros[800] = {0};
    (void)state;
    for (size_t m = 0; m < 2; m++)
        for (unsigned step = PROCESS_2; step < LAKE_STEPS; step += 2) {
            static uint8_t message[1024];
            init(methods[m]);
            for (size_t len = 0; len < sizeof zeros; len += len < 40 || len > 760 ? 1 : 40) {
                larch_writer w = larch_writer_to(message, sizeof message);
                larch_cbor_put_bytes(&w, (larch_bytes){zeros, len});
                assert_harmless(step, (larch_bytes){message, w.len});
                if (len >= (step == PROCESS_2 ? 769u : 16u) || (m == 1 && step == PROCESS_3))
                    continue;
                lake_pair_begin(&p);
                assert_int_equal(lake_pair_run(&p, COMPOSE_1, step - 1), LARCH_OK);
                assert_int_equal(lake_pair_process(&p, step, (larch_bytes){message, w.len}), LARCH_MALFORMED);
            }
        }
}

/* What HKDF cannot give [RFC5869 2.3] is refused; KMAC256 has no such limit. */
static void test_export_lengths(void **state)
{
    static uint8_t out[255 * 32 + 1];
    const larch_lake_keys sha2 = {.suite = larch_lake_suite_find(2)};
    const larch_lake_keys kmac = {.suite = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1)};
    (void)state;
    assert_int_equal(larch_lake_export(&sha2, 30, (larch_bytes){0}, out, sizeof out - 1), LARCH_OK);
    assert_false(is_zero(out, sizeof out - 1));
    assert_int_equal(larch_lake_export(&sha2, 30, (larch_bytes){0}, out, sizeof out), LARCH_SPACE);
    assert_true(is_zero(out, sizeof out));
    assert_int_equal(larch_lake_export(&kmac, 30, (larch_bytes){0}, out, sizeof out), LARCH_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs_too_small), cmocka_unit_test(test_scratch_too_small),
        cmocka_unit_test(test_random_fails),      cmocka_unit_test(test_changed_messages),
        cmocka_unit_test(test_short_messages),    cmocka_unit_test(test_export_lengths),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests_name("test_lake_faults", tests, NULL, NULL) : 1;
}
