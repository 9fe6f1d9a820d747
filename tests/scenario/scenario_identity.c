/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sender that pins an identity, over a network that loses, repeats and reorders, at a gateway whose keys anybody can
 * make rotate. Whatever happens: what it calls delivered was accepted once, and no rotation breaks its pin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sender_world.h"

enum { SCHEDULES = 1000 };

static const larch_sim_faults none = {.delay_min_ms = 5, .delay_max_ms = 5};

static larch_trust_basis pin(void)
{
    larch_trust_basis basis = {.pinned = true, .pin = {.kind = LARCH_FINGERPRINT_IDENTITY}};
    memcpy(basis.pin.bytes, larch_direct_service_identity(&w.gateway.gw.direct, NULL), sizeof basis.pin.bytes);
    return basis;
}

static void begin_with_pin(uint64_t seed, const larch_kem *kem, uint32_t marks, const larch_sim_faults *faults)
{
    begin(seed, kem, marks, faults);
    larch_sender_wipe(&w.sender);
    const larch_trust_basis basis = pin();
    begin_sender(kem, &basis);
}

/* Another sender, with what this one has on record. */
static void begin_again(const larch_kem *kem)
{
    static uint8_t root_ek[LARCH_KEM_EK_MAX], ek[LARCH_KEM_EK_MAX];
    larch_trust_basis record = larch_trust_record(larch_sender_trust_of(&w.sender), larch_sim_now_ms(w.sim));
    if (record.root_ek.len > 0)
        memcpy(root_ek, record.root_ek.data, record.root_ek.len);
    if (record.ek.len > 0)
        memcpy(ek, record.ek.data, record.ek.len);
    record.root_ek.data = root_ek;
    record.ek.data = ek;
    larch_sender_wipe(&w.sender);
    begin_sender(kem, &record);
}

static void rotate(void)
{
    const larch_kem *kem = w.sender.config.kem;
    bench_require(larch_gateway_rotate(&w.gateway.gw, larch_sim_now_ms(w.sim), kem) == LARCH_OK);
}

/* ---- forced rotations ------------------------------------------------------- */

/* Two wipe the key that the sender has: one question, and it goes on; also with a record, and at any age of it. */
static void test_forced_rotations_lose_no_pin(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        begin_with_pin(1, kem, BENCH_MARKS, &none);
        assert_true(fetch());
        for (unsigned rotations = 0; rotations < 6; rotations++) {
            for (unsigned r = 0; r < rotations; r++)
                rotate();
            assert_true(deliver(rotations));
            assert_true(larch_sender_proven(&w.sender));
            assert_int_equal(larch_sender_rotated(&w.sender), rotations >= 2); /* the last key still opens */
        }
        rotate();
        rotate();
        begin_again(kem);
        assert_true(fetch());
        assert_true(deliver(7));
        end();
    }
}

/* A record of a key moves while its key is held; a pin on the key alone breaks after two. */
static void test_a_key_on_record(void **state)
{
    (void)state;
    for (unsigned identify = 0; identify < 2; identify++) {
        begin(1, larch_kem_find(512), BENCH_MARKS, &none);
        larch_sender_wipe(&w.sender);
        const larch_trust_basis basis = {.ek = larch_gateway_key_of(&w.gateway.gw, larch_kem_find(512), NULL, NULL),
                                         .identify = identify == 1};
        begin_sender(larch_kem_find(512), &basis);
        rotate();
        assert_true(fetch());
        assert_true(deliver(1));
        assert_true(larch_sender_proven(&w.sender));
        assert_int_equal(larch_trust_has_identity(larch_sender_trust_of(&w.sender)), identify == 1);
        rotate();
        rotate();
        assert_int_equal(deliver(2), identify == 1);
        assert_int_equal(larch_sender_refused(&w.sender), identify == 0);
        end();
    }
}

/* ---- rotations under way ----------------------------------------------------- */

/* Keys change under every question and answer. A sender may give up, but it is never wrong, and its pin holds. */
static void test_races(void **state)
{
    (void)state;
    unsigned delivered = 0, failed = 0, rotations = 0;
    for (unsigned seed = 0; seed < SCHEDULES; seed++) {
        const larch_kem *kem = larch_kem_find(512);
        const larch_sim_faults faults = {.loss = seed % 4 * 60,
                                         .duplication = seed / 4 % 3 * 100,
                                         .delay_min_ms = 5,
                                         .delay_max_ms = seed % 7 == 0 ? 5 : 2000};
        begin_with_pin(seed, kem, BENCH_MARKS, &faults);
        w.rotate_permille = 50 + seed / 12 % 6 * 100;
        w.cut_permille = seed % 5 == 0 ? 50 : 0;
        if (fetch())
            for (unsigned i = 0; i < 3 && larch_sender_state_of(&w.sender) == LARCH_SENDER_READY; i++) {
                const bool ok = deliver(i);
                assert_true(!ok || larch_sender_proven(&w.sender));
                delivered += ok;
                failed += !ok;
            }
        const larch_sender_failure failure = larch_sender_failure_of(&w.sender);
        assert_true(failure != LARCH_SENDER_FAIL_WRONG_IDENTITY && failure != LARCH_SENDER_FAIL_NO_IDENTITY &&
                    failure != LARCH_SENDER_FAIL_BAD_IDENTITY && failure != LARCH_SENDER_FAIL_RECEIPT);
        /* In quiet times it comes through at once, with what it has on record. */
        rotations += w.rotations;
        w.rotate_permille = w.cut_permille = 0;
        larch_sim_set_faults(w.sim, &none);
        begin_again(kem);
        assert_true(fetch());
        assert_true(deliver(9));
        end();
    }
    printf("%u delivered, %u failed, %u rotations\n", delivered, failed, rotations);
    assert_true(delivered > SCHEDULES && failed > 50 && rotations > 2 * SCHEDULES);
}

/* ---- time --------------------------------------------------------------------- */

/* For two days, a message an hour: a question twice a day, and every message arrives. */
static void test_days(void **state)
{
    (void)state;
    begin_with_pin(1, larch_kem_find(512), BENCH_MARKS, &none); /* more than it takes */
    w.after_ms = 3600 * 1000;
    assert_true(fetch());
    const unsigned before = larch_sim_sent(w.sim);
    for (unsigned hour = 0; hour < 48; hour++)
        assert_true(deliver(hour));
    const unsigned sent = larch_sim_sent(w.sim) - before;
    assert_int_equal(sent, 2 * (48 + 4));
    end();
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forced_rotations_lose_no_pin),
        cmocka_unit_test(test_a_key_on_record),
        cmocka_unit_test(test_races),
        cmocka_unit_test(test_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
