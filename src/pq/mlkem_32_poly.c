/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of mlkem_32_int.h. No residue is divided, branched on, or used as an
 * index, except while sampling the matrix, where all is public. */
#include "pq/mlkem_32_int.h"

#if LARCH_MLKEM_32

#define Q     (MLKEM_Q + 0u)
#define Q_INV 1806234369u /* 1/q mod 2^32 */

/* The factors zeta^BitRev7(k) [FIPS203 appendix A], in the form of times(). */
/* clang-format off */
static const uint32_t zetas[128] = {
    1290168, 2230699446, 3328631909, 4243360600, 3408622288, 812805467, 2447447570, 1094061961,
    1370157786, 2475831253, 249002310, 1028263423, 3594406395, 4205945745, 734105255, 2252632292,
    381889553, 3157039644, 1727534158, 1904287092, 3929849920, 72249375, 2889974991, 1719793153,
    1839778722, 2701610550, 690239563, 3718262466, 3087370604, 3714391964, 2546790461, 1059227441,
    372858381, 427045412, 4196914574, 2265533966, 1544330386, 2972545705, 2937711185, 2651294021,
    838608815, 2550660963, 3242190693, 815385801, 3696329620, 42575525, 1703020977, 2470670584,
    2991898216, 1851390229, 1041165097, 583155668, 1855260731, 3700200122, 1979116802, 3098982111,
    3415073125, 3376368103, 1910737929, 836028480, 3191874164, 4012420634, 1583035408, 1174052340,
    21932846, 3562152210, 752167598, 3417653460, 2112004045, 932791035, 2951903026, 1419184148,
    1817845876, 3434425636, 4233039261, 300609006, 975366560, 2781600929, 3889854731, 3935010590,
    2197155094, 2130066389, 3598276897, 2308109491, 2382939200, 1228239371, 1884934581, 3466679822,
    1211467195, 2977706375, 3144137970, 3080919767, 945692709, 3015121229, 345764865, 826997308,
    2043625172, 2964804700, 2628071007, 4154339049, 483812778, 3288636719, 2696449880, 2122325384,
    1371447954, 411563403, 3577634219, 976656727, 2708061387, 723783916, 3181552825, 3346694253,
    3617629408, 1408862808, 519937465, 1323711759, 1474661346, 2773859924, 3580214553, 1143088323,
    2221668274, 1563682897, 2417773720, 1327582262, 2722253228, 3786641338, 1141798155, 2779020594,
};
/* clang-format on */
#define UNSCALE      2435836064u /* -2^32 / 128: ends the inverse NTT */
#define UNSCALE_ZETA 2492603430u /* and times zetas[1] */

/* x / q mod 2^32, times q, is x + 2^32 r for 0 <= r < q: r, which is -x / 2^32 mod q. */
static inline uint32_t montgomery(uint32_t x) { return (uint32_t)((uint64_t)(x * Q_INV) * Q >> 32); }

/*
 * a b mod q, below q, for a < 2^20. The factor is b' / q mod 2^32 for b' = -2^32 b
 * mod q; as a b' < 2^32, this is montgomery(a b'), and a product less.
 */
static inline uint32_t times(uint32_t a, uint32_t factor) { return (uint32_t)((uint64_t)(a * factor) * Q >> 32); }

/* Compilers would do sums in 16 bits if they saw that no more is stored, and cut each operand first. */
static inline void put(uint16_t *c, uint32_t x)
{
#if defined(__GNUC__)
    __asm__("" : "+r"(x));
#endif
    *c = (uint16_t)x;
}

/* ---- NTT --------------------------------------------------------------- */

/* Two layers at once: pairs 2 len apart, then pairs len apart. Adds at most 2 q to what it takes. */
static void two_layers(uint16_t *c, unsigned len, unsigned k)
{
    for (const unsigned end = 2 * k; k < end; k++, c += 3 * len) {
        const uint32_t z1 = zetas[k], z2 = zetas[2 * k], z3 = zetas[2 * k + 1];
        for (const uint16_t *stop = c + len; c < stop; c++) {
            uint32_t t2 = times(c[2 * len], z1), t3 = times(c[3 * len], z1);
            uint32_t u0 = c[0] + t2, u2 = c[0] + Q - t2;
            uint32_t u1 = c[len] + t3, u3 = c[len] + Q - t3;
            uint32_t v1 = times(u1, z2), v3 = times(u3, z3);
            put(&c[0], u0 + v1);
            put(&c[len], u0 + Q - v1);
            put(&c[2 * len], u2 + v3);
            put(&c[3 * len], u2 + Q - v3);
        }
    }
}

