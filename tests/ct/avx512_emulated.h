/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AVX-512 instructions that the pq room uses, in plain C and AVX2, so that
 * valgrind, which executes no AVX-512, sees the level's own source run.
 *
 * CMakeLists.txt makes a header that gives each emulated_mm... below the name
 * without "emulated"; it is included before the level's files, which are compiled
 * without AVX-512: an instruction that is missing here does not compile. The test
 * avx512_emulation.c holds each against the processor's own.
 *
 * What decides nothing in the processor decides nothing here: comparisons and
 * saturation are arithmetic. The emulation is stricter than the processor where
 * lanes are permuted, compressed, or shifted by counts in a vector: secret indices,
 * masks and counts are reported.
 */
#ifndef CT_AVX512_EMULATED_H
#define CT_AVX512_EMULATED_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef EMULATED
#define EMULATED static inline
#endif

typedef union emulated_512 {
    uint8_t u8[64];
    uint16_t u16[32];
    int16_t i16[32];
    uint32_t u32[16];
    int32_t i32[16];
    uint64_t u64[8];
    __m128i quarter[4];
    __m256i half[2];
} emulated_512;

/* ---- constants ------------------------------------------------------------- */

#define emulated_mm512_set_epi16(...)  emulated_reverse_16((const int16_t[32]){__VA_ARGS__})
#define emulated_mm512_set_epi64(...)  emulated_reverse_64((const long long[8]){__VA_ARGS__})
#define emulated_mm512_setr_epi32(...) emulated_mm512_loadu_si512((const int32_t[16]){__VA_ARGS__})
#define emulated_mm512_setr_epi64(...) emulated_mm512_loadu_si512((const long long[8]){__VA_ARGS__})
#define emulated_mm512_setr4_epi32(a, b, c, d) \
    emulated_mm512_loadu_si512((const int32_t[16]){a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d})

EMULATED emulated_512 emulated_reverse_16(const int16_t *from)
{
    emulated_512 r;
    for (unsigned i = 0; i < 32; i++)
        r.i16[i] = from[31 - i];
    return r;
}

EMULATED emulated_512 emulated_reverse_64(const long long *from)
{
    emulated_512 r;
    for (unsigned i = 0; i < 8; i++)
        r.u64[i] = (uint64_t)from[7 - i];
    return r;
}

EMULATED emulated_512 emulated_mm512_set1_epi16(short x)
{
    return (emulated_512){.half = {_mm256_set1_epi16(x), _mm256_set1_epi16(x)}};
}

EMULATED emulated_512 emulated_mm512_set1_epi32(int x)
{
    return (emulated_512){.half = {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}};
}

EMULATED emulated_512 emulated_mm512_set1_epi64(long long x)
{
    return (emulated_512){.half = {_mm256_set1_epi64x(x), _mm256_set1_epi64x(x)}};
}

/* All ones where bit i of the mask is set. */
EMULATED uint64_t emulated_spread(uint64_t mask, unsigned i) { return 0 - (mask >> i & 1); }

EMULATED emulated_512 emulated_mm512_maskz_set1_epi32(__mmask16 mask, int x)
{
    emulated_512 r;
    for (unsigned i = 0; i < 16; i++)
        r.u32[i] = (uint32_t)x & (uint32_t)emulated_spread(mask, i);
    return r;
}

EMULATED emulated_512 emulated_mm512_maskz_set1_epi64(__mmask8 mask, long long x)
{
    emulated_512 r;
    for (unsigned i = 0; i < 8; i++)
        r.u64[i] = (uint64_t)x & emulated_spread(mask, i);
    return r;
}

/* ---- memory ---------------------------------------------------------------- */

EMULATED emulated_512 emulated_mm512_loadu_si512(const void *from)
{
    emulated_512 r;
    memcpy(&r, from, sizeof r);
    return r;
}

EMULATED emulated_512 emulated_mm512_load_si512(const void *from)
{
    return *(const emulated_512 *)__builtin_assume_aligned(from, 64);
}

