/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant time of ML-KEM, seen by valgrind: secrets are marked undefined, so
 * that memcheck reports every branch and every address that depends on one. What
 * becomes public on the way is marked defined again, with the reason beside it.
 * (Divisions go unseen by memcheck, and valgrind 3.19 does not execute AVX-512:
 * tools/check_ct_asm.py looks for both in the machine code.)
 *
 * usage: valgrind --error-exitcode=1 -q ct_mlkem portable | avx2 | avx512 | branch | index
 * "branch" and "index" leak on purpose, to show that a leak is reported.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "larch/kem.h"
#include "pq/pq.h"

static void secret(void *bytes, size_t len) { (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, len); }
static void public(void *bytes, size_t len) { (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len); }

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

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static larch_error secret_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0x42, len);
    secret(out, len);
    return LARCH_OK;
}

static void check(const larch_kem *kem)
{
    static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX];
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

    ct[kem->ct_len / 2u] ^= 1;
    require(larch_kem_decaps(kem, dk, (larch_bytes){ct, kem->ct_len}, other) == LARCH_OK, "decaps");
    expect_secret(other, sizeof other, "the secret of a forged ciphertext");
    public(other, sizeof other); /* ended, as above */
    require(memcmp(ss, other, sizeof ss) != 0, "a forged ciphertext was taken");
}

/* Where the controls' results go, lest the compiler drop what leads to them. */
static volatile unsigned result;

/* A comparison that stops at the first difference. */
static void leak_by_branch(const uint8_t *key)
{
    unsigned i = 0;
    while (i < 32 && key[i] == 7)
        i++;
    result = i;
}

/* A look-up by a secret byte. */
static void leak_by_index(const uint8_t *key)
{
    static const volatile uint8_t table[256] = {1};
    result = table[key[0]];
}

static bool check_level(const char *name)
{
    for (unsigned level = 0; level < LARCH_PQ_LEVELS; level++) {
        const char *known = larch_pq_level_name(level);
        if (known == NULL || strcmp(known, name) != 0)
            continue;
        for (size_t at = 0; larch_kem_at(at) != NULL; at++) {
            larch_kem kem = *larch_kem_at(at);
            kem.functions = larch_mlkem_at_level(level, kem.set);
            if (kem.functions == NULL)
                printf("skipped: no %s here\n", name);
            else
                check(&kem);
        }
        return true;
    }
    printf("skipped: no %s in this build\n", name);
    return strcmp(name, "avx2") == 0 || strcmp(name, "avx512") == 0;
}

int main(int argc, char **argv)
{
    uint8_t key[32] = {7, 7};
    require(argc == 2, "usage: ct_mlkem LEVEL | branch | index");
    require(RUNNING_ON_VALGRIND != 0, "run this under valgrind");
    secret(key, sizeof key);
    if (strcmp(argv[1], "branch") == 0)
        leak_by_branch(key);
    else if (strcmp(argv[1], "index") == 0)
        leak_by_index(key);
    else
        require(check_level(argv[1]), "usage: ct_mlkem LEVEL | branch | index");
    return 0;
}
