/* SPDX-License-Identifier: Apache-2.0 */
/* Whichever call of the provider's library fails, an operation returns an error, its outputs are zeroed, nothing stays
 * lent, and the next operation works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "larch/ecc.h"
#include "larch/kem.h"
#include "pq/pq.h"
#include "unit/failing.h"

/* ---- the call that fails -------------------------------------------------- */

static unsigned to_come; /* 0: none fails */
static bool happened;

void failing_at(unsigned n)
{
    to_come = n;
    happened = false;
}

bool failing_happened(void) { return happened; }

bool failing_now(void)
{
    if (to_come == 0 || --to_come != 0)
        return false;
    happened = true;
    return true;
}

/* ---- the operations ------------------------------------------------------- */

static const uint8_t key[32] = "a key for nothing but this test", nonce[13] = "a nonce, too";
static uint8_t peer_x25519[32], peer_p256[64], sealed_ccm[48], sealed_gcm[48], signature[64];
static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX];
static const larch_bytes text[] = {{key, 11}, {nonce, 8}}, aad = {nonce, sizeof nonce};

static larch_error run_sha256(uint8_t *out) { return larch_sha256(text, 2, out); }
static larch_error run_sha384(uint8_t *out) { return larch_sha384(text, 2, out); }
static larch_error run_hmac_sha256(uint8_t *out) { return larch_hmac_sha256(LARCH_BYTES(key), text, 2, out); }
static larch_error run_hmac_sha384(uint8_t *out) { return larch_hmac_sha384(LARCH_BYTES(key), text, 2, out); }
/* Longer than one hash, so that all steps repeat. */
static larch_error run_hkdf_sha256(uint8_t *out)
{
    return larch_hkdf_sha256(text[0], LARCH_BYTES(key), text[1], out, 80);
}
static larch_error run_hkdf_sha384(uint8_t *out)
{
    return larch_hkdf_sha384(text[0], LARCH_BYTES(key), text[1], out, 80);
}
static larch_error run_ccm_seal(uint8_t *out)
{
    return larch_ccm_seal(key, LARCH_BYTES(nonce), aad, LARCH_BYTES(key), 16, out, 48);
}
static larch_error run_ccm_open(uint8_t *out)
{
    return larch_ccm_open(key, LARCH_BYTES(nonce), aad, LARCH_BYTES(sealed_ccm), 16, out, 32);
}
static larch_error run_gcm_seal(uint8_t *out)
{
    return larch_gcm_seal(LARCH_BYTES(key), nonce, aad, LARCH_BYTES(key), out, 48);
}
static larch_error run_gcm_open(uint8_t *out)
{
    return larch_gcm_open(LARCH_BYTES(key), nonce, aad, LARCH_BYTES(sealed_gcm), out, 32);
}
static larch_error run_random(uint8_t *out)
{
    const larch_random random = larch_crypto_random();
    return larch_random_fill(&random, out, 32);
}
static larch_error run_x25519_public(uint8_t *out) { return larch_x25519_public(key, out); }
static larch_error run_x25519(uint8_t *out) { return larch_x25519(key, peer_x25519, out); }
static larch_error run_p256_public(uint8_t *out) { return larch_p256_public(key, out); }
static larch_error run_p256_ecdh(uint8_t *out) { return larch_p256_ecdh(key, LARCH_BYTES(peer_p256), out); }
static larch_error run_es256_sign(uint8_t *out) { return larch_es256_sign(key, text, 2, out); }
static larch_error run_es256_verify(uint8_t *out)
{
    (void)out;
    return larch_es256_verify(peer_p256, text, 2, LARCH_BYTES(signature));
}
/* The KEM's own outputs, one after the other. */
static larch_error run_xwing_keygen(uint8_t *out)
{
    const larch_kem *kem = larch_kem_xwing();
    return larch_kem_keygen(kem, key, out, out + kem->ek_len);
}
static larch_error run_xwing_encaps(uint8_t *out)
{
    const larch_kem *kem = larch_kem_xwing();
    const larch_random random = larch_crypto_random();
    return larch_kem_encaps(kem, &random, (larch_bytes){ek, kem->ek_len}, out, out + kem->ct_len);
}
static larch_error run_xwing_decaps(uint8_t *out)
{
    const larch_kem *kem = larch_kem_xwing();
    return larch_kem_decaps(kem, dk, (larch_bytes){ct, kem->ct_len}, out);
}

