/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", with one
 * and three rounds, which is what hash tables need). */
#include "endpoint_int.h"

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

static void absorb(larch_coap_hash *h, uint64_t word)
{
    h->v[3] ^= word;
    mix(h->v);
    h->v[0] ^= word;
}

void larch_coap_hash_init(larch_coap_hash *h, const uint64_t key[2])
{
    h->v[0] = key[0] ^ 0x736f6d6570736575;
    h->v[1] = key[1] ^ 0x646f72616e646f6d;
    h->v[2] = key[0] ^ 0x6c7967656e657261;
    h->v[3] = key[1] ^ 0x7465646279746573;
}

void larch_coap_hash_part(larch_coap_hash *h, larch_bytes part)
{
    uint64_t word = 0;
    for (size_t i = 0; i < part.len; i++) {
        word |= (uint64_t)part.data[i] << (8 * (i % 8));
        if (i % 8 == 7) {
            absorb(h, word);
            word = 0;
        }
    }
    absorb(h, word | (uint64_t)part.len << 56);
}

uint64_t larch_coap_hash_end(larch_coap_hash *h)
{
    h->v[2] ^= 0xff;
    mix(h->v);
    mix(h->v);
    mix(h->v);
    return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}
