/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every loop over coefficients is one that compilers turn into vector
 * instructions by themselves, and stays small where they are told not to.
 * No value of a coefficient is ever divided, branched on, or used as an index,
 * except in larch_mlkem_sample_ntt, where all is public.
 */
#include "pq/mlkem_int.h"

#if !LARCH_MLKEM_32

#define Q     MLKEM_Q
#define Q_INV 62209 /* 1/q mod 2^16 */
#define HALF  (MLKEM_N / 2)
#define LANES 16 /* coefficients that go through a butterfly together */

/*
 * zeta^BitRev7(k) * 2^16 mod q for k = 1 to 127, a row for each of the seven
 * layers. Rows shorter than LANES are repeated to fill them.
 */
/* clang-format off */
static const int16_t zetas[] = {
    -758, -758, -758, -758, -758, -758, -758, -758, -758, -758, -758, -758, -758, -758, -758, -758,
    -359, -1517, -359, -1517, -359, -1517, -359, -1517, -359, -1517, -359, -1517, -359, -1517, -359, -1517,
    1493, 1422, 287, 202, 1493, 1422, 287, 202, 1493, 1422, 287, 202, 1493, 1422, 287, 202,
    -171, 622, 1577, 182, 962, -1202, -1474, 1468, -171, 622, 1577, 182, 962, -1202, -1474, 1468,
    573, -1325, 264, 383, -829, 1458, -1602, -130, -681, 1017, 732, 608, -1542, 411, -205, -1571,
    1223, 652, -552, 1015, -1293, 1491, -282, -1544, 516, -8, -320, -666, -1618, -1162, 126, 1469,
    -853, -90, -271, 830, 107, -1421, -247, -951, -398, 961, -1508, -725, 448, -1065, 677, -1275,
    -1103, 430, 555, 843, -1251, 871, 1550, 105, 422, 587, 177, -235, -291, -460, 1574, 1653,
    -246, 778, 1159, -147, -777, 1483, -602, 1119, -1590, 644, -872, 349, 418, 329, -156, -75,
    817, 1097, 603, 610, 1322, -1285, -1465, 384, -1215, -136, 1218, -1335, -874, 220, -1187, -1659,
    -1185, -1530, -1278, 794, -1510, -854, -870, 478, -108, -308, 996, 991, 958, -1460, 1522, 1628,
};
/* clang-format on */
#define ZETAS      (sizeof zetas / sizeof zetas[0])
#define LAST_LAYER 112 /* where the row of 64 begins */

/* The upper half of a product, by itself a 16-bit number: in this form compilers see the vector instruction for it. */
static inline int16_t multiply_high(int16_t a, int16_t b) { return (int16_t)(a * b >> 16); }

/* a b / 2^16 mod q by Montgomery: both high halves come from products with the same
 * low half, so their difference is exact. |result| <= |a b| / 2^16 + q / 2. */
static inline int16_t multiply(int16_t a, int16_t b)
{
    int16_t t = (int16_t)((uint32_t)a * (uint32_t)b * Q_INV);
    return (int16_t)(multiply_high(a, b) - multiply_high(t, Q));
}

/* a mod q by Barrett; |result| <= 1664 for every a. 20159 = round(2^26 / q). */
static inline int16_t reduce(int16_t a)
{
    int16_t rounded = (int16_t)(multiply_high(a, 20159) + (1 << 9));
    int16_t quotient = (int16_t)(rounded >> 10);
    return (int16_t)(a - quotient * Q);
}

static inline int16_t canonical(int16_t a)
{
    int16_t r = reduce(a);
    return (int16_t)(r + (Q & (r >> 15)));
}

/* ---- NTT --------------------------------------------------------------- */

/*
 * One layer, in the same shape for all seven: coefficient n meets n + 128, and
 * the pair is stored side by side. Storing so moves each coefficient's index
 * one bit to the left (the top bit becomes the lowest), so the next layer finds
 * its pairs 128 apart again, and after the seventh the even places of the
 * standard's order fill the first half and the odd ones the second.
 */