typedef struct operation {
    const char *name;
    larch_error (*run)(uint8_t *out);
    size_t out_len;
    enum { HASH, AEAD, KEY } kind;
    bool is_random; /* has another result each time */
} operation;

static const operation operations[] = {
    {"SHA-256", run_sha256, 32, HASH, false},
    {"SHA-384", run_sha384, 48, HASH, false},
    {"HMAC-SHA-256", run_hmac_sha256, 32, HASH, false},
    {"HMAC-SHA-384", run_hmac_sha384, 48, HASH, false},
    {"HKDF-SHA-256", run_hkdf_sha256, 80, HASH, false},
    {"HKDF-SHA-384", run_hkdf_sha384, 80, HASH, false},
    {"AES-CCM seal", run_ccm_seal, 48, AEAD, false},
    {"AES-CCM open", run_ccm_open, 32, AEAD, false},
    {"AES-GCM seal", run_gcm_seal, 48, AEAD, false},
    {"AES-GCM open", run_gcm_open, 32, AEAD, false},
    {"random", run_random, 32, AEAD, true},
    {"X25519 public", run_x25519_public, 32, KEY, false},
    {"X25519", run_x25519, 32, KEY, false},
    {"P-256 public", run_p256_public, 64, KEY, false},
    {"P-256 ECDH", run_p256_ecdh, 32, KEY, false},
    {"ES256 sign", run_es256_sign, 64, KEY, true},
    {"ES256 verify", run_es256_verify, 0, KEY, false},
#if LARCH_XWING
    {"X-Wing keygen", run_xwing_keygen, 1216 + 2464, KEY, false},
    {"X-Wing encaps", run_xwing_encaps, 1120 + 32, KEY, true},
    {"X-Wing decaps", run_xwing_decaps, 32, KEY, false},
#endif
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

static uint8_t expected[OPERATIONS][4096], got[4096 + 1];

static bool all_are(const uint8_t *bytes, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static larch_error run(const operation *op)
{
    memset(got, 0xaa, sizeof got);
    larch_error e = op->run(got);
    assert_int_equal(got[op->out_len], 0xaa);
    return e;
}

static void run_well(size_t i)
{
    const operation *op = &operations[i];
    assert_int_equal(run(op), LARCH_OK);
    if (!op->is_random)
        assert_memory_equal(got, expected[i], op->out_len);
}

/* ---- tests ---------------------------------------------------------------- */

/* In a process of its own, since a start that fails half-way keeps what it made. Ends it with what went wrong. */
static void start_failing_at(unsigned n)
{
    failing_at(n);
    larch_error e = larch_crypto_init();
    if (!failing_happened())
        _exit(e == LARCH_OK ? 2 : 3);
    failing_at(0);
    if (e != LARCH_PLATFORM)
        _exit(4);
    for (const operation *op = operations; op < operations + OPERATIONS; op++) {
        memset(got, 0xaa, sizeof got);
        if (op->run(got) != LARCH_OK && !all_are(got, op->out_len, 0)) {
            fprintf(stderr, "%s after call %u of the start failed: outputs are left\n", op->name, n);
            _exit(5);
        }
    }
    _exit(larch_crypto_init() == LARCH_OK && run_sha384(got) == LARCH_OK && run_gcm_seal(got) == LARCH_OK &&
                  run_x25519_public(got) == LARCH_OK && run_es256_sign(got) == LARCH_OK
              ? 0
              : 6);
}

/* Comes first: this process has not started the provider. */
static void test_start(void **state)
{
    (void)state;
    unsigned n = 0;
    int status;
    do {
        pid_t child = fork();
        n++;
        if (child == 0)
            start_failing_at(n);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
    } while (WEXITSTATUS(status) == 0);
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_in_range(n, 2, 100);
    assert_int_equal(larch_crypto_init(), LARCH_OK);
}

static void test_prepare(void **state)
{
    (void)state;
    assert_int_equal(larch_x25519_public(key, peer_x25519), LARCH_OK);
    assert_int_equal(larch_p256_public(key, peer_p256), LARCH_OK);
    assert_int_equal(run_ccm_seal(sealed_ccm), LARCH_OK);
    assert_int_equal(run_gcm_seal(sealed_gcm), LARCH_OK);
    assert_int_equal(run_es256_sign(signature), LARCH_OK);
#if LARCH_XWING
    uint8_t ss[LARCH_KEM_SS_LEN];
    const larch_kem *kem = larch_kem_xwing();
    const larch_random random = larch_crypto_random();
    assert_int_equal(larch_kem_keygen(kem, key, ek, dk), LARCH_OK);
    assert_int_equal(larch_kem_encaps(kem, &random, (larch_bytes){ek, kem->ek_len}, ct, ss), LARCH_OK);
#endif
    for (size_t i = 0; i < OPERATIONS; i++) {
        assert_int_equal(run(&operations[i]), LARCH_OK);
        memcpy(expected[i], got, operations[i].out_len);
    }
}

static void test_allocations(void **state)
{
    (void)state;
    for (size_t i = 0; i < OPERATIONS; i++) {
        const long held = failing_held();
        const unsigned long made = failing_made();
        run_well(i);
        assert_int_equal(failing_held(), held);
        if ((operations[i].kind == HASH && failing_hash_is_static()) ||
            (operations[i].kind == AEAD && failing_aead_is_static()))
            assert_int_equal(failing_made(), made);
    }
}

/* Pieces of the key, either way round, and of the result. A result that is public is no secret; nor is one that stands
 * in a test's own memory, which the library never lends. */
static void test_nothing_is_kept(void **state)
{
    (void)state;
    uint8_t backwards[sizeof key];
    for (size_t i = 0; i < sizeof key; i++)
        backwards[i] = key[sizeof key - 1 - i];
    (void)failing_keeps(key, sizeof key);
    for (size_t i = 0; i < OPERATIONS; i++) {
        run_well(i);
        for (size_t at = 0; at + 8 <= sizeof key; at += 8) {
            assert_false(failing_keeps(key + at, 8));
            assert_false(failing_keeps(backwards + at, 8));
        }
        if (operations[i].kind == HASH)
            assert_false(failing_keeps(got, 8));
    }
}

/* Lets each call of each operation fail in turn. */
static void sweep(void)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        const operation *op = &operations[i];
        unsigned n = 0;
        bool came = true;
        while (came) {
            failing_at(++n);
            larch_error e = run(op);
            came = failing_happened();
            failing_at(0);
            assert_int_equal(e != LARCH_OK, came); /* no failure is hidden */
            if (came)
                assert_true(all_are(got, op->out_len, 0));
            assert_int_equal(larch_crypto_init(), LARCH_OK); /* makes a context again that was given back */
            run_well(i);
        }
        assert_in_range(n, 2, 200);
    }
}

static void test_sweep(void **state)
{
    (void)state;
    sweep(); /* libcrypto keeps a thread's list of errors from the first one on */
    const long held = failing_held();
    sweep();
    assert_int_equal(failing_held(), held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),           cmocka_unit_test(test_prepare), cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_nothing_is_kept), cmocka_unit_test(test_sweep),
    };
    return failing_begin() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
