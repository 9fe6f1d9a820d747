/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant time of ML-DSA, seen by valgrind as for ML-KEM (see ct_mlkem.c, which
 * has the controls too). What the library itself declares public, and why, stands
 * where it does (MLDSA_PUBLIC): rho; which candidates for s1, s2 are refused; which
 * check ends an attempt at a signature; the challenge of every attempt; the hints
 * of the accepted one.
 *
 * usage: valgrind --error-exitcode=1 -q ct_mldsa portable | avx2 | avx512
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "larch/sig.h"
#include "pq/pq.h"

static void secret(void *bytes, size_t len) { (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, len); }
static void public(void *bytes, size_t len) { (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len); }

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

/* Whether the marks have come through to every byte: else the check sees nothing. */
static void expect_secret(const uint8_t *bytes, size_t len, const char *what)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t marks = 0;
        if (VALGRIND_GET_VBITS(bytes + i, &marks, 1) != 1 || marks == 0) {
            fprintf(stderr, "%s is not marked as secret at %zu\n", what, i);
            exit(1);
        }
    }
}

static larch_error secret_random(void *context, uint8_t *out, size_t len)
{
    const uint8_t *number = context;
    memset(out, *number, len);
    secret(out, len);
    return LARCH_OK;
}

static void check(const larch_sig *sig)
{
    static uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX], signature[LARCH_SIG_SIG_MAX];
    uint8_t seed[LARCH_SIG_SEED_LEN] = {1, 2, 3}, text[] = "a text that nobody else may see";
    uint8_t number;
    const larch_random random = {secret_random, &number};
    const size_t c_tilde_len = sig->pk_len == 1312 ? 32 : sig->pk_len == 1952 ? 48 : 64;
    const size_t h_len = sig->pk_len == 1312 ? 80 + 4 : sig->pk_len == 1952 ? 55 + 6 : 75 + 8;

    secret(seed, sizeof seed);
    require(larch_sig_keygen(sig, seed, pk, sk) == LARCH_OK, "keygen");
    expect_secret(pk + 32, sig->pk_len - (size_t)32, "t1 of pk, before it is published,");
    expect_secret(sk + 32, sig->sk_len - (size_t)32, "K, tr, s1, s2, t0 of sk");
    public(pk, sig->pk_len); /* the key is published */

    /* Several, so that attempts of each kind fail among them. */
    for (number = 0; number < 4; number++) {
        secret(text, sizeof text);
        require(larch_sig_sign(sig, number == 0 ? NULL : &random, sk, LARCH_TEXT("context"), LARCH_BYTES(text),
                               signature) == LARCH_OK,
                "sign");
        expect_secret(signature + c_tilde_len, sig->sig_len - c_tilde_len - h_len, "z, before it is published,");
        public(signature, sig->sig_len); /* the signature is sent, */
        public(text, sizeof text);       /* and the text: verification is of public things */
        require(larch_sig_verify(sig, (larch_bytes){pk, sig->pk_len}, LARCH_TEXT("context"), LARCH_BYTES(text),
                                 (larch_bytes){signature, sig->sig_len}) == LARCH_OK,
                "verify");
    }
}

static bool check_level(const char *name)
{
    for (unsigned level = 0; level < LARCH_PQ_LEVELS; level++) {
        const char *known = larch_pq_level_name(level);
        if (known == NULL || strcmp(known, name) != 0)
            continue;
        for (size_t at = 0; larch_sig_at(at) != NULL; at++) {
            larch_sig sig = *larch_sig_at(at);
            sig.functions = larch_mldsa_at_level(level, sig.cose_algorithm);
            if (sig.functions == NULL)
                printf("skipped: no %s here\n", name);
            else
                check(&sig);
        }
        return true;
    }
    printf("skipped: no %s in this build\n", name);
    return strcmp(name, "avx2") == 0 || strcmp(name, "avx512") == 0;
}

int main(int argc, char **argv)
{
    require(argc == 2, "usage: ct_mldsa LEVEL");
    require(RUNNING_ON_VALGRIND != 0, "run this under valgrind");
    require(check_level(argv[1]), "usage: ct_mldsa LEVEL");
    return 0;
}
