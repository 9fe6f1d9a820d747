/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of ML-DSA. Residues are unsigned and reduced as late as 32 bits
 * allow: q is just small enough (512 q < 2^32) that the whole NTT, and the whole
 * inverse, need no reduction besides that in each product. Loops over
 * coefficients are such that compilers turn them into vector instructions, also
 * on machines whose vectors multiply unsigned numbers only. No value is divided,
 * branched on, or used as an index, except the challenge, which is public.
 */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#define Q MLDSA_Q
#define N MLDSA_N

/* zeta^BitRev8(k) mod q [FIPS204 appendix B], and below it floor(2^32 / q * that). */
/* clang-format off */
static const uint32_t zetas[256] = {
    1, 4808194, 3765607, 3761513, 5178923, 5496691, 5234739, 5178987,
    7778734, 3542485, 2682288, 2129892, 3764867, 7375178, 557458, 7159240,
    5010068, 4317364, 2663378, 6705802, 4855975, 7946292, 676590, 7044481,
    5152541, 1714295, 2453983, 1460718, 7737789, 4795319, 2815639, 2283733,
    3602218, 3182878, 2740543, 4793971, 5269599, 2101410, 3704823, 1159875,
    394148, 928749, 1095468, 4874037, 2071829, 4361428, 3241972, 2156050,
    3415069, 1759347, 7562881, 4805951, 3756790, 6444618, 6663429, 4430364,
    5483103, 3192354, 556856, 3870317, 2917338, 1853806, 3345963, 1858416,
    3073009, 1277625, 5744944, 3852015, 4183372, 5157610, 5258977, 8106357,
    2508980, 2028118, 1937570, 4564692, 2811291, 5396636, 7270901, 4158088,
    1528066, 482649, 1148858, 5418153, 7814814, 169688, 2462444, 5046034,
    4213992, 4892034, 1987814, 5183169, 1736313, 235407, 5130263, 3258457,
    5801164, 1787943, 5989328, 6125690, 3482206, 4197502, 7080401, 6018354,
    7062739, 2461387, 3035980, 621164, 3901472, 7153756, 2925816, 3374250,
    1356448, 5604662, 2683270, 5601629, 4912752, 2312838, 7727142, 7921254,
    348812, 8052569, 1011223, 6026202, 4561790, 6458164, 6143691, 1744507,
    1753, 6444997, 5720892, 6924527, 2660408, 6600190, 8321269, 2772600,
    1182243, 87208, 636927, 4415111, 4423672, 6084020, 5095502, 4663471,
    8352605, 822541, 1009365, 5926272, 6400920, 1596822, 4423473, 4620952,
    6695264, 4969849, 2678278, 4611469, 4829411, 635956, 8129971, 5925040,
    4234153, 6607829, 2192938, 6653329, 2387513, 4768667, 8111961, 5199961,
    3747250, 2296099, 1239911, 4541938, 3195676, 2642980, 1254190, 8368000,
    2998219, 141835, 8291116, 2513018, 7025525, 613238, 7070156, 6161950,
    7921677, 6458423, 4040196, 4908348, 2039144, 6500539, 7561656, 6201452,
    6757063, 2105286, 6006015, 6346610, 586241, 7200804, 527981, 5637006,
    6903432, 1994046, 2491325, 6987258, 507927, 7192532, 7655613, 6545891,
    5346675, 8041997, 2647994, 3009748, 5767564, 4148469, 749577, 4357667,
    3980599, 2569011, 6764887, 1723229, 1665318, 2028038, 1163598, 5011144,
    3994671, 8368538, 7009900, 3020393, 3363542, 214880, 545376, 7609976,
    3105558, 7277073, 508145, 7826699, 860144, 3430436, 140244, 6866265,
    6195333, 3123762, 2358373, 6187330, 5365997, 6663603, 2926054, 7987710,
    8077412, 3531229, 4405932, 4606686, 1900052, 7598542, 1054478, 7648983,
};

