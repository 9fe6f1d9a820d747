/* SPDX-License-Identifier: Apache-2.0 */
/* ML-DSA's polynomials with AVX2. */
#include <immintrin.h>
#include <string.h>

#include "pq/x86/mldsa_x86.h"

#define W                     8
#define V                     __m256i
#define LEVEL                 _avx2
#define PERMUTE               larch_keccak_x1_bmi2
#define PERMUTE_FIVE          larch_keccak_x5_avx2
#define LOAD(p)               _mm256_load_si256((const __m256i *)(const void *)(p))
#define LOAD_UNALIGNED(p)     _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define LOAD_16(p)            _mm256_cvtepi16_epi32(_mm_load_si128((const __m128i *)(const void *)(p)))
#define STORE(p, v)           _mm256_store_si256((__m256i *)(void *)(p), v)
#define SET1(x)               _mm256_set1_epi32((int)(x))
#define ADD(a, b)             _mm256_add_epi32(a, b)
#define SUB(a, b)             _mm256_sub_epi32(a, b)
#define ADD64(a, b)           _mm256_add_epi64(a, b)
#define MULLO(a, b)           _mm256_mullo_epi32(a, b)
#define MUL32(a, b)           _mm256_mul_epi32(a, b)
#define OR(a, b)              _mm256_or_si256(a, b)
#define AND(a, b)             _mm256_and_si256(a, b)
#define ANDNOT(a, b)          _mm256_andnot_si256(a, b)
#define SRA32(a, n)           _mm256_srai_epi32(a, n)
#define SLL32(a, n)           _mm256_slli_epi32(a, n)
#define SRL32_BY(a, n)        _mm256_srl_epi32(a, n)
#define SRLV32(a, n)          _mm256_srlv_epi32(a, n)
#define SLLV32(a, n)          _mm256_sllv_epi32(a, n)
#define SRL64(a, n)           _mm256_srli_epi64(a, n)
#define SRL64_BY(a, n)        _mm256_srl_epi64(a, n)
#define SLL64_BY(a, n)        _mm256_sll_epi64(a, n)
#define SRLV64(a, n)          _mm256_srlv_epi64(a, n)
#define HIGH_TO_LOW(a)        _mm256_bsrli_epi128(a, 8)
#define HIGH_HALVES(a, b)     _mm256_blend_epi32(_mm256_srli_epi64(a, 32), b, 0xaa)
#define SHUFFLE8(a, b)        _mm256_shuffle_epi8(a, b)
#define PART(a, i)            ((i) == 0 ? _mm256_castsi256_si128(a) : _mm256_extracti128_si256(a, 1))
#define SIGNS(a)              ((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(a)))
/* HIGH_HALVES: of 64-bit numbers, those of a in even places and those of b in odd ones.
 * x in the first of each two 32-bit numbers; in the second of each two 64-bit ones; in
 * the second of each two halves of 256 bits; four 32-bit numbers again and again. */
#define SET_PAIRS(x)          _mm256_set1_epi64x((long long)(x))
#define SET_HIGH64(x)         _mm256_set_epi64x((long long)(x), 0, (long long)(x), 0)
#define SET_HALVES(x)         _mm256_set_m128i(_mm_set1_epi32((int)(x)), _mm_setzero_si128())
#define SET_FOURS(a, b, c, d) _mm256_setr_epi32(a, b, c, d, a, b, c, d)

static inline __attribute__((always_inline)) V load_parts(const uint8_t *from, unsigned d)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)from)),
                                   _mm_loadu_si128((const __m128i *)(const void *)(from + d / 2)), 1);
}
#define LOAD_PARTS(from, d) load_parts(from, d)

static inline __attribute__((always_inline)) void gather(V *v, const dsa_poly *p, unsigned b)
{
    for (unsigned i = 0; i < 8; i++)
        v[i] = LOAD(p->c + 64 * b + 8 * i);
}

static inline __attribute__((always_inline)) void scatter(dsa_poly *p, const V *v, unsigned b)
{
    for (unsigned i = 0; i < 8; i++)
        STORE(p->c + 64 * b + 8 * i, v[i]);
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

/* Appends the lanes of v that mask marks to the n that out has; how many there are then. */
static inline __attribute__((always_inline)) unsigned append(int32_t *out, unsigned room, unsigned n, V v,
                                                             unsigned mask)
{
    /* The table's places are those of 16-bit numbers, in bytes. */
    const __m128i places = _mm_loadl_epi64((const __m128i *)(const void *)larch_x86_compaction[mask]);
    const V kept = _mm256_permutevar8x32_epi32(v, _mm256_srli_epi32(_mm256_cvtepu8_epi32(places), 1));
    const unsigned count = (unsigned)__builtin_popcount(mask);
    if (room - n >= 8) {
        _mm256_storeu_si256((__m256i *)(void *)(out + n), kept);
        return n + count;
    }
    int32_t last[8];
    _mm256_storeu_si256((__m256i *)(void *)last, kept);
    const unsigned fits = count < room - n ? count : room - n;
    memcpy(out + n, last, fits * sizeof last[0]);
    return n + fits;
}

static unsigned larch_dsa_reject_avx2(int32_t *out, unsigned room, const uint8_t *bytes, size_t len)
{
    const V places = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 4, 5, 6, -1, 7, 8, 9, -1,
                                      10, 11, 12, -1, 13, 14, 15, -1);
    unsigned n = 0;
    for (const uint8_t *end = bytes + len; bytes < end && n < room; bytes += 24) {
        V v = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
        v = AND(SHUFFLE8(_mm256_permute4x64_epi64(v, 0x94), places), SET1(0x7fffff));
        n = append(out, room, n, v, SIGNS(SUB(v, SET1(MLDSA_Q))));
    }
    return n;
}

/* Four bytes are eight candidates. See from_half_byte of mldsa_sample.c. */
static unsigned larch_dsa_reject_halves_avx2(int32_t *out, unsigned room, const uint8_t *bytes, size_t len,
                                             unsigned eta)
{
    const V shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    unsigned n = 0;
    for (const uint8_t *end = bytes + len; bytes < end && n < room; bytes += 4) {
        uint32_t word;
        memcpy(&word, bytes, sizeof word);
        V v = AND(SRLV32(SET1(word), shifts), SET1(15));
        unsigned mask = SIGNS(SUB(v, SET1(eta == 2 ? 15 : 9)));
        MLDSA_PUBLIC(&mask, sizeof mask); /* which are refused is independent of the values kept */
        if (eta == 2)
            v = SUB(v, MULLO(_mm256_srli_epi32(MULLO(v, SET1(205)), 10), SET1(5)));
        n = append(out, room, n, SUB(SET1(eta), v), mask);
    }
    return n;
}

#include "pq/x86/mldsa_lanes.h"
