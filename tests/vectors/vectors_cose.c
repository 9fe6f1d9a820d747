/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Encrypt0 and COSE_Sign1 against the COSE working group's examples, good and bad, and those of RFC 9964. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/cose.h"
#include "larch/crypto.h"
#include "larch/sig.h"
#include "vectors/vectors.h"

static vectors v;
static uint8_t bytes[1 << 13], key_bytes[1 << 12], other[1 << 12], text[256], structure[512], out[1 << 13];

/* ---- examples ------------------------------------------------------------------ */

static larch_bytes optional(const char *name, uint8_t *at, size_t cap)
{
    return vectors_has(&v, name) ? vectors_hex(&v, name, at, cap) : (larch_bytes){0};
}

/* What the message gives; the structure that it authenticates must be the one that the record gives. */
static larch_error open_encrypt0(larch_bytes cbor, larch_bytes external_aad)
{
    uint8_t base_iv[16], plain[256];
    larch_cose_message m;
    const larch_cose_secrets secrets = {.key = vectors_hex(&v, "cek", key_bytes, sizeof key_bytes),
                                        .base_iv = optional("unsent_iv_hex", base_iv, sizeof base_iv),
                                        .external_aad = external_aad};
    size_t len;
    larch_error e = larch_cose_parse_encrypt0(cbor, &m);
    /* what the record calls unsent is the nonce itself: the Context IV is that without the Partial IV */
    for (size_t i = 0; i < m.header.partial_iv.len && secrets.base_iv.len > 0; i++)
        base_iv[secrets.base_iv.len - m.header.partial_iv.len + i] ^= m.header.partial_iv.data[i];
    if (e != LARCH_OK || (e = larch_cose_open(&m, "Encrypt0", &secrets, plain, sizeof plain, &len)) != LARCH_OK)
        return e;
    const larch_bytes payload = vectors_hex(&v, "payload", text, sizeof text);
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_cose_put_enc_structure(&w, "Encrypt0", m.header.protected_map, external_aad);
    const larch_bytes said = vectors_hex(&v, "structure", structure, sizeof structure);
    assert_int_equal(w.len, said.len);
    assert_memory_equal(out, said.data, said.len);
    assert_int_equal(len, payload.len);
    assert_memory_equal(plain, payload.data, payload.len);
    w = larch_writer_to(out, sizeof out); /* encrypted again, it has the same bytes, but for an empty map */
    assert_int_equal(larch_cose_put_encrypt0(&w, m.is_tagged, &m.header, &secrets, payload), LARCH_OK);
    if (memcmp(cbor.data, "\xd0\x83\x41\xa0", 4) != 0) {
        assert_int_equal(w.len, cbor.len);
        assert_memory_equal(out, cbor.data, cbor.len);
    }
    return LARCH_OK;
}

static larch_error verify_sign1(larch_bytes cbor, larch_bytes external_aad)
{
    larch_cose_message m;
    const larch_cose_key key = {.kty = LARCH_COSE_EC2,
                                .crv = vectors_has(&v, "crv") && vectors_is(&v, "crv", "P-256") ? LARCH_COSE_P256 : 0,
                                .x = optional("key_x", key_bytes, sizeof key_bytes),
                                .y = optional("key_y", other, sizeof other)};
    larch_error e = larch_cose_parse_sign1(cbor, &m);
    if (e != LARCH_OK || (e = larch_cose_verify_sign1(&m, &key, external_aad)) != LARCH_OK)
        return e;
    const larch_bytes payload = vectors_hex(&v, "payload", text, sizeof text);
    assert_true(larch_bytes_equal(m.content, payload));
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_cose_put_sig_structure(&w, m.header.protected_map, external_aad, payload);
    const larch_bytes said = vectors_hex(&v, "structure", structure, sizeof structure);
    assert_int_equal(w.len, said.len);
    assert_memory_equal(out, said.data, said.len);
    return LARCH_OK;
}

