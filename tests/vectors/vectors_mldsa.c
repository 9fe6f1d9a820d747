/* SPDX-License-Identifier: Apache-2.0 */
/* NIST's ACVP vectors of ML-DSA, the examples of COSE, and those of X.509. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psa/crypto.h>

#include "larch/sig.h"
#include "levels.h"
#include "pq/pq.h"
#include "skips.h"
#include "vectors/vectors.h"

static vectors v;
static unsigned opened;
static uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX], signature[LARCH_SIG_SIG_MAX], msg[1 << 17];

/* Opens the file of one kind for a set of this build, if there is one. */
static bool open_set(size_t at, const char *kind, const larch_sig **sig)
{
    static char name[64]; /* the reader keeps it for its messages */
    *sig = level_sig_at(at);
    snprintf(name, sizeof name, "acvp/mldsa%s_%s.txt", (*sig)->name + strlen("ML-DSA-"), kind);
    if ((*sig)->cose_algorithm == -50) /* of this set there are none */
        return false;
    vectors_open(&v, name);
    opened++;
    return true;
}

/* At the end of a test: there is a set of this build that NIST's files are for. */
static void require_opened(void)
{
    if (opened == 0)
        skip_because("neither ML-DSA-44 nor ML-DSA-65 is in this build");
    opened = 0;
}

static const larch_sig *find_by_name(const char *name)
{
    for (size_t at = 0; larch_sig_at(at) != NULL; at++)
        if (strcmp(larch_sig_at(at)->name, name) == 0)
            return larch_sig_at(at);
    return NULL;
}

static void test_keygen(void **state)
{
    (void)state;
    const larch_sig *sig;
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        if (!open_set(at, "keygen", &sig))
            continue;
        while (vectors_next(&v)) {
            uint8_t seed[LARCH_SIG_SEED_LEN], got_pk[LARCH_SIG_PK_MAX], got_sk[LARCH_SIG_SK_MAX];
            assert_int_equal(vectors_hex(&v, "seed", seed, sizeof seed).len, sizeof seed);
            assert_int_equal(vectors_hex(&v, "pk", pk, sizeof pk).len, sig->pk_len);
            assert_int_equal(vectors_hex(&v, "sk", sk, sizeof sk).len, sig->sk_len);
            assert_int_equal(larch_sig_keygen(sig, seed, got_pk, got_sk), LARCH_OK);
            assert_memory_equal(got_pk, pk, sig->pk_len);
            assert_memory_equal(got_sk, sk, sig->sk_len);
        }
        vectors_close(&v);
    }
    require_opened();
}

/* ---- what a record asks to be signed ----------------------------------------- */

/* PH_M of HashML-DSA [FIPS204 5.4], and the last byte of the function's OID; 0 if nobody here computes it. */
static uint8_t prehash(const char *name, larch_bytes m, uint8_t out[64], size_t *len)
{
    static const struct {
        const char *name;
        psa_algorithm_t algorithm;
        uint8_t oid, len;
    } functions[] = {
        {"SHA2-256", PSA_ALG_SHA_256, 1, 32},
        {"SHA2-384", PSA_ALG_SHA_384, 2, 48},
        {"SHA2-512", PSA_ALG_SHA_512, 3, 64},
        {"SHA2-224", PSA_ALG_SHA_224, 4, 28},
        {"SHA3-224", 0, 7, 28},
        {"SHA3-256", 0, 8, 32},
        {"SHA3-384", 0, 9, 48},
        {"SHA3-512", 0, 10, 64},
        {"SHAKE-128", 0, 11, 32},
        {"SHAKE-256", 0, 12, 64},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, name) != 0)
            continue;
        *len = functions[i].len;
        switch (functions[i].oid) {
        case 7:
            larch_sha3_224(m, out);
            break;
        case 8:
            larch_sha3_256(m, out);
            break;
        case 9:
            larch_sha3_384(m, out);
            break;
        case 10:
            larch_sha3_512(m, out);
            break;
        case 11:
            larch_shake128(m, out, 32);
            break;
        case 12:
            larch_shake256(m, out, 64);
            break;
        default:
            assert_int_equal(psa_hash_compute(functions[i].algorithm, m.data, m.len, out, 64, len), PSA_SUCCESS);
        }
        return functions[i].oid;
    }
    return 0;
}

