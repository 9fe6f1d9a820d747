/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transforms and products of LARCH_PQ_SMALL, instead of those in mlkem_poly.c:
 * in place, with the standard's own loops, and products that take their left side
 * from the sponge or from bytes, two coefficients at a time. Split order is plain
 * order here.
 */
#include "pq/mlkem_int.h"

#if LARCH_PQ_SMALL

#define Q MLKEM_Q

/* zeta^BitRev7(k) * 2^16 mod q. */
/* clang-format off */
static const int16_t zetas[128] = {
    -1044, -758, -359, -1517, 1493, 1422, 287, 202, -171, 622, 1577, 182, 962, -1202, -1474, 1468,
    573, -1325, 264, 383, -829, 1458, -1602, -130, -681, 1017, 732, 608, -1542, 411, -205, -1571,
    1223, 652, -552, 1015, -1293, 1491, -282, -1544, 516, -8, -320, -666, -1618, -1162, 126, 1469,
    -853, -90, -271, 830, 107, -1421, -247, -951, -398, 961, -1508, -725, 448, -1065, 677, -1275,
    -1103, 430, 555, 843, -1251, 871, 1550, 105, 422, 587, 177, -235, -291, -460, 1574, 1653,
    -246, 778, 1159, -147, -777, 1483, -602, 1119, -1590, 644, -872, 349, 418, 329, -156, -75,
    817, 1097, 603, 610, 1322, -1285, -1465, 384, -1215, -136, 1218, -1335, -874, 220, -1187, -1659,
    -1185, -1530, -1278, 794, -1510, -854, -870, 478, -108, -308, 996, 991, 958, -1460, 1522, 1628,
};
/* clang-format on */

/* As in mlkem_poly.c. */
static int16_t multiply(int16_t a, int16_t b)
{
    int16_t t = (int16_t)((uint32_t)a * (uint32_t)b * 62209);
    return (int16_t)((a * b >> 16) - (t * Q >> 16));
}

static int16_t reduce(int16_t a)
{
    int16_t quotient = (int16_t)(((a * 20159 >> 16) + (1 << 9)) >> 10);
    return (int16_t)(a - quotient * Q);
}

/* [FIPS203 algorithm 9]; a layer adds less than q. */
void larch_mlkem_ntt(mlkem_poly *p)
{
    const int16_t *zeta = zetas;
    for (unsigned len = 128; len >= 2; len /= 2)
        for (unsigned start = 0; start < MLKEM_N; start += 2 * len) {
            zeta++;
            for (int16_t *c = p->c + start; c < p->c + start + len; c++) {
                int16_t t = multiply(*zeta, c[len]);
                c[len] = (int16_t)(*c - t);
                *c = (int16_t)(*c + t);
            }
        }
}

/* [FIPS203 algorithm 10]; reduced before the first layer and after the fourth, nothing
 * exceeds 16 * 1664 < 2^15. */
void larch_mlkem_inverse_ntt(mlkem_poly *acc)
{
    const int16_t *zeta = zetas + 128;
    for (unsigned len = 2; len <= 128; len *= 2) {
        if (len == 2 || len == 32)
            for (unsigned n = 0; n < MLKEM_N; n++)
                acc->c[n] = reduce(acc->c[n]);
        for (unsigned start = 0; start < MLKEM_N; start += 2 * len) {
            zeta--;
            for (int16_t *c = acc->c + start; c < acc->c + start + len; c++) {
                int16_t t = *c;
                *c = (int16_t)(t + c[len]);
                c[len] = multiply(*zeta, (int16_t)(c[len] - t));
            }
        }
    }
    for (unsigned n = 0; n < MLKEM_N; n++)
        acc->c[n] = multiply(acc->c[n], 1441); /* 2^32 / 128 mod q */
}

/* The i-th pair of acc += a * f. [FIPS203 algorithm 12] */
static void multiply_pair(mlkem_poly *acc, unsigned i, int16_t a0, int16_t a1, const mlkem_factor *f)
{
    const int16_t b0 = f->poly.c[2 * i], b1 = f->poly.c[2 * i + 1], zeta = zetas[64 + i / 2];
    int16_t *c = acc->c + 2 * (size_t)i;
    int16_t b1_gamma = multiply(i % 2 == 0 ? b1 : (int16_t)-b1, zeta);
    c[0] = (int16_t)(c[0] + multiply(a0, b0) + multiply(a1, b1_gamma));
    c[1] = (int16_t)(c[1] + multiply(a0, b1) + multiply(a1, b0));
}

void larch_mlkem_factor_finish(mlkem_factor *f) { (void)f; }

void larch_mlkem_multiply_add(mlkem_poly *restrict acc, const mlkem_poly *restrict a, const mlkem_factor *restrict f)
{
    for (unsigned i = 0; i < MLKEM_N / 2; i++)
        multiply_pair(acc, i, a->c[2 * i], a->c[2 * i + 1], f);
}

void larch_mlkem_multiply_encoded(mlkem_poly *acc, const uint8_t *bytes, const mlkem_factor *f)
{
    for (unsigned i = 0; i < MLKEM_N / 2; i++, bytes += 3)
        multiply_pair(acc, i, (int16_t)(bytes[0] | (bytes[1] & 15) << 8), (int16_t)(bytes[1] >> 4 | bytes[2] << 4), f);
}

/* SampleNTT [FIPS203 algorithm 7] reads the sponge three bytes at a time. */
void larch_mlkem_multiply_sampled(mlkem_poly *acc, const uint8_t rho[32], uint8_t j, uint8_t i, const mlkem_factor *f)
{
    const uint8_t place[2] = {j, i};
    int16_t first = 0;
    larch_keccak xof;
    larch_shake128_init(&xof);
    larch_shake_absorb(&xof, (larch_bytes){rho, 32});
    larch_shake_absorb(&xof, LARCH_BYTES(place));
    larch_shake_finalize(&xof);
    for (unsigned n = 0; n < MLKEM_N;) {
        uint8_t b[3];
        larch_shake_squeeze(&xof, b, sizeof b);
        const int16_t d[2] = {(int16_t)(b[0] | (b[1] & 15) << 8), (int16_t)(b[1] >> 4 | b[2] << 4)};
        for (unsigned which = 0; which < 2 && n < MLKEM_N; which++) {
            if (d[which] >= Q)
                continue;
            if (n % 2 == 0)
                first = d[which];
            else
                multiply_pair(acc, n / 2, first, d[which], f);
            n++;
        }
    }
}

void larch_mlkem_to_plain(mlkem_poly *p)
{
    for (unsigned n = 0; n < MLKEM_N; n++) {
        int16_t r = reduce(p->c[n]);
        p->c[n] = (int16_t)(r + (Q & (r >> 15)));
    }
}

#else
typedef int larch_mlkem_poly_small_is_empty;
#endif
