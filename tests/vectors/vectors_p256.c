/* SPDX-License-Identifier: Apache-2.0 */
/* P-256 against Wycheproof's vectors: ECDH, and ES256 in the form of COSE. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "larch/ecc.h"
#include "vectors/vectors.h"

static vectors v;

/* Whether the provider takes an x alone. */
static bool takes_x_only(void)
{
    const uint8_t private_key[LARCH_P256_LEN] = {1};
    uint8_t point[LARCH_P256_PUBLIC_LEN], shared[LARCH_P256_LEN];
    assert_int_equal(larch_p256_public(private_key, point), LARCH_OK);
    larch_error e = larch_p256_ecdh(private_key, (larch_bytes){point, LARCH_P256_LEN}, shared);
    assert_true(e == LARCH_OK || e == LARCH_STATE);
    return e == LARCH_OK;
}

static void test_ecdh(void **state)
{
    (void)state;
    static const uint8_t zero[LARCH_P256_LEN];
    const bool x_only = takes_x_only();
    unsigned refused = 0, by_x = 0;
    vectors_open(&v, "wycheproof/ecdh_p256.txt");
    while (vectors_next(&v)) {
        uint8_t sec1[128], private_key[LARCH_P256_LEN], expected[LARCH_P256_LEN], shared[LARCH_P256_LEN];
        larch_bytes point = vectors_hex(&v, "public", sec1, sizeof sec1);
        const bool whole = point.len == 65 && sec1[0] == 4, compressed = point.len == 33 && (sec1[0] | 1) == 3;
        assert_int_equal(vectors_hex(&v, "private", private_key, sizeof private_key).len, sizeof private_key);
        if (!whole && !compressed) { /* a form that larch does not have */
            assert_false(vectors_is(&v, "result", "valid"));
            continue;
        }
        point = (larch_bytes){sec1 + 1, point.len - 1};
        memset(shared, 0xaa, sizeof shared);
        larch_error e = larch_p256_ecdh(private_key, point, shared);
        if (compressed && !x_only) {
            assert_int_equal(e, LARCH_STATE);
        } else if (vectors_is(&v, "result", "invalid")) {
            assert_int_equal(e, LARCH_MALFORMED);
            refused++;
        } else {
            assert_int_equal(e, LARCH_OK);
            (void)vectors_hex(&v, "shared", expected, sizeof expected);
            assert_memory_equal(shared, expected, sizeof expected);
            if (x_only && whole) { /* the y changes nothing */
                assert_int_equal(larch_p256_ecdh(private_key, (larch_bytes){sec1 + 1, LARCH_P256_LEN}, shared),
                                 LARCH_OK);
                assert_memory_equal(shared, expected, sizeof expected);
                by_x++;
            }
        }
        if (e != LARCH_OK)
            assert_memory_equal(shared, zero, sizeof zero);
    }
    vectors_close(&v);
    assert_in_range(refused, 5, 100);
    assert_true(!x_only || by_x > 200);
}

static void test_es256(void **state)
{
    (void)state;
    static uint8_t message[1 << 12];
    unsigned valid = 0;
    vectors_open(&v, "wycheproof/ecdsa_p256_sha256_raw.txt");
    while (vectors_next(&v)) {
        uint8_t key[65], signature[256];
        const larch_bytes text = vectors_hex(&v, "msg", message, sizeof message);
        assert_int_equal(vectors_hex(&v, "pk", key, sizeof key).len, sizeof key);
        larch_error e = larch_es256_verify(key + 1, &text, 1, vectors_hex(&v, "sig", signature, sizeof signature));
        assert_int_equal(e, vectors_is(&v, "result", "valid") ? LARCH_OK : LARCH_AUTH);
        valid += e == LARCH_OK;
    }
    vectors_close(&v);
    assert_in_range(valid, 50, 262);
}

static int start(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ecdh), cmocka_unit_test(test_es256)};
    return cmocka_run_group_tests(tests, start, NULL);
}