static void layer(int16_t *restrict out, const int16_t *restrict in, const int16_t *row, unsigned row_len)
{
    for (unsigned n = 0; n < HALF; n += LANES) {
        const int16_t *zeta = row + (n & (row_len - 1));
        for (unsigned i = 0; i < LANES; i++) {
            int16_t u = in[n + i], v = multiply(in[HALF + n + i], zeta[i]);
            out[2 * (n + i)] = (int16_t)(u + v);
            out[2 * (n + i) + 1] = (int16_t)(u - v);
        }
    }
}

/* The same backwards. */
static void inverse_layer(int16_t *restrict out, const int16_t *restrict in, const int16_t *row, unsigned row_len)
{
    for (unsigned n = 0; n < HALF; n += LANES) {
        const int16_t *zeta = row + (n & (row_len - 1));
        for (unsigned i = 0; i < LANES; i++) {
            int16_t u = in[2 * (n + i)], v = in[2 * (n + i) + 1];
            out[n + i] = (int16_t)(u + v);
            out[HALF + n + i] = multiply((int16_t)(v - u), zeta[i]);
        }
    }
}

/* A layer adds less than q to what it takes: 8 q at the end, and 8 q < 2^15. */
void larch_mlkem_ntt(mlkem_poly *p)
{
    mlkem_poly t;
    const int16_t *row = zetas;
    for (unsigned i = 0; i < 7; i++) {
        unsigned row_len = i < 5 ? LANES : 1u << i;
        layer(i % 2 == 0 ? t.c : p->c, i % 2 == 0 ? p->c : t.c, row, row_len);
        row += row_len;
    }
    *p = t;
    larch_wipe(&t, sizeof t);
}

/* A layer doubles what it takes, or leaves less than q. Reduced before the
 * first layer and after the fourth, nothing exceeds 16 * 1664 < 2^15. */
void larch_mlkem_inverse_ntt(mlkem_poly *acc)
{
    mlkem_poly t;
    /* The inverse of a block's zeta is minus that of the block as far from the
     * row's other end, and the rows are needed last to first. */
    int16_t backwards[ZETAS];
    const int16_t *row = backwards;
    for (unsigned i = 0; i < ZETAS; i++)
        backwards[i] = zetas[ZETAS - 1 - i];

    for (unsigned i = 7; i-- > 0;) {
        unsigned row_len = i < 5 ? LANES : 1u << i;
        int16_t *in = i % 2 == 0 ? acc->c : t.c;
        if (i == 6 || i == 2)
            for (unsigned n = 0; n < MLKEM_N; n++)
                in[n] = reduce(in[n]);
        inverse_layer(i % 2 == 0 ? t.c : acc->c, in, row, row_len);
        row += row_len;
    }
    for (unsigned n = 0; n < MLKEM_N; n++)
        acc->c[n] = multiply(t.c[n], 1441); /* 2^32 / 128 mod q */
    larch_wipe(&t, sizeof t);
}

/* ---- products and sums ------------------------------------------------- */

/* The gammas are the last layer's zetas, each once with and once without its sign. */
void larch_mlkem_factor_finish(mlkem_factor *f)
{
    const int16_t *odd = f->poly.c + HALF;
    for (unsigned i = 0; i < HALF / 2; i++) {
        f->odd_gamma[2 * i] = multiply(odd[2 * i], zetas[LAST_LAYER + i]);
        f->odd_gamma[2 * i + 1] = multiply((int16_t)-odd[2 * i + 1], zetas[LAST_LAYER + i]);
    }
}

