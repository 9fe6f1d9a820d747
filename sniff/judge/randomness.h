/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what should look random look random? ML-KEM ciphertexts, sealed texts and
 * encapsulation keys carry no structure that an observer without keys can see. A
 * gateway with a broken random generator, a sender that sends its text in the
 * clear, or a message made up by hand do.
 *
 * The tests, each with a proven bound on the chance that honest bytes fail it:
 *
 *   commonest byte   256 P(Bin(n, p) >= k) <= 256 exp(-n KL(k/n || p)); p = 1.5/256 bounds the chance of a
 *                    byte whatever came before it. (Compressed ML-KEM numbers are not quite uniform: a byte of
 *                    them has at most 14/3329 by itself, and 4/3 of its share when the rest of its number is known.)
 *   bit balance      a bit position that is set k times of n: 2 exp(-(|k - n/2| - n/6658)^2 / n), eight
 *                    times; 1/6658 is the exact bias of every bit. (Hoeffding over independent numbers,
 *                    of which one holds at most two of these bits.)
 *   longest run      n p^(r-1) for the same byte r times in a row
 *
 * The first and the last are done once more on the differences of neighbouring bytes,
 * which finds counters. The least bound times the number of tests is the result, so
 * the alert threshold 10^-9 IS the false-alarm rate per message, at most.
 */
#ifndef LARCH_SNIFF_RANDOMNESS_H
#define LARCH_SNIFF_RANDOMNESS_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_RANDOM_MIN   256    /* bytes (of a key: numbers); fewer are not judged */
#define LARCH_SNIFF_RANDOM_LOG10 (-9.0) /* alert below */

typedef struct larch_sniff_odds {
    double log10;     /* of the bound on the chance of such a result, at most 0 */
    const char *what; /* "commonest byte", ...; constant */
    unsigned symbol;  /* which byte or bit */
    size_t count;     /* how often */
    size_t of;        /* of how many */
} larch_sniff_odds;

/* KEM ciphertext and sealed text. log10 is 0 for fewer than LARCH_SNIFF_RANDOM_MIN bytes. */
larch_sniff_odds larch_sniff_odds_of_bytes(larch_bytes bytes);

/* An encapsulation key: its numbers below q, judged by their low bytes and by c * 256 / q, both
 * of which have at most 14/3329 for any value; then the seed is left alone. */
larch_sniff_odds larch_sniff_odds_of_key(larch_bytes ek);

#ifdef __cplusplus
}
#endif

#endif
