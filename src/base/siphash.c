/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", with one
 * and three rounds, which is what hash tables need). */
#include "base/siphash.h"

static uint64_t rotl(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

static inline void absorb(larch_siphash *h, uint64_t word)
{
    h->v[3] ^= word;
    mix(h->v);
    h->v[0] ^= word;
}

void larch_siphash_init(larch_siphash *h, const uint64_t key[2])
{
    h->v[0] = key[0] ^ 0x736f6d6570736575;
    h->v[1] = key[1] ^ 0x646f72616e646f6d;
    h->v[2] = key[0] ^ 0x6c7967656e657261;
    h->v[3] = key[1] ^ 0x7465646279746573;
}

/* Compilers make one load of it where the processor is little-endian. */
static uint64_t load(const uint8_t p[8])
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

larch_error larch_siphash_key(const larch_random *random, uint64_t key[2])
{
    uint8_t bytes[16];
    const larch_error e = larch_random_fill(random, bytes, sizeof bytes);
    if (e != LARCH_OK)
        return e;
    key[0] = load(bytes);
    key[1] = load(bytes + 8);
    return LARCH_OK;
}

void larch_siphash_part(larch_siphash *h, larch_bytes part)
{
    const size_t whole = part.len - part.len % 8;
    uint64_t word = (uint64_t)part.len << 56;
    for (size_t i = 0; i < whole; i += 8)
        absorb(h, load(part.data + i));
    for (size_t i = whole; i < part.len; i++)
        word |= (uint64_t)part.data[i] << (8 * (i % 8));
    absorb(h, word);
}

void larch_siphash_word(larch_siphash *h, uint64_t word) { absorb(h, word); }

uint64_t larch_siphash_end(larch_siphash *h)
{
    h->v[2] ^= 0xff;
    mix(h->v);
    mix(h->v);
    mix(h->v);
    return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}
