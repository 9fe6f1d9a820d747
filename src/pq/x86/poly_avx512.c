/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials with AVX-512: F, BW, DQ, VL, VBMI and VBMI2. */
#include <immintrin.h>
#include <string.h>

#include "pq/x86/x86_int.h"

#define W                    32
#define V                    __m512i
#define LEVEL                _avx512
#define LOAD(p)              _mm512_load_si512(p)
#define STORE(p, v)          _mm512_store_si512(p, v)
#define SET1(x)              _mm512_set1_epi16((short)(x))
#define SET1_32(x)           _mm512_set1_epi32((int)(x))
#define SET1_64(x)           _mm512_set1_epi64(x)
#define SET_PAIRS(hi, lo)    _mm512_set_epi64(hi, lo, hi, lo, hi, lo, hi, lo)
#define ADD(a, b)            _mm512_add_epi16(a, b)
#define SUB(a, b)            _mm512_sub_epi16(a, b)
#define ADD32(a, b)          _mm512_add_epi32(a, b)
#define MULLO(a, b)          _mm512_mullo_epi16(a, b)
#define MULHI(a, b)          _mm512_mulhi_epi16(a, b)
#define MULHRS(a, b)         _mm512_mulhrs_epi16(a, b)
#define MULLO32(a, b)        _mm512_mullo_epi32(a, b)
#define MULTIPLY_PAIRS(a, b) _mm512_madd_epi16(a, b)
#define MIN_UNSIGNED(a, b)   _mm512_min_epu16(a, b)
#define OR(a, b)             _mm512_or_si512(a, b)
#define AND(a, b)            _mm512_and_si512(a, b)
#define SLL32(a, n)          _mm512_slli_epi32(a, n)
#define SRL32(a, n)          _mm512_srli_epi32(a, n)
#define SRL32_BY(a, n)       _mm512_srl_epi32(a, n)
#define SLL64_BY(a, n)       _mm512_sll_epi64(a, n)
#define SRL64_BY(a, n)       _mm512_srl_epi64(a, n)
#define SRLV64(a, n)         _mm512_srlv_epi64(a, n)
#define HIGH_TO_LOW(a)       _mm512_bsrli_epi128(a, 8)
#define ODD_FROM(a, b)       _mm512_mask_blend_epi16(0xaaaaaaaa, a, b)
#define UNPACK_LOW(a, b)     _mm512_unpacklo_epi16(a, b)
#define UNPACK_HIGH(a, b)    _mm512_unpackhi_epi16(a, b)
#define PACK(a, b)           _mm512_packus_epi32(a, b)

/* The 128-bit parts of v, d bytes apart. */
#define STORE_PART(to, v, i) _mm_storeu_si128((__m128i *)(void *)(to), _mm512_extracti64x2_epi64(v, i))
#define STORE_PARTS(to, d, v)             \
    do {                                  \
        STORE_PART(to, v, 0);             \
        STORE_PART((to) + (d), v, 1);     \
        STORE_PART((to) + 2 * (d), v, 2); \
        STORE_PART((to) + 3 * (d), v, 3); \
    } while (0)

static inline __attribute__((always_inline)) __m256i *half_at(const int16_t *c)
{
    return (__m256i *)(void *)(uintptr_t)c;
}

static inline __attribute__((always_inline)) void gather(V *v, const x86_poly *p, unsigned h)
{
    (void)h;
    for (unsigned i = 0; i < 8; i++)
        v[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_load_si256(half_at(p->c + 16 * i))),
                                  _mm256_load_si256(half_at(p->c + 128 + 16 * i)), 1);
}

static inline __attribute__((always_inline)) void scatter(x86_poly *p, const V *v, unsigned h)
{
    (void)h;
    for (unsigned i = 0; i < 8; i++) {
        _mm256_store_si256(half_at(p->c + 16 * i), _mm512_castsi512_si256(v[i]));
        _mm256_store_si256(half_at(p->c + 128 + 16 * i), _mm512_extracti64x4_epi64(v[i], 1));
    }
}

static inline __attribute__((always_inline)) void transpose(V *v)
{
    const V lower = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), upper = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    V a[8], b[8];
    for (unsigned i = 0; i < 8; i += 2) {
        a[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    for (unsigned i = 0; i < 8; i += 4)
        for (unsigned j = 0; j < 2; j++) {
            b[i + 2 * j] = _mm512_unpacklo_epi64(a[i + j], a[i + 2 + j]);
            b[i + 2 * j + 1] = _mm512_unpackhi_epi64(a[i + j], a[i + 2 + j]);
        }
    for (unsigned i = 0; i < 4; i++) {
        v[i] = _mm512_permutex2var_epi64(b[i], lower, b[i + 4]);
        v[i + 4] = _mm512_permutex2var_epi64(b[i], upper, b[i + 4]);
    }
}

#include "pq/x86/poly_lanes.h"

void larch_x86_decode_avx512(x86_poly *p, const uint8_t *in, unsigned d)
{
    /* A number's first bit, the two bytes that hold its beginning, and the two after them. */
    const V bits = MULLO(_mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13,
                                          12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                         SET1(d));
    const V places = ADD(MULLO(_mm512_srli_epi16(bits, 3), SET1(0x0101)), SET1(0x0100));
    const V next_places = ADD(places, SET1(0x0202)), shifts = AND(bits, SET1(7)), mask = SET1((1 << d) - 1);
    const __m128i to_15_bits = _mm_cvtsi32_si128((int)(15 - d));
    const __mmask64 bytes = (1ULL << (4 * d)) - 1;
    for (unsigned n = 0; n < MLKEM_N; n += W, in += 4 * d) {
        const V block = _mm512_maskz_loadu_epi8(bytes, in);
        V v = _mm512_shrdv_epi16(_mm512_permutexvar_epi8(places, block), _mm512_permutexvar_epi8(next_places, block),
                                 shifts);
        v = AND(v, mask);
        if (d < 12) /* (v q + 2^(d-1)) >> d */
            v = MULHRS(_mm512_sll_epi16(v, to_15_bits), SET1(Q));
        STORE(p->c + n, v);
    }
}

const x86_ops larch_x86_avx512 = {
    .keccak = {{8, 6, larch_keccak_x8_avx512}, {4, 2, larch_keccak_x4_avx512}, {1, 0, larch_keccak_x1_avx512}},
    .ntt = larch_x86_ntt_avx512,
    .inverse_ntt = larch_x86_inverse_ntt_avx512,
    .factor = larch_x86_factor_avx512,
    .multiply = larch_x86_multiply_avx512,
    .scale_add = larch_x86_scale_add_avx512,
    .encode = larch_x86_encode_avx512,
    .decode = larch_x86_decode_avx512,
    .is_reduced = larch_x86_is_reduced,
    .reject = larch_x86_reject_avx512,
    .cbd = larch_x86_cbd,
    .deinterleave = larch_x86_deinterleave,
    .clear = larch_x86_clear,
};
