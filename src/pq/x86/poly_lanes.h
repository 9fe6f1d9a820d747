/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polynomials in vectors of W coefficients, written once for W = 16 and 32.
 * Whoever includes this defines V, W, the operations used below, LEVEL (the end of
 * each function's name), and what differs more than by name:
 *
 *     transpose(v)       of the 8 x 8 pairs of coefficients in each 16 lanes of 8 vectors
 *     gather(v, p, h)    v[i] = coefficients 128 h + 16 i and on (W = 16), or those of
 *                        both h = 0 and h = 1 (W = 32)
 *     scatter(p, v, h)   the same backwards
 *
 * No branch and no address depends on a coefficient.
 */
#define Q              MLKEM_Q
#define JOIN_(a, b)    a##b
#define JOIN(a, b)     JOIN_(a, b)
#define FUNCTION(name) JOIN(JOIN(larch_x86_, name), LEVEL)
#define LANES_INLINE   static inline __attribute__((always_inline))

/* a b / 2^16 mod q by Montgomery: both high halves come from products with the same
 * low half, so their difference is exact. |result| <= |a b| / 2^16 + q / 2. */
LANES_INLINE V multiply_by(V a, V z, V z_q) { return SUB(MULHI(a, z), MULHI(MULLO(a, z_q), SET1(Q))); }

LANES_INLINE V multiply_row(V a, const x86_row *row, unsigned h)
{
    return multiply_by(a, LOAD(row->z + 16 * h), LOAD(row->z_q + 16 * h));
}

/* a mod q by Barrett; |result| <= 1664 for every a. 20159 = round(2^26 / q); the second
 * product is a shift to the right by 10 that rounds. */
LANES_INLINE V reduce(V a) { return SUB(a, MULLO(MULHRS(MULHI(a, SET1(20159)), SET1(32)), SET1(Q))); }

/* A negative number is a large one if taken as unsigned. */
LANES_INLINE V canonical(V a)
{
    const V r = reduce(a);
    return MIN_UNSIGNED(r, ADD(r, SET1(Q)));
}

LANES_INLINE void butterfly(V *v, unsigned i, unsigned j, const x86_row *row, unsigned h)
{
    const V t = multiply_row(v[j], row, h);
    v[j] = SUB(v[i], t);
    v[i] = ADD(v[i], t);
}

LANES_INLINE void inverse_butterfly(V *v, unsigned i, unsigned j, const x86_row *row, unsigned h)
{
    const V t = SUB(v[i], v[j]);
    v[i] = ADD(v[i], v[j]);
    v[j] = multiply_row(t, row, h);
}

/* Three layers of eight vectors; a layer adds less than q. */
LANES_INLINE void three_layers(V *v, const x86_row *row, unsigned h)
{
    for (unsigned i = 0; i < 4; i++)
        butterfly(v, i, i + 4, row, h);
    for (unsigned i = 0; i < 2; i++) {
        butterfly(v, i, i + 2, row + 1, h);
        butterfly(v, i + 4, i + 6, row + 2, h);
    }
    for (unsigned i = 0; i < 4; i++)
        butterfly(v, 2 * i, 2 * i + 1, row + 3 + i, h);
}

/* A layer doubles what it takes, or leaves less than q. */
LANES_INLINE void three_inverse_layers(V *v, const x86_row *row, unsigned h)
{
    for (unsigned i = 0; i < 4; i++)
        inverse_butterfly(v, 2 * i, 2 * i + 1, row + 3 + i, h);
    for (unsigned i = 0; i < 2; i++) {
        inverse_butterfly(v, i, i + 2, row + 1, h);
        inverse_butterfly(v, i + 4, i + 6, row + 2, h);
    }
    for (unsigned i = 0; i < 4; i++)
        inverse_butterfly(v, i, i + 4, row, h);
}

/* zeta of the first layer times 2^16; the same of its inverse and 1, both times
 * 2^16 / 128, which ends algorithm 10 and undoes the 2^-16 of multiply. */
enum { FIRST_ZETA = -758, LAST_ZETA = -1397, LAST_ONE = 1441 };
#define OVER_Q(z) ((int16_t)((uint32_t)(z)*62209u)) /* 1/q mod 2^16 */

void FUNCTION(ntt)(x86_poly *p)
{
    V v[8];
    for (unsigned n = 0; n < 128; n += W) {
        const V a = LOAD(p->c + n), b = multiply_by(LOAD(p->c + 128 + n), SET1(FIRST_ZETA), SET1(OVER_Q(FIRST_ZETA)));
        STORE(p->c + n, ADD(a, b));
        STORE(p->c + 128 + n, SUB(a, b));
    }
    for (unsigned h = 0; h < 32 / W; h++) {
        gather(v, p, h);
        three_layers(v, larch_x86_zetas.far, h);
        transpose(v);
        three_layers(v, larch_x86_zetas.near, h);
        transpose(v);
        scatter(p, v, h);
    }
}

/* Reduced before three layers, nothing exceeds 8 * 1664, and 16 * 1664 < 2^15. */
void FUNCTION(inverse_ntt)(x86_poly *p)
{
    V v[8];
    for (unsigned h = 0; h < 32 / W; h++) {
        gather(v, p, h);
        for (unsigned i = 0; i < 8; i++)
            v[i] = reduce(v[i]);
        transpose(v);
        three_inverse_layers(v, larch_x86_inverse_zetas.near, h);
        for (unsigned i = 0; i < 8; i++)
            v[i] = reduce(v[i]);
        transpose(v);
        three_inverse_layers(v, larch_x86_inverse_zetas.far, h);
        scatter(p, v, h);
    }
    for (unsigned n = 0; n < 128; n += W) {
        const V a = LOAD(p->c + n), b = LOAD(p->c + 128 + n);
        STORE(p->c + n, multiply_by(ADD(a, b), SET1(LAST_ONE), SET1(OVER_Q(LAST_ONE))));
        STORE(p->c + 128 + n, multiply_by(SUB(a, b), SET1(LAST_ZETA), SET1(OVER_Q(LAST_ZETA))));
    }
}

void FUNCTION(factor)(x86_factor *f, const x86_poly *p)
{
    for (unsigned n = 0; n < MLKEM_N; n += W) {
        const V b = LOAD(p->c + n);
        STORE(f->straight.c + n, multiply_row(b, &larch_x86_gammas[n / 32], n / 16 % 2));
        STORE(f->crossed.c + n, OR(SLL32(b, 16), SRL32(b, 16)));
    }
}

/* Sums are kept in 32 bits and reduced once. */
void FUNCTION(multiply)(x86_poly *out, const x86_poly *a, unsigned step, const x86_factor *f, unsigned k)
{
    for (unsigned n = 0; n < MLKEM_N; n += W) {
        V even = SET1(0), odd = SET1(0);
        for (unsigned j = 0; j < k; j++) {
            const V v = LOAD(a[j * step].c + n);
            even = ADD32(even, MULTIPLY_PAIRS(v, LOAD(f[j].straight.c + n)));
            odd = ADD32(odd, MULTIPLY_PAIRS(v, LOAD(f[j].crossed.c + n)));
        }
        /* The low halves of the sums and their high halves, in the coefficients' order. */
        const V low = ODD_FROM(even, SLL32(odd, 16)), high = ODD_FROM(SRL32(even, 16), odd);
        STORE(out->c + n, SUB(high, MULHI(MULLO(low, SET1(OVER_Q(1))), SET1(Q))));
    }
}

void FUNCTION(scale_add)(x86_poly *p, const x86_poly *a)
{
    for (unsigned n = 0; n < MLKEM_N; n += W) {
        const V t = multiply_by(LOAD(p->c + n), SET1(1353), SET1(OVER_Q(1353))); /* 2^32 mod q */
        STORE(p->c + n, ADD(t, LOAD(a->c + n)));
    }
}

/* round(2^d / q * c) mod 2^d of 0 <= c < q without a division: see larch_mlkem_compress. */
LANES_INLINE V compress(V c, unsigned d)
{
    const V half = SET1_32((1 << (31 - d)) - 700);
    const V low = ADD32(MULLO32(UNPACK_LOW(c, SET1(0)), SET1_32(1290168)), half);
    const V high = ADD32(MULLO32(UNPACK_HIGH(c, SET1(0)), SET1_32(1290168)), half);
    const __m128i count = _mm_cvtsi32_si128((int)(32 - d));
    return PACK(SRL32_BY(low, count), SRL32_BY(high, count));
}

/* Numbers of d bits are put together to two in 32 bits, four in 64 and eight in 128. */
void FUNCTION(encode)(uint8_t *out, const x86_poly *p, unsigned d)
{
    unsigned left = 32 * d; /* bytes to write */
    const long long low = (1LL << (2 * d)) - 1;
    for (unsigned n = 0; n < MLKEM_N; n += W) {
        V v = canonical(LOAD(p->c + n));
        if (d < 12)
            v = compress(v, d);
        v = MULTIPLY_PAIRS(v, SET1_32(1 | 1 << (16 + d)));
        v = OR(AND(v, SET1_64(low)), AND(SRL64_BY(v, _mm_cvtsi32_si128((int)(32 - 2 * d))), SET1_64(low << (2 * d))));
        const V upper = SLL64_BY(HIGH_TO_LOW(v), _mm_cvtsi32_si128((int)(4 * d)));
        v = OR(SRLV64(v, SET_PAIRS((int)(64 - 4 * d), 0)), upper);
        /* Each store writes 16 bytes, of which d count: the last ones take a detour. */
        uint8_t last[64], *to = left >= (W / 8 - 1) * d + 16 ? out : last;
        STORE_PARTS(to, d, v);
        if (to == last)
            memcpy(out, last, W / 8 * d);
        out += W / 8 * d;
        left -= W / 8 * d;
    }
}