static const uint32_t zeta_quotients[256] = {
    512, 2464201481, 1929875197, 1927777020, 2654200252, 2817056487, 2682805975, 2654233052,
    3986604501, 1815525077, 1374673746, 1091570560, 1929495947, 3779781878, 285697463, 3669113561,
    2567661992, 2212650896, 1364982363, 3436726392, 2488689263, 4072478047, 346752664, 3610299524,
    2640679465, 878576920, 1257667336, 748618599, 3965620171, 2457603037, 1443016191, 1170414139,
    1846138265, 1631226336, 1404529459, 2456912187, 2700671740, 1076973523, 1898723371, 594436433,
    202001018, 475984259, 561427818, 2497946046, 1061813248, 2235233714, 1661512036, 1104976546,
    1750224322, 901666089, 3875979746, 2463051942, 1925356481, 3302869480, 3415010211, 2270563444,
    2810092632, 1636082790, 285388938, 1983539117, 1495136972, 950076367, 1714807468, 952438994,
    1574918426, 654783358, 2944286256, 1974159334, 2143979938, 2643277330, 2695227961, 4154511428,
    1285853322, 1039411342, 993005453, 2339406601, 1440787839, 2765778257, 3726339871, 2131021878,
    783134478, 247357818, 588790216, 2776805729, 4005095516, 86965172, 1262003602, 2586094582,
    2159672701, 2507169516, 1018755524, 2656376328, 889861154, 120646188, 2629261981, 1669960605,
    2973099030, 916321552, 3069533161, 3139418744, 1784632064, 2151221569, 3628708540, 3084408998,
    3619656757, 1261461889, 1555941048, 318346815, 1999506068, 3666303008, 1499481951, 1729304567,
    695180180, 2872391671, 1375177022, 2870837257, 2517787500, 1185330463, 3960163579, 4059646062,
    178766299, 4126945055, 518252219, 3088431101, 2337919325, 3309811811, 3148644264, 894060583,
    898413, 3303063718, 2931959596, 3548823048, 1363460237, 3382600197, 4264653920, 1420958685,
    605900043, 44694137, 326425359, 2262746275, 2267133791, 3118062851, 2611446953, 2390030881,
    4280713634, 421552614, 517299994, 3037216934, 3280474237, 818371957, 2267031803, 2368239875,
    3431325662, 2547049737, 1372618620, 2363379834, 2475075202, 325927721, 4166613613, 3036585533,
    2170005223, 3386515188, 1123881662, 3409833957, 1223601433, 2443943876, 4157383481, 2664982236,
    1920467227, 1176751719, 635454917, 2327745167, 1637785316, 1354528380, 642772911, 4288603578,
    1536588519, 72690498, 4249200495, 1287922799, 3600584566, 314284737, 3623457973, 3158002009,
    4059862849, 3309944549, 2070602177, 2515530448, 1045062171, 3331529017, 3875351933, 3178246801,
    3462997676, 1078959975, 3078085255, 3252640338, 300448763, 3690415129, 270590488, 2888967985,
    3538011851, 1021949427, 1276805127, 3580972712, 260312804, 3686175725, 3923504936, 3354771936,
    2740173223, 4121526901, 1357098057, 1542497136, 2955879016, 2126092136, 384158533, 2233306200,
    2040058689, 1316619236, 3467007480, 883155599, 853476187, 1039370342, 596344472, 2568213442,
    2047270595, 4288879303, 3592576747, 1547952704, 1723816713, 110126091, 279505433, 3900115954,
    1591599802, 3729503024, 260424529, 4011186584, 440824167, 1758099916, 71875109, 3518963748,
    3175110811, 1600929360, 1208667170, 3171009270, 2750075757, 3415099386, 1499603926, 4093704790,
    4139677103, 1809756372, 2258042033, 2360928544, 973777462, 3894256024, 540420425, 3920107058,
};
/* clang-format on */

/* 2^32 * 2^-8 mod q: undoes the 2^-32 of larch_mldsa_multiply_row and the 256 of
 * eight inverse layers; then the same times zetas[1]; and both quotients. */
#define UNSCALE               16382
#define UNSCALE_QUOTIENT      8395782
#define UNSCALE_ZETA          294725
#define UNSCALE_ZETA_QUOTIENT 151046688

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NEVER_INLINE  __attribute__((noinline))
#else
#define ALWAYS_INLINE static inline
#define NEVER_INLINE
#endif

static inline uint32_t multiply_high(uint32_t a, uint32_t b) { return (uint32_t)((uint64_t)a * b >> 32); }

/* x * zeta mod q by Shoup, for any x; below 2 q. quotient: floor(2^32 / q * zeta). */
static inline uint32_t multiply(uint32_t x, uint32_t zeta, uint32_t quotient)
{
    return x * zeta - multiply_high(x, quotient) * Q;
}

/* x - q if that is not negative. In: below 2 q. */
static inline uint32_t subtract_once(uint32_t x)
{
    uint32_t r = x - Q;
    return r + (Q & (uint32_t) - (int32_t)(r >> 31));
}