/* mu for the interfaces "internal" (M' is the message), "mu" and "prehash". false if the record must be left out. */
static bool make_mu(const uint8_t tr[64], larch_bytes context, uint8_t mu[64])
{
    larch_keccak h;
    if (vectors_is(&v, "iface", "mu")) {
        assert_int_equal(vectors_hex(&v, "mu", mu, 64).len, 64);
        return true;
    }
    larch_bytes m = vectors_hex(&v, "msg", msg, sizeof msg);
    larch_shake256_init(&h);
    larch_shake_absorb(&h, (larch_bytes){tr, 64});
    if (vectors_is(&v, "iface", "internal")) {
        larch_shake_absorb(&h, m);
    } else {
        uint8_t oid[11] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0}, digest[64];
        const uint8_t start[2] = {1, (uint8_t)context.len};
        size_t len;
        assert_true(vectors_is(&v, "iface", "prehash"));
        if ((oid[10] = prehash(vectors_text(&v, "hash"), m, digest, &len)) == 0)
            return false;
        larch_shake_absorb(&h, LARCH_BYTES(start));
        larch_shake_absorb(&h, context);
        larch_shake_absorb(&h, LARCH_BYTES(oid));
        larch_shake_absorb(&h, (larch_bytes){digest, len});
    }
    larch_shake_finalize(&h);
    larch_shake_squeeze(&h, mu, 64);
    return true;
}

static larch_error fill_from_record(void *context, uint8_t *out, size_t len)
{
    (void)context;
    assert_int_equal(vectors_hex(&v, "rnd", out, len).len, len);
    return LARCH_OK;
}

static void siggen(const char *kind)
{
    const larch_sig *sig;
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        unsigned left_out = 0;
        if (!open_set(at, kind, &sig))
            continue;
        while (vectors_next(&v)) {
            const larch_random random = {fill_from_record, NULL};
            const larch_random *rnd = vectors_true(&v, "deterministic") ? NULL : &random;
            uint8_t seed[LARCH_SIG_SEED_LEN], context_bytes[255], mu[64], got[LARCH_SIG_SIG_MAX];
            larch_bytes context = {0};
            if (vectors_is(&v, "keyformat", "seed")) {
                assert_int_equal(vectors_hex(&v, "seed", seed, sizeof seed).len, sizeof seed);
                assert_int_equal(larch_sig_keygen(sig, seed, pk, sk), LARCH_OK);
            } else {
                assert_int_equal(vectors_hex(&v, "sk", sk, sizeof sk).len, sig->sk_len);
            }
            if (vectors_has(&v, "ctx"))
                context = vectors_hex(&v, "ctx", context_bytes, sizeof context_bytes);
            assert_int_equal(vectors_hex(&v, "sig", signature, sizeof signature).len, sig->sig_len);
            if (vectors_is(&v, "iface", "pure")) {
                larch_bytes m = vectors_hex(&v, "msg", msg, sizeof msg);
                assert_int_equal(larch_sig_sign(sig, rnd, sk, context, m, got), LARCH_OK);
            } else if (make_mu(sk + 64, context, mu)) {
                assert_int_equal(larch_sig_sign_mu(sig, rnd, sk, mu, got), LARCH_OK);
            } else {
                left_out++;
                continue;
            }
            assert_memory_equal(got, signature, sig->sig_len);
        }
        vectors_close(&v);
        if (left_out > 0)
            printf("%u of them left out: SHA-512/224 and SHA-512/256\n", left_out);
    }
}