void larch_mlkem32_ntt(mlkem_residues *p)
{
    uint16_t *c = p->c;
    two_layers(c, 64, 1);
    two_layers(c, 16, 4);
    two_layers(c, 4, 16);
    for (unsigned k = 64; k < 128; k++, c += 4)
        for (unsigned i = 0; i < 2; i++) {
            uint32_t u = c[i], t = times(c[i + 2], zetas[k]);
            put(&c[i], u + t);
            put(&c[i + 2], u + Q - t);
        }
}

/*
 * Two layers backwards, pairs len apart and then 2 len apart. In: below 10 q; out:
 * below q. The inverse of a block's zeta is minus that of the block as far from the
 * layer's other end. scale multiplies all, and is in z1 already.
 */
static inline void two_layers_back(uint16_t *c, unsigned len, unsigned k, uint32_t z1, uint32_t scale)
{
    const uint32_t z2 = zetas[2 * k + 1], z3 = zetas[2 * k];
    for (const uint16_t *stop = c + len; c < stop; c++) {
        uint32_t s0 = (uint32_t)c[0] + c[len], d0 = times(c[len] + 10 * Q - c[0], z2);
        uint32_t s1 = (uint32_t)c[2 * len] + c[3 * len], d1 = times(c[3 * len] + 10 * Q - c[2 * len], z3);
        put(&c[0], times(s0 + s1, scale));
        put(&c[len], times(d0 + d1, scale));
        put(&c[2 * len], times(s1 + 20 * Q - s0, z1));
        put(&c[3 * len], times(d1 + Q - d0, z1));
    }
}

void larch_mlkem32_inverse_ntt(mlkem_residues *p)
{
    uint16_t *c = p->c;
    for (unsigned k = 127; k >= 64; k--, c += 4)
        for (unsigned i = 0; i < 2; i++) {
            uint32_t u = c[i], v = c[i + 2];
            put(&c[i], u + v);
            put(&c[i + 2], times(v + 5 * Q - u, zetas[k]));
        }
    for (unsigned len = 4; len <= 16; len *= 4) {
        c = p->c;
        for (unsigned first = MLKEM_N / 4 / len, k = 2 * first; k-- > first; c += 4 * len)
            two_layers_back(c, len, k, zetas[k], MLKEM32_ONE);
    }
    two_layers_back(p->c, 64, 1, UNSCALE_ZETA, UNSCALE);
}

void larch_mlkem32_scale(mlkem_residues *p, uint32_t factor)
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        put(&p->c[n], times(p->c[n], factor));
}

/* ---- products ---------------------------------------------------------- */

/* BaseCaseMultiply [FIPS203 algorithm 12] of a0 + a1 X, each below 2^12, and the pair at n of f: both sums of
 * products are below 2^12 * 20 q < 2^32. */
static inline void multiply_pair(mlkem_residues *sum, uint32_t a0, uint32_t a1, const mlkem_residues *f, unsigned n)
{
    uint32_t f0 = f->c[n], f1 = f->c[n + 1];
    uint32_t f1_gamma = times(f1, zetas[64 + n / 4]);
    if ((n & 2) != 0)
        f1_gamma = Q - f1_gamma;
    put(&sum->c[n], sum->c[n] + montgomery(a0 * f0 + a1 * f1_gamma));
    put(&sum->c[n + 1], sum->c[n + 1] + montgomery(a0 * f1 + a1 * f0));
}

void larch_mlkem32_multiply_encoded(mlkem_residues *sum, const uint8_t *b, const mlkem_residues *f)
{
    for (unsigned n = 0; n < MLKEM_N; n += 2, b += 3)
        multiply_pair(sum, b[0] | (b[1] & 15u) << 8, b[1] >> 4 | (uint32_t)b[2] << 4, f, n);
}

void larch_mlkem32_multiply_sampled(mlkem_residues *sum, const uint8_t rho[32], uint8_t j, uint8_t i,
                                    const mlkem_residues *f)
{
    const uint8_t place[2] = {j, i};
    uint8_t bytes[24];            /* divides the rate of 168 */
    uint16_t a[16 + 1], *end = a; /* candidates below q that are not yet used */
    larch_keccak xof;
    larch_shake128_init(&xof);
    larch_shake_absorb(&xof, (larch_bytes){rho, 32});
    larch_shake_absorb(&xof, LARCH_BYTES(place));
    larch_shake_finalize(&xof);
    for (unsigned n = 0; n < MLKEM_N;) {
        larch_shake_squeeze(&xof, bytes, sizeof bytes);
        for (const uint8_t *b = bytes; b < bytes + sizeof bytes; b += 3) {
            uint32_t d1 = b[0] | (b[1] & 15u) << 8, d2 = b[1] >> 4 | (uint32_t)b[2] << 4;
            *end = (uint16_t)d1;
            end += d1 < Q;
            *end = (uint16_t)d2;
            end += d2 < Q;
        }
        const uint16_t *pair = a;
        for (; end - pair >= 2 && n < MLKEM_N; pair += 2, n += 2)
            multiply_pair(sum, pair[0], pair[1], f, n);
        a[0] = *pair;
        end = a + (end - pair);
    }
}

