/* SPDX-License-Identifier: Apache-2.0 */
/* High and low parts, and hints. [FIPS204 7.4] No value is divided or branched on. */
#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#define Q MLDSA_Q

void larch_mldsa_power2round(mldsa_poly *restrict t, mldsa_small *restrict t0)
{
    for (unsigned n = 0; n < MLDSA_N; n++) {
        uint32_t high = (t->c[n] + (1 << (MLDSA_D - 1)) - 1) >> MLDSA_D;
        t0->c[n] = (int16_t)((int32_t)t->c[n] - (int32_t)(high << MLDSA_D));
        t->c[n] = high;
    }
}

/*
 * r1 = ceil((r - gamma2) / (2 gamma2)), so that -gamma2 < r - 2 gamma2 r1 <= gamma2.
 * Where that gives m, r is close below q: r1 is then 0, and r0 = r - q.
 */
static inline int32_t split(const mldsa_rounding *m, uint32_t r, int32_t *r0)
{
    uint32_t x = r + (uint32_t)m->gamma2 - 1;
    int32_t r1 = (int32_t)((x >> m->shift) * m->factor >> m->factor_shift);
    int32_t wraps = (m->parts - 1 - r1) >> 31; /* all ones if r1 = m */
    *r0 = (int32_t)r - r1 * 2 * m->gamma2 + wraps;
    return r1 & ~wraps;
}

void larch_mldsa_decompose(const mldsa_rounding *m, uint8_t *restrict r1, mldsa_short *restrict r0,
                           const mldsa_poly *restrict r)
{
    const mldsa_rounding copy = *m; /* which no store below can change */
    for (unsigned n = 0; n < MLDSA_N; n++)
        r1[n] = (uint8_t)split(&copy, r->c[n], &r0->c[n]);
}

/*
 * The signer has checked |LowBits(w) - c s2| < gamma2 - beta, so HighBits(w - c s2)
 * is w1, and HighBits(w - c s2 + c t0) differs from it just if low has left w1's
 * part: (-gamma2, gamma2], or with w1 = 0, whose part begins at r = q - gamma2,
 * [-gamma2, gamma2].
 */
unsigned larch_mldsa_make_hint(const mldsa_rounding *m, uint8_t *restrict w1, const mldsa_short *restrict low)
{
    unsigned count = 0;
    const int32_t gamma2 = m->gamma2;
    for (unsigned n = 0; n < MLDSA_N; n++) {
        int32_t not_first = (int32_t)((uint32_t) - (int32_t)w1[n] >> 31); /* 1 if w1 > 0 */
        int32_t beyond = (gamma2 - low->c[n]) | (low->c[n] + gamma2 - not_first);
        w1[n] = (uint8_t)((uint32_t)beyond >> 31);
        count += w1[n];
    }
    MLDSA_PUBLIC(&count, sizeof count); /* either a rejection, or to be read off the signature */
    return count;
}

void larch_mldsa_use_hint(const mldsa_rounding *m, uint8_t *restrict hints, const mldsa_poly *restrict r)
{
    const mldsa_rounding copy = *m;
    for (unsigned n = 0; n < MLDSA_N; n++) {
        int32_t r0;
        int32_t r1 = split(&copy, r->c[n], &r0);
        int32_t step = r0 > 0 ? 1 : -1;
        r1 += step & -(int32_t)hints[n];
        r1 += copy.parts & (r1 >> 31);
        r1 -= copy.parts & ~((r1 - copy.parts) >> 31);
        hints[n] = (uint8_t)r1;
    }
}

#endif
