/* SPDX-License-Identifier: Apache-2.0 */
/* Batches against single calls, for every level; and the self-test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/kem.h"
#include "levels.h"
#include "pq/pq.h"

/* More than two groups of any size inside. */
enum { MANY = 19 };

static uint8_t seeds[MANY][LARCH_KEM_SEED_LEN], eks[MANY][LARCH_KEM_EK_MAX], dks[MANY][LARCH_KEM_DK_MAX];
static uint8_t cts[MANY][LARCH_KEM_CT_MAX], sss[MANY][LARCH_KEM_SS_LEN];

typedef struct source {
    larch_keccak k;
    int calls_left; /* then it fails */
} source;

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    source *s = context;
    if (s->calls_left-- <= 0) {
        memset(out, 0xaa, len / 2);
        return LARCH_PLATFORM;
    }
    larch_shake_squeeze(&s->k, out, len);
    return LARCH_OK;
}

static source source_of(int calls)
{
    source s = {.calls_left = calls};
    larch_shake128_init(&s.k);
    larch_shake_finalize(&s.k);
    return s;
}

static void make_seeds(void)
{
    for (size_t i = 0; i < MANY; i++)
        larch_shake256(LARCH_BYTES(((uint8_t[]){1, (uint8_t)i})), seeds[i], sizeof seeds[i]);
}

static void test_keygen(void **state)
{
    (void)state;
    const larch_kem *kem;
    make_seeds();
    for (size_t at = 0; (kem = level_kem_at(at)) != NULL; at++) {
        for (size_t count = 0; count <= MANY; count++) {
            larch_kem_keygen_item items[MANY];
            uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX];
            for (size_t i = 0; i < count; i++)
                items[i] = (larch_kem_keygen_item){seeds[i], eks[i], dks[i], LARCH_STATE};
            memset(eks, 0, sizeof eks);
            assert_int_equal(larch_kem_keygen_batch(kem, items, count), LARCH_OK);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(items[i].error, LARCH_OK);
                assert_int_equal(larch_kem_keygen(kem, seeds[i], ek, dk), LARCH_OK);
                assert_memory_equal(ek, eks[i], kem->ek_len);
                assert_memory_equal(dk, dks[i], kem->dk_len);
            }
        }
    }
}

/* What was encapsulated in a batch is found singly; a refused key hinders no other. */
static void test_encaps(void **state)
{
    (void)state;
    const larch_kem *kem;
    make_seeds();
    for (size_t at = 0; (kem = level_kem_at(at)) != NULL; at++) {
        for (size_t bad = 0; bad <= MANY; bad++) { /* MANY: none */
            larch_kem_encaps_item items[MANY];
            source s = source_of(100);
            const larch_random random = {fill, &s};
            for (size_t i = 0; i < MANY; i++) {
                assert_int_equal(larch_kem_keygen(kem, seeds[i], eks[i], dks[i]), LARCH_OK);
                items[i] = (larch_kem_encaps_item){{eks[i], kem->ek_len}, cts[i], sss[i], LARCH_STATE};
            }
            if (bad < MANY && bad % 2 == 0)
                eks[bad][0] = eks[bad][1] = 0xff;
            else if (bad < MANY)
                items[bad].ek.len--;
            memset(cts, 0x55, sizeof cts);
            assert_int_equal(larch_kem_encaps_batch(kem, &random, items, MANY),
                             bad < MANY ? LARCH_MALFORMED : LARCH_OK);
            for (size_t i = 0; i < MANY; i++) {
                uint8_t ss[LARCH_KEM_SS_LEN];
                assert_int_equal(items[i].error, i == bad ? LARCH_MALFORMED : LARCH_OK);
                if (i == bad) {
                    assert_true(is_zero(cts[i], kem->ct_len) && is_zero(sss[i], sizeof sss[i]));
                    continue;
                }
                assert_int_equal(larch_kem_decaps(kem, dks[i], (larch_bytes){cts[i], kem->ct_len}, ss), LARCH_OK);
                assert_memory_equal(ss, sss[i], sizeof ss);
                assert_true(i == 0 || memcmp(sss[i], sss[i - 1], sizeof ss) != 0);
            }
        }
    }
}

/* Whichever call of random fails, nothing remains. */
static void test_failing_random(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t at = 0; (kem = level_kem_at(at)) != NULL; at++) {
        larch_error e = LARCH_PLATFORM;
        assert_int_equal(larch_kem_keygen(kem, seeds[0], eks[0], dks[0]), LARCH_OK);
        for (int calls = 0; e != LARCH_OK; calls++) {
            larch_kem_encaps_item items[MANY];
            source s = source_of(calls);
            const larch_random random = {fill, &s};
            for (size_t i = 0; i < MANY; i++)
                items[i] = (larch_kem_encaps_item){{eks[0], kem->ek_len}, cts[i], sss[i], LARCH_STATE};
            memset(cts, 0x55, sizeof cts);
            e = larch_kem_encaps_batch(kem, &random, items, MANY);
            assert_true(e == LARCH_OK ? calls > 0 : e == LARCH_PLATFORM);
            for (size_t i = 0; i < MANY; i++) {
                assert_int_equal(items[i].error, e);
                assert_true(e == LARCH_OK || (is_zero(cts[i], kem->ct_len) && is_zero(sss[i], sizeof sss[i])));
            }
        }
    }
}

/* Keys in runs, genuine and forged ciphertexts and one of a wrong length, in any mix. */
static void test_decaps(void **state)
{
    (void)state;
    const larch_kem *kem;
    make_seeds();
    for (size_t at = 0; (kem = level_kem_at(at)) != NULL; at++) {
        for (size_t run = 1; run <= MANY; run += 3) {
            larch_kem_decaps_item items[MANY];
            source s = source_of(100);
            const larch_random random = {fill, &s};
            const size_t bad = run % 2 == 0 ? run : MANY;
            for (size_t i = 0; i < MANY; i++) {
                const size_t key = i / run * run;
                assert_int_equal(larch_kem_keygen(kem, seeds[key], eks[key], dks[key]), LARCH_OK);
                assert_int_equal(larch_kem_encaps(kem, &random, (larch_bytes){eks[key], kem->ek_len}, cts[i], sss[i]),
                                 LARCH_OK);
                if (i % 3 == 2)
                    cts[i][i] ^= 1;
                items[i] = (larch_kem_decaps_item){dks[key], {cts[i], kem->ct_len}, sss[i], LARCH_STATE};
            }
            if (bad < MANY)
                items[bad].ct.len++;
            assert_int_equal(larch_kem_decaps_batch(kem, items, MANY), bad < MANY ? LARCH_MALFORMED : LARCH_OK);
            for (size_t i = 0; i < MANY; i++) {
                uint8_t ss[LARCH_KEM_SS_LEN];
                assert_int_equal(items[i].error, larch_kem_decaps(kem, items[i].dk, items[i].ct, ss));
                assert_memory_equal(ss, sss[i], sizeof ss);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keygen),
        cmocka_unit_test(test_encaps),
        cmocka_unit_test(test_failing_random),
        cmocka_unit_test(test_decaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