static bool has_algorithm(void)
{
    static const char *const ours[] = {"ES256", "A128GCM", "AES-CCM-16-128/64", "AES-CCM-16-128/128"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (vectors_is(&v, "alg", ours[i]))
            return true;
    return false;
}

/* A message is opened or verified if it is good and of an algorithm that larch has. */
static void test_examples(void **state)
{
    (void)state;
    unsigned good = 0, foreign = 0, bad = 0;
    vectors_open(&v, "rfc/cose_examples.txt");
    while (vectors_next(&v)) {
        uint8_t aad[64];
        const bool is_sign1 = vectors_is(&v, "kind", "Sign1");
        if (!is_sign1 && !vectors_is(&v, "kind", "Encrypt0"))
            continue;
        const larch_bytes cbor = vectors_hex(&v, "cbor", bytes, sizeof bytes);
        const larch_bytes external_aad = optional("external_aad", aad, sizeof aad);
        const larch_error e = is_sign1 ? verify_sign1(cbor, external_aad) : open_encrypt0(cbor, external_aad);
        if (e == LARCH_OK && vectors_true(&v, "fail"))
            fail_msg("%s is bad, but was taken", vectors_text(&v, "file"));
        if (!vectors_true(&v, "fail") && e != (has_algorithm() ? LARCH_OK : LARCH_STATE))
            fail_msg("%s is good, but gives %d", vectors_text(&v, "file"), (int)e);
        good += e == LARCH_OK;
        foreign += !vectors_true(&v, "fail") && e == LARCH_STATE;
        bad += vectors_true(&v, "fail");
    }
    vectors_close(&v);
    print_message("%u good, %u of algorithms that larch does not have, %u bad\n", good, foreign, bad);
    assert_true(good >= 12 && foreign >= 8 && bad >= 12);
}

/* ---- ML-DSA ------------------------------------------------------------------------ */

/* The private key makes the very message: the example is signed without randomness. */
static void check_signing(const larch_cose_key *key, larch_bytes cbor)
{
    larch_cose_key signer = *key;
    uint8_t seed[LARCH_SIG_SEED_LEN];
    larch_cose_message m;
    larch_writer w = larch_writer_to(out, sizeof out);
    assert_int_equal(larch_cose_parse_sign1(cbor, &m), LARCH_OK);
    signer.priv = vectors_hex(&v, "seed", seed, sizeof seed);
    assert_int_equal(larch_cose_put_sign1(&w, true, &m.header, &signer, NULL, (larch_bytes){0}, m.content), LARCH_OK);
    assert_int_equal(w.len, cbor.len);
    assert_memory_equal(out, cbor.data, cbor.len);
    w = larch_writer_to(out, cbor.len - 1);
    assert_int_equal(larch_cose_put_sign1(&w, true, &m.header, &signer, NULL, (larch_bytes){0}, m.content),
                     LARCH_SPACE);
    assert_int_equal(w.len, 0);
}

static void test_ml_dsa(void **state)
{
    (void)state;
    unsigned count = 0;
    vectors_open(&v, "rfc/cose_mldsa.txt");
    while (vectors_next(&v)) {
        larch_cose_message m;
        larch_cose_key key;
        uint8_t own[4096];
        const larch_bytes encoded = vectors_hex(&v, "cose_key", key_bytes, sizeof key_bytes);
        const larch_bytes cbor = vectors_hex(&v, "cose_sign1", bytes, sizeof bytes);
        const larch_bytes said = vectors_hex(&v, "to_be_signed", structure, sizeof structure);
        larch_writer w = larch_writer_to(own, sizeof own);
        /* this key was written with its kid before kty: its members are the same, in order */
        assert_int_equal(larch_cose_parse_key(encoded, &key), LARCH_MALFORMED);
        const larch_cose_key made = {.kty = LARCH_COSE_AKP,
                                     .alg = vectors_is(&v, "alg", "ML-DSA-44") ? LARCH_COSE_ML_DSA_44
                                                                               : LARCH_COSE_ML_DSA_65,
                                     .pub = vectors_hex(&v, "public_key", other, sizeof other)};
        larch_cose_put_key(&w, &made);
        assert_int_equal(larch_cose_parse_key((larch_bytes){own, w.len}, &key), LARCH_OK);
        assert_int_equal(larch_cose_parse_sign1(cbor, &m), LARCH_OK);
        assert_int_equal(m.header.present, LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_KID);
        assert_int_equal(larch_cose_verify_sign1(&m, &key, (larch_bytes){0}), LARCH_OK);
        assert_int_equal(larch_cose_verify_sign1(&m, &key, LARCH_TEXT("x")), LARCH_AUTH);
        w = larch_writer_to(out, sizeof out);
        larch_cose_put_sig_structure(&w, m.header.protected_map, (larch_bytes){0}, m.content);
        assert_int_equal(w.len, said.len);
        assert_memory_equal(out, said.data, said.len);
        check_signing(&key, cbor);
        bytes[cbor.len - 100] ^= 1;
        assert_int_equal(larch_cose_verify_sign1(&m, &key, (larch_bytes){0}), LARCH_AUTH);
        count++;
    }
    vectors_close(&v);
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_ml_dsa)};
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests_name("cose", tests, NULL, NULL);
}