EMULATED void emulated_mm512_storeu_si512(void *to, emulated_512 v) { memcpy(to, &v, sizeof v); }

EMULATED void emulated_mm512_store_si512(void *to, emulated_512 v)
{
    *(emulated_512 *)__builtin_assume_aligned(to, 64) = v;
}

/* Masked lanes are not touched in memory, and which those are shows: here in branches. */
EMULATED emulated_512 emulated_mm512_maskz_loadu_epi8(__mmask64 mask, const void *from)
{
    emulated_512 r;
    for (unsigned i = 0; i < 64; i++)
        r.u8[i] = mask >> i & 1 ? ((const uint8_t *)from)[i] : 0;
    return r;
}

EMULATED void emulated_mm512_mask_storeu_epi16(void *to, __mmask32 mask, emulated_512 v)
{
    for (unsigned i = 0; i < 32; i++)
        if (mask >> i & 1)
            memcpy((uint8_t *)to + 2 * i, &v.u16[i], 2);
}

EMULATED void emulated_mm512_mask_storeu_epi32(void *to, __mmask16 mask, emulated_512 v)
{
    for (unsigned i = 0; i < 16; i++)
        if (mask >> i & 1)
            memcpy((uint8_t *)to + 4 * i, &v.u32[i], 4);
}

/* ---- lane by lane ---------------------------------------------------------- */

/* name(a, b): in each lane the expression of its numbers x and y. */
#define LANEWISE(name, lane, count, type, expression)            \
    EMULATED emulated_512 name(emulated_512 a, emulated_512 b)   \
    {                                                            \
        emulated_512 r;                                          \
        for (unsigned i = 0; i < (count); i++) {                 \
            const type x = (type)a.lane[i], y = (type)b.lane[i]; \
            r.lane[i] = (__typeof__(r.lane[0]))(expression);     \
        }                                                        \
        return r;                                                \
    }

LANEWISE(emulated_mm512_add_epi16, u16, 32, uint32_t, x + y)
LANEWISE(emulated_mm512_add_epi32, u32, 16, uint32_t, x + y)
LANEWISE(emulated_mm512_add_epi64, u64, 8, uint64_t, x + y)
LANEWISE(emulated_mm512_sub_epi16, u16, 32, uint32_t, x - y)
LANEWISE(emulated_mm512_sub_epi32, u32, 16, uint32_t, x - y)
LANEWISE(emulated_mm512_and_si512, u64, 8, uint64_t, x &y)
LANEWISE(emulated_mm512_andnot_si512, u64, 8, uint64_t, ~x &y)
LANEWISE(emulated_mm512_or_si512, u64, 8, uint64_t, x | y)
LANEWISE(emulated_mm512_xor_si512, u64, 8, uint64_t, x ^ y)
LANEWISE(emulated_mm512_mullo_epi16, i16, 32, int32_t, (x)*y)
LANEWISE(emulated_mm512_mullo_epi32, u32, 16, uint32_t, (x)*y)
LANEWISE(emulated_mm512_mulhi_epi16, i16, 32, int32_t, (x * y) >> 16)
LANEWISE(emulated_mm512_mulhrs_epi16, i16, 32, int32_t, ((x * y >> 14) + 1) >> 1)
LANEWISE(emulated_mm512_min_epu16, u16, 32, uint32_t, y ^ ((x ^ y) & (0 - ((x - y) >> 31))))
LANEWISE(emulated_mm512_sllv_epi32, u32, 16, uint32_t, y > 31 ? 0 : x << y)
LANEWISE(emulated_mm512_srlv_epi16, u16, 32, uint32_t, y > 15 ? 0 : x >> y)
LANEWISE(emulated_mm512_srlv_epi32, u32, 16, uint32_t, y > 31 ? 0 : x >> y)
LANEWISE(emulated_mm512_srlv_epi64, u64, 8, uint64_t, y > 63 ? 0 : x >> y)

