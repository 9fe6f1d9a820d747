/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling, and what else both levels do with AVX2. */
#include <immintrin.h>
#include <string.h>

#include "pq/x86/x86_int.h"

static inline __m256i load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline void store(void *p, __m256i v) { _mm256_storeu_si256((__m256i *)p, v); }

/* The lanes of v that mask marks, moved together. */
static inline __m128i compact(__m128i v, unsigned mask)
{
    const __m128i places = _mm_loadl_epi64((const __m128i *)(const void *)larch_x86_compaction[mask]);
    return _mm_shuffle_epi8(v, _mm_unpacklo_epi8(places, _mm_add_epi8(places, _mm_set1_epi8(1))));
}

unsigned larch_x86_reject_avx2(int16_t *out, unsigned room, const uint8_t *bytes, size_t len)
{
    /* Three bytes hold two numbers: the second begins at bit 4 of the middle one. */
    const __m256i places = _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11, 4, 5, 5, 6, 7, 8, 8, 9,
                                            10, 11, 11, 12, 13, 14, 14, 15);
    unsigned n = 0;
    for (const uint8_t *end = bytes + len; bytes < end && n < room; bytes += 24) {
        __m256i v = _mm256_shuffle_epi8(_mm256_permute4x64_epi64(load(bytes), 0x94), places);
        v = _mm256_and_si256(_mm256_blend_epi16(v, _mm256_srli_epi16(v, 4), 0xaa), _mm256_set1_epi16(0xfff));
        const __m256i good = _mm256_cmpgt_epi16(_mm256_set1_epi16(MLKEM_Q), v);
        const unsigned mask = (unsigned)_mm256_movemask_epi8(_mm256_packs_epi16(good, _mm256_setzero_si256()));
        const unsigned low = (unsigned)__builtin_popcount(mask & 0xff), all = (unsigned)__builtin_popcount(mask);
        int16_t last[16], *to = room - n >= 16 ? out + n : last;
        _mm_storeu_si128((__m128i *)(void *)to, compact(_mm256_castsi256_si128(v), mask & 0xff));
        _mm_storeu_si128((__m128i *)(void *)(to + low), compact(_mm256_extracti128_si256(v, 1), mask >> 16));
        if (to == last)
            memcpy(out + n, last, (all < room - n ? all : room - n) * sizeof last[0]);
        n += all;
    }
    return n < room ? n : room;
}

/* Sixteen bytes, as signed numbers, to coefficients. */
static inline void widen(int16_t *c, __m128i bytes) { store(c, _mm256_cvtepi8_epi16(bytes)); }

/* Four bits are a coefficient: it is found in a table of 16, inside a register. */
static void cbd2(x86_poly *p, const uint8_t *bytes)
{
    const __m128i sixteen = _mm_setr_epi8(0, 1, 1, 2, -1, 0, 0, 1, -1, 0, 0, 1, -2, -1, -1, 0);
    const __m256i table = _mm256_broadcastsi128_si256(sixteen), mask = _mm256_set1_epi8(15);
    for (int16_t *c = p->c; c < p->c + MLKEM_N; c += 64, bytes += 32) {
        const __m256i v = load(bytes);
        const __m256i even = _mm256_shuffle_epi8(table, _mm256_and_si256(v, mask));
        const __m256i odd = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), mask));
        const __m256i low = _mm256_unpacklo_epi8(even, odd), high = _mm256_unpackhi_epi8(even, odd);
        widen(c, _mm256_castsi256_si128(low));
        widen(c + 16, _mm256_castsi256_si128(high));
        widen(c + 32, _mm256_extracti128_si256(low, 1));
        widen(c + 48, _mm256_extracti128_si256(high, 1));
    }
}

/* Six bits are a coefficient, 24 bits four. The bits of each three are added, the
 * sums subtracted with 3 added, so that none borrows from its neighbour. */
static void cbd3(x86_poly *p, const uint8_t *bytes)
{
    const __m256i places = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 4, 5, 6, -1, 7, 8, 9,
                                            -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const __m256i ones = _mm256_set1_epi32(0x249249), sums = _mm256_set1_epi32(0x1c71c7);
    const __m256i threes = _mm256_set1_epi32(0x0c30c3), low6 = _mm256_set1_epi32(0x3f),
                  high6 = _mm256_set1_epi32(0x3f0000);
    uint8_t padded[192 + 8]; /* a load reads 32, of which 24 count */
    memcpy(padded, bytes, 192);
    memset(padded + 192, 0, 8);
    bytes = padded;
    for (int16_t *c = p->c; c < p->c + MLKEM_N; c += 32, bytes += 24) {
        __m256i v = _mm256_shuffle_epi8(_mm256_permute4x64_epi64(load(bytes), 0x94), places);
        __m256i sum = _mm256_and_si256(v, ones);
        sum = _mm256_add_epi32(sum, _mm256_and_si256(_mm256_srli_epi32(v, 1), ones));
        sum = _mm256_add_epi32(sum, _mm256_and_si256(_mm256_srli_epi32(v, 2), ones));
        v = _mm256_sub_epi32(_mm256_add_epi32(_mm256_and_si256(sum, sums), threes),
                             _mm256_and_si256(_mm256_srli_epi32(sum, 3), sums));
        const __m256i first =
            _mm256_or_si256(_mm256_and_si256(v, low6), _mm256_and_si256(_mm256_slli_epi32(v, 10), high6));
        const __m256i second = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi32(v, 12), low6),
                                               _mm256_and_si256(_mm256_srli_epi32(v, 2), high6));
        const __m256i low = _mm256_sub_epi16(_mm256_unpacklo_epi32(first, second), _mm256_set1_epi16(3));
        const __m256i high = _mm256_sub_epi16(_mm256_unpackhi_epi32(first, second), _mm256_set1_epi16(3));
        store(c, _mm256_permute2x128_si256(low, high, 0x20));
        store(c + 16, _mm256_permute2x128_si256(low, high, 0x31));
    }
}

void larch_x86_cbd(x86_poly *p, const uint8_t *bytes, unsigned eta)
{
    if (eta == 2)
        cbd2(p, bytes);
    else
        cbd3(p, bytes);
}

bool larch_x86_is_reduced(const x86_poly *p)
{
    __m256i large = _mm256_setzero_si256();
    for (unsigned n = 0; n < MLKEM_N; n += 16)
        large = _mm256_or_si256(large, _mm256_cmpgt_epi16(load(p->c + n), _mm256_set1_epi16(MLKEM_Q - 1)));
    return _mm256_testz_si256(large, large);
}

void larch_x86_deinterleave(uint8_t *const to[4], const uint64_t *s, unsigned width)
{
    for (unsigned at = 0; at < 24 * 8; at += 32, s += (size_t)4 * width) {
        const __m256i a = load(s), b = load(s + width), c = load(s + (size_t)2 * width),
                      d = load(s + (size_t)3 * width);
        const __m256i ab02 = _mm256_unpacklo_epi64(a, b), ab13 = _mm256_unpackhi_epi64(a, b);
        const __m256i cd02 = _mm256_unpacklo_epi64(c, d), cd13 = _mm256_unpackhi_epi64(c, d);
        store(to[0] + at, _mm256_permute2x128_si256(ab02, cd02, 0x20));
        store(to[1] + at, _mm256_permute2x128_si256(ab13, cd13, 0x20));
        store(to[2] + at, _mm256_permute2x128_si256(ab02, cd02, 0x31));
        store(to[3] + at, _mm256_permute2x128_si256(ab13, cd13, 0x31));
    }
}

void larch_x86_clear(void) { _mm256_zeroall(); }