void larch_mlkem_multiply_add(mlkem_poly *restrict acc, const mlkem_poly *restrict a, const mlkem_factor *restrict f)
{
    for (unsigned i = 0; i < HALF; i++) {
        int16_t a0 = a->c[2 * i], a1 = a->c[2 * i + 1];
        int16_t b0 = f->poly.c[i], b1 = f->poly.c[HALF + i];
        acc->c[i] = (int16_t)(acc->c[i] + multiply(a0, b0) + multiply(a1, f->odd_gamma[i]));
        acc->c[HALF + i] = (int16_t)(acc->c[HALF + i] + multiply(a0, b1) + multiply(a1, b0));
    }
}

void larch_mlkem_to_plain(mlkem_poly *p)
{
    mlkem_poly t = *p;
    for (unsigned i = 0; i < HALF; i++) {
        p->c[2 * i] = canonical(t.c[i]);
        p->c[2 * i + 1] = canonical(t.c[HALF + i]);
    }
    larch_wipe(&t, sizeof t);
}

void larch_mlkem_finish_sum(mlkem_poly *restrict acc, const mlkem_poly *restrict p)
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        acc->c[n] = (int16_t)(multiply(acc->c[n], 1353) + p->c[n]); /* 2^32 mod q */
    larch_mlkem_to_plain(acc);
}

void larch_mlkem_add(mlkem_poly *restrict p, const mlkem_poly *restrict a)
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        p->c[n] = (int16_t)(p->c[n] + a->c[n]);
}

/* ---- rounding and bytes ------------------------------------------------ */

/*
 * round(2^d / q * c) mod 2^d in 32 bits without a division, whose time would tell
 * about c: 1290168 = ceil(2^32 / q), the result is the top d bits. The factor is
 * too large by 2/3, the product by at most 2300; with 700 taken off, no c of the
 * 3329 rounds wrongly for d = 1, 4, 5, 10 and 11.
 */
void larch_mlkem_compress(mlkem_poly *p, unsigned d)
{
    const uint32_t half = (1u << (31 - d)) - 700;
    for (unsigned n = 0; n < MLKEM_N; n++)
        p->c[n] = (int16_t)(((uint32_t)canonical(p->c[n]) * 1290168 + half) >> (32 - d));
}

void larch_mlkem_decompress(mlkem_poly *p, unsigned d)
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        p->c[n] = (int16_t)((p->c[n] * Q + (1 << (d - 1))) >> d);
}

/* Eight coefficients of d bits are d bytes: four in each of two words, whose
 * 8 d bits are then seen as one number. */
static inline void encode(uint8_t *out, const mlkem_poly *p, unsigned d)
{
    for (const int16_t *c = p->c; c < p->c + MLKEM_N; c += 8, out += d) {
        uint64_t low = 0, high = 0;
        for (unsigned i = 0; i < 4; i++) {
            low |= (uint64_t)(uint16_t)c[i] << (d * i);
            high |= (uint64_t)(uint16_t)c[4 + i] << (d * i);
        }
        low |= high << (4 * d);
        high >>= 64 - 4 * d;
        for (unsigned i = 0; i < d; i++)
            out[i] = (uint8_t)((i < 8 ? low : high) >> (8 * (i % 8)));
    }
}

static inline void decode(mlkem_poly *p, const uint8_t *in, unsigned d)
{
    const uint64_t mask = (1u << d) - 1;
    for (int16_t *c = p->c; c < p->c + MLKEM_N; c += 8, in += d) {
        uint64_t low = 0, high = 0;
        for (unsigned i = 0; i < d; i++)
            *(i < 8 ? &low : &high) |= (uint64_t)in[i] << (8 * (i % 8));
        high = high << (64 - 4 * d) | low >> (4 * d);
        for (unsigned i = 0; i < 4; i++) {
            c[i] = (int16_t)(low >> (d * i) & mask);
            c[4 + i] = (int16_t)(high >> (d * i) & mask);
        }
    }
}

