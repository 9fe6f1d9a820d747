/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polynomials of ML-DSA in vectors of W coefficients, written once for W = 8 and
 * 16. Whoever includes this defines V, W, the operations used below, LEVEL (the end
 * of each function's name), and what differs more than by name:
 *
 *     transpose(v)       of the 8 x 8 coefficients in each 8 lanes of 8 vectors
 *     gather(v, p, b)    v[i] = coefficients 64 b + 8 i and on (W = 8), or those of
 *                        the blocks b and b + 1 (W = 16)
 *     scatter(p, v, b)   the same backwards
 *
 * No branch and no address depends on a coefficient.
 */
#define Q              MLDSA_Q
#define Q_INVERSE      58728449 /* 1/q mod 2^32 */
#define JOIN_(a, b)    a##b
#define JOIN(a, b)     JOIN_(a, b)
#define FUNCTION(name) JOIN(JOIN(larch_dsa_, name), LEVEL)
#define LANES_INLINE   static inline __attribute__((always_inline))

/* ---- NTT ---------------------------------------------------------------- */

/* Those in odd places, moved to the even ones, which MUL32 takes. */
#define ODD(v) SRL64(v, 32)

/* a z / 2^32 mod q by Montgomery: the high halves of products with the same low
 * half, so their difference is exact. |result| <= |a z| / 2^32 + q / 2 <= 3/4 q.
 * odd_z: has the odd places of z in the even ones. */
LANES_INLINE V multiply_by(V a, V z, V odd_z, V z_q)
{
    const V t = MULLO(a, z_q);
    const V even = SUB(MUL32(a, z), MUL32(t, SET1(Q)));
    const V odd = SUB(MUL32(ODD(a), odd_z), MUL32(ODD(t), SET1(Q)));
    return HIGH_HALVES(even, odd);
}

LANES_INLINE V multiply_row(V a, const dsa_row *row, unsigned b)
{
    return multiply_by(a, LOAD(row->z + 8 * b), LOAD_UNALIGNED(row->z + 8 * b + 1), LOAD(row->z_q + 8 * b));
}

LANES_INLINE void butterfly(V *low, V *high, V t)
{
    *high = SUB(*low, t);
    *low = ADD(*low, t);
}

/* Three layers of eight vectors; a layer adds less than q. */
LANES_INLINE void three_layers(V *v, const dsa_row *row, unsigned b)
{
    for (unsigned i = 0; i < 4; i++)
        butterfly(&v[i], &v[i + 4], multiply_row(v[i + 4], row, b));
    for (unsigned i = 0; i < 2; i++) {
        butterfly(&v[i], &v[i + 2], multiply_row(v[i + 2], row + 1, b));
        butterfly(&v[i + 4], &v[i + 6], multiply_row(v[i + 6], row + 2, b));
    }
    for (unsigned i = 0; i < 4; i++)
        butterfly(&v[2 * i], &v[2 * i + 1], multiply_row(v[2 * i + 1], row + 3 + i, b));
}

LANES_INLINE void inverse_butterfly(V *v, unsigned i, unsigned j, const dsa_row *row, unsigned b)
{
    const V t = SUB(v[i], v[j]);
    v[i] = ADD(v[i], v[j]);
    v[j] = multiply_row(t, row, b);
}

/* A layer doubles what it takes, or leaves less than q. */
LANES_INLINE void three_inverse_layers(V *v, const dsa_row *row, unsigned b)
{
    for (unsigned i = 0; i < 4; i++)
        inverse_butterfly(v, 2 * i, 2 * i + 1, row + 3 + i, b);
    for (unsigned i = 0; i < 2; i++) {
        inverse_butterfly(v, i, i + 2, row + 1, b);
        inverse_butterfly(v, i + 4, i + 6, row + 2, b);
    }
    for (unsigned i = 0; i < 4; i++)
        inverse_butterfly(v, i, i + 4, row, b);
}

/* zetas 1 to 3 times 2^32, the inverses of 2 and 3 likewise; and 1, and the inverse of
 * zeta 1, times 2^64 / 256, which ends algorithm 42 and undoes the 2^-32 of multiply. */
enum { ZETA_1 = 25847, ZETA_2 = -2608894, ZETA_3 = -518909, LAST_ONE = 41978, LAST_ZETA = 3975713 };
#define BY(a, z) multiply_by(a, SET1(z), SET1(z), SET1((uint32_t)(z)*Q_INVERSE))

static void FUNCTION(ntt)(dsa_poly *p)
{
    V v[8];
    for (unsigned n = 0; n < 64; n += W) {
        for (unsigned i = 0; i < 4; i++)
            v[i] = LOAD(p->c + 64 * i + n);
        butterfly(&v[0], &v[2], BY(v[2], ZETA_1));
        butterfly(&v[1], &v[3], BY(v[3], ZETA_1));
        butterfly(&v[0], &v[1], BY(v[1], ZETA_2));
        butterfly(&v[2], &v[3], BY(v[3], ZETA_3));
        for (unsigned i = 0; i < 4; i++)
            STORE(p->c + 64 * i + n, v[i]);
    }
    for (unsigned b = 0; b < 4; b += W / 8) {
        gather(v, p, b);
        three_layers(v, larch_dsa_zetas.far, b);
        transpose(v);
        three_layers(v, larch_dsa_zetas.near, b);
        transpose(v);
        scatter(p, v, b);
    }
}

/* In all eight layers nothing exceeds 256 q < 2^31. */
static void FUNCTION(inverse_ntt)(dsa_poly *p)
{
    V v[8];
    for (unsigned b = 0; b < 4; b += W / 8) {
        gather(v, p, b);
        transpose(v);
        three_inverse_layers(v, larch_dsa_inverse_zetas.near, b);
        transpose(v);
        three_inverse_layers(v, larch_dsa_inverse_zetas.far, b);
        scatter(p, v, b);
    }
    for (unsigned n = 0; n < 64; n += W) {
        for (unsigned i = 0; i < 4; i++)
            v[i] = LOAD(p->c + 64 * i + n);
        /* zetas 2 and 3 have as their inverses minus 3 and 2. */
        const V a = ADD(v[0], v[1]), b = BY(SUB(v[1], v[0]), ZETA_3);
        const V c = ADD(v[2], v[3]), d = BY(SUB(v[3], v[2]), ZETA_2);
        STORE(p->c + n, BY(ADD(a, c), LAST_ONE));
        STORE(p->c + 64 + n, BY(ADD(b, d), LAST_ONE));
        STORE(p->c + 128 + n, BY(SUB(a, c), LAST_ZETA));
        STORE(p->c + 192 + n, BY(SUB(b, d), LAST_ZETA));
    }
}

/* Sums are kept in 64 bits and reduced once: 8 * 81 q^2 < 2^31 q. */
LANES_INLINE void multiply(dsa_poly *out, const dsa_poly *a, const dsa_poly *b, unsigned len)
{
    for (unsigned n = 0; n < MLDSA_N; n += W) {
        V even = SET1(0), odd = SET1(0);
        for (unsigned i = 0; i < len; i++) {
            const V x = LOAD(a[i].c + n), y = LOAD(b[i].c + n);
            even = ADD64(even, MUL32(x, y));
            odd = ADD64(odd, MUL32(ODD(x), ODD(y)));
        }
        even = SUB(even, MUL32(MUL32(even, SET1(Q_INVERSE)), SET1(Q)));
        odd = SUB(odd, MUL32(MUL32(odd, SET1(Q_INVERSE)), SET1(Q)));
        STORE(out->c + n, HIGH_HALVES(even, odd));
    }
}

/* For each length that the sets have, l, or l + 1 to verify, a copy whose inner loop is gone. */
static void FUNCTION(multiply)(dsa_poly *out, const dsa_poly *a, const dsa_poly *b, unsigned len)
{
    switch (len) {
    case 1:
        multiply(out, a, b, 1);
        break;
    case 4:
        multiply(out, a, b, 4);
        break;
    case 5:
        multiply(out, a, b, 5);
        break;
    case 6:
        multiply(out, a, b, 6);
        break;
    case 7:
        multiply(out, a, b, 7);
        break;
    default:
        multiply(out, a, b, 8);
    }
}

/* ---- bounds, high and low parts ------------------------------------------- */

/* Sign bits once |c| >= bound. */
LANES_INLINE V beyond(V c, V last) { return OR(SUB(last, c), ADD(last, c)); }

/* Which coefficient it was is forgotten here; the rest see attempt of mldsa_sign.c. */
LANES_INLINE bool none_is(V signs)
{
    unsigned any = SIGNS(signs);
    any = (any | (0 - any)) >> 31;
    MLDSA_PUBLIC(&any, sizeof any);
    return any == 0;
}

/* |a| < q to |a| <= q / 2, for ML-KEM's odd q. */
LANES_INLINE V centered(V a)
{
    const V over = SRA32(SUB(SET1(MLKEM_Q / 2), a), 31), under = SRA32(ADD(a, SET1(MLKEM_Q / 2)), 31);
    return ADD(SUB(a, AND(over, SET1(MLKEM_Q))), AND(under, SET1(MLKEM_Q)));
}

static bool FUNCTION(add_small_is_below)(dsa_poly *p, const x86_poly *a, int32_t bound)
{
    V signs = SET1(0);
    for (unsigned n = 0; n < MLDSA_N; n += W) {
        const V sum = ADD(LOAD(p->c + n), centered(LOAD_16(a->c + n)));
        signs = OR(signs, beyond(sum, SET1(bound - 1)));
        STORE(p->c + n, sum);
    }
    return none_is(signs);
}

static bool FUNCTION(is_below)(const dsa_poly *p, int32_t bound)
{
    V signs = SET1(0);
    for (unsigned n = 0; n < MLDSA_N; n += W)
        signs = OR(signs, beyond(LOAD(p->c + n), SET1(bound - 1)));
    return none_is(signs);
}

/* |a| < q to 0 <= a < q. */
LANES_INLINE V canonical(V a) { return ADD(a, AND(SRA32(a, 31), SET1(Q))); }

static void FUNCTION(power2round)(dsa_poly *t, dsa_poly *t0)
{
    for (unsigned n = 0; n < MLDSA_N; n += W) {
        const V c = canonical(LOAD(t->c + n));
        const V t1 = SRA32(ADD(c, SET1(MLDSA_T0_TOP - 1)), MLDSA_D);
        STORE(t0->c + n, SUB(c, SLL32(t1, MLDSA_D)));
        STORE(t->c + n, SUB(SET1(0), t1));
    }
}

/* See split of mldsa_round.c. */
static void FUNCTION(decompose)(const mldsa_rounding *m, dsa_poly *minus_w1, dsa_poly *w)
{
    const __m128i shift = _mm_cvtsi32_si128(m->shift), factor_shift = _mm_cvtsi32_si128(m->factor_shift);
    const V half = SET1(m->gamma2 - 1), factor = SET1(m->factor), last = SET1(m->parts - 1);
    const V part = SET1(2 * m->gamma2);
    for (unsigned n = 0; n < MLDSA_N; n += W) {
        const V r = canonical(LOAD(w->c + n));
        const V r1 = SRL32_BY(MULLO(SRL32_BY(ADD(r, half), shift), factor), factor_shift);
        const V wraps = SRA32(SUB(last, r1), 31);
        STORE(w->c + n, ADD(SUB(r, MULLO(r1, part)), wraps));
        STORE(minus_w1->c + n, SUB(SET1(0), ANDNOT(wraps, r1)));
    }
}

/* See larch_mldsa_make_hint: w1 > 0 is the sign of minus_w1. */
static unsigned FUNCTION(make_hint)(const mldsa_rounding *m, uint8_t *hints, const dsa_poly *minus_w1,
                                    const dsa_poly *low)
{
    unsigned count = 0;
    const V gamma2 = SET1(m->gamma2);
    for (unsigned n = 0; n < MLDSA_N; n += W) {
        const V c = LOAD(low->c + n), not_first = SRA32(LOAD(minus_w1->c + n), 31);
        const unsigned signs = SIGNS(OR(SUB(gamma2, c), ADD(ADD(c, gamma2), not_first)));
        for (unsigned i = 0; i < W / 8; i++)
            hints[n / 8 + i] = (uint8_t)(signs >> (8 * i));
        count += (unsigned)__builtin_popcount(signs);
    }
    MLDSA_PUBLIC(&count, sizeof count); /* either a rejection, or to be read off the signature */
    return count;
}

/* ---- bytes ----------------------------------------------------------------- */

#define BITS_MAX 20
#define LAST     64 /* numbers at the end that go through a buffer, in which 16 bytes may begin at each */
#define LAST_LEN ((size_t)LAST / 8 * BITS_MAX + 16)

/* Numbers of d bits are put together to two in 64 bits, four in 128, and if those are
 * no whole bytes, eight in two 64-bit words. Each store writes 16 bytes, of which d / 2 or d count. */
LANES_INLINE void pack(uint8_t *out, const dsa_poly *p, int32_t top, unsigned d)
{
    uint8_t last[LAST_LEN];
    const __m128i unused = _mm_cvtsi32_si128((int)(32 - d)), two = _mm_cvtsi32_si128((int)(2 * d));
    uint8_t *to = out;
    for (unsigned n = 0; n < MLDSA_N; n += W) {
        V v = SUB(SET1(top), LOAD(p->c + n));
        v = SRL64_BY(SLLV32(v, SET_PAIRS(32 - d)), unused);
        v = OR(SRLV64(v, SET_HIGH64(64 - 2 * d)), SLL64_BY(HIGH_TO_LOW(v), two));
        if (n == MLDSA_N - LAST)
            to = last;
        for (unsigned i = 0; i < W / 4; i += 2, to += d) {
            if (d % 2 == 0) {
                _mm_storeu_si128((__m128i *)(void *)to, PART(v, i));
                _mm_storeu_si128((__m128i *)(void *)(to + d / 2), PART(v, i + 1));
            } else {
                const uint64_t low = (uint64_t)_mm_cvtsi128_si64(PART(v, i));
                const uint64_t high = (uint64_t)_mm_cvtsi128_si64(PART(v, i + 1));
                const uint64_t both[2] = {low | high << (4 * d), high >> (64 - 4 * d)};
                memcpy(to, both, sizeof both);
            }
        }
    }
    memcpy(out + (MLDSA_N - LAST) / 8 * (size_t)d, last, LAST / 8 * (size_t)d);
}

/* The first four of eight numbers begin at bit 0, the others at bit 4 d: each four are
 * shuffled out of 16 bytes, a number from the four bytes that its first bit begins. */
LANES_INLINE void unpack(dsa_poly *p, const uint8_t *in, int32_t top, unsigned d)
{
    uint8_t last[LAST_LEN] = {0}; /* each load reads 16 bytes, of which d / 2 count */
    const uint8_t *from = in;
    const V first = MULLO(SET_FOURS(0, 1, 2, 3), SET1(d));
    const V bits = ADD(first, SET_HALVES((4 * d) % 8)), shifts = AND(bits, SET1(7));
    const V places = ADD(MULLO(SRA32(bits, 3), SET1(0x01010101)), SET1(0x03020100));
    memcpy(last, in + (MLDSA_N - LAST) / 8 * (size_t)d, LAST / 8 * (size_t)d);
    for (unsigned n = 0; n < MLDSA_N; n += W, from += W / 8 * d) {
        if (n == MLDSA_N - LAST)
            from = last;
        const V v = SRLV32(SHUFFLE8(LOAD_PARTS(from, d), places), shifts);
        STORE(p->c + n, SUB(SET1(top), AND(v, SET1((1 << d) - 1))));
    }
}

/* For each width a copy, whose shifts are constants. */
#define EACH_WIDTH(call) \
    switch (bits) {      \
    case 3:              \
        call(3);         \
        break;           \
    case 4:              \
        call(4);         \
        break;           \
    case 6:              \
        call(6);         \
        break;           \
    case 10:             \
        call(10);        \
        break;           \
    case 13:             \
        call(13);        \
        break;           \
    case 18:             \
        call(18);        \
        break;           \
    default:             \
        call(20);        \
    }

static void FUNCTION(pack)(uint8_t *out, const dsa_poly *p, int32_t top, unsigned bits)
{
#define PACK_AS(d) pack(out, p, top, d)
    EACH_WIDTH(PACK_AS)
}

static void FUNCTION(unpack)(dsa_poly *p, const uint8_t *in, int32_t top, unsigned bits) { unpack(p, in, top, bits); }

/* ---- the level ---------------------------------------------------------------- */

const dsa_ops JOIN(larch_dsa, LEVEL) = {
    .x86 = &JOIN(larch_x86, LEVEL),
    .permute = PERMUTE,
    .permute_five = PERMUTE_FIVE,
    .ntt = FUNCTION(ntt),
    .inverse_ntt = FUNCTION(inverse_ntt),
    .multiply = FUNCTION(multiply),
    .add_small_is_below = FUNCTION(add_small_is_below),
    .is_below = FUNCTION(is_below),
    .power2round = FUNCTION(power2round),
    .decompose = FUNCTION(decompose),
    .make_hint = FUNCTION(make_hint),
    .pack = FUNCTION(pack),
    .unpack = FUNCTION(unpack),
    .reject = FUNCTION(reject),
    .reject_halves = FUNCTION(reject_halves),
};
