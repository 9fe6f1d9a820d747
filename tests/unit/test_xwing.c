/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/crypto.h"
#include "larch/kem.h"
#include "pq/pq.h"
#include "random_sources.h"

#if LARCH_XWING

static const larch_kem *kem;
static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX + 1];
static uint8_t ss[LARCH_KEM_SS_LEN], got[LARCH_KEM_SS_LEN];
static const uint8_t seed[32] = "a seed for nothing but this test";
static const uint8_t zero[32];

static larch_bytes ek_of(void) { return (larch_bytes){ek, kem->ek_len}; }
static larch_bytes ct_of(void) { return (larch_bytes){ct, kem->ct_len}; }

static int start(void **state)
{
    (void)state;
    const larch_random random = larch_crypto_random();
    kem = larch_kem_xwing();
    return larch_crypto_init() == LARCH_OK && larch_kem_keygen(kem, seed, ek, dk) == LARCH_OK &&
                   larch_kem_encaps(kem, &random, ek_of(), ct, ss) == LARCH_OK
               ? 0
               : -1;
}

/* The table of ML-KEM's sets, from which protocols choose, does not hold it. */
static void test_table(void **state)
{
    (void)state;
    for (size_t at = 0; larch_kem_at(at) != NULL; at++)
        assert_ptr_not_equal(larch_kem_at(at), kem);
    assert_null(larch_kem_find(kem->set));
    assert_int_equal(kem->ek_len, 1184 + 32);
    assert_int_equal(kem->dk_len, 2400 + 64);
    assert_int_equal(kem->ct_len, 1088 + 32);
    assert_true(kem->ek_len <= LARCH_KEM_EK_MAX && kem->dk_len <= LARCH_KEM_DK_MAX && kem->ct_len <= LARCH_KEM_CT_MAX);
}

static void test_round_trip(void **state)
{
    (void)state;
    assert_int_equal(larch_kem_check_ek(kem, ek_of()), LARCH_OK);
    assert_int_equal(larch_kem_check_dk(kem, (larch_bytes){dk, kem->dk_len}), LARCH_OK);
    assert_int_equal(larch_kem_decaps(kem, dk, ct_of(), got), LARCH_OK);
    assert_memory_equal(got, ss, sizeof ss);
}

/* A changed ciphertext, in either half, gives another secret and no error. */
static void test_changed_ciphertext(void **state)
{
    (void)state;
    for (size_t i = 0; i < kem->ct_len; i += i < 1088 ? 97 : 5) {
        ct[i] ^= 1;
        assert_int_equal(larch_kem_decaps(kem, dk, ct_of(), got), LARCH_OK);
        assert_memory_not_equal(got, ss, sizeof ss);
        ct[i] ^= 1;
    }
}

static void test_lengths(void **state)
{
    (void)state;
    const larch_random random = larch_crypto_random();
    const size_t ek_lens[] = {0, 1184, kem->ek_len - 1u}, ct_lens[] = {0, 1088, kem->ct_len - 1u, kem->ct_len + 1u};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(larch_kem_encaps(kem, &random, (larch_bytes){ek, ek_lens[i]}, ct, got), LARCH_MALFORMED);
    assert_int_equal(larch_kem_check_dk(kem, (larch_bytes){dk, kem->dk_len - 1u}), LARCH_MALFORMED);
    for (size_t i = 0; i < 4; i++) {
        memset(got, 0x55, sizeof got);
        assert_int_equal(larch_kem_decaps(kem, dk, (larch_bytes){ct, ct_lens[i]}, got), LARCH_MALFORMED);
        assert_true(is_zero(got, sizeof got));
    }
}

/* Every byte of dk that a check can judge: ML-KEM's copy of ek, its hash, and both halves of X25519. */
static void test_check_dk(void **state)
{
    (void)state;
    for (size_t i = 1152; i < kem->dk_len; i += i < 2400 ? 53 : 1) {
        if (i >= 2400 - 32 && i < 2400)
            continue; /* z */
        if (i == 2400 || i == 2431)
            continue; /* has bits that X25519 sets itself */
        dk[i] ^= 0x10;
        assert_int_equal(larch_kem_check_dk(kem, (larch_bytes){dk, kem->dk_len}), LARCH_MALFORMED);
        dk[i] ^= 0x10;
    }
    assert_int_equal(larch_kem_check_dk(kem, (larch_bytes){dk, kem->dk_len}), LARCH_OK);
}

/* ---- what can go wrong ------------------------------------------------- */

static void test_failing_random(void **state)
{
    (void)state;
    static uint8_t other[LARCH_KEM_CT_MAX];
    memset(other, 0x55, sizeof other);
    memset(got, 0x55, sizeof got);
    assert_int_equal(larch_kem_encaps(kem, &failing, ek_of(), other, got), LARCH_PLATFORM);
    assert_true(is_zero(other, kem->ct_len) && is_zero(got, sizeof got));
}

/* Shares of order 1, 2, 4 and 8, which bring a secret of all zeroes. */
static void test_small_order(void **state)
{
    (void)state;
    static const uint8_t shares[][32] = {
        {0},
        {1},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
         0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    };
    const larch_random random = larch_crypto_random();
    static uint8_t other[LARCH_KEM_CT_MAX], other_ek[LARCH_KEM_EK_MAX];
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        memset(got, 0x55, sizeof got);
        assert_int_equal(larch_x25519(seed, shares[i], got), LARCH_MALFORMED);
        assert_memory_equal(got, zero, sizeof got);

        memcpy(other, ct, kem->ct_len);
        memcpy(other + 1088, shares[i], 32);
        memset(got, 0x55, sizeof got);
        assert_int_equal(larch_kem_decaps(kem, dk, (larch_bytes){other, kem->ct_len}, got), LARCH_MALFORMED);
        assert_memory_equal(got, zero, sizeof got);

        memcpy(other_ek, ek, kem->ek_len);
        memcpy(other_ek + 1184, shares[i], 32);
        memset(got, 0x55, sizeof got);
        assert_int_equal(larch_kem_encaps(kem, &random, (larch_bytes){other_ek, kem->ek_len}, other, got),
                         LARCH_MALFORMED);
        assert_true(is_zero(other, kem->ct_len) && is_zero(got, sizeof got));
    }
}

/* [RFC7748 6.1] */
static void test_x25519(void **state)
{
    (void)state;
    uint8_t a[32], b[32], a_public[32], b_public[32], other[32];
    larch_shake128(LARCH_TEXT("a"), a, sizeof a);
    larch_shake128(LARCH_TEXT("b"), b, sizeof b);
    assert_int_equal(larch_x25519_public(a, a_public), LARCH_OK);
    assert_int_equal(larch_x25519_public(b, b_public), LARCH_OK);
    assert_int_equal(larch_x25519(a, b_public, got), LARCH_OK);
    assert_int_equal(larch_x25519(b, a_public, other), LARCH_OK);
    assert_memory_equal(got, other, sizeof got);
    assert_false(is_zero(got, sizeof got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_changed_ciphertext),
        cmocka_unit_test(test_check_dk),
        cmocka_unit_test(test_failing_random),
        cmocka_unit_test(test_small_order),
        cmocka_unit_test(test_x25519),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

#else

int main(void) { return larch_kem_xwing() != NULL; }

#endif
