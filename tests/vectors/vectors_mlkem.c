/* SPDX-License-Identifier: Apache-2.0 */
/* NIST's ACVP vectors of ML-KEM, and the accumulated ones of C2SP/CCTV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "larch/kem.h"
#include "levels.h"
#include "pq/pq.h"
#include "vectors/vectors.h"

static vectors v;
/* With room for the keys of wrong length among the vectors. */
static uint8_t ek[LARCH_KEM_EK_MAX + 400], dk[LARCH_KEM_DK_MAX + 400], ct[LARCH_KEM_CT_MAX];

/* Opens the file of one kind for a set of this build. */
static void open_set(size_t at, const char *kind, const larch_kem **kem)
{
    static char name[64]; /* the reader keeps it for its messages */
    *kem = level_kem_at(at);
    snprintf(name, sizeof name, "acvp/mlkem%u_%s.txt", (unsigned)(*kem)->set, kind);
    vectors_open(&v, name);
}

static void test_keygen(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        open_set(at, "keygen", &kem);
        while (vectors_next(&v)) {
            uint8_t seed[LARCH_KEM_SEED_LEN], got_ek[LARCH_KEM_EK_MAX], got_dk[LARCH_KEM_DK_MAX];
            assert_int_equal(vectors_hex(&v, "d", seed, 32).len, 32);
            assert_int_equal(vectors_hex(&v, "z", seed + 32, 32).len, 32);
            assert_int_equal(vectors_hex(&v, "ek", ek, sizeof ek).len, kem->ek_len);
            assert_int_equal(vectors_hex(&v, "dk", dk, sizeof dk).len, kem->dk_len);
            assert_int_equal(larch_kem_keygen(kem, seed, got_ek, got_dk), LARCH_OK);
            assert_memory_equal(got_ek, ek, kem->ek_len);
            assert_memory_equal(got_dk, dk, kem->dk_len);
        }
        vectors_close(&v);
    }
}

static void test_encap(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        open_set(at, "encap", &kem);
        while (vectors_next(&v)) {
            uint8_t m[32], k[32], got_ct[LARCH_KEM_CT_MAX], got_k[32];
            assert_int_equal(vectors_hex(&v, "m", m, sizeof m).len, 32);
            assert_int_equal(vectors_hex(&v, "k", k, sizeof k).len, 32);
            assert_int_equal(vectors_hex(&v, "c", ct, sizeof ct).len, kem->ct_len);
            assert_int_equal(larch_kem_check_ek(kem, vectors_hex(&v, "ek", ek, sizeof ek)), LARCH_OK);
            kem->functions->encaps(ek, m, got_ct, got_k);
            assert_memory_equal(got_ct, ct, kem->ct_len);
            assert_memory_equal(got_k, k, sizeof k);
        }
        vectors_close(&v);
    }
}

static void test_decap(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        open_set(at, "decap", &kem);
        while (vectors_next(&v)) {
            uint8_t k[32], got_k[32];
            if (vectors_is(&v, "keyformat", "seed")) {
                uint8_t seed[LARCH_KEM_SEED_LEN];
                assert_int_equal(vectors_hex(&v, "d", seed, 32).len, 32);
                assert_int_equal(vectors_hex(&v, "z", seed + 32, 32).len, 32);
                assert_int_equal(larch_kem_keygen(kem, seed, ek, dk), LARCH_OK);
            } else {
                assert_int_equal(larch_kem_check_dk(kem, vectors_hex(&v, "dk", dk, sizeof dk)), LARCH_OK);
            }
            assert_int_equal(vectors_hex(&v, "k", k, sizeof k).len, 32);
            assert_int_equal(larch_kem_decaps(kem, dk, vectors_hex(&v, "c", ct, sizeof ct), got_k), LARCH_OK);
            assert_memory_equal(got_k, k, sizeof k);
        }
        vectors_close(&v);
    }
}

static void test_key_checks(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        open_set(at, "ekcheck", &kem);
        while (vectors_next(&v))
            assert_int_equal(larch_kem_check_ek(kem, vectors_hex(&v, "ek", ek, sizeof ek)) == LARCH_OK,
                             vectors_true(&v, "pass"));
        vectors_close(&v);
        open_set(at, "dkcheck", &kem);
        while (vectors_next(&v))
            assert_int_equal(larch_kem_check_dk(kem, vectors_hex(&v, "dk", dk, sizeof dk)) == LARCH_OK,
                             vectors_true(&v, "pass"));
        vectors_close(&v);
    }
}

/* One run of a form that the file describes. */
static void accumulate(const larch_kem *kem, bool with_dk, unsigned long iterations, uint8_t hash[32])
{
    larch_keccak rng, acc;
    larch_shake128_init(&rng);
    larch_shake_finalize(&rng);
    larch_shake128_init(&acc);
    for (unsigned long i = 0; i < iterations; i++) {
        uint8_t seed[LARCH_KEM_SEED_LEN], m[32], k[32];
        larch_shake_squeeze(&rng, seed, sizeof seed);
        larch_shake_squeeze(&rng, m, sizeof m);
        kem->functions->keygen(seed, ek, dk);
        kem->functions->encaps(ek, m, ct, k);
        larch_shake_absorb(&acc, (larch_bytes){ek, kem->ek_len});
        if (with_dk)
            larch_shake_absorb(&acc, (larch_bytes){dk, kem->dk_len});
        larch_shake_absorb(&acc, (larch_bytes){ct, kem->ct_len});
        larch_shake_absorb(&acc, LARCH_BYTES(k));
        larch_shake_squeeze(&rng, ct, kem->ct_len);
        kem->functions->decaps(dk, ct, k);
        larch_shake_absorb(&acc, LARCH_BYTES(k));
    }
    larch_shake_finalize(&acc);
    larch_shake_squeeze(&acc, hash, 32);
}

/* The file's records of a thousand cases and fewer; tests/unit runs the ten
 * thousand. Its variant "ipd" is the draft's, not FIPS 203. */
static void test_accumulated(void **state)
{
    (void)state;
    unsigned checked = 0;
    vectors_open(&v, "cctv/mlkem_accumulated.txt");
    while (vectors_next(&v)) {
        const larch_kem *kem = larch_kem_find((unsigned)strtoul(vectors_text(&v, "param") + 7, NULL, 10));
        uint8_t expected[32], got[32];
        if (kem == NULL || !vectors_is(&v, "variant", "fips203") || vectors_number(&v, "iterations") > 1000)
            continue;
        assert_int_equal(vectors_hex(&v, "shake128", expected, sizeof expected).len, 32);
        accumulate(kem, vectors_is(&v, "form", "with_dk"), vectors_number(&v, "iterations"), got);
        assert_memory_equal(got, expected, sizeof got);
        checked++;
    }
    vectors_close(&v);
    assert_int_equal(checked, 4 * (LARCH_MLKEM_512 + LARCH_MLKEM_768 + LARCH_MLKEM_1024));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keygen),     cmocka_unit_test(test_encap),       cmocka_unit_test(test_decap),
        cmocka_unit_test(test_key_checks), cmocka_unit_test(test_accumulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