/* ---- noise and message ------------------------------------------------- */

/*
 * A coefficient is the sum of eta bits minus the sum of the next eta bits. Eight
 * coefficients, 16 eta bits, are 2 eta bytes; half of them are added within one word.
 */
static inline void add_eight(uint16_t *c, const uint8_t *in, unsigned eta)
{
    const uint32_t ones = eta == 2 ? 0x55555555 : 0x249249, mask = (1u << eta) - 1;
    for (unsigned half = 0; half < 2; half++, in += eta, c += 4) {
        uint32_t word = (uint32_t)in[0] | (uint32_t)in[1] << 8, sums = 0;
        if (eta == 3)
            word |= (uint32_t)in[2] << 16;
        for (unsigned i = 0; i < eta; i++)
            sums += word >> i & ones;
        for (unsigned i = 0; i < 4; i++)
            put(&c[i], c[i] + Q + (sums >> 2 * eta * i & mask) - (sums >> (2 * i + 1) * eta & mask));
    }
}

void larch_mlkem32_add_noise(mlkem_residues *p, unsigned eta, const uint8_t seed[32], uint8_t nonce)
{
    uint8_t bytes[8 * 3];
    larch_keccak prf;
    larch_shake256_init(&prf);
    larch_shake_absorb(&prf, (larch_bytes){seed, 32});
    larch_shake_absorb(&prf, (larch_bytes){&nonce, 1});
    larch_shake_finalize(&prf);
    for (uint16_t *c = p->c; c < p->c + MLKEM_N;) {
        larch_shake_squeeze(&prf, bytes, (size_t)8 * eta);
        for (const uint8_t *b = bytes; b < bytes + 8 * eta; b += 2 * eta, c += 8)
            if (eta == 2)
                add_eight(c, b, 2);
            else
                add_eight(c, b, 3);
    }
    larch_wipe(&prf, sizeof prf);
    larch_wipe(bytes, sizeof bytes);
}

void larch_mlkem32_add_message(mlkem_residues *p, const uint8_t m[32])
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        put(&p->c[n], p->c[n] + ((uint32_t)m[n / 8] >> n % 8 & 1u) * ((Q + 1) / 2));
}

/* round(2^d / q * c) mod 2^d, for c below q. The factor ceil(2^32 / q) is too large by 2/3, the product by at most
 * 2300; with 700 taken off, no c rounds wrongly for d = 1, 4, 5, 10 and 11. */
static inline uint32_t compress(uint32_t c, unsigned d) { return (c * 1290168 + (1u << (31 - d)) - 700) >> (32 - d); }

void larch_mlkem32_get_message(uint8_t m[32], const mlkem_residues *v, const mlkem_residues *w)
{
    for (unsigned i = 0; i < 32; i++) {
        uint32_t byte = 0;
        for (unsigned n = 8 * i; n < 8 * i + 8; n++)
            byte = byte >> 1 | compress(times((uint32_t)v->c[n] + Q - w->c[n], MLKEM32_ONE), 1) << 7;
        m[i] = (uint8_t)byte;
    }
}

/* ---- bytes ------------------------------------------------------------- */

void larch_mlkem32_encode(uint8_t *out, const mlkem_residues *p, uint32_t factor)
{
    for (const uint16_t *c = p->c; c < p->c + MLKEM_N; c += 2, out += 3) {
        uint32_t c0 = times(c[0], factor), c1 = times(c[1], factor);
        out[0] = (uint8_t)c0;
        out[1] = (uint8_t)(c0 >> 8 | c1 << 4);
        out[2] = (uint8_t)(c1 >> 4);
    }
}

uint8_t larch_mlkem32_compress(uint8_t *out, const uint8_t *expected, const mlkem_residues *p, unsigned d)
{
    uint32_t word = 0, difference = 0;
    unsigned have = 0;
    for (unsigned n = 0; n < MLKEM_N; n++) {
        word |= compress(times(p->c[n], MLKEM32_ONE), d) << have;
        for (have += d; have >= 8; have -= 8, word >>= 8)
            if (out != NULL)
                *out++ = (uint8_t)word;
            else
                difference |= word ^ *expected++;
    }
    return (uint8_t)difference;
}

void larch_mlkem32_decompress(mlkem_residues *p, const uint8_t *in, unsigned d)
{
    const uint32_t mask = (1u << d) - 1;
    uint32_t word = 0;
    unsigned have = 0;
    for (unsigned n = 0; n < MLKEM_N; n++, have -= d, word >>= d) {
        for (; have < d; have += 8)
            word |= (uint32_t)*in++ << have;
        put(&p->c[n], ((word & mask) * Q + (1u << (d - 1))) >> d);
    }
}

#endif