/* f with the width as a constant, for a compiler that is to unroll its loops. */
#ifdef __OPTIMIZE_SIZE__
#define WITH_WIDTH(f, to, from, d) f(to, from, d)
#else
#define WITH_WIDTH(f, to, from, d) \
    ((d) == 1    ? f(to, from, 1)  \
     : (d) == 4  ? f(to, from, 4)  \
     : (d) == 5  ? f(to, from, 5)  \
     : (d) == 10 ? f(to, from, 10) \
     : (d) == 11 ? f(to, from, 11) \
                 : f(to, from, 12))
#endif

void larch_mlkem_encode(uint8_t *out, const mlkem_poly *p, unsigned d) { WITH_WIDTH(encode, out, p, d); }
void larch_mlkem_decode(mlkem_poly *p, const uint8_t *in, unsigned d) { WITH_WIDTH(decode, p, in, d); }

/* ---- sampling ---------------------------------------------------------- */

void larch_mlkem_sample_ntt(mlkem_poly *a, const uint8_t rho[32], uint8_t j, uint8_t i)
{
    const uint8_t place[2] = {j, i};
    uint8_t block[168];
    larch_keccak xof;
    larch_shake128_init(&xof);
    larch_shake_absorb(&xof, (larch_bytes){rho, 32});
    larch_shake_absorb(&xof, LARCH_BYTES(place));
    larch_shake_finalize(&xof);
    for (unsigned n = 0; n < MLKEM_N;) {
        larch_shake_squeeze(&xof, block, sizeof block);
        for (const uint8_t *b = block; b < block + sizeof block && n < MLKEM_N; b += 3) {
            /* A candidate is always stored and only counted if it is below q:
             * one in five is not, too many for a branch. */
            uint16_t d1 = (uint16_t)(b[0] | (b[1] & 15) << 8);
            uint16_t d2 = (uint16_t)(b[1] >> 4 | b[2] << 4);
            a->c[n] = (int16_t)d1;
            n += d1 < Q;
            if (n < MLKEM_N) {
                a->c[n] = (int16_t)d2;
                n += d2 < Q;
            }
        }
    }
}

/*
 * A coefficient is the sum of eta bits minus the sum of the next eta bits. Eight
 * coefficients, 16 eta bits, are added and subtracted at once inside one word;
 * eta is added to each so that none borrows from its neighbour.
 */
static inline void sum_bits(mlkem_poly *p, const uint8_t *in, unsigned eta)
{
    /* The lowest bit of each eta bits; the lowest eta bits of each 2 eta; eta in each 2 eta. */
    const uint64_t ones = eta == 2 ? 0x55555555 : 0x249249249249;
    const uint64_t sums = eta == 2 ? 0x33333333 : 0x1c71c71c71c7;
    const uint64_t etas = eta == 2 ? 0x22222222 : 0x0c30c30c30c3;
    for (int16_t *c = p->c; c < p->c + MLKEM_N; c += 8, in += 2 * eta) {
        uint64_t word = 0, sum = 0;
        for (unsigned i = 0; i < 2 * eta; i++)
            word |= (uint64_t)in[i] << (8 * i);
        for (unsigned i = 0; i < eta; i++)
            sum += word >> i & ones;
        sum = (sum & sums) + etas - (sum >> eta & sums);
        for (unsigned i = 0; i < 8; i++)
            c[i] = (int16_t)((int)(sum >> (2 * eta * i) & 7) - (int)eta);
    }
}

void larch_mlkem_sample_cbd(mlkem_poly *p, unsigned eta, const uint8_t seed[32], uint8_t nonce)
{
    uint8_t bytes[64 * 3];
    larch_keccak prf;
    larch_shake256_init(&prf);
    larch_shake_absorb(&prf, (larch_bytes){seed, 32});
    larch_shake_absorb(&prf, (larch_bytes){&nonce, 1});
    larch_shake_finalize(&prf);
    larch_shake_squeeze(&prf, bytes, (size_t)64 * eta);
    if (eta == 2)
        sum_bits(p, bytes, 2);
    else
        sum_bits(p, bytes, 3);
    larch_wipe(&prf, sizeof prf);
    larch_wipe(bytes, sizeof bytes);
}

#endif
