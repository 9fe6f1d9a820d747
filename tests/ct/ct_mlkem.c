/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant time of ML-KEM, seen by valgrind: secrets are marked undefined, so
 * that memcheck reports every branch and every address that depends on one. What
 * becomes public on the way is marked defined again, with the reason beside it.
 * (Divisions go unseen by memcheck: tools/check_ct_asm.py looks for them in the machine
 * code. valgrind executes no AVX-512: that level runs in an emulation, see avx512_emulated.h,
 * and the same tool looks at what the compiler made of it.)
 *
 * usage: valgrind --error-exitcode=1 -q ct_mlkem portable | avx2 | avx512
 * The controls, which leak on purpose, are in ct_leaks.c.
 */
#include <string.h>

#include "larch/kem.h"
#include "pq/pq.h"
#include "secrets.h"

static const char usage[] = "usage: ct_mlkem portable | avx2 | avx512";

#define M_BYTE 0x42 /* m, which an encapsulation draws, is of these */

static larch_error secret_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, M_BYTE, len);
    secret(out, len);
    return LARCH_OK;
}

/* Whether a level has made what the portable code makes of the same inputs, which are no secrets any more. */
static void expect_portable_results(const larch_kem *kem, const uint8_t *seed, const uint8_t *ek, const uint8_t *dk,
                                    const uint8_t *ct, const uint8_t *ss)
{
    static uint8_t other_ek[LARCH_KEM_EK_MAX], other_dk[LARCH_KEM_DK_MAX], other_ct[LARCH_KEM_CT_MAX];
    uint8_t other_ss[LARCH_KEM_SS_LEN], m[32];
    const struct larch_kem_functions *portable = larch_mlkem_at_level(0, kem->set);

    memset(m, M_BYTE, sizeof m);
    require(portable->keygen(seed, other_ek, other_dk) == LARCH_OK && memcmp(ek, other_ek, kem->ek_len) == 0 &&
                memcmp(dk, other_dk, kem->dk_len) == 0,
            "keygen differs from the portable code");
    require(portable->encaps(ek, m, other_ct, other_ss) == LARCH_OK && memcmp(ct, other_ct, kem->ct_len) == 0 &&
                memcmp(ss, other_ss, sizeof other_ss) == 0,
            "encaps differs from the portable code");
    require(portable->decaps(dk, ct, other_ss) == LARCH_OK && memcmp(ss, other_ss, sizeof other_ss) == 0,
            "decaps differs from the portable code");
}

static void check(const larch_kem *kem)
{
    static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX], forged[LARCH_KEM_CT_MAX];
    uint8_t seed[LARCH_KEM_SEED_LEN] = {1, 2, 3}, ss[LARCH_KEM_SS_LEN], other[LARCH_KEM_SS_LEN];
    const larch_random random = {secret_random, NULL};
    const size_t vector_len = kem->ek_len - 32u;

    secret(seed, sizeof seed);
    require(larch_kem_keygen(kem, seed, ek, dk) == LARCH_OK, "keygen");
    expect_secret(ek, vector_len, "t of ek, before it is published,");
    expect_secret(dk, vector_len, "s of dk");
    expect_secret(dk + kem->dk_len - 32, 32, "z of dk");
    public(ek, kem->ek_len);                           /* the encapsulation key is published */
    public(dk + vector_len, kem->ek_len + (size_t)32); /* dk's copy of it, and of its hash */

    require(larch_kem_check_dk(kem, (larch_bytes){dk, kem->dk_len}) == LARCH_OK, "check_dk");
    require(larch_kem_encaps(kem, &random, (larch_bytes){ek, kem->ek_len}, ct, ss) == LARCH_OK, "encaps");
    expect_secret(ct, kem->ct_len, "the ciphertext, before it is sent,");
    expect_secret(ss, sizeof ss, "the shared secret");
    public(ct, kem->ct_len); /* the ciphertext is sent */

    require(larch_kem_decaps(kem, dk, (larch_bytes){ct, kem->ct_len}, other) == LARCH_OK, "decaps");
    expect_secret(other, sizeof other, "the shared secret");
    public(ss, sizeof ss);       /* ended: */
    public(other, sizeof other); /* only the test's own comparison follows */
    require(memcmp(ss, other, sizeof ss) == 0, "the secrets differ");
    memcpy(forged, ct, kem->ct_len);
    forged[kem->ct_len / 2u] ^= 1;

    require(larch_kem_decaps(kem, dk, (larch_bytes){forged, kem->ct_len}, other) == LARCH_OK, "decaps");
    expect_secret(other, sizeof other, "the secret of a forged ciphertext");
    public(other, sizeof other); /* ended, as above */
    require(memcmp(ss, other, sizeof ss) != 0, "a forged ciphertext was taken");

    public(seed, sizeof seed);
    public(dk, kem->dk_len);
    expect_portable_results(kem, seed, ek, dk, ct, ss);
    require(larch_mlkem_at_level(0, kem->set)->decaps(dk, forged, ss) == LARCH_OK && memcmp(ss, other, sizeof ss) == 0,
            "implicit rejection differs from the portable code");
}

