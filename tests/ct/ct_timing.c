/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether time depends on secrets, measured: two kinds of input in random order, and Welch's t between
 * their times. Valgrind sees the branches and addresses that depend on secrets; this sees what remains.
 *
 * Each slot of a pool holds an input of either kind. Both are read, and one is chosen by a mask and written
 * to one place before the clock starts, so that caches and branch predictors meet both kinds alike. What is
 * public stays as it is, or is as random, in both kinds. A "secret" is therefore a secret vector beside one
 * public key: another key would have another matrix, whose sampling takes a public time of its own.
 *
 * Noise hides differences but makes none, because chance decides the kind of each sample: without a leak the
 * probability of |t| > T_MAX is below 1e-22. A |t| beyond it is measured again, and is a leak once RUNS runs
 * have found it with one sign. Two controls leak, and must be found in this same way: if noise hides them,
 * nothing was tested, and the test fails.
 *
 * usage: ct_timing portable | avx2 | avx512 512 | 768 | 1024
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "larch/crypto.h"
#include "larch/direct.h"
#include "pq/pq.h"
#include "welch.h"

#define EXIT_SKIPPED 77
#define SAMPLES      150000
#define WARM_UP      2000
#define POOL         32
#define T_MAX        10.0
#define RUNS         3
#define TEXT_LEN     64
#define PAYLOAD_MAX  (LARCH_DIRECT_OVERHEAD + LARCH_KEM_CT_MAX + TEXT_LEN)

typedef struct input {
    uint8_t dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX], m[32], payload[PAYLOAD_MAX];
    bool forged;
} input;

static larch_kem kem; /* at the level that is tested */
static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX];
static input pool[POOL][2], work;
static welch_sample samples[SAMPLES];
static uint8_t ss[LARCH_KEM_SS_LEN], ct[LARCH_KEM_CT_MAX], text[TEXT_LEN];
static volatile bool equal;

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

/* ---- chance ---------------------------------------------------------------- */

static uint64_t next(void) /* xorshift64*; the high bits are the better ones */
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d >> 16;
}

static larch_error draw(void *context, uint8_t *out, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)next();
    return LARCH_OK;
}

static const larch_random source = {draw, NULL};

/* ---- kinds of input -------------------------------------------------------- */

/* A genuine ciphertext for the key; or, of kind 1, one with a wrong bit. */
static void fill_ciphertext(input *in, unsigned kind)
{
    memcpy(in->dk, dk, kem.dk_len);
    require(larch_kem_encaps(&kem, &source, (larch_bytes){ek, kem.ek_len}, in->ct, ss) == LARCH_OK, "encaps");
    in->forged = kind == 1;
    if (in->forged)
        in->ct[next() % kem.ct_len] ^= (uint8_t)(1 << next() % 8);
}

/* A secret vector, and a secret for rejection: of zeroes, or of another key. Neither fits the public key that
 * lies beside, so both are rejected. */
static void fill_secret(input *in, unsigned kind)
{
    static uint8_t other_ek[LARCH_KEM_EK_MAX], other_dk[LARCH_KEM_DK_MAX];
    uint8_t seed[LARCH_KEM_SEED_LEN];
    const size_t vector_len = kem.ek_len - 32u;
    fill_ciphertext(in, 0);
    memset(other_dk, 0, sizeof other_dk);
    if (kind == 1) {
        (void)draw(NULL, seed, sizeof seed);
        require(larch_kem_keygen(&kem, seed, other_ek, other_dk) == LARCH_OK, "keygen");
    }
    memcpy(in->dk, other_dk, vector_len);
    memcpy(in->dk + kem.dk_len - 32, other_dk + kem.dk_len - 32, 32);
}

static void fill_m(input *in, unsigned kind)
{
    if (kind == 1)
        (void)draw(NULL, in->m, sizeof in->m);
}

/* A message with a wrong tag; or with a wrong ciphertext of the KEM. */
static void fill_message(input *in, unsigned kind)
{
    size_t len = 0;
    memcpy(in->dk, dk, kem.dk_len);
    require(larch_direct_seal(&kem, &source, NULL, (larch_bytes){ek, kem.ek_len}, LARCH_BYTES(text), in->payload,
                              sizeof in->payload, &len, NULL) == LARCH_OK,
            "seal");
    const size_t ct_end = LARCH_DIRECT_HEADER_LEN + (size_t)kem.ct_len;
    const size_t wrong = kind == 0 ? len - 1 - next() % LARCH_DIRECT_TAG_LEN : ct_end - 1 - next() % kem.ct_len;
    in->payload[wrong] ^= (uint8_t)(1 << next() % 8);
}

/* Two texts, in ct and dk, which are equal or differ in the first byte. */
static void fill_texts(input *in, unsigned kind)
{
    (void)draw(NULL, in->ct, kem.ct_len);
    memcpy(in->dk, in->ct, kem.ct_len);
    in->dk[0] ^= (uint8_t)kind;
}

/* ---- what is measured ------------------------------------------------------ */

static void decapsulate(void) { (void)kem.functions->decaps(work.dk, work.ct, ss); }
static void encapsulate(void) { (void)kem.functions->encaps(ek, work.m, ct, ss); }
static void compare(void) { equal = larch_ct_equal(work.ct, work.dk, kem.ct_len); }

static void open_message(void)
{
    larch_direct_sealed sealed;
    size_t len = 0;
    (void)larch_direct_parse((larch_bytes){work.payload, larch_direct_sealed_len(&kem, TEXT_LEN)}, &sealed);
    sealed.kem = &kem;
    require(larch_direct_open(&sealed, NULL, work.dk, text, sizeof text, &len, NULL) == LARCH_AUTH,
            "a forgery was opened");
}

