/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-f[1600] on several states at once, written once for every width: word i
 * of the states lies side by side in one vector. Whoever includes this defines
 *
 *     LANES          how many states
 *     V, LOAD, STORE a vector of LANES 64-bit words, from and to memory
 *     XOR, XOR3      a ^ b, a ^ b ^ c
 *     CHI            a ^ (~b & c)
 *     ROL            rotation to the left by a constant
 *     SPREAD         one word in every lane
 *     PERMUTE        the function's name
 *     NAME           keccak_..., the names of its parts, with an end of their own
 *
 * No branch and no address depends on data.
 */

/* One round from a to e; lane (x, y) of the standard is a[x + 5 y]. A plane of e
 * takes five words of a that no other plane needs: so 25 vectors and a few more
 * are alive at a time. c are the parities of a's columns, then those of e's, which
 * are added up as the planes are made: the next round waits for them. [FIPS202 3.2] */
#define PLANE(e, y, a0, a1, a2, a3, a4, r0, r1, r2, r3, r4, x0, x1, x2, x3, x4, first, sum) \
    do {                                                                                    \
        const V b0 = ROL(XOR(a0, d##x0), r0), b1 = ROL(XOR(a1, d##x1), r1);                 \
        const V b2 = ROL(XOR(a2, d##x2), r2), b3 = ROL(XOR(a3, d##x3), r3);                 \
        const V b4 = ROL(XOR(a4, d##x4), r4);                                               \
        c[0] = sum(c[0], (e)[(y)] = first(CHI(b0, b1, b2)));                                \
        c[1] = sum(c[1], (e)[(y) + 1] = CHI(b1, b2, b3));                                   \
        c[2] = sum(c[2], (e)[(y) + 2] = CHI(b2, b3, b4));                                   \
        c[3] = sum(c[3], (e)[(y) + 3] = CHI(b3, b4, b0));                                   \
        c[4] = sum(c[4], (e)[(y) + 4] = CHI(b4, b0, b1));                                   \
    } while (0)
#define COLUMN(a, x)    XOR3(XOR3((a)[x], (a)[(x) + 5], (a)[(x) + 10]), (a)[(x) + 15], (a)[(x) + 20])
#define WITH_IOTA(v)    XOR(v, SPREAD(rc))
#define WITHOUT_IOTA(v) (v)
#define NEW(c, v)       (v)

static inline __attribute__((always_inline)) void NAME(keccak_round)(V *restrict e, const V *restrict a, V *restrict c,
                                                                     uint64_t rc)
{
    const V d0 = XOR(c[4], ROL(c[1], 1)), d2 = XOR(c[1], ROL(c[3], 1)), d4 = XOR(c[3], ROL(c[0], 1));
    const V d1 = XOR(c[0], ROL(c[2], 1)), d3 = XOR(c[2], ROL(c[4], 1));
    PLANE(e, 0, a[0], a[6], a[12], a[18], a[24], 0, 44, 43, 21, 14, 0, 1, 2, 3, 4, WITH_IOTA, NEW);
    PLANE(e, 5, a[3], a[9], a[10], a[16], a[22], 28, 20, 3, 45, 61, 3, 4, 0, 1, 2, WITHOUT_IOTA, XOR);
    PLANE(e, 10, a[1], a[7], a[13], a[19], a[20], 1, 6, 25, 8, 18, 1, 2, 3, 4, 0, WITHOUT_IOTA, XOR);
    PLANE(e, 15, a[4], a[5], a[11], a[17], a[23], 27, 36, 10, 15, 56, 4, 0, 1, 2, 3, WITHOUT_IOTA, XOR);
    PLANE(e, 20, a[2], a[8], a[14], a[15], a[21], 62, 55, 39, 41, 2, 2, 3, 4, 0, 1, WITHOUT_IOTA, XOR);
}

/* Unrolled, because what gcc 12 makes of the two loops otherwise is a string instruction through memory. */
static inline __attribute__((always_inline)) void NAME(keccak_load)(V *restrict a, V *restrict c, const uint64_t *s)
{
#pragma GCC unroll 25
    for (unsigned i = 0; i < 25; i++)
        a[i] = LOAD(s + LANES * i);
#pragma GCC unroll 5
    for (unsigned x = 0; x < 5; x++)
        c[x] = COLUMN(a, x);
}

static inline __attribute__((always_inline)) void NAME(keccak_store)(uint64_t *s, const V *a)
{
#pragma GCC unroll 25
    for (unsigned i = 0; i < 25; i++)
        STORE(s + LANES * i, a[i]);
}

void PERMUTE(uint64_t *s)
{
    V a[25], e[25], c[5];
    NAME(keccak_load)(a, c, s);
    for (unsigned i = 0; i < 24; i += 2) {
        NAME(keccak_round)(e, a, c, larch_keccak_rc[i]);
        NAME(keccak_round)(a, e, c, larch_keccak_rc[i + 1]);
    }
    NAME(keccak_store)(s, a);
}

#undef COLUMN
#undef WITH_IOTA
#undef WITHOUT_IOTA
#undef NEW
#undef PLANE
#undef LANES
#undef V
#undef LOAD
#undef STORE
#undef XOR
#undef XOR3
#undef CHI
#undef ROL
#undef SPREAD
#undef PERMUTE
#undef NAME
