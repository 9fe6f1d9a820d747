/* SPDX-License-Identifier: Apache-2.0 */
/* The NTT of mlkem_32_int.h and its inverse, two or three layers at a time, whose residues stay in registers: if all
 * is inlined, which compilers think too much. */
#include "pq/mlkem_32_int.h"

#if LARCH_MLKEM_32

/* clang-format off */
const uint32_t larch_mlkem32_zetas[128] = {
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
#define UNSCALE_ZETA 2492603430u /* and times zeta^64 */

static const uint32_t *const zetas = larch_mlkem32_zetas;

/* ---- forward ------------------------------------------------------------ */

/* The butterfly. a: at least q. */
ALWAYS_INLINE void forward(uint32_t *a, uint32_t *b, uint32_t zeta)
{
    uint32_t t = mlkem32_times(*b, zeta);
    *b = *a - t;
    *a += t;
}

/* The layers whose pairs are 128, 64 and 32 apart. */
static void forward_first(uint16_t *c)
{
    for (const uint16_t *end = c + 32; c < end; c++) {
        /* 7 q come to all results: enough to subtract from in seven layers. */
        uint32_t x0 = c[0] + 7 * Q, x1 = c[32] + 2 * Q, x2 = c[64] + Q, x3 = c[96] + Q;
        uint32_t x4 = c[128], x5 = c[160], x6 = c[192], x7 = c[224];
        forward(&x0, &x4, zetas[1]);
        forward(&x1, &x5, zetas[1]);
        forward(&x2, &x6, zetas[1]);
        forward(&x3, &x7, zetas[1]);
        forward(&x0, &x2, zetas[2]);
        forward(&x1, &x3, zetas[2]);
        forward(&x4, &x6, zetas[3]);
        forward(&x5, &x7, zetas[3]);
        forward(&x0, &x1, zetas[4]);
        forward(&x2, &x3, zetas[5]);
        forward(&x4, &x5, zetas[6]);
        forward(&x6, &x7, zetas[7]);
        mlkem32_put(&c[0], x0);
        mlkem32_put(&c[32], x1);
        mlkem32_put(&c[64], x2);
        mlkem32_put(&c[96], x3);
        mlkem32_put(&c[128], x4);
        mlkem32_put(&c[160], x5);
        mlkem32_put(&c[192], x6);
        mlkem32_put(&c[224], x7);
    }
}

/* Two layers, of pairs 2 len apart and then len apart; k is the first block in the first. */
static void forward_next(uint16_t *c, unsigned len, unsigned k)
{
    for (const unsigned end = 2 * k; k < end; k++, c += 3 * len) {
        const uint32_t z1 = zetas[k], z2 = zetas[2 * k], z3 = zetas[2 * k + 1];
        for (const uint16_t *stop = c + len; c < stop; c++) {
            uint32_t x0 = c[0], x1 = c[len], x2 = c[2 * len], x3 = c[3 * len];
            forward(&x0, &x2, z1);
            forward(&x1, &x3, z1);
            forward(&x0, &x1, z2);
            forward(&x2, &x3, z3);
            mlkem32_put(&c[0], x0);
            mlkem32_put(&c[len], x1);
            mlkem32_put(&c[2 * len], x2);
            mlkem32_put(&c[3 * len], x3);
        }
    }
}

void larch_mlkem32_ntt(mlkem_residues *p)
{
    forward_first(p->c);
    forward_next(p->c, 8, 8);
    forward_next(p->c, 2, 32);
}

/* ---- backward ----------------------------------------------------------- */

/* No a that a butterfly takes is above. */
#define A_MAX (10 * Q)

/* The butterfly backwards; zeta is minus the inverse of what was. Out: a is the sum, b below q. */
ALWAYS_INLINE void backward(uint32_t *a, uint32_t *b, uint32_t zeta)
{
    uint32_t d = *b + A_MAX - *a;
    *a += *b;
    *b = mlkem32_times(d, zeta);
}

/*
 * Two layers, of pairs len apart and then 2 len apart, below 5 q; out: below 2 q. k is behind the first block in the
 * second. Counted from the layer's other end as here, a block's zeta is minus the inverse of that which it had.
 */
static void backward_next(uint16_t *c, unsigned len, unsigned k)
{
    for (const unsigned end = k / 2; k-- > end; c += 3 * len) {
        const uint32_t z1 = zetas[k], z2 = zetas[2 * k + 1], z3 = zetas[2 * k];
        for (const uint16_t *stop = c + len; c < stop; c++) {
            uint32_t x0 = c[0], x1 = c[len], x2 = c[2 * len], x3 = c[3 * len];
            backward(&x0, &x1, z2);
            backward(&x2, &x3, z3);
            backward(&x0, &x2, z1);
            backward(&x1, &x3, z1);
            mlkem32_put(&c[0], mlkem32_times(x0, MLKEM32_ONE));
            mlkem32_put(&c[len], x1);
            mlkem32_put(&c[2 * len], x2);
            mlkem32_put(&c[3 * len], x3);
        }
    }
}

/* The butterfly of the last layer, with the factor for all. Out: below q. */
ALWAYS_INLINE void backward_end(uint32_t *a, uint32_t *b)
{
    uint32_t d = *b + A_MAX - *a;
    *a = mlkem32_times(*a + *b, UNSCALE);
    *b = mlkem32_times(d, UNSCALE_ZETA);
}

/* The layers whose pairs are 32, 64 and 128 apart. */
static void backward_last(uint16_t *c)
{
    for (const uint16_t *end = c + 32; c < end; c++) {
        uint32_t x0 = c[0], x1 = c[32], x2 = c[64], x3 = c[96];
        uint32_t x4 = c[128], x5 = c[160], x6 = c[192], x7 = c[224];
        backward(&x0, &x1, zetas[7]);
        backward(&x2, &x3, zetas[6]);
        backward(&x4, &x5, zetas[5]);
        backward(&x6, &x7, zetas[4]);
        backward(&x0, &x2, zetas[3]);
        backward(&x1, &x3, zetas[3]);
        backward(&x4, &x6, zetas[2]);
        backward(&x5, &x7, zetas[2]);
        backward_end(&x0, &x4);
        backward_end(&x1, &x5);
        backward_end(&x2, &x6);
        backward_end(&x3, &x7);
        mlkem32_put(&c[0], x0);
        mlkem32_put(&c[32], x1);
        mlkem32_put(&c[64], x2);
        mlkem32_put(&c[96], x3);
        mlkem32_put(&c[128], x4);
        mlkem32_put(&c[160], x5);
        mlkem32_put(&c[192], x6);
        mlkem32_put(&c[224], x7);
    }
}

void larch_mlkem32_inverse_ntt(mlkem_residues *p)
{
    backward_next(p->c, 2, 64);
    backward_next(p->c, 8, 16);
    backward_last(p->c);
}

#endif