/* ---- NTT ----------------------------------------------------------------- */

#if LARCH_PQ_SMALL || UINTPTR_MAX <= 0xffffffff
/* Pairs 2 len = 2^(log + 1) apart, then len apart, for len >= 4: two layers with one load and store. Adds at most 4 q
 * to what it takes. */
static inline void two_layers(uint32_t *c, unsigned log)
{
    const unsigned len = 1u << log;
    for (unsigned k = (unsigned)N / 4 >> log, start = 0; start < N; k++, start += 4 * len) {
        uint32_t *c0 = c + start, *c1 = c0 + len, *c2 = c1 + len, *c3 = c2 + len;
        const uint32_t z1 = zetas[k], z2 = zetas[2 * k], z3 = zetas[2 * k + 1];
        const uint32_t q1 = zeta_quotients[k], q2 = zeta_quotients[2 * k], q3 = zeta_quotients[2 * k + 1];
        for (unsigned i = 0; i < len; i++) {
            uint32_t t2 = multiply(c2[i], z1, q1), t3 = multiply(c3[i], z1, q1);
            uint32_t u0 = c0[i] + t2, u2 = c0[i] + 2 * Q - t2;
            uint32_t u1 = c1[i] + t3, u3 = c1[i] + 2 * Q - t3;
            uint32_t v1 = multiply(u1, z2, q2), v3 = multiply(u3, z3, q3);
            c0[i] = u0 + v1;
            c1[i] = u0 + 2 * Q - v1;
            c2[i] = u2 + v3;
            c3[i] = u2 + 2 * Q - v3;
        }
    }
}

static void first_layers(uint32_t *c)
{
    for (unsigned log = 6; log >= 2; log -= 2)
        two_layers(c, log);
}
#else
/* Pairs that are len = 2^log apart, for len >= 4. Adds at most 2 q to what it takes. */
static inline void layer(uint32_t *c, unsigned log)
{
    const unsigned len = 1u << log;
    for (unsigned k = (unsigned)N / 2 >> log, start = 0; start < N; k++, start += 2 * len) {
        uint32_t *low = c + start, *high = low + len;
        const uint32_t zeta = zetas[k], quotient = zeta_quotients[k];
        for (unsigned i = 0; i < len; i++) {
            uint32_t t = multiply(high[i], zeta, quotient);
            high[i] = low[i] + 2 * Q - t;
            low[i] += t;
        }
    }
}

static void first_layers(uint32_t *c)
{
    for (unsigned log = 7; log >= 2; log--)
        layer(c, log);
}
#endif

void larch_mldsa_ntt(mldsa_poly *p)
{
    first_layers(p->c);
    /* The last two layers together: four neighbours that meet no others. */
    uint32_t *c = p->c;
    for (unsigned k = 0; k < N / 4; k++) {
        uint32_t t2 = multiply(c[4 * k + 2], zetas[N / 4 + k], zeta_quotients[N / 4 + k]);
        uint32_t t3 = multiply(c[4 * k + 3], zetas[N / 4 + k], zeta_quotients[N / 4 + k]);
        uint32_t u0 = c[4 * k] + t2, u2 = c[4 * k] + 2 * Q - t2;
        uint32_t u1 = c[4 * k + 1] + t3, u3 = c[4 * k + 1] + 2 * Q - t3;
        uint32_t v1 = multiply(u1, zetas[N / 2 + 2 * k], zeta_quotients[N / 2 + 2 * k]);
        uint32_t v3 = multiply(u3, zetas[N / 2 + 2 * k + 1], zeta_quotients[N / 2 + 2 * k + 1]);
        c[4 * k] = u0 + v1;
        c[4 * k + 1] = u0 + 2 * Q - v1;
        c[4 * k + 2] = u2 + v3;
        c[4 * k + 3] = u2 + 2 * Q - v3;
    }
}

/* The same backwards: takes values below bound, leaves them below 2 bound. */
static inline void inverse_layer(uint32_t *c, unsigned log, uint32_t bound)
{
    const unsigned len = 1u << log;
    for (unsigned k = ((unsigned)N >> log) - 1, start = 0; start < N; k--, start += 2 * len) {
        uint32_t *low = c + start, *high = low + len;
        const uint32_t zeta = zetas[k], quotient = zeta_quotients[k];
        for (unsigned i = 0; i < len; i++) {
            uint32_t t = high[i] + bound - low[i];
            low[i] += high[i];
            high[i] = multiply(t, zeta, quotient);
        }
    }
}