static void sigver(const char *kind)
{
    const larch_sig *sig;
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        unsigned left_out = 0;
        if (!open_set(at, kind, &sig))
            continue;
        while (vectors_next(&v)) {
            uint8_t context_bytes[255], mu[64], tr[64];
            larch_bytes context = {0}, key = vectors_hex(&v, "pk", pk, sizeof pk);
            larch_bytes s = vectors_hex(&v, "sig", signature, sizeof signature);
            larch_error e;
            if (vectors_has(&v, "ctx"))
                context = vectors_hex(&v, "ctx", context_bytes, sizeof context_bytes);
            larch_shake256(key, tr, sizeof tr);
            if (vectors_is(&v, "iface", "pure")) {
                e = larch_sig_verify(sig, key, context, vectors_hex(&v, "msg", msg, sizeof msg), s);
            } else if (make_mu(tr, context, mu)) {
                e = larch_sig_verify_mu(sig, key, mu, s);
            } else {
                left_out++;
                continue;
            }
            assert_int_equal(e, vectors_true(&v, "pass") ? LARCH_OK : LARCH_AUTH);
        }
        vectors_close(&v);
        if (left_out > 0)
            printf("%u of them left out: SHA-512/224 and SHA-512/256\n", left_out);
    }
}

static void test_siggen(void **state)
{
    (void)state;
    siggen("siggen");
    siggen("siggen_prehash");
    require_opened();
}

static void test_sigver(void **state)
{
    (void)state;
    sigver("sigver");
    sigver("sigver_prehash");
    require_opened();
}

/* ---- COSE ---------------------------------------------------------------------- */

/* The examples' signatures are deterministic. */
static void test_cose(void **state)
{
    (void)state;
    vectors_open(&v, "rfc/cose_mldsa.txt");
    while (vectors_next(&v)) {
        const larch_sig *sig = find_by_name(vectors_text(&v, "alg"));
        uint8_t seed[LARCH_SIG_SEED_LEN], published[LARCH_SIG_PK_MAX], got[LARCH_SIG_SIG_MAX];
        if (sig == NULL)
            continue;
        assert_int_equal(vectors_hex(&v, "seed", seed, sizeof seed).len, sizeof seed);
        assert_int_equal(vectors_hex(&v, "public_key", published, sizeof published).len, sig->pk_len);
        assert_int_equal(larch_sig_keygen(sig, seed, pk, sk), LARCH_OK);
        assert_memory_equal(pk, published, sig->pk_len);
        larch_bytes key = {pk, sig->pk_len}, m = vectors_hex(&v, "to_be_signed", msg, sizeof msg);
        larch_bytes s = vectors_hex(&v, "signature", signature, sizeof signature);
        assert_int_equal(larch_sig_verify(sig, key, (larch_bytes){0}, m, s), LARCH_OK);
        assert_int_equal(larch_sig_sign(sig, NULL, sk, (larch_bytes){0}, m, got), LARCH_OK);
        assert_true(larch_bytes_equal(s, (larch_bytes){got, sig->sig_len}));
    }
    vectors_close(&v);
}

/* ---- X.509 --------------------------------------------------------------------- */

/* Takes one DER element off in: its contents. whole, if not NULL: with tag and length. */
static larch_bytes take_der(larch_bytes *in, uint8_t tag, larch_bytes *whole)
{
    size_t len, head = 2;
    assert_true(in->len >= 4 && in->data[0] == tag);
    len = in->data[1];
    if (len >= 0x80) {
        assert_in_range(len, 0x81, 0x82);
        head += len - 0x80;
        len = head == 4 ? (size_t)in->data[2] << 8 | in->data[3] : in->data[2];
    }
    assert_true(in->len >= head + len);
    larch_bytes contents = {in->data + head, len};
    if (whole != NULL)
        *whole = (larch_bytes){in->data, head + len};
    *in = (larch_bytes){in->data + head + len, in->len - head - len};
    return contents;
}