#define MANY 9 /* more than the widest level has lanes */

/* The forms for many at once, where a set has them: pairs of neighbours share a key, and each third ciphertext is
 * forged, which must not show either. */
static void check_many(const larch_kem *kem)
{
    static uint8_t ek[MANY][LARCH_KEM_EK_MAX], dk[MANY][LARCH_KEM_DK_MAX], ct[MANY][LARCH_KEM_CT_MAX];
    static uint8_t seed[MANY][LARCH_KEM_SEED_LEN], m[MANY][32], ss[MANY][LARCH_KEM_SS_LEN],
        other[MANY][LARCH_KEM_SS_LEN];
    const uint8_t *seeds[MANY], *eks[MANY], *dks[MANY], *ms[MANY], *cts[MANY];
    uint8_t *ek_out[MANY], *dk_out[MANY], *ct_out[MANY], *ss_out[MANY], *other_out[MANY];
    const struct larch_kem_functions *f = kem->functions;

    if (f->decaps_many == NULL)
        return;
    for (size_t i = 0; i < MANY; i++) {
        seeds[i] = memset(seed[i], (int)i, sizeof seed[i]);
        ms[i] = memset(m[i], (int)i, sizeof m[i]);
        secret(seed[i], sizeof seed[i]);
        secret(m[i], sizeof m[i]);
        ek_out[i] = ek[i];
        dk_out[i] = dk[i];
        eks[i] = ek[i / 2];
        dks[i] = dk[i / 2];
        cts[i] = ct_out[i] = ct[i];
        ss_out[i] = ss[i];
        other_out[i] = other[i];
    }
    f->keygen_many(seeds, ek_out, dk_out, MANY);
    for (size_t i = 0; i < MANY; i++) {
        expect_secret(dk[i], kem->ek_len - 32u, "s of a dk of many");
        public(ek[i], kem->ek_len);
        public(dk[i] + kem->ek_len - 32u, kem->ek_len + (size_t)32);
    }
    f->encaps_many(eks, ms, ct_out, ss_out, MANY);
    for (size_t i = 0; i < MANY; i++) {
        expect_secret(ss[i], sizeof ss[i], "a shared secret of many");
        public(ct[i], kem->ct_len);
        ct[i][0] ^= i % 3 == 2;
    }
    f->decaps_many(dks, cts, other_out, MANY);
    for (size_t i = 0; i < MANY; i++) {
        expect_secret(other[i], sizeof other[i], "a shared secret of many, decapsulated,");
        public(ss[i], sizeof ss[i]);       /* ended: */
        public(other[i], sizeof other[i]); /* only the test's own comparison follows */
        require((memcmp(ss[i], other[i], sizeof ss[i]) == 0) == (i % 3 != 2), "many: a wrong shared secret");
    }
}

/* Returns how many sets of this level were checked; none where the build or the processor has no such level. */
static unsigned check_level(const char *name)
{
    unsigned checked = 0;
    for (unsigned level = 0; level < LARCH_PQ_LEVELS; level++) {
        const char *known = larch_pq_level_name(level);
        if (known == NULL || strcmp(known, name) != 0)
            continue;
        for (size_t at = 0; larch_kem_at(at) != NULL; at++) {
            larch_kem kem = *larch_kem_at(at);
            kem.functions = larch_mlkem_at_level(level, kem.set);
            if (kem.functions == NULL)
                continue;
            check(&kem);
            check_many(&kem);
            checked++;
        }
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
