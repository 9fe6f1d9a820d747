/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3, so that nobody can foresee places in a table: a keyed hash, fast for short input. */
#ifndef LARCH_BASE_SIPHASH_H
#define LARCH_BASE_SIPHASH_H

#include "larch/base.h"

typedef struct larch_siphash {
    uint64_t v[4];
} larch_siphash;

/* A new key; the same random bytes make the same key on every processor. After an error it is as it was. */
larch_error larch_siphash_key(const larch_random *random, uint64_t key[2]);
void larch_siphash_init(larch_siphash *h, const uint64_t key[2]);
/* Parts are told apart: "a", "bc" hashes unlike "ab", "c" (lengths below 256). */
void larch_siphash_part(larch_siphash *h, larch_bytes part);
/* A part that is one number: its eight bytes, little-endian, without a length. */
void larch_siphash_word(larch_siphash *h, uint64_t word);
uint64_t larch_siphash_end(larch_siphash *h);

#endif
