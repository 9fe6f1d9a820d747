/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "larch/kem.h"
#include "sniff/judge/randomness.h"

#define P_BYTE   (1.5 / 256) /* any byte, whatever came before it */
#define BIT_BIAS (1.0 / 6658)
#define TESTS    5  /* on one string */
#define SEED_LEN 32 /* rho, behind the numbers of an encapsulation key */
#define Q        3329

/* The least bound wins. */
static void consider(larch_sniff_odds *best, double ln, const char *what, unsigned symbol, size_t count, size_t of)
{
    double log10_p = ln / log(10);
    if (log10_p < best->log10)
        *best = (larch_sniff_odds){log10_p, what, symbol, count, of};
}

static void commonest(larch_sniff_odds *best, const uint8_t *bytes, size_t len, const char *what)
{
    size_t counts[256] = {0};
    unsigned top = 0;
    for (size_t i = 0; i < len; i++)
        counts[bytes[i]]++;
    for (unsigned v = 1; v < 256; v++)
        if (counts[v] > counts[top])
            top = v;
    double n = (double)len, a = (double)counts[top] / n;
    if (a <= P_BYTE)
        return;
    double kl = a * log(a / P_BYTE) + (a < 1 ? (1 - a) * log((1 - a) / (1 - P_BYTE)) : 0);
    consider(best, log(256) - n * kl, what, top, counts[top], len);
}

static void balance(larch_sniff_odds *best, const uint8_t *bytes, size_t len)
{
    double n = (double)len;
    for (unsigned bit = 0; bit < 8; bit++) {
        size_t set = 0;
        for (size_t i = 0; i < len; i++)
            set += bytes[i] >> bit & 1;
        double t = fabs((double)set - n / 2) - n * BIT_BIAS;
        if (t > 0)
            consider(best, log(2 * 8) - t * t / n, "bit", bit, set, len);
    }
}

static void longest_run(larch_sniff_odds *best, const uint8_t *bytes, size_t len, const char *what)
{
    size_t run = 1, longest = 1;
    unsigned symbol = bytes[0];
    for (size_t i = 1; i < len; i++) {
        run = bytes[i] == bytes[i - 1] ? run + 1 : 1;
        if (run > longest) {
            longest = run;
            symbol = bytes[i];
        }
    }
    consider(best, log((double)len) + (double)(longest - 1) * log(P_BYTE), what, symbol, longest, len);
}

/* bytes is overwritten with the differences. */
static void judge(larch_sniff_odds *best, uint8_t *bytes, size_t len)
{
    commonest(best, bytes, len, "byte");
    balance(best, bytes, len);
    longest_run(best, bytes, len, "run of byte");
    for (size_t i = 0; i + 1 < len; i++)
        bytes[i] = (uint8_t)(bytes[i + 1] - bytes[i]);
    commonest(best, bytes, len - 1, "step between bytes");
    longest_run(best, bytes, len - 1, "run of step");
}

static larch_sniff_odds corrected(larch_sniff_odds odds, unsigned tests)
{
    odds.log10 += log10(tests);
    if (odds.log10 > 0)
        odds.log10 = 0;
    return odds;
}

larch_sniff_odds larch_sniff_odds_of_bytes(larch_bytes bytes)
{
    larch_sniff_odds best = {0, "", 0, 0, 0};
    uint8_t copy[4096];
    size_t len = bytes.len < sizeof copy ? bytes.len : sizeof copy;
    if (len < LARCH_SNIFF_RANDOM_MIN)
        return best;
    for (size_t i = 0; i < len; i++)
        copy[i] = bytes.data[i];
    judge(&best, copy, len);
    return corrected(best, TESTS);
}

larch_sniff_odds larch_sniff_odds_of_key(larch_bytes ek)
{
    larch_sniff_odds best = {0, "", 0, 0, 0};
    uint8_t low[2 * LARCH_KEM_EK_MAX / 3], high[sizeof low];
    size_t n = 0;
    if (ek.len < LARCH_SNIFF_RANDOM_MIN * 3 / 2 + SEED_LEN || ek.len > LARCH_KEM_EK_MAX)
        return best;
    for (size_t i = 0; i + 3 <= ek.len - SEED_LEN; i += 3) {
        const uint8_t *p = ek.data + i;
        unsigned c[2] = {(unsigned)(p[0] | (p[1] & 15) << 8), (unsigned)(p[1] >> 4 | p[2] << 4)};
        for (unsigned k = 0; k < 2; k++, n++) {
            low[n] = (uint8_t)c[k];
            high[n] = (uint8_t)(c[k] % Q * 256 / Q);
        }
    }
    judge(&best, low, n);
    judge(&best, high, n);
    return corrected(best, 2 * TESTS);
}