/* Leaks: a rejection that hashes a little more. */
static void decapsulate_and_hash(void)
{
    decapsulate();
    if (work.forged)
        larch_sha3_256((larch_bytes){work.ct, 64}, ss);
}

/* Leaks: a comparison that ends at the first difference. */
static void compare_and_stop(void)
{
    size_t i = 0;
    while (i < kem.ct_len && ((volatile uint8_t *)work.ct)[i] == work.dk[i])
        i++;
    equal = i == kem.ct_len;
}

static const struct comparison {
    const char *name, *kinds;
    void (*fill)(input *in, unsigned kind);
    void (*run)(void);
    bool leaks;
} comparisons[] = {
    {"decaps", "secret: zero, random", fill_secret, decapsulate, false},
    {"decaps", "ciphertext: genuine, forged", fill_ciphertext, decapsulate, false},
    {"encaps", "m: zero, random", fill_m, encapsulate, false},
    {"direct open", "wrong: tag, ciphertext", fill_message, open_message, false},
    {"ct_equal", "texts: equal, different", fill_texts, compare, false},
    {"control, hash", "ciphertext: genuine, forged", fill_ciphertext, decapsulate_and_hash, true},
    {"control, stop", "texts: equal, different", fill_texts, compare_and_stop, true},
};

/* ---- measuring ------------------------------------------------------------- */

static uint64_t now(void)
{
#if defined(__x86_64__)
    _mm_mfence(); /* stores before it are done, */
    _mm_lfence(); /* and what stands before it has been executed */
    const uint64_t t = __rdtsc();
    _mm_lfence();
    return t;
#else
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

/* Without a branch and with equal loads for both kinds. */
static void choose(const input in[2], unsigned kind)
{
    const uint8_t *a = (const uint8_t *)&in[0], *b = (const uint8_t *)&in[1];
    unsigned mask = 0 - kind;
    __asm__ volatile("" : "+r"(mask)); /* hides that it is all ones or zeroes */
    for (size_t i = 0; i < sizeof work; i++)
        ((uint8_t *)&work)[i] = (uint8_t)(a[i] ^ (mask & (a[i] ^ b[i])));
}

static welch_result measure(const struct comparison *c)
{
    memset(pool, 0, sizeof pool);
    for (unsigned i = 0; i < 2 * POOL; i++)
        c->fill(&pool[i / 2][i % 2], i % 2);
    for (size_t i = 0; i < WARM_UP + SAMPLES; i++) {
        const uint64_t chance = next();
        const unsigned kind = chance & 1;
        choose(pool[chance / 2 % POOL], kind);
        const uint64_t start = now();
        c->run();
        const uint64_t end = now();
        if (i >= WARM_UP)
            samples[i - WARM_UP] = (welch_sample){.time = (end - start) & INT64_MAX, .kind = kind & 1};
    }
    return welch_compare(samples, SAMPLES);
}

/* Measures until |t| is small, or RUNS times. Whether there is a leak. */
static bool finds_leak(const char *level, const struct comparison *c)
{
    double sign = 0;
    for (unsigned run = 1; run <= RUNS; run++) {
        const welch_result r = measure(c);
        printf("%-9s %-14s %-28s %u  %9.2f  %4.1f %%  %9.0f  %8.1f\n", level, c->name, c->kinds, run, r.t,
               r.permille / 10.0, r.mean, r.difference);
        (void)fflush(stdout);
        if (fabs(r.t) <= T_MAX || sign * r.t < 0)
            return false;
        sign = r.t;
    }
    return true;
}

/* A control is there to be found; other programs may hide it for a while. */
static bool is_as_it_must(const char *level, const struct comparison *c)
{
    bool leaks = finds_leak(level, c);
    for (unsigned again = 1; c->leaks && !leaks && again < RUNS; again++)
        leaks = finds_leak(level, c);
    return leaks == c->leaks;
}

static int compare_all(const char *level)
{
    int status = 0;
    const uint8_t seed[LARCH_KEM_SEED_LEN] = {1};
    require(larch_kem_keygen(&kem, seed, ek, dk) == LARCH_OK, "keygen");
    printf("%s, %d samples a run\n%-9s %-14s %-28s run        t    kept       time  difference\n", kem.name, SAMPLES,
           "level", "what", "kinds");
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        const struct comparison *c = &comparisons[i];
        if (is_as_it_must(level, c))
            continue;
        printf("FAILED: %s: %s\n", c->name, c->leaks ? "the control is not found" : "its time depends on the kind");
        status = 1;
    }
    return status;
}

int main(int argc, char **argv)
{
    require(argc == 3, "usage: ct_timing portable | avx2 | avx512 512 | 768 | 1024");
    const larch_kem *set = larch_kem_find((unsigned)strtoul(argv[2], NULL, 10));
    require(larch_crypto_init() == LARCH_OK, "crypto_init");
    for (unsigned level = 0; set != NULL && level < LARCH_PQ_LEVELS; level++) {
        const char *name = larch_pq_level_name(level);
        if (name == NULL || strcmp(name, argv[1]) != 0)
            continue;
        kem = *set;
        kem.functions = larch_mlkem_at_level(level, set->set);
        if (kem.functions != NULL)
            return compare_all(name);
    }
    printf("skipped: timing of ML-KEM-%s, %s: this processor or build has none\n", argv[2], argv[1]);
    return EXIT_SKIPPED;
}
