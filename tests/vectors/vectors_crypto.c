/* SPDX-License-Identifier: Apache-2.0 */
/* AES-CCM, HKDF, HMAC and SHA-256 against NIST's, Wycheproof's and the RFCs' vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "vectors/vectors.h"

static vectors v;
static unsigned skipped;
static uint8_t a[1 << 14], b[1 << 14], c[1 << 14], d[1 << 14], out[1 << 14];

static void close_file(const char *what)
{
    const char *name = v.name;
    vectors_close(&v);
    if (skipped > 0)
        printf("%s: %u skipped, %s\n", name, skipped, what);
    skipped = 0;
}

static void test_sha256(void **state)
{
    (void)state;
    vectors_open(&v, "rfc/sha256.txt");
    while (vectors_next(&v)) {
        larch_bytes message = vectors_hex(&v, "msg", a, sizeof a);
        assert_int_equal(message.len, vectors_number(&v, "len"));
        assert_int_equal(vectors_hex(&v, "md", b, sizeof b).len, LARCH_SHA256_LEN);
        assert_int_equal(larch_sha256(&message, 1, out), LARCH_OK);
        assert_memory_equal(out, b, LARCH_SHA256_LEN);
    }
    close_file("");
}

/* ---- AES-CCM ----------------------------------------------------------- */

/* Seals, if there is something to compare, and opens; valid: what must come of it. */
static void check_ccm(larch_bytes nonce, larch_bytes aad, larch_bytes text, larch_bytes sealed, size_t tag_len,
                      const uint8_t key[LARCH_CCM_KEY_LEN], bool valid)
{
    static uint8_t again[1 << 14];
    if (valid) {
        assert_int_equal(larch_ccm_seal(key, nonce, aad, text, tag_len, out, sizeof out), LARCH_OK);
        assert_memory_equal(out, sealed.data, sealed.len);
    }
    larch_error e = larch_ccm_open(key, nonce, aad, sealed, tag_len, again, sizeof again);
    assert_int_equal(e == LARCH_OK, valid);
    if (valid)
        assert_memory_equal(again, text.data, text.len);
}

static void test_ccm_rfc3610(void **state)
{
    (void)state;
    uint8_t key[LARCH_CCM_KEY_LEN];
    vectors_open(&v, "rfc/rfc3610_ccm.txt");
    while (vectors_next(&v)) {
        assert_int_equal(vectors_hex(&v, "key", key, sizeof key).len, sizeof key);
        larch_bytes sealed = vectors_hex(&v, "ct", d, sizeof d);
        size_t tag_len = vectors_hex(&v, "tag", d + sealed.len, sizeof d - sealed.len).len;
        sealed.len += tag_len;
        check_ccm(vectors_hex(&v, "nonce", a, sizeof a), vectors_hex(&v, "aad", b, sizeof b),
                  vectors_hex(&v, "msg", c, sizeof c), sealed, tag_len, key, true);
    }
    close_file("");
}

static void test_ccm_acvp(void **state)
{
    (void)state;
    uint8_t key[LARCH_CCM_KEY_LEN];
    vectors_open(&v, "acvp/aes_ccm.txt");
    while (vectors_next(&v)) {
        if (vectors_number(&v, "keysize") != 128) {
            skipped++;
            continue;
        }
        (void)vectors_hex(&v, "key", key, sizeof key);
        check_ccm(vectors_hex(&v, "nonce", a, sizeof a), vectors_hex(&v, "aad", b, sizeof b),
                  vectors_hex(&v, "msg", c, sizeof c), vectors_hex(&v, "ct_tag", d, sizeof d),
                  vectors_number(&v, "taglen"), key, vectors_true(&v, "pass"));
    }
    close_file("other keys than 128 bits");
}

static void test_ccm_wycheproof(void **state)
{
    (void)state;
    uint8_t key[LARCH_CCM_KEY_LEN];
    vectors_open(&v, "wycheproof/aes_ccm.txt");
    while (vectors_next(&v)) {
        if (vectors_number(&v, "keysize") != 128) {
            skipped++;
            continue;
        }
        (void)vectors_hex(&v, "key", key, sizeof key);
        larch_bytes sealed = vectors_hex(&v, "ct", d, sizeof d);
        size_t tag_len = vectors_hex(&v, "tag", d + sealed.len, sizeof d - sealed.len).len;
        sealed.len += tag_len;
        check_ccm(vectors_hex(&v, "iv", a, sizeof a), vectors_hex(&v, "aad", b, sizeof b),
                  vectors_hex(&v, "msg", c, sizeof c), sealed, vectors_number(&v, "tagsize") / 8, key,
                  vectors_is(&v, "result", "valid"));
    }
    close_file("other keys than 128 bits");
}

/* ---- HKDF, HMAC -------------------------------------------------------- */

static void check_hkdf(bool valid)
{
    larch_bytes okm = vectors_hex(&v, "okm", d, sizeof d);
    size_t size = vectors_number(&v, "size");
    larch_error e = larch_hkdf_sha256(vectors_hex(&v, "salt", a, sizeof a), vectors_hex(&v, "ikm", b, sizeof b),
                                      vectors_hex(&v, "info", c, sizeof c), out, size);
    assert_int_equal(e, valid ? LARCH_OK : LARCH_SPACE);
    if (valid) {
        assert_int_equal(okm.len, size);
        assert_memory_equal(out, okm.data, size);
    }
}

static void test_hkdf(void **state)
{
    (void)state;
    vectors_open(&v, "rfc/rfc5869_hkdf.txt");
    while (vectors_next(&v))
        check_hkdf(true);
    close_file("");
    vectors_open(&v, "wycheproof/hkdf_sha256.txt");
    while (vectors_next(&v))
        check_hkdf(vectors_is(&v, "result", "valid"));
    close_file("");
}

static void test_hmac(void **state)
{
    (void)state;
    vectors_open(&v, "wycheproof/hmac_sha256.txt");
    while (vectors_next(&v)) {
        const larch_bytes message = vectors_hex(&v, "msg", b, sizeof b);
        larch_bytes tag = vectors_hex(&v, "tag", c, sizeof c);
        assert_int_equal(tag.len, vectors_number(&v, "tagsize") / 8);
        assert_int_equal(larch_hmac_sha256(vectors_hex(&v, "key", a, sizeof a), &message, 1, out), LARCH_OK);
        assert_int_equal(memcmp(out, tag.data, tag.len) == 0, vectors_is(&v, "result", "valid"));
    }
    close_file("");
}

static int setup(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),         cmocka_unit_test(test_ccm_rfc3610), cmocka_unit_test(test_ccm_acvp),
        cmocka_unit_test(test_ccm_wycheproof), cmocka_unit_test(test_hkdf),        cmocka_unit_test(test_hmac),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
