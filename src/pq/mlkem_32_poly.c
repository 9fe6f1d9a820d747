/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of mlkem_32_int.h. No residue is divided, branched on, or used as an
 * index, except while sampling the matrix, where all is public. */
#include "pq/mlkem_32_int.h"

#if LARCH_MLKEM_32

#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE_SIZE__)
#pragma GCC optimize("O2", "no-schedule-insns")
#endif

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

/* The butterfly of a layer. b may become negative, but is at least a - q. */
static inline void forward(uint32_t *a, uint32_t *b, uint32_t zeta)
{
    uint32_t t = times(*b, zeta);
    *b = *a - t;
    *a += t;
}

static inline void forward_two(uint32_t *a, uint32_t *b, uint32_t zeta)
{
    forward(&a[0], &b[0], zeta);
    forward(&a[1], &b[1], zeta);
}

static inline void forward_four(uint32_t *a, uint32_t *b, uint32_t zeta)
{
    forward_two(a, b, zeta);
    forward_two(a + 2, b + 2, zeta);
}

/* Three layers of eight residues as far apart as they meet in the last; k is the block in the first. */
static inline void forward_three_layers(uint32_t x[8], unsigned k)
{
    forward_four(x, x + 4, zetas[k]);
    forward_two(x, x + 2, zetas[2 * k]);
    forward_two(x + 4, x + 6, zetas[2 * k + 1]);
    forward(&x[0], &x[1], zetas[4 * k]);
    forward(&x[2], &x[3], zetas[4 * k + 1]);
    forward(&x[4], &x[5], zetas[4 * k + 2]);
    forward(&x[6], &x[7], zetas[4 * k + 3]);
}

