/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak on four states with AVX2; on one with the and-not and the rotation
 * without a carry of BMI. */
#include <immintrin.h>

#include "pq/x86/x86_int.h"

static inline uint64_t rol64(uint64_t x, unsigned n) { return n == 0 ? x : x << n | x >> (64 - n); }

#define LANES         1
#define V             uint64_t
#define LOAD(p)       (*(p))
#define STORE(p, v)   (*(p) = (v))
#define XOR(a, b)     ((a) ^ (b))
#define XOR3(a, b, c) ((a) ^ (b) ^ (c))
#define CHI(a, b, c)  ((a) ^ (~(b) & (c)))
#define ROL(a, n)     rol64(a, n)
#define SPREAD(x)     (x)
#define PERMUTE       larch_keccak_x1_bmi2
#define NAME(part)    part##_x1
#include "pq/x86/keccak_lanes.h"

/* Rotations by whole bytes are shuffles. */
static inline __attribute__((always_inline)) __m256i rol256(__m256i v, int n)
{
    const __m256i by8 = _mm256_set_epi8(14, 13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1, 0, 7, 14, 13, 12, 11, 10, 9, 8,
                                        15, 6, 5, 4, 3, 2, 1, 0, 7);
    const __m256i by56 = _mm256_set_epi8(8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1, 8, 15, 14, 13, 12, 11,
                                         10, 9, 0, 7, 6, 5, 4, 3, 2, 1);
    if (n == 0)
        return v;
    if (n == 8)
        return _mm256_shuffle_epi8(v, by8);
    if (n == 56)
        return _mm256_shuffle_epi8(v, by56);
    return _mm256_or_si256(_mm256_slli_epi64(v, n), _mm256_srli_epi64(v, 64 - n));
}

#define LANES         4
#define V             __m256i
#define LOAD(p)       _mm256_loadu_si256((const __m256i *)(p))
#define STORE(p, v)   _mm256_storeu_si256((__m256i *)(p), v)
#define XOR(a, b)     _mm256_xor_si256(a, b)
#define XOR3(a, b, c) _mm256_xor_si256(_mm256_xor_si256(a, b), c)
#define CHI(a, b, c)  _mm256_xor_si256(a, _mm256_andnot_si256(b, c))
#define ROL(a, n)     rol256(a, n)
#define SPREAD(x)     _mm256_set1_epi64x((long long)(x))
#define PERMUTE       larch_keccak_x4_avx2
#define NAME(part)    part##_x4
#include "pq/x86/keccak_lanes.h"

/* A fifth state beside the four, round by round: it has the general registers to itself, and processors that start six
 * or more instructions a cycle run both in little more than the time of the four. */
void larch_keccak_x5_avx2(uint64_t *four, uint64_t *fifth)
{
    __m256i a[25], b[25], c[5];
    uint64_t d[25], e[25], f[5];
    keccak_load_x4(a, c, four);
    keccak_load_x1(d, f, fifth);
    for (unsigned i = 0; i < 24; i += 2) {
        keccak_round_x4(b, a, c, larch_keccak_rc[i]);
        keccak_round_x1(e, d, f, larch_keccak_rc[i]);
        keccak_round_x4(a, b, c, larch_keccak_rc[i + 1]);
        keccak_round_x1(d, e, f, larch_keccak_rc[i + 1]);
    }
    keccak_store_x4(four, a);
    keccak_store_x1(fifth, d);
}