/* Seven doublings of 2 q; the sums and differences of the last layer are below 512 q < 2^32. */
void larch_mldsa_inverse_ntt(mldsa_poly *p)
{
    uint32_t *c = p->c;
    for (unsigned k = 0; k < N / 4; k++) {
        uint32_t u0 = c[4 * k] + c[4 * k + 1], d0 = c[4 * k + 1] + 2 * Q - c[4 * k];
        uint32_t u2 = c[4 * k + 2] + c[4 * k + 3], d2 = c[4 * k + 3] + 2 * Q - c[4 * k + 2];
        uint32_t u1 = multiply(d0, zetas[N - 1 - 2 * k], zeta_quotients[N - 1 - 2 * k]);
        uint32_t u3 = multiply(d2, zetas[N - 2 - 2 * k], zeta_quotients[N - 2 - 2 * k]);
        c[4 * k] = u0 + u2;
        c[4 * k + 1] = u1 + u3;
        c[4 * k + 2] = multiply(u2 + 4 * Q - u0, zetas[N / 2 - 1 - k], zeta_quotients[N / 2 - 1 - k]);
        c[4 * k + 3] = multiply(u3 + 4 * Q - u1, zetas[N / 2 - 1 - k], zeta_quotients[N / 2 - 1 - k]);
    }
    uint32_t bound = 8 * Q;
    for (unsigned log = 2; log < 7; log++, bound *= 2)
        inverse_layer(c, log, bound);
    uint32_t *low = c, *high = c + N / 2;
    for (unsigned i = 0; i < N / 2; i++) {
        uint32_t sum = low[i] + high[i], difference = high[i] + bound - low[i];
        low[i] = subtract_once(multiply(sum, UNSCALE, UNSCALE_QUOTIENT));
        high[i] = subtract_once(multiply(difference, UNSCALE_ZETA, UNSCALE_ZETA_QUOTIENT));
    }
}

/* ---- products and sums --------------------------------------------------- */

/* One reduction for the whole sum: 7 * q * 18 q / 2^32 < q. */
ALWAYS_INLINE void multiply_row(mldsa_poly *restrict out, const mldsa_poly *restrict a, const mldsa_poly *restrict b,
                                unsigned len)
{
    for (unsigned n = 0; n < N; n++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < len; i++)
            sum += (uint64_t)a[i].c[n] * b[i].c[n];
        out->c[n] = larch_mldsa_montgomery(sum);
    }
}

/* For each of the standard's lengths a copy, whose inner loop is gone. */
void larch_mldsa_multiply_row(mldsa_poly *out, const mldsa_poly *a, const mldsa_poly *b, unsigned len)
{
    switch (len) {
    case 4:
        multiply_row(out, a, b, 4);
        break;
    case 5:
        multiply_row(out, a, b, 5);
        break;
    default:
        multiply_row(out, a, b, 7);
    }
}

void larch_mldsa_reduce(mldsa_poly *p)
{
    for (unsigned n = 0; n < N; n++)
        p->c[n] = multiply(p->c[n], 1, 512); /* 512 = floor(2^32 / q) */
}

void larch_mldsa_add_small(mldsa_poly *restrict p, const mldsa_small *restrict a)
{
    for (unsigned n = 0; n < N; n++) {
        uint32_t sum = p->c[n] + (uint32_t)(a->c[n] + (Q & (a->c[n] >> 15)));
        p->c[n] = subtract_once(sum);
    }
}

/* |c * t1| <= 60 * 1023, which times 2^13 is below 64 q. */
void larch_mldsa_subtract_t1(mldsa_poly *restrict w, const mldsa_small *restrict a, const mldsa_small *restrict b)
{
    for (unsigned n = 0; n < N; n++) {
        int32_t c_t1 = a->c[n] + b->c[n] * (1 << (MLDSA_T1_BITS - 1));
        uint32_t x = w->c[n] + (uint32_t)(64 * Q - c_t1 * (1 << MLDSA_D));
        w->c[n] = subtract_once(multiply(x, 1, 512));
    }
}

/* w += factor * (a + b + c + d), value by value, and four values a turn of the loop: not even where compilers are to
 * save code is it worth more of it. */