/* The bytes of a BIT STRING that has whole bytes only. */
static larch_bytes take_bits(larch_bytes *in)
{
    larch_bytes bits = take_der(in, 0x03, NULL);
    assert_true(bits.len > 0 && bits.data[0] == 0);
    return (larch_bytes){bits.data + 1, bits.len - 1};
}

/* SubjectPublicKeyInfo: the key of the set. */
static void assert_spki(larch_bytes in, const larch_sig *sig)
{
    larch_bytes spki = take_der(&in, 0x30, NULL);
    (void)take_der(&spki, 0x30, NULL);
    larch_bytes key = take_bits(&spki);
    assert_true(larch_bytes_equal(key, (larch_bytes){pk, sig->pk_len}));
}

/* The seed, the expanded key, or both that a PKCS#8 key holds. [RFC9881 6] */
static void read_pkcs8(larch_bytes in, larch_bytes *seed, larch_bytes *expanded)
{
    larch_bytes info = take_der(&in, 0x30, NULL);
    (void)take_der(&info, 0x02, NULL);
    (void)take_der(&info, 0x30, NULL);
    larch_bytes key = take_der(&info, 0x04, NULL);
    *seed = *expanded = (larch_bytes){0};
    if (key.data[0] == 0x30)
        key = take_der(&key, 0x30, NULL);
    else if (key.data[0] == 0x80)
        *seed = take_der(&key, 0x80, NULL);
    while (key.len > 0) {
        larch_bytes string = take_der(&key, 0x04, NULL);
        *(string.len == LARCH_SIG_SEED_LEN ? seed : expanded) = string;
    }
}

/* All examples are of the keys that the seed 00 01 .. 1f makes. */
static void test_x509(void **state)
{
    (void)state;
    unsigned checked = 0;
    vectors_open(&v, "rfc/x509_pq.txt");
    while (vectors_next(&v)) {
        const larch_sig *sig = find_by_name(vectors_text(&v, "alg"));
        if (sig == NULL)
            continue;
        uint8_t seed[LARCH_SIG_SEED_LEN];
        for (unsigned i = 0; i < sizeof seed; i++)
            seed[i] = (uint8_t)i;
        assert_int_equal(larch_sig_keygen(sig, seed, pk, sk), LARCH_OK);
        larch_bytes der = vectors_hex(&v, "der", msg, sizeof msg);
        if (vectors_is(&v, "kind", "certificate")) {
            larch_bytes tbs, certificate = take_der(&der, 0x30, NULL), key = {pk, sig->pk_len};
            (void)take_der(&certificate, 0x30, &tbs);
            (void)take_der(&certificate, 0x30, NULL);
            larch_bytes s = take_bits(&certificate);
            assert_int_equal(larch_sig_verify(sig, key, (larch_bytes){0}, tbs, s), LARCH_OK);
        } else if (vectors_is(&v, "kind", "spki")) {
            assert_spki(der, sig);
        } else {
            larch_bytes stored, expanded;
            bool matches = true;
            read_pkcs8(der, &stored, &expanded);
            if (stored.len > 0)
                assert_int_equal(larch_sig_keygen(sig, stored.data, pk, sk), LARCH_OK);
            if (expanded.len > 0)
                matches = larch_bytes_equal(expanded, (larch_bytes){sk, sig->sk_len});
            if (vectors_true(&v, "ok") || stored.len > 0)
                assert_int_equal(matches, vectors_true(&v, "ok"));
        }
        checked++;
    }
    vectors_close(&v);
    assert_true(checked >= 5 * (LARCH_MLDSA_44 + LARCH_MLDSA_65));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keygen), cmocka_unit_test(test_siggen), cmocka_unit_test(test_sigver),
        cmocka_unit_test(test_cose),   cmocka_unit_test(test_x509),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
