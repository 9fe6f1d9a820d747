/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials from seeds. [FIPS204 7.3] */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#define SHAKE128_RATE 168
#define SHAKE256_RATE 136

/* A sponge that has taken a seed and a nonce of two bytes, and is ready to give. */
static void start(larch_keccak *xof, const uint8_t *seed, size_t seed_len, unsigned nonce)
{
    const uint8_t end[2] = {(uint8_t)nonce, (uint8_t)(nonce >> 8)};
    larch_shake_absorb(xof, (larch_bytes){seed, seed_len});
    larch_shake_absorb(xof, LARCH_BYTES(end));
    larch_shake_finalize(xof);
}

/* CoeffFromThreeBytes [FIPS204 algorithm 14] without its refusal. */
static uint32_t from_three_bytes(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)(b[2] & 127) << 16;
}

/* RejNTTPoly. [FIPS204 algorithm 30] */
static void sample_entry(mldsa_poly *a, const uint8_t *rho, unsigned r, unsigned s)
{
    uint8_t block[SHAKE128_RATE];
    larch_keccak xof;
    larch_shake128_init(&xof);
    start(&xof, rho, 32, r << 8 | s);
    for (unsigned n = 0; n < MLDSA_N;) {
        larch_shake_squeeze(&xof, block, sizeof block);
        for (const uint8_t *b = block; b < block + sizeof block && n < MLDSA_N; b += 3) {
            /* Always stored, and counted if it is below q: one in a thousand is not. */
            a->c[n] = from_three_bytes(b);
            n += a->c[n] < MLDSA_Q;
        }
    }
}

void larch_mldsa_sample_row(mldsa_poly *row, unsigned l, const uint8_t rho[32], unsigned r)
{
    for (unsigned s = 0; s < l; s++)
        sample_entry(&row[s], rho, r, s);
}

void larch_mldsa_multiply_sampled(mldsa_poly *sum, const uint8_t rho[32], unsigned r, unsigned s, const mldsa_poly *v)
{
    uint8_t bytes[24]; /* divides the rate of 168 */
    larch_keccak xof;
    larch_shake128_init(&xof);
    start(&xof, rho, 32, r << 8 | s);
    for (unsigned n = 0; n < MLDSA_N;) {
        larch_shake_squeeze(&xof, bytes, sizeof bytes);
        for (const uint8_t *b = bytes; b < bytes + sizeof bytes && n < MLDSA_N; b += 3) {
            const uint32_t a = from_three_bytes(b);
            if (a >= MLDSA_Q)
                continue;
            sum->c[n] += larch_mldsa_montgomery((uint64_t)a * v->c[n]);
            n++;
        }
    }
}

/* CoeffFromHalfByte [FIPS204 algorithm 15] without its refusal. mod 5 by 205 / 2^10. */
static int16_t from_half_byte(unsigned eta, uint32_t b)
{
    return (int16_t)(eta == 2 ? 2 - (int32_t)(b - (b * 205 >> 10) * 5) : 4 - (int32_t)b);
}

/* RejBoundedPoly [FIPS204 algorithm 31]. Only whether a half byte is refused may
 * be seen, by branches and by addresses: it is independent of the values kept. */
void larch_mldsa_sample_secret(mldsa_small *s, unsigned eta, const uint8_t rho_prime[64], uint16_t nonce)
{
    const uint32_t limit = eta == 2 ? 15 : 9;
    uint8_t block[SHAKE256_RATE];
    larch_keccak xof;
    larch_shake256_init(&xof);
    start(&xof, rho_prime, 64, nonce);
    for (unsigned n = 0; n < MLDSA_N;) {
        larch_shake_squeeze(&xof, block, sizeof block);
        for (unsigned i = 0; i < 2 * sizeof block && n < MLDSA_N; i++) {
            uint32_t half = block[i / 2] >> (4 * (i % 2)) & 15, kept = (half - limit) >> 31;
            MLDSA_PUBLIC(&kept, sizeof kept);
            s->c[n] = from_half_byte(eta, half);
            n += kept;
        }
    }
    larch_wipe(block, sizeof block);
    larch_wipe(&xof, sizeof xof);
}

void larch_mldsa_sample_mask(uint8_t *out, size_t len, const uint8_t rho_second[64], uint16_t nonce)
{
    larch_keccak xof;
    larch_shake256_init(&xof);
    start(&xof, rho_second, 64, nonce);
    larch_shake_squeeze(&xof, out, len);
    larch_wipe(&xof, sizeof xof);
}

void larch_mldsa_sample_challenge(mldsa_challenge *challenge, unsigned tau, const uint8_t *c_tilde, size_t len)
{
    enum { NONE, PLUS, MINUS };
    uint8_t c[MLDSA_N] = {NONE}, bytes[8], j;
    uint64_t signs = 0;
    larch_keccak xof;
    larch_shake256_init(&xof);
    larch_shake_absorb(&xof, (larch_bytes){c_tilde, len});
    larch_shake_finalize(&xof);
    larch_shake_squeeze(&xof, bytes, sizeof bytes);
    for (unsigned i = 0; i < sizeof bytes; i++)
        signs |= (uint64_t)bytes[i] << (8 * i);
    for (unsigned i = MLDSA_N - tau; i < MLDSA_N; i++, signs >>= 1) {
        do
            larch_shake_squeeze(&xof, &j, 1);
        while (j > i);
        c[i] = c[j];
        c[j] = signs & 1 ? MINUS : PLUS;
    }
    challenge->tau = 0;
    for (unsigned n = 0; n < MLDSA_N; n++)
        if (c[n] != NONE)
            challenge->at[challenge->tau++] = (uint16_t)(c[n] == MINUS ? MLDSA_N + n : n);
}

#endif