static void add_turned(mldsa_poly *restrict w, uint32_t factor, const int16_t *a, const int16_t *b, const int16_t *c,
                       const int16_t *d)
{
    for (uint32_t *x = w->c; x < w->c + N; x += 4, a += 4, b += 4, c += 4, d += 4) {
        x[0] += factor * (uint32_t)(a[0] + b[0] + c[0] + d[0]);
        x[1] += factor * (uint32_t)(a[1] + b[1] + c[1] + d[1]);
        x[2] += factor * (uint32_t)(a[2] + b[2] + c[2] + d[2]);
        x[3] += factor * (uint32_t)(a[3] + b[3] + c[3] + d[3]);
    }
}

static void add_one_turned(mldsa_poly *restrict w, uint32_t factor, const int16_t *a)
{
    for (unsigned n = 0; n < N; n++) {
        const int32_t turned = a[n];
        w->c[n] += factor * (uint32_t)turned;
    }
}

/* Every turn of t1 is a place in turns, as in larch_mldsa_challenge_times; the negative terms' are subtracted, so that
 * two copies are enough. */
void larch_mldsa_subtract_t1_slowly(mldsa_poly *w, const mldsa_challenge *challenge, const mldsa_small *t1)
{
    int16_t turns[2 * N];
    for (unsigned n = 0; n < N; n++) {
        turns[N + n] = (int16_t)(t1->c[n] + (1 << (MLDSA_T1_BITS - 1)));
        turns[n] = (int16_t)-turns[N + n];
        w->c[n] += 64 * Q;
    }
    for (unsigned sign = 0; sign <= N; sign += N) {
        const uint32_t factor = sign == 0 ? 0 - (1u << MLDSA_D) : 1u << MLDSA_D;
        const int16_t *turned[4];
        unsigned have = 0;
        for (unsigned t = 0; t < challenge->tau; t++) {
            if ((challenge->at[t] & N) != sign)
                continue;
            turned[have++] = turns + N - challenge->at[t] % N;
            if (have == 4) {
                add_turned(w, factor, turned[0], turned[1], turned[2], turned[3]);
                have = 0;
            }
        }
        while (have > 0)
            add_one_turned(w, factor, turned[--have]);
    }
    for (unsigned n = 0; n < N; n++)
        w->c[n] = subtract_once(multiply(w->c[n], 1, 512));
}

/* Kept out of the loop around it, which compilers would swap with the one within. */
NEVER_INLINE static void add_four(int16_t *restrict sum, const int16_t *restrict p, const uint16_t at[4])
{
    const int16_t *a = p - at[0], *b = p - at[1], *c = p - at[2], *d = p - at[3];
    for (unsigned n = 0; n < N; n++)
        sum[n] = (int16_t)(sum[n] + a[n] + b[n] + c[n] + d[n]);
}

NEVER_INLINE static void add_one(int16_t *restrict sum, const int16_t *restrict p)
{
    for (unsigned n = 0; n < N; n++)
        sum[n] = (int16_t)(sum[n] + p[n]);
}

/*
 * c * p as a sum of tau copies of p, each turned by its term's exponent. turns
 * holds p so often, its sign changing with every wrap (X^256 = -1), that a turned
 * copy is just a place in it: the sum costs tau * 256 additions of 16 bits, less
 * than the NTTs that it stands for.
 */
void larch_mldsa_challenge_times(mldsa_small *restrict out, const mldsa_challenge *restrict challenge,
                                 const mldsa_small *restrict p)
{
    int16_t turns[3 * N];
    for (unsigned n = 0; n < N; n++) {
        turns[n] = turns[2 * N + n] = p->c[n];
        turns[N + n] = (int16_t)-p->c[n];
    }
    *out = (mldsa_small){{0}};
    unsigned t = 0;
    for (; t + 4 <= challenge->tau; t += 4)
        add_four(out->c, turns + 2 * N, challenge->at + t);
    for (; t < challenge->tau; t++)
        add_one(out->c, turns + 2 * N - challenge->at[t]);
    larch_wipe(turns, sizeof turns);
}

bool larch_mldsa_norm_is_below(const mldsa_short *p, int32_t bound)
{
    uint32_t beyond = 0; /* its top bit, once any |c| >= bound */
    for (unsigned n = 0; n < N; n++)
        beyond |= (uint32_t)((bound - 1 - p->c[n]) | (bound - 1 + p->c[n]));
    beyond >>= 31;
    MLDSA_PUBLIC(&beyond, sizeof beyond); /* a rejection is seen from the time it takes; see sign of mldsa.c */
    return beyond == 0;
}

#endif