/* The even lanes' product, in full. */
EMULATED emulated_512 emulated_mm512_mul_epi32(emulated_512 a, emulated_512 b)
{
    emulated_512 r;
    for (unsigned i = 0; i < 8; i++)
        r.u64[i] = (uint64_t)((int64_t)a.i32[2 * i] * b.i32[2 * i]);
    return r;
}

/* The sum of two neighbours' products; of -2^15 four times over it wraps. */
EMULATED emulated_512 emulated_mm512_madd_epi16(emulated_512 a, emulated_512 b)
{
    emulated_512 r;
    for (unsigned i = 0; i < 16; i++)
        r.u32[i] = (uint32_t)(a.i16[2 * i] * b.i16[2 * i]) + (uint32_t)(a.i16[2 * i + 1] * b.i16[2 * i + 1]);
    return r;
}

/* The low halves of b:a >> c. */
EMULATED emulated_512 emulated_mm512_shrdv_epi16(emulated_512 a, emulated_512 b, emulated_512 c)
{
    emulated_512 r;
    for (unsigned i = 0; i < 32; i++)
        r.u16[i] = (uint16_t)(((uint32_t)b.u16[i] << 16 | a.u16[i]) >> (c.u16[i] & 15));
    return r;
}

/* name(a, n): each lane shifted; nothing is left of it once n reaches its width. */
#define SHIFT(name, lane, count, width, shift)                                        \
    EMULATED emulated_512 name(emulated_512 a, unsigned n)                            \
    {                                                                                 \
        emulated_512 r;                                                               \
        for (unsigned i = 0; i < (count); i++)                                        \
            r.lane[i] = (__typeof__(r.lane[0]))(n < (width) ? a.lane[i] shift n : 0); \
        return r;                                                                     \
    }

SHIFT(emulated_shift_left_16, u16, 32, 16, <<)
SHIFT(emulated_mm512_srli_epi16, u16, 32, 16, >>)
SHIFT(emulated_mm512_slli_epi32, u32, 16, 32, <<)
SHIFT(emulated_mm512_srli_epi32, u32, 16, 32, >>)
SHIFT(emulated_shift_left_64, u64, 8, 64, <<)
SHIFT(emulated_mm512_srli_epi64, u64, 8, 64, >>)

/* name(a, n) with n in the low half of a vector. */
#define SHIFT_BY(name, by_number)                           \
    EMULATED emulated_512 name(emulated_512 a, __m128i n)   \
    {                                                       \
        const uint64_t by = (uint64_t)_mm_cvtsi128_si64(n); \
        return by_number(a, by < 64 ? (unsigned)by : 64);   \
    }

SHIFT_BY(emulated_mm512_sll_epi16, emulated_shift_left_16)
SHIFT_BY(emulated_mm512_srl_epi32, emulated_mm512_srli_epi32)
SHIFT_BY(emulated_mm512_sll_epi64, emulated_shift_left_64)
SHIFT_BY(emulated_mm512_srl_epi64, emulated_mm512_srli_epi64)

EMULATED emulated_512 emulated_mm512_srai_epi32(emulated_512 a, unsigned n)
{
    for (unsigned i = 0; i < 16; i++) {
        const uint32_t sign = 0 - (a.u32[i] >> 31);
        a.u32[i] = n < 32 ? (a.u32[i] ^ sign) >> n ^ sign : sign;
    }
    return a;
}

/* A shift by 64 leaves nothing, so a rotation by 0 is right too. */
#define ROTATE(name, type, left, right) \
    EMULATED type name(type a, int n) { return left(a, n) | right(a, 64 - n); }

ROTATE(emulated_mm_rol_epi64, __m128i, _mm_slli_epi64, _mm_srli_epi64)
ROTATE(emulated_mm256_rol_epi64, __m256i, _mm256_slli_epi64, _mm256_srli_epi64)