void larch_mlkem32_ntt(mlkem_residues *p)
{
    /* What is added to x is in each result, and no difference is negative in these layers nor in the next. */
    for (uint16_t *c = p->c; c < p->c + 32; c++) {
        uint32_t x[8] = {c[0] + 7 * Q, c[32] + 2 * Q, c[64] + Q, c[96] + Q, c[128], c[160], c[192], c[224]};
        forward_three_layers(x, 1);
        put(&c[0], x[0]);
        put(&c[32], x[1]);
        put(&c[64], x[2]);
        put(&c[96], x[3]);
        put(&c[128], x[4]);
        put(&c[160], x[5]);
        put(&c[192], x[6]);
        put(&c[224], x[7]);
    }
    uint16_t *c = p->c;
    for (unsigned k = 8; k < 16; k++, c += 30)
        for (const uint16_t *stop = c + 2; c < stop; c++) {
            uint32_t x[16] = {c[0],  c[2],  c[4],  c[6],  c[8],  c[10], c[12], c[14],
                              c[16], c[18], c[20], c[22], c[24], c[26], c[28], c[30]};
            forward_four(x, x + 8, zetas[k]);
            forward_four(x + 4, x + 12, zetas[k]);
            forward_three_layers(x, 2 * k);
            forward_three_layers(x + 8, 2 * k + 1);
            put(&c[0], x[0]);
            put(&c[2], x[1]);
            put(&c[4], x[2]);
            put(&c[6], x[3]);
            put(&c[8], x[4]);
            put(&c[10], x[5]);
            put(&c[12], x[6]);
            put(&c[14], x[7]);
            put(&c[16], x[8]);
            put(&c[18], x[9]);
            put(&c[20], x[10]);
            put(&c[22], x[11]);
            put(&c[24], x[12]);
            put(&c[26], x[13]);
            put(&c[28], x[14]);
            put(&c[30], x[15]);
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

/* ---- products ---------------------------------------------------------- */

/* BaseCaseMultiply [FIPS203 algorithm 12] of a0 + a1 X, each below 2^12, and f0 + f1 X. Both sums of products are
 * below 2^12 * 36 q < 2^32. */
static inline void multiply_pair(uint16_t *sum, uint32_t a0, uint32_t a1, uint32_t f0, uint32_t f1, uint32_t f1_gamma)
{
    put(&sum[0], sum[0] + montgomery(a0 * f0 + a1 * f1_gamma));
    put(&sum[1], sum[1] + montgomery(a0 * f1 + a1 * f0));
}

/* Two pairs, at n, whose gammas differ in sign. */
static inline void multiply_four(mlkem_residues *sum, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                                 const mlkem_residues *f, unsigned n)
{
    const uint32_t gamma = zetas[64 + n / 4];
    const uint16_t *c = f->c + n;
    multiply_pair(sum->c + n, a0, a1, c[0], c[1], times(c[1], gamma));
    multiply_pair(sum->c + n + 2, a2, a3, c[2], c[3], Q - times(c[3], gamma));
}

void larch_mlkem32_multiply_encoded(mlkem_residues *sum, const uint8_t *b, const mlkem_residues *f)
{
    for (unsigned n = 0; n < MLKEM_N; n += 4, b += 6)
        multiply_four(sum, b[0] | (b[1] & 15u) << 8, b[1] >> 4 | (uint32_t)b[2] << 4, b[3] | (b[4] & 15u) << 8,
                      b[4] >> 4 | (uint32_t)b[5] << 4, f, n);
}

/* d is put at end if it is below q; returns the new end. */
static inline uint16_t *keep(uint16_t *end, uint32_t d)
{
    d &= 0xfff;
    if (d < Q)
        *end++ = (uint16_t)d;
    return end;
}

/* Keeps what is below q of the eight numbers of 12 bits in three words. */
static inline uint16_t *keep_eight(uint16_t *end, const uint32_t w[3])
{
    end = keep(end, w[0]);
    end = keep(end, w[0] >> 12);
    end = keep(end, w[0] >> 24 | w[1] << 8);
    end = keep(end, w[1] >> 4);
    end = keep(end, w[1] >> 16);
    end = keep(end, w[1] >> 28 | w[2] << 4);
    end = keep(end, w[2] >> 8);
    return keep(end, w[2] >> 20);
}

void larch_mlkem32_multiply_sampled(mlkem_residues *sum, const uint8_t rho[32], uint8_t j, uint8_t i,
                                    const mlkem_residues *f)
{
    enum { LANES = LARCH_PQ_SMALL ? 3 : 21 }; /* 21 are the rate */
    const uint8_t place[2] = {j, i};
    uint32_t words[2 * LANES];
    uint16_t a[3 + 16 + 3] = {0}, *end = a; /* what is sampled and not yet used */
    larch_keccak xof;
    larch_shake128_init(&xof);
    larch_shake_absorb(&xof, (larch_bytes){rho, 32});
    larch_shake_absorb(&xof, LARCH_BYTES(place));
    larch_shake_finalize(&xof);
    for (unsigned n = 0; n < MLKEM_N;) {
        larch_shake_squeeze_words(&xof, words, LANES);
        for (const uint32_t *w = words; w < words + 2 * LANES && n < MLKEM_N; w += 6) {
            end = keep_eight(end, w);
            end = keep_eight(end, w + 3);
            const uint16_t *next = a;
            for (; end - next >= 4 && n < MLKEM_N; next += 4, n += 4)
                multiply_four(sum, next[0], next[1], next[2], next[3], f, n);
            a[0] = next[0];
            a[1] = next[1];
            a[2] = next[2];
            end = a + (end - next);
        }
    }
}

/* ---- noise and message ------------------------------------------------- */

/* Sums side by side: of each eta bits, then 3 more than the first less the second of two such sums. */
static inline uint32_t differences_2(uint32_t bits)
{
    uint32_t sums = (bits & 0x55555555) + (bits >> 1 & 0x55555555);
    return 0x33333333 + (sums & 0x33333333) - (sums >> 2 & 0x33333333);
}

static inline uint32_t differences_3(uint32_t bits)
{
    uint32_t sums = (bits & 0x249249) + (bits >> 1 & 0x249249) + (bits >> 2 & 0x249249);
    return 0x0c30c3 + (sums & 0x1c71c7) - (sums >> 3 & 0x1c71c7);
}

/* What noise is multiplied with, and zero for it: a multiple of q that is at least 3 times as much. */
typedef struct scale {
    uint32_t factor, zero;
} scale;

static const scale plain = {1, Q}, scaled = {(uint32_t)-1353, 2 * Q};

/* c += s * (field - 3), or c is that, for each of the fields of that many bits. */
static inline void put_noise(uint16_t *c, uint32_t fields, unsigned count, unsigned bits, scale s, bool add)
{
    for (unsigned i = 0; i < count; i++)
        put(&c[i], (add ? c[i] : 0) + (fields >> bits * i & ((1u << bits) - 1)) * s.factor + (s.zero - 3 * s.factor));
}

static inline void noise(mlkem_residues *p, unsigned eta, const uint8_t seed[32], uint8_t nonce, scale s, bool add)
{
    uint32_t w[2 * 3];
    larch_keccak prf;
    larch_shake256_init(&prf);
    larch_shake_absorb(&prf, (larch_bytes){seed, 32});
    larch_shake_absorb(&prf, (larch_bytes){&nonce, 1});
    larch_shake_finalize(&prf);
    for (uint16_t *c = p->c; c < p->c + MLKEM_N;) {
        larch_shake_squeeze_words(&prf, w, eta);
        if (eta == 2)
            for (unsigned i = 0; i < 4; i++, c += 8)
                put_noise(c, differences_2(w[i]), 8, 4, s, add);
        else
            for (unsigned i = 0; i < 6; i += 3, c += 16) {
                put_noise(c, differences_3(w[i]), 4, 6, s, add);
                put_noise(c + 4, differences_3(w[i] >> 24 | w[i + 1] << 8), 4, 6, s, add);
                put_noise(c + 8, differences_3(w[i + 1] >> 16 | w[i + 2] << 16), 4, 6, s, add);
                put_noise(c + 12, differences_3(w[i + 2] >> 8), 4, 6, s, add);
            }
    }
    larch_wipe(&prf, sizeof prf);
    larch_wipe(w, sizeof w);
}

void larch_mlkem32_sample_noise(mlkem_residues *p, unsigned eta, const uint8_t seed[32], uint8_t nonce, bool is_scaled)
{
    const scale s = is_scaled ? scaled : plain;
    if (eta == 2)
        noise(p, 2, seed, nonce, s, false);
    else
        noise(p, 3, seed, nonce, s, false);
}

void larch_mlkem32_add_noise(mlkem_residues *p, const uint8_t seed[32], uint8_t nonce)
{
    noise(p, MLKEM_ETA2, seed, nonce, plain, true);
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
