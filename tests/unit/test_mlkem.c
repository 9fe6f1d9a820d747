/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/kem.h"
#include "levels.h"
#include "pq/pq.h"
#include "random_sources.h"

static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX];

static const uint8_t seed[LARCH_KEM_SEED_LEN] = "a seed that nobody should use for anything but this very test..";

static void make_keys(const larch_kem *kem) { assert_int_equal(larch_kem_keygen(kem, seed, ek, dk), LARCH_OK); }

/* ---- ten thousand cases ------------------------------------------------ */

/* The accumulated vectors of C2SP/CCTV ML-KEM, form with_dk, for the final
 * FIPS 203: as computed by OpenSSL 3.5 and noble, which agree. */
static const struct {
    unsigned set, iterations;
    const char *hash;
} accumulated[] = {
    {512, 100, "449120c6e320ef3e9fbfa2316e5f2d2e1e6dd37d8ff5d086d5d2db7d42aff0a1"},
    {768, 100, "8d65b902f28edc683cebee2872962fd165a4d197c9e24ec74caa4470270df0b7"},
    {1024, 100, "c3ffe9ebecfa479c142656cbfbc6417efa05b77e994fe538eef4daed166363df"},
    {512, 10000, "705dcffc87f4e67e35a09dcaa31772e86f3341bd3ccf1e78a5fef99ae6a35a13"},
    {768, 10000, "f959d18d3d1180121433bf0e05f11e7908cf9d03edc150b2b07cb90bef5bc1c1"},
    {1024, 10000, "e3bf82b013307b2e9d47dde791ff6dfc82e694e6382404abdb948b908b75bad5"},
};

static void accumulate(const larch_kem *kem, unsigned iterations, uint8_t hash[32])
{
    larch_keccak rng, acc;
    larch_shake128_init(&rng);
    larch_shake_finalize(&rng);
    larch_shake128_init(&acc);
    const larch_random random = {fill_from_sponge, &rng};
    for (unsigned i = 0; i < iterations; i++) {
        uint8_t d_z[LARCH_KEM_SEED_LEN], ss[LARCH_KEM_SS_LEN], other[LARCH_KEM_SS_LEN];
        larch_bytes key = {ek, kem->ek_len}, sent = {ct, kem->ct_len};
        larch_shake_squeeze(&rng, d_z, sizeof d_z);
        assert_int_equal(larch_kem_keygen(kem, d_z, ek, dk), LARCH_OK);
        larch_shake_absorb(&acc, key);
        larch_shake_absorb(&acc, (larch_bytes){dk, kem->dk_len});
        assert_int_equal(larch_kem_encaps(kem, &random, key, ct, ss), LARCH_OK);
        assert_int_equal(larch_kem_decaps(kem, dk, sent, other), LARCH_OK);
        assert_memory_equal(ss, other, sizeof ss);
        larch_shake_absorb(&acc, sent);
        larch_shake_absorb(&acc, LARCH_BYTES(ss));
        larch_shake_squeeze(&rng, ct, kem->ct_len);
        assert_int_equal(larch_kem_decaps(kem, dk, sent, ss), LARCH_OK);
        larch_shake_absorb(&acc, LARCH_BYTES(ss));
    }
    larch_shake_finalize(&acc);
    larch_shake_squeeze(&acc, hash, 32);
}

static void test_accumulated(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t at = 0; (kem = level_kem_at(at)) != NULL; at++) {
        for (size_t row = 0; row < sizeof accumulated / sizeof accumulated[0]; row++) {
            uint8_t hash[32];
            char hex[65];
            if (kem->set != accumulated[row].set ||
                (LARCH_PQ_SMALL && kem->set != 512 && accumulated[row].iterations > 100))
                continue;
            accumulate(kem, accumulated[row].iterations, hash);
            for (size_t i = 0; i < sizeof hash; i++) {
                hex[2 * i] = "0123456789abcdef"[hash[i] >> 4];
                hex[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
            }
            hex[64] = 0;
            assert_string_equal(hex, accumulated[row].hash);
        }
    }
}

