/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials with AVX2. */
#include <immintrin.h>
#include <string.h>

#include "pq/x86/x86_int.h"

#define W                    16
#define V                    __m256i
#define LEVEL                _avx2
#define LOAD(p)              _mm256_load_si256((const __m256i *)(const void *)(p))
#define STORE(p, v)          _mm256_store_si256((__m256i *)(void *)(p), v)
#define SET1(x)              _mm256_set1_epi16((short)(x))
#define SET1_32(x)           _mm256_set1_epi32((int)(x))
#define SET1_64(x)           _mm256_set1_epi64x(x)
#define SET_PAIRS(hi, lo)    _mm256_set_epi64x(hi, lo, hi, lo)
#define ADD(a, b)            _mm256_add_epi16(a, b)
#define SUB(a, b)            _mm256_sub_epi16(a, b)
#define ADD32(a, b)          _mm256_add_epi32(a, b)
#define MULLO(a, b)          _mm256_mullo_epi16(a, b)
#define MULHI(a, b)          _mm256_mulhi_epi16(a, b)
#define MULHRS(a, b)         _mm256_mulhrs_epi16(a, b)
#define MULLO32(a, b)        _mm256_mullo_epi32(a, b)
#define MULTIPLY_PAIRS(a, b) _mm256_madd_epi16(a, b)
#define MIN_UNSIGNED(a, b)   _mm256_min_epu16(a, b)
#define OR(a, b)             _mm256_or_si256(a, b)
#define AND(a, b)            _mm256_and_si256(a, b)
#define SLL32(a, n)          _mm256_slli_epi32(a, n)
#define SRL32(a, n)          _mm256_srli_epi32(a, n)
#define SRL32_BY(a, n)       _mm256_srl_epi32(a, n)
#define SLL64_BY(a, n)       _mm256_sll_epi64(a, n)
#define SRL64_BY(a, n)       _mm256_srl_epi64(a, n)
#define SRLV64(a, n)         _mm256_srlv_epi64(a, n)
#define HIGH_TO_LOW(a)       _mm256_bsrli_epi128(a, 8)
#define ODD_FROM(a, b)       _mm256_blend_epi16(a, b, 0xaa)
#define UNPACK_LOW(a, b)     _mm256_unpacklo_epi16(a, b)
#define UNPACK_HIGH(a, b)    _mm256_unpackhi_epi16(a, b)
#define PACK(a, b)           _mm256_packus_epi32(a, b)

/* The 128-bit parts of v, d bytes apart. */
#define STORE_PARTS(to, d, v)                                                              \
    do {                                                                                   \
        _mm_storeu_si128((__m128i *)(void *)(to), _mm256_castsi256_si128(v));              \
        _mm_storeu_si128((__m128i *)(void *)((to) + (d)), _mm256_extracti128_si256(v, 1)); \
    } while (0)

static inline __attribute__((always_inline)) void gather(V *v, const x86_poly *p, unsigned h)
{
    for (unsigned i = 0; i < 8; i++)
        v[i] = LOAD(p->c + 128 * h + 16 * i);
}

static inline __attribute__((always_inline)) void scatter(x86_poly *p, const V *v, unsigned h)
{
    for (unsigned i = 0; i < 8; i++)
        STORE(p->c + 128 * h + 16 * i, v[i]);
}

static inline __attribute__((always_inline)) void transpose(V *v)
{
    V a[8], b[8];
    for (unsigned i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]);
        a[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
    }
    for (unsigned i = 0; i < 8; i += 4)
        for (unsigned j = 0; j < 2; j++) {
            b[i + 2 * j] = _mm256_unpacklo_epi64(a[i + j], a[i + 2 + j]);
            b[i + 2 * j + 1] = _mm256_unpackhi_epi64(a[i + j], a[i + 2 + j]);
        }
    for (unsigned i = 0; i < 4; i++) {
        v[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x20);
        v[i + 4] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
    }
}

#include "pq/x86/poly_lanes.h"

/* Four coefficients in each half of a vector of 32-bit numbers, from 16 bytes. */
static inline __attribute__((always_inline)) V four_and_four(const uint8_t *bytes, V places, V shifts, V mask)
{
    const V both = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)bytes));
    return AND(_mm256_srlv_epi32(_mm256_shuffle_epi8(both, places), shifts), mask);
}

void larch_x86_decode_avx2(x86_poly *p, const uint8_t *in, unsigned d)
{
    uint8_t bytes[32 * 12 + 16]; /* each load reads 16, of which d count */
    const V bits = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), SET1_32(d));
    const V shifts = AND(bits, SET1_32(7)), mask = SET1_32((1 << d) - 1);
    const V places = ADD32(_mm256_mullo_epi32(SRL32(bits, 3), SET1_32(0x01010101)), SET1_32(0x03020100));
    const __m128i to_15_bits = _mm_cvtsi32_si128((int)(15 - d));
    memcpy(bytes, in, (size_t)32 * d);
    memset(bytes + (size_t)32 * d, 0, 16);
    for (unsigned n = 0; n < MLKEM_N; n += W) {
        const V a = four_and_four(bytes + n / 8 * d, places, shifts, mask);
        const V b = four_and_four(bytes + (n / 8 + 1) * d, places, shifts, mask);
        V v = _mm256_permute4x64_epi64(PACK(a, b), 0xd8);
        if (d < 12) /* (v q + 2^(d-1)) >> d */
            v = MULHRS(_mm256_sll_epi16(v, to_15_bits), SET1(Q));
        STORE(p->c + n, v);
    }
}

const x86_ops larch_x86_avx2 = {
    .keccak = {{4, 2, larch_keccak_x4_avx2}, {1, 0, larch_keccak_x1_bmi2}},
    .ntt = larch_x86_ntt_avx2,
    .inverse_ntt = larch_x86_inverse_ntt_avx2,
    .factor = larch_x86_factor_avx2,
    .multiply = larch_x86_multiply_avx2,
    .scale_add = larch_x86_scale_add_avx2,
    .encode = larch_x86_encode_avx2,
    .decode = larch_x86_decode_avx2,
    .is_reduced = larch_x86_is_reduced,
    .reject = larch_x86_reject_avx2,
    .cbd = larch_x86_cbd,
    .deinterleave = larch_x86_deinterleave,
    .clear = larch_x86_clear,
};