EMULATED emulated_512 emulated_mm512_rol_epi64(emulated_512 a, int n)
{
    return (emulated_512){.half = {emulated_mm256_rol_epi64(a.half[0], n), emulated_mm256_rol_epi64(a.half[1], n)}};
}

/* Bit 4 a + 2 b + c of the table, for the bits a, b, c of each place. */
#define TERNARY(name, type)                                                          \
    EMULATED type name(type a, type b, type c, int table)                            \
    {                                                                                \
        type r = {0};                                                                \
        _Pragma("GCC unroll 8") for (int n = 0; n < 8; n++) if (table >> n & 1) r |= \
            (n & 4 ? a : ~a) & (n & 2 ? b : ~b) & (n & 1 ? c : ~c);                  \
        return r;                                                                    \
    }

TERNARY(emulated_mm_ternarylogic_epi64, __m128i)
TERNARY(emulated_mm256_ternarylogic_epi64, __m256i)

EMULATED emulated_512 emulated_mm512_ternarylogic_epi64(emulated_512 a, emulated_512 b, emulated_512 c, int table)
{
    for (unsigned i = 0; i < 2; i++)
        a.half[i] = emulated_mm256_ternarylogic_epi64(a.half[i], b.half[i], c.half[i], table);
    return a;
}

/* ---- masks ----------------------------------------------------------------- */

EMULATED __mmask16 emulated_mm512_movepi32_mask(emulated_512 a)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < 16; i++)
        mask |= a.u32[i] >> 31 << i;
    return (__mmask16)mask;
}

EMULATED __mmask32 emulated_mm512_mask_cmplt_epu16_mask(__mmask32 mask, emulated_512 a, emulated_512 b)
{
    uint32_t less = 0;
    for (unsigned i = 0; i < 32; i++)
        less |= ((uint32_t)a.u16[i] - b.u16[i]) >> 31 << i;
    return mask & less;
}

EMULATED emulated_512 emulated_mm512_mask_blend_epi16(__mmask32 mask, emulated_512 a, emulated_512 b)
{
    for (unsigned i = 0; i < 32; i++)
        a.u16[i] ^= (uint16_t)((a.u16[i] ^ b.u16[i]) & emulated_spread(mask, i));
    return a;
}

/* The lanes that the mask marks, moved together; zeroes behind them. */
#define COMPRESS(name, lane, count, mask_type)                 \
    EMULATED emulated_512 name(mask_type mask, emulated_512 a) \
    {                                                          \
        emulated_512 r = {{0}};                                \
        unsigned n = 0;                                        \
        for (unsigned i = 0; i < (count); i++)                 \
            if (mask >> i & 1)                                 \
                r.lane[n++] = a.lane[i];                       \
        return r;                                              \
    }

COMPRESS(emulated_mm512_maskz_compress_epi16, u16, 32, __mmask32)
COMPRESS(emulated_mm512_maskz_compress_epi32, u32, 16, __mmask16)

/* ---- lanes that move ------------------------------------------------------- */

EMULATED emulated_512 emulated_mm512_permutexvar_epi8(emulated_512 places, emulated_512 a)
{
    emulated_512 r;
    for (unsigned i = 0; i < 64; i++)
        r.u8[i] = a.u8[places.u8[i] & 63];
    return r;
}

EMULATED emulated_512 emulated_mm512_permutex2var_epi64(emulated_512 a, emulated_512 places, emulated_512 b)
{
    emulated_512 r;
    for (unsigned i = 0; i < 8; i++)
        r.u64[i] = (places.u64[i] & 8 ? b : a).u64[places.u64[i] & 7];
    return r;
}

/* Within 128 bits, as are all moves from here on; a place with its highest bit set is a zero. */
EMULATED emulated_512 emulated_mm512_shuffle_epi8(emulated_512 a, emulated_512 places)
{
    emulated_512 r;
    for (unsigned i = 0; i < 64; i++)
        r.u8[i] = places.u8[i] & 0x80 ? 0 : a.u8[(i & 48) + (places.u8[i] & 15)];
    return r;
}

