/* SPDX-License-Identifier: Apache-2.0 */
/* The draft's vectors of X-Wing, and Wycheproof's of X25519. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "larch/kem.h"
#include "pq/pq.h"
#include "skips.h"
#include "vectors/vectors.h"

static vectors v;

static void test_xwing(void **state)
{
    (void)state;
    const larch_kem *kem = larch_kem_xwing();
    static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX], expected[LARCH_KEM_EK_MAX];
    if (kem == NULL)
        skip_because("X-Wing is not in this build");
    vectors_open(&v, "rfc/xwing.txt");
    while (vectors_next(&v)) {
        uint8_t seed[32], m[64], ss[32], got[32];
        assert_int_equal(vectors_hex(&v, "seed", seed, sizeof seed).len, kem->seed_len);
        assert_int_equal(vectors_hex(&v, "eseed", m, sizeof m).len, kem->m_len);
        assert_int_equal(vectors_hex(&v, "ss", ss, sizeof ss).len, sizeof ss);
        assert_int_equal(larch_kem_keygen(kem, seed, ek, dk), LARCH_OK);
        assert_int_equal(vectors_hex(&v, "pk", expected, sizeof expected).len, kem->ek_len);
        assert_memory_equal(ek, expected, kem->ek_len);
        assert_int_equal(kem->functions->encaps(ek, m, ct, got), LARCH_OK);
        assert_memory_equal(got, ss, sizeof ss);
        assert_int_equal(vectors_hex(&v, "ct", expected, sizeof expected).len, kem->ct_len);
        assert_memory_equal(ct, expected, kem->ct_len);
        memset(got, 0, sizeof got);
        assert_int_equal(larch_kem_decaps(kem, dk, (larch_bytes){ct, kem->ct_len}, got), LARCH_OK);
        assert_memory_equal(got, ss, sizeof ss);
    }
    vectors_close(&v);
}

/* "acceptable" covers public keys on the twist, not canonical, or of small order. The secret is RFC 7748's
 * wherever one comes out, and none comes out where it is all zero. */
static void test_x25519(void **state)
{
    (void)state;
    static const uint8_t zero[32];
    unsigned refused = 0;
    vectors_open(&v, "wycheproof/x25519.txt");
    while (vectors_next(&v)) {
        uint8_t public_key[32], private_key[32], shared[32], got[32];
        larch_bytes key = vectors_hex(&v, "public", public_key, sizeof public_key);
        assert_int_equal(key.len, 32);
        assert_int_equal(vectors_hex(&v, "private", private_key, sizeof private_key).len, 32);
        assert_int_equal(vectors_hex(&v, "shared", shared, sizeof shared).len, 32);
        larch_error e = larch_x25519(private_key, public_key, got);
        if (memcmp(shared, zero, sizeof zero) == 0) {
            assert_int_equal(e, LARCH_MALFORMED);
            assert_memory_equal(got, zero, sizeof got);
            refused++;
        } else {
            assert_int_equal(e, LARCH_OK);
            assert_memory_equal(got, shared, sizeof got);
        }
    }
    vectors_close(&v);
    assert_in_range(refused, 10, 100);
}

static int start(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_xwing), cmocka_unit_test(test_x25519)};
    return cmocka_run_group_tests(tests, start, NULL);
}