/* ---- the table --------------------------------------------------------- */

static void test_table(void **state)
{
    (void)state;
    size_t count = 0;
    for (const larch_kem *kem; (kem = larch_kem_at(count)) != NULL; count++) {
        assert_ptr_equal(larch_kem_find(kem->set), kem);
        /* [FIPS203 8 table 3] */
        unsigned k = kem->set / 256u, du = k == 4 ? 11 : 10, dv = k == 4 ? 5 : 4;
        assert_int_equal(kem->ek_len, 384 * k + 32);
        assert_int_equal(kem->dk_len, 768 * k + 96);
        assert_int_equal(kem->ct_len, 32 * (du * k + dv));
        assert_true(kem->ek_len <= LARCH_KEM_EK_MAX && kem->dk_len <= LARCH_KEM_DK_MAX &&
                    kem->ct_len <= LARCH_KEM_CT_MAX);
    }
    assert_int_equal(count, LARCH_MLKEM_512 + LARCH_MLKEM_768 + LARCH_MLKEM_1024);
    assert_null(larch_kem_find(0));
    assert_null(larch_kem_find(513));
}

/* ---- checks of keys and lengths [FIPS203 7] ---------------------------- */

/* Puts value at the n-th 12-bit number. */
static void put12(uint8_t *bytes, size_t n, unsigned value)
{
    uint8_t *b = bytes + n / 2 * 3;
    if (n % 2 == 0) {
        b[0] = (uint8_t)value;
        b[1] = (uint8_t)((b[1] & 0xf0) | value >> 8);
    } else {
        b[1] = (uint8_t)((b[1] & 0x0f) | (value & 15) << 4);
        b[2] = (uint8_t)(value >> 4);
    }
}

static void assert_encaps_refuses(const larch_kem *kem, const larch_random *random, larch_bytes key, larch_error e)
{
    uint8_t ss[LARCH_KEM_SS_LEN];
    memset(ct, 0x55, sizeof ct);
    memset(ss, 0x55, sizeof ss);
    assert_int_equal(larch_kem_encaps(kem, random, key, ct, ss), e);
    assert_true(is_zero(ct, kem->ct_len) && is_zero(ss, sizeof ss));
    for (size_t i = kem->ct_len; i < sizeof ct; i++)
        assert_int_equal(ct[i], 0x55);
}

static void test_ek_modulus(void **state)
{
    (void)state;
    const unsigned too_large[] = {3329, 3330, 4095};
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        const larch_kem *kem = level_kem_at(at);
        const larch_bytes key = {ek, kem->ek_len};
        make_keys(kem);
        uint8_t good[LARCH_KEM_EK_MAX];
        memcpy(good, ek, kem->ek_len);
        for (size_t n = 0; n < kem->set; n++) {
            put12(ek, n, 3328);
            assert_int_equal(larch_kem_check_ek(kem, key), LARCH_OK);
            for (size_t i = 0; i < sizeof too_large / sizeof too_large[0]; i++) {
                put12(ek, n, too_large[i]);
                assert_int_equal(larch_kem_check_ek(kem, key), LARCH_MALFORMED);
                assert_encaps_refuses(kem, &failing, key, LARCH_MALFORMED);
            }
            memcpy(ek, good, kem->ek_len);
        }
        memset(ek + kem->ek_len - 32, 0xff, 32); /* rho is free */
        assert_int_equal(larch_kem_check_ek(kem, key), LARCH_OK);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    static const uint8_t zeroes[LARCH_KEM_DK_MAX + 1];
    uint8_t ss[LARCH_KEM_SS_LEN];
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        const larch_kem *kem = level_kem_at(at);
        const size_t ek_lens[] = {0, 1, kem->ek_len - 1u, kem->ek_len + 1u};
        const size_t dk_lens[] = {0, 1, kem->dk_len - 1u, kem->dk_len + 1u};
        const size_t ct_lens[] = {0, 1, kem->ct_len - 1u, kem->ct_len + 1u};
        make_keys(kem);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(larch_kem_check_ek(kem, (larch_bytes){zeroes, ek_lens[i]}), LARCH_MALFORMED);
            assert_encaps_refuses(kem, &failing, (larch_bytes){zeroes, ek_lens[i]}, LARCH_MALFORMED);
            assert_int_equal(larch_kem_check_dk(kem, (larch_bytes){zeroes, dk_lens[i]}), LARCH_MALFORMED);
            memset(ss, 0x55, sizeof ss);
            assert_int_equal(larch_kem_decaps(kem, dk, (larch_bytes){zeroes, ct_lens[i]}, ss), LARCH_MALFORMED);
            assert_true(is_zero(ss, sizeof ss));
        }
        assert_int_equal(larch_kem_check_ek(kem, (larch_bytes){NULL, 0}), LARCH_MALFORMED);
        assert_int_equal(larch_kem_check_ek(kem, (larch_bytes){zeroes, kem->ek_len}), LARCH_OK);
    }
}

