/* SPDX-License-Identifier: Apache-2.0 */
/* ML-DSA's polynomials with AVX-512: F, BW, DQ, VL, VBMI and VBMI2. */
#include <immintrin.h>
#include <string.h>

#include "pq/x86/mldsa_x86.h"

#define W                     16
#define V                     __m512i
#define LEVEL                 _avx512
#define PERMUTE               larch_keccak_x1_avx512
#define PERMUTE_FIVE          NULL
#define LOAD(p)               _mm512_load_si512(p)
#define LOAD_UNALIGNED(p)     _mm512_loadu_si512(p)
#define LOAD_16(p)            _mm512_cvtepi16_epi32(_mm256_load_si256((const __m256i *)(const void *)(p)))
#define STORE(p, v)           _mm512_store_si512(p, v)
#define SET1(x)               _mm512_set1_epi32((int)(x))
#define ADD(a, b)             _mm512_add_epi32(a, b)
#define SUB(a, b)             _mm512_sub_epi32(a, b)
#define ADD64(a, b)           _mm512_add_epi64(a, b)
#define MULLO(a, b)           _mm512_mullo_epi32(a, b)
#define MUL32(a, b)           _mm512_mul_epi32(a, b)
#define OR(a, b)              _mm512_or_si512(a, b)
#define AND(a, b)             _mm512_and_si512(a, b)
#define ANDNOT(a, b)          _mm512_andnot_si512(a, b)
#define SRA32(a, n)           _mm512_srai_epi32(a, n)
#define SLL32(a, n)           _mm512_slli_epi32(a, n)
#define SRL32_BY(a, n)        _mm512_srl_epi32(a, n)
#define SRLV32(a, n)          _mm512_srlv_epi32(a, n)
#define SLLV32(a, n)          _mm512_sllv_epi32(a, n)
#define SRL64(a, n)           _mm512_srli_epi64(a, n)
#define SRL64_BY(a, n)        _mm512_srl_epi64(a, n)
#define SLL64_BY(a, n)        _mm512_sll_epi64(a, n)
#define SRLV64(a, n)          _mm512_srlv_epi64(a, n)
#define HIGH_TO_LOW(a)        _mm512_bsrli_epi128(a, 8)
#define HIGH_HALVES(a, b)     _mm512_mask_shuffle_epi32(b, 0x5555, a, (_MM_PERM_ENUM)0xf5)
#define SHUFFLE8(a, b)        _mm512_shuffle_epi8(a, b)
#define SIGNS(a)              ((unsigned)_mm512_movepi32_mask(a))
/* HIGH_HALVES: of 64-bit numbers, those of a in even places and those of b in odd ones.
 * x in the first of each two 32-bit numbers; in the second of each two 64-bit ones; in
 * the second of each two halves of 256 bits; four 32-bit numbers again and again. */
#define SET_PAIRS(x)          _mm512_set1_epi64((long long)(x))
#define SET_HIGH64(x)         _mm512_maskz_set1_epi64(0xaa, (long long)(x))
#define SET_HALVES(x)         _mm512_maskz_set1_epi32(0xf0f0, (int)(x))
#define SET_FOURS(a, b, c, d) _mm512_setr4_epi32(a, b, c, d)

static inline __attribute__((always_inline)) __m128i part(V v, unsigned i)
{
    const __m256i half = i < 2 ? _mm512_castsi512_si256(v) : _mm512_extracti64x4_epi64(v, 1);
    return i % 2 == 0 ? _mm256_castsi256_si128(half) : _mm256_extracti128_si256(half, 1);
}
#define PART(v, i) part(v, i)

static inline __attribute__((always_inline)) __m256i load_two(const uint8_t *from, unsigned d)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)from)),
                                   _mm_loadu_si128((const __m128i *)(const void *)(from + d / 2)), 1);
}
#define LOAD_PARTS(from, d) _mm512_inserti64x4(_mm512_castsi256_si512(load_two(from, d)), load_two((from) + (d), d), 1)

static inline __attribute__((always_inline)) __m256i *half_at(const int32_t *c)
{
    return (__m256i *)(void *)(uintptr_t)c;
}

static inline __attribute__((always_inline)) void gather(V *v, const dsa_poly *p, unsigned b)
{
    for (unsigned i = 0; i < 8; i++)
        v[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_load_si256(half_at(p->c + 64 * b + 8 * i))),
                                  _mm256_load_si256(half_at(p->c + 64 * b + 64 + 8 * i)), 1);
}

static inline __attribute__((always_inline)) void scatter(dsa_poly *p, const V *v, unsigned b)
{
    for (unsigned i = 0; i < 8; i++) {
        _mm256_store_si256(half_at(p->c + 64 * b + 8 * i), _mm512_castsi512_si256(v[i]));
        _mm256_store_si256(half_at(p->c + 64 * b + 64 + 8 * i), _mm512_extracti64x4_epi64(v[i], 1));
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

/* Appends the lanes of v that mask marks to the n that out has; how many there are then.
 * Compressed in a register: Zen 4 takes a hundred cycles to compress into memory. */
static inline __attribute__((always_inline)) unsigned append(int32_t *out, unsigned room, unsigned n, V v,
                                                             unsigned mask)
{
    const unsigned fits = room - n < 16 ? (1u << (room - n)) - 1 : 0xffff;
    _mm512_mask_storeu_epi32(out + n, (__mmask16)fits, _mm512_maskz_compress_epi32((__mmask16)mask, v));
    n += (unsigned)__builtin_popcount(mask);
    return n < room ? n : room;
}

static unsigned larch_dsa_reject_avx512(int32_t *out, unsigned room, const uint8_t *bytes, size_t len)
{
    const V step =
        MULLO(_mm512_setr_epi32(0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45), SET1(0x01010101));
    const V places = ADD(step, SET1(0x03020100));
    unsigned n = 0;
    for (size_t at = 0; at < len && n < room; at += 48) {
        const unsigned there = len - at < 48 ? 0xff : 0xffff; /* 24 bytes or 48 */
        const V v = AND(_mm512_permutexvar_epi8(places, _mm512_loadu_si512(bytes + at)), SET1(0x7fffff));
        n = append(out, room, n, v, there & SIGNS(SUB(v, SET1(MLDSA_Q))));
    }
    return n;
}

/* Eight bytes are sixteen candidates. See from_half_byte of mldsa_sample.c. */
static unsigned larch_dsa_reject_halves_avx512(int32_t *out, unsigned room, const uint8_t *bytes, size_t len,
                                               unsigned eta)
{
    unsigned n = 0;
    for (const uint8_t *end = bytes + len; bytes < end && n < room; bytes += 8) {
        const __m128i wide = _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)(const void *)bytes));
        V v = _mm512_cvtepu8_epi32(_mm_and_si128(_mm_or_si128(wide, _mm_slli_epi16(wide, 4)), _mm_set1_epi8(15)));
        unsigned mask = SIGNS(SUB(v, SET1(eta == 2 ? 15 : 9)));
        MLDSA_PUBLIC(&mask, sizeof mask); /* which are refused is independent of the values kept */
        if (eta == 2)
            v = SUB(v, MULLO(_mm512_srli_epi32(MULLO(v, SET1(205)), 10), SET1(5)));
        n = append(out, room, n, SUB(SET1(eta), v), mask);
    }
    return n;
}

#include "pq/x86/mldsa_lanes.h"
