/* SPDX-License-Identifier: Apache-2.0 */
/* P-256: the keys and a signature of [RFC6979 A.2.5], and every way to be refused. Wycheproof's vectors are elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "larch/ecc.h"

static const uint8_t private_key[32] = {0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21,
                                        0x57, 0x67, 0xb1, 0xd6, 0x93, 0x4e, 0x50, 0xc3, 0xdb, 0x36, 0xe8,
                                        0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b, 0x12, 0x0f, 0x67, 0x21};
static const uint8_t public_key[64] = {0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6,
                                       0x35, 0x6d, 0x68, 0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c, 0xe6, 0x69,
                                       0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6, 0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc,
                                       0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64, 0xf2, 0xf1, 0xb2, 0x0c,
                                       0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99};
static const uint8_t of_sample[64] = {/* SHA-256 of "sample" */
                                      0xef, 0xd4, 0x8b, 0x2a, 0xac, 0xb6, 0xa8, 0xfd, 0x11, 0x40, 0xdd, 0x9c, 0xd4,
                                      0x5e, 0x81, 0xd6, 0x9d, 0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91, 0xc3, 0x4d,
                                      0x0e, 0xa8, 0x4e, 0xaf, 0x37, 0x16, 0xf7, 0xcb, 0x1c, 0x94, 0x2d, 0x65, 0x7c,
                                      0x41, 0xd4, 0x36, 0xc7, 0xa1, 0xb6, 0xe2, 0x9f, 0x65, 0xf3, 0xe9, 0x00, 0xdb,
                                      0xb9, 0xaf, 0xf4, 0x06, 0x4d, 0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8};
/* n, the order of the group: the smallest number that is no private key */
static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                  0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t zero[64];

static void test_public(void **state)
{
    (void)state;
    uint8_t got[64];
    assert_int_equal(larch_p256_public(private_key, got), LARCH_OK);
    assert_memory_equal(got, public_key, sizeof got);
}

static void test_private_range(void **state)
{
    (void)state;
    uint8_t key[32], got[64];
    const larch_bytes text = LARCH_TEXT("sample"), peer = LARCH_BYTES(public_key);
    for (int above = -1; above < 3; above++) { /* n - 1, n, n + 1, zero */
        if (above < 2) {
            memcpy(key, order, sizeof key);
            key[31] = (uint8_t)(key[31] + above);
        } else {
            memset(key, 0, sizeof key);
        }
        const larch_error expected = above < 0 ? LARCH_OK : LARCH_MALFORMED;
        memset(got, 0xaa, sizeof got);
        assert_int_equal(larch_p256_public(key, got), expected);
        assert_int_equal(memcmp(got, zero, 64) == 0, expected != LARCH_OK);
        memset(got, 0xaa, sizeof got);
        assert_int_equal(larch_p256_ecdh(key, peer, got), expected);
        assert_int_equal(memcmp(got, zero, 32) == 0, expected != LARCH_OK);
        memset(got, 0xaa, sizeof got);
        assert_int_equal(larch_es256_sign(key, &text, 1, got), expected);
        assert_int_equal(memcmp(got, zero, 64) == 0, expected != LARCH_OK);
    }
}

static void test_ecdh(void **state)
{
    (void)state;
    uint8_t other[32] = {1, 2, 3}, other_public[64], one[32], two[32], changed[64];
    assert_int_equal(larch_p256_public(other, other_public), LARCH_OK);
    assert_int_equal(larch_p256_ecdh(private_key, LARCH_BYTES(other_public), one), LARCH_OK);
    assert_int_equal(larch_p256_ecdh(other, LARCH_BYTES(public_key), two), LARCH_OK);
    assert_memory_equal(one, two, sizeof one);

    larch_error e = larch_p256_ecdh(other, (larch_bytes){public_key, 32}, two);
    assert_true(e == LARCH_OK || e == LARCH_STATE);
    assert_memory_equal(two, e == LARCH_OK ? one : zero, sizeof two);

    for (size_t at = 0; at < 64; at += 9) {
        memcpy(changed, public_key, sizeof changed);
        changed[at] ^= 1;
        assert_int_equal(larch_p256_ecdh(private_key, LARCH_BYTES(changed), two), LARCH_MALFORMED);
        assert_memory_equal(two, zero, sizeof two);
    }
    for (size_t len = 0; len < 64; len++)
        if (len != 32)
            assert_int_equal(larch_p256_ecdh(private_key, (larch_bytes){public_key, len}, two), LARCH_MALFORMED);
}

static void test_es256(void **state)
{
    (void)state;
    const larch_bytes whole = LARCH_TEXT("sample"), cut[] = {LARCH_TEXT("sam"), {NULL, 0}, LARCH_TEXT("ple")};
    const larch_bytes other = LARCH_TEXT("samples");
    uint8_t signature[65] = {0}, key[64];
    assert_int_equal(larch_es256_verify(public_key, &whole, 1, LARCH_BYTES(of_sample)), LARCH_OK);
    assert_int_equal(larch_es256_verify(public_key, cut, 3, LARCH_BYTES(of_sample)), LARCH_OK);
    assert_int_equal(larch_es256_verify(public_key, &other, 1, LARCH_BYTES(of_sample)), LARCH_AUTH);
    for (unsigned i = 0; i < 100; i++) { /* shorter numbers come up, too */
        assert_int_equal(larch_es256_sign(private_key, cut, 3, signature), LARCH_OK);
        assert_int_equal(larch_es256_verify(public_key, &whole, 1, (larch_bytes){signature, 64}), LARCH_OK);
    }
    for (size_t len = 0; len <= 65; len++)
        if (len != 64)
            assert_int_equal(larch_es256_verify(public_key, &whole, 1, (larch_bytes){signature, len}), LARCH_AUTH);
    for (size_t bit = 0; bit < 512; bit += 7) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(larch_es256_verify(public_key, &whole, 1, (larch_bytes){signature, 64}), LARCH_AUTH);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(larch_es256_verify(public_key, &whole, 1, LARCH_BYTES(zero)), LARCH_AUTH);
    memcpy(key, public_key, sizeof key);
    key[40] ^= 1;
    assert_int_equal(larch_es256_verify(key, &whole, 1, LARCH_BYTES(of_sample)), LARCH_MALFORMED);
    assert_int_equal(larch_es256_verify(zero, &whole, 1, LARCH_BYTES(of_sample)), LARCH_MALFORMED);
}

static int start(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_private_range),
        cmocka_unit_test(test_ecdh),
        cmocka_unit_test(test_es256),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