EMULATED emulated_512 emulated_mm512_mask_shuffle_epi32(emulated_512 other, __mmask16 mask, emulated_512 a,
                                                        unsigned places)
{
    for (unsigned i = 0; i < 16; i++) {
        const uint32_t x = a.u32[(i & 12) + (places >> (2 * (i & 3)) & 3)];
        other.u32[i] ^= (other.u32[i] ^ x) & (uint32_t)emulated_spread(mask, i);
    }
    return other;
}

EMULATED emulated_512 emulated_mm512_bsrli_epi128(emulated_512 a, unsigned n)
{
    emulated_512 r;
    for (unsigned i = 0; i < 64; i++)
        r.u8[i] = (i & 15) + n < 16 ? a.u8[i + n] : 0;
    return r;
}

/* The lanes of a and b in turn, from the low or the high halves of each 128 bits. */
#define UNPACK(name, lane, count, high)                                              \
    EMULATED emulated_512 name(emulated_512 a, emulated_512 b)                       \
    {                                                                                \
        emulated_512 r;                                                              \
        const unsigned part = (count) / 4, from = (high) ? part / 2 : 0;             \
        for (unsigned i = 0; i < (count); i++)                                       \
            r.lane[i] = (i & 1 ? b : a).lane[i / part * part + from + i % part / 2]; \
        return r;                                                                    \
    }

UNPACK(emulated_mm512_unpacklo_epi16, u16, 32, false)
UNPACK(emulated_mm512_unpackhi_epi16, u16, 32, true)
UNPACK(emulated_mm512_unpacklo_epi32, u32, 16, false)
UNPACK(emulated_mm512_unpackhi_epi32, u32, 16, true)
UNPACK(emulated_mm512_unpacklo_epi64, u64, 8, false)
UNPACK(emulated_mm512_unpackhi_epi64, u64, 8, true)

/* A negative number becomes 0, and one beyond 16 bits 0xffff. */
EMULATED uint16_t emulated_saturate(int32_t x)
{
    x &= (int32_t)((uint32_t)x >> 31) - 1;
    return (uint16_t)(x | (UINT16_MAX - x) >> 31);
}

EMULATED emulated_512 emulated_mm512_packus_epi32(emulated_512 a, emulated_512 b)
{
    emulated_512 r;
    for (unsigned i = 0; i < 32; i++)
        r.u16[i] = emulated_saturate((i & 4 ? b : a).i32[i / 8 * 4 + i % 4]);
    return r;
}

/* ---- widths ---------------------------------------------------------------- */

EMULATED emulated_512 emulated_mm512_cvtepi16_epi32(__m256i a)
{
    return (emulated_512){.half = {_mm256_cvtepi16_epi32(_mm256_castsi256_si128(a)),
                                   _mm256_cvtepi16_epi32(_mm256_extracti128_si256(a, 1))}};
}

EMULATED emulated_512 emulated_mm512_cvtepu8_epi32(__m128i a)
{
    return (emulated_512){.half = {_mm256_cvtepu8_epi32(a), _mm256_cvtepu8_epi32(_mm_srli_si128(a, 8))}};
}

/* What the processor leaves undefined above is zero here. */
EMULATED emulated_512 emulated_mm512_castsi256_si512(__m256i a) { return (emulated_512){.half = {a}}; }

EMULATED __m256i emulated_mm512_castsi512_si256(emulated_512 a) { return a.half[0]; }

EMULATED __m128i emulated_mm512_extracti64x2_epi64(emulated_512 a, unsigned i) { return a.quarter[i]; }

EMULATED __m256i emulated_mm512_extracti64x4_epi64(emulated_512 a, unsigned i) { return a.half[i]; }

EMULATED emulated_512 emulated_mm512_inserti64x4(emulated_512 a, __m256i b, unsigned i)
{
    a.half[i] = b;
    return a;
}

#endif
