/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant time of ML-DSA, and of SHAKE128 side by side, seen by valgrind as for ML-KEM;
 * see ct_mlkem.c. What the library itself declares public, and why, stands where it
 * does (MLDSA_PUBLIC): rho; which candidates for s1, s2 are refused; which check ends an
 * attempt at a signature; the challenge of every attempt; the hints of the accepted
 * one; whether a key from elsewhere is refused.
 *
 * usage: valgrind --error-exitcode=1 -q ct_mldsa portable | avx2 | avx512
 */
#include <string.h>

#include "larch/sig.h"
#include "pq/pq.h"
#include "secrets.h"

static const char usage[] = "usage: ct_mldsa portable | avx2 | avx512";

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
    static uint8_t other_pk[LARCH_SIG_PK_MAX], other_sk[LARCH_SIG_SK_MAX], other_signature[LARCH_SIG_SIG_MAX];
    larch_sig portable = *sig;
    uint8_t seed[LARCH_SIG_SEED_LEN] = {1, 2, 3}, text[] = "a text that nobody else may see";
    uint8_t number;
    const larch_random random = {secret_random, &number};
    const size_t c_tilde_len = sig->pk_len == 1312 ? 32 : sig->pk_len == 1952 ? 48 : 64;
    const size_t h_len = sig->pk_len == 1312 ? 80 + 4 : sig->pk_len == 1952 ? 55 + 6 : 75 + 8;

    portable.functions = larch_mldsa_at_level(0, sig->cose_algorithm);
    secret(seed, sizeof seed);
    require(larch_sig_keygen(sig, seed, pk, sk) == LARCH_OK, "keygen");
    expect_secret(pk + 32, sig->pk_len - (size_t)32, "t1 of pk, before it is published,");
    expect_secret(sk + 32, sig->sk_len - (size_t)32, "K, tr, s1, s2, t0 of sk");
    public(pk, sig->pk_len); /* the key is published */
    require(larch_sig_check_sk(sig, (larch_bytes){sk, sig->sk_len}) == LARCH_OK, "check_sk");

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

        require(larch_sig_sign(&portable, number == 0 ? NULL : &random, sk, LARCH_TEXT("context"), LARCH_BYTES(text),
                               other_signature) == LARCH_OK,
                "sign, portable");
        public(other_signature, sig->sig_len);
        require(memcmp(signature, other_signature, sig->sig_len) == 0,
                "the signature differs from the portable code's");
    }

    public(seed, sizeof seed);
    public(sk, sig->sk_len); /* ended: only the test's own comparison follows */
    require(larch_sig_keygen(&portable, seed, other_pk, other_sk) == LARCH_OK &&
                memcmp(pk, other_pk, sig->pk_len) == 0 && memcmp(sk, other_sk, sig->sk_len) == 0,
            "keygen differs from the portable code");
}

/* Hashes of one secret key and public texts, in as many lanes as there are. */
static void check_many(larch_shake_many *many)
{
    enum { COUNT = 8, PIECES = 2 };
    static uint8_t key[16], texts[COUNT][200];
    uint8_t out[COUNT][8];
    larch_bytes pieces[COUNT * PIECES];
    secret(key, sizeof key);
    for (size_t i = 0; i < COUNT; i++) {
        pieces[PIECES * i] = LARCH_BYTES(key);
        pieces[PIECES * i + 1] = LARCH_BYTES(texts[i]);
    }
    many(out, pieces, PIECES, COUNT);
    expect_secret(out[0], sizeof out, "a keyed hash");
}

/* Returns how many sets of this level were checked; none where the build or the processor has no such level. */
static unsigned check_level(const char *name)
{
    unsigned checked = 0;
    for (unsigned level = 0; level < LARCH_PQ_LEVELS; level++) {
        const char *known = larch_pq_level_name(level);
        if (known == NULL || strcmp(known, name) != 0)
            continue;
        for (size_t at = 0; larch_sig_at(at) != NULL; at++) {
            larch_sig sig = *larch_sig_at(at);
            sig.functions = larch_mldsa_at_level(level, sig.cose_algorithm);
            if (sig.functions == NULL)
                continue;
            check(&sig);
            checked++;
        }
        if (larch_shake128_many_at_level(level) != NULL)
            check_many(larch_shake128_many_at_level(level));
    }
    return checked;
}

static int run_level(const char *name)
{
    require(strcmp(name, "portable") == 0 || strcmp(name, "avx2") == 0 || strcmp(name, "avx512") == 0, usage);
    if (check_level(name) > 0)
        return 0;
    printf("skipped: %s: this processor or build has none\n", name);
    return EXIT_SKIPPED;
}

int main(int argc, char **argv)
{
    require(argc == 2, usage);
    require(RUNNING_ON_VALGRIND != 0, "run this under valgrind");
    return run_level(argv[1]);
}
