/* SPDX-License-Identifier: Apache-2.0 */
/* Times key generation, encapsulation and decapsulation of each set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "bench.h"
#include "larch/crypto.h"

#define SAMPLES 50000

typedef enum operation { KEYGEN, ENCAPS, DECAPS, OPERATIONS } operation;

static const char *const names[OPERATIONS] = {"keygen", "encaps", "decaps"};

typedef struct figures {
    uint64_t ns;
    uint64_t cycles; /* of the time-stamp counter; 0: this machine has none we read */
    size_t runs;
} figures;

typedef struct keys {
    uint8_t seed[LARCH_KEM_SEED_LEN];
    uint8_t ek[LARCH_KEM_EK_MAX];
    uint8_t dk[LARCH_KEM_DK_MAX];
    uint8_t ct[LARCH_KEM_CT_MAX];
    uint8_t ss[LARCH_KEM_SS_LEN];
} keys;

static uint64_t read_cycles(void)
{
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

static larch_error run(const larch_kem *kem, const larch_random *random, operation op, keys *k)
{
    switch (op) {
    case KEYGEN:
        return larch_kem_keygen(kem, k->seed, k->ek, k->dk);
    case ENCAPS:
        return larch_kem_encaps(kem, random, (larch_bytes){k->ek, kem->ek_len}, k->ct, k->ss);
    default:
        return larch_kem_decaps(kem, k->dk, (larch_bytes){k->ct, kem->ct_len}, k->ss);
    }
}

static larch_error measure(const larch_kem *kem, operation op, keys *k, double seconds, uint64_t *ns, uint64_t *cycles,
                           figures *out)
{
    const larch_random random = larch_crypto_random();
    const uint64_t end = larch_bench_now_ns() + (uint64_t)(seconds * 1e9);
    size_t n = 0;
    for (uint64_t begin = larch_bench_now_ns(); n < SAMPLES && (n < 3 || begin < end); n++) {
        const uint64_t tick = read_cycles();
        larch_error e = run(kem, &random, op, k);
        cycles[n] = read_cycles() - tick;
        const uint64_t now = larch_bench_now_ns();
        ns[n] = now - begin;
        if (e != LARCH_OK)
            return e;
        begin = now;
    }
    *out = (figures){larch_bench_percentile(ns, n, 500), larch_bench_percentile(cycles, n, 500), n};
    return LARCH_OK;
}

static void show(const larch_bench_options *options, const larch_kem *kem, const figures f[OPERATIONS])
{
    if (options->json) {
        printf("{\"bench\":\"kem\",\"kem\":\"%s\"", kem->name);
        for (operation op = KEYGEN; op < OPERATIONS; op++) {
            printf(",\"%s_ns\":%llu", names[op], (unsigned long long)f[op].ns);
            if (f[op].cycles != 0)
                printf(",\"%s_cycles\":%llu", names[op], (unsigned long long)f[op].cycles);
            printf(",\"%s_runs\":%zu", names[op], f[op].runs);
        }
        printf(",\"ek_bytes\":%u,\"ct_bytes\":%u}\n", (unsigned)kem->ek_len, (unsigned)kem->ct_len);
        return;
    }
    printf(options->markdown ? "| %s |" : "%-12s", kem->name);
    for (operation op = KEYGEN; op < OPERATIONS; op++)
        printf(options->markdown ? " %.1f | %llu |" : " %8.1f us %8llu cycles", (double)f[op].ns / 1e3,
               (unsigned long long)f[op].cycles);
    printf(options->markdown ? " %u | %u |\n" : " %6u key %5u ciphertext\n", (unsigned)kem->ek_len,
           (unsigned)kem->ct_len);
}

static void show_head(const larch_bench_options *options)
{
    if (options->json)
        return;
    if (options->markdown)
        printf(
            "| set | keygen, us | cycles | encaps, us | cycles | decaps, us | cycles | key, bytes | ciphertext, bytes "
            "|\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    else
        printf("%-12s %27s %27s %27s   bytes on the wire\n", "medians", "key generation", "encapsulation",
               "decapsulation");
}

int larch_bench_kem(const larch_bench_options *options)
{
    const double seconds = options->seconds > 0 ? options->seconds : 0.5;
    const larch_random random = larch_crypto_random();
    uint64_t *ns = calloc(SAMPLES, sizeof *ns), *cycles = calloc(SAMPLES, sizeof *cycles);
    const larch_kem *kem;
    larch_error e = ns == NULL || cycles == NULL ? LARCH_PLATFORM : LARCH_OK;
    show_head(options);
    for (size_t i = 0; e == LARCH_OK && (kem = larch_kem_at(i)) != NULL; i++) {
        figures f[OPERATIONS];
        keys k;
        if (options->kem != NULL && kem != options->kem)
            continue;
        e = larch_random_fill(&random, k.seed, sizeof k.seed);
        /* In this order each finds what the one before left. */
        for (operation op = KEYGEN; e == LARCH_OK && op < OPERATIONS; op++)
            e = measure(kem, op, &k, seconds, ns, cycles, &f[op]);
        if (e == LARCH_OK)
            show(options, kem, f);
        larch_wipe(&k, sizeof k);
        (void)fflush(stdout);
    }
    free(ns);
    free(cycles);
    return e == LARCH_OK ? LARCH_EXIT_DONE : larch_app_fail("bench", "%s", larch_error_text(e));
}