static void test_dk_hash(void **state)
{
    (void)state;
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        const larch_kem *kem = level_kem_at(at);
        const larch_bytes key = {dk, kem->dk_len};
        const size_t ek_at = kem->dk_len - 64u - kem->ek_len, z_at = kem->dk_len - 32u;
        make_keys(kem);
        assert_int_equal(larch_kem_check_dk(kem, key), LARCH_OK);
        for (size_t i = ek_at; i < z_at; i++) { /* ek and H(ek) */
            dk[i] ^= (uint8_t)(1u << i % 8);
            assert_int_equal(larch_kem_check_dk(kem, key), LARCH_MALFORMED);
            dk[i] ^= (uint8_t)(1u << i % 8);
        }
        assert_int_equal(larch_kem_check_dk(kem, key), LARCH_OK);
    }
}

/* ---- what can go wrong ------------------------------------------------- */

static void test_failing_random(void **state)
{
    (void)state;
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        const larch_kem *kem = level_kem_at(at);
        make_keys(kem);
        assert_encaps_refuses(kem, &failing, (larch_bytes){ek, kem->ek_len}, LARCH_PLATFORM);
    }
}

/* A changed ciphertext, whichever bit, gives J(z || ct). [FIPS203 algorithm 18] */
static void test_implicit_rejection(void **state)
{
    (void)state;
    for (size_t at = 0; level_kem_at(at) != NULL; at++) {
        const larch_kem *kem = level_kem_at(at);
        const larch_bytes sent = {ct, kem->ct_len};
        uint8_t ss[LARCH_KEM_SS_LEN], got[LARCH_KEM_SS_LEN], expected[LARCH_KEM_SS_LEN];
        larch_keccak rng, j;
        larch_shake256_init(&rng);
        larch_shake_finalize(&rng);
        make_keys(kem);
        const larch_random random = {fill_from_sponge, &rng};
        assert_int_equal(larch_kem_encaps(kem, &random, (larch_bytes){ek, kem->ek_len}, ct, ss), LARCH_OK);
        for (size_t i = 0; i < kem->ct_len; i += i + 8 < kem->ct_len ? 7 : 1) {
            ct[i] ^= (uint8_t)(1u << i % 8);
            larch_shake256_init(&j);
            larch_shake_absorb(&j, (larch_bytes){seed + 32, 32});
            larch_shake_absorb(&j, sent);
            larch_shake_finalize(&j);
            larch_shake_squeeze(&j, expected, sizeof expected);
            assert_int_equal(larch_kem_decaps(kem, dk, sent, got), LARCH_OK);
            assert_memory_equal(got, expected, sizeof got);
            ct[i] ^= (uint8_t)(1u << i % 8);
        }
        assert_int_equal(larch_kem_decaps(kem, dk, sent, got), LARCH_OK);
        assert_memory_equal(got, ss, sizeof got);
        assert_memory_not_equal(got, expected, sizeof got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_accumulated),
        cmocka_unit_test(test_ek_modulus),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_dk_hash),
        cmocka_unit_test(test_failing_random),
        cmocka_unit_test(test_implicit_rejection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
