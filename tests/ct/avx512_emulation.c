/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether avx512_emulated.h computes what the processor does: every instruction in it, on random
 * numbers and on those at the ends of their ranges. It is compiled with -Werror=unused-function, so
 * an instruction of the header that is not compared here does not compile.
 */
#define EMULATED static
#include "avx512_emulated.h"

#include <stdio.h>

#define ROUNDS 20000

static emulated_512 a, b, c;
static uint64_t state = 0x9e3779b97f4a7c15;
static unsigned differences;

static uint64_t next(void) /* xorshift64 */
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Some lanes are random, some at an end of their range, some small, as counts and places are. */
static void fill(emulated_512 *v)
{
    static const uint16_t ends[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    for (unsigned i = 0; i < 32; i++) {
        const uint64_t x = next();
        const unsigned kind = (unsigned)(x >> 60) % 4;
        v->u16[i] = kind == 0 ? ends[(x >> 16) % 6] : kind == 1 ? (uint16_t)(x & 0x1f) : (uint16_t)x;
    }
    for (unsigned i = 0; i < 16; i++)
        if (next() % 4 == 0)
            v->u32[i] = (uint32_t)(next() % 70);
    for (unsigned i = 0; i < 8; i++)
        if (next() % 4 == 0)
            v->u64[i] = next() % 70;
}

static void expect(const char *name, const void *real, const void *emulated, size_t len)
{
    if (memcmp(real, emulated, len) != 0 && differences++ < 20)
        fprintf(stderr, "%s differs\n", name);
}

/* The results of the two calls. */
#define SAME(name, real, emulated)                         \
    do {                                                   \
        const __typeof__(real) real_ = (real);             \
        const __typeof__(emulated) emulated_ = (emulated); \
        expect(#name, &real_, &emulated_, sizeof real_);   \
    } while (0)

#define REAL(v)                 _mm512_loadu_si512(&(v))
#define OF_ONE(name)            SAME(name, name(REAL(a)), emulated##name(a))
#define OF_TWO(name)            SAME(name, name(REAL(a), REAL(b)), emulated##name(a, b))
#define OF_THREE(name)          SAME(name, name(REAL(a), REAL(b), REAL(c)), emulated##name(a, b, c))
/* Whose arguments have no 512 bits. */
#define OF_PLAIN(name, ...)     SAME(name, name(__VA_ARGS__), emulated##name(__VA_ARGS__))
/* With the constants that stand in the code. */
#define SHIFTED(name, n)        SAME(name, name(REAL(a), n), emulated##name(a, n))
#define SHIFTED_BY_VECTOR(name) SAME(name, name(REAL(a), b.quarter[0]), emulated##name(a, b.quarter[0]))
#define ROTATED(n)                                \
    do {                                          \
        SHIFTED(_mm512_rol_epi64, n);             \
        OF_PLAIN(_mm256_rol_epi64, a.half[0], n); \
        OF_PLAIN(_mm_rol_epi64, a.quarter[0], n); \
    } while (0)
#define TERNARIES(table)                                                                             \
    do {                                                                                             \
        SAME(_mm512_ternarylogic_epi64, _mm512_ternarylogic_epi64(REAL(a), REAL(b), REAL(c), table), \
             emulated_mm512_ternarylogic_epi64(a, b, c, table));                                     \
        OF_PLAIN(_mm256_ternarylogic_epi64, a.half[0], b.half[0], c.half[0], table);                 \
        OF_PLAIN(_mm_ternarylogic_epi64, a.quarter[0], b.quarter[0], c.quarter[0], table);           \
    } while (0)

static void compare_constants(void)
{
    OF_PLAIN(_mm512_set1_epi16, a.i16[0]);
    OF_PLAIN(_mm512_set1_epi32, a.i32[0]);
    OF_PLAIN(_mm512_set1_epi64, (long long)a.u64[0]);
    OF_PLAIN(_mm512_maskz_set1_epi32, b.u16[0], a.i32[0]);
    OF_PLAIN(_mm512_maskz_set1_epi64, b.u8[0], (long long)a.u64[0]);
#define SIXTEEN(v) v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15]
#define EIGHT(v)                                                                                          \
    (long long)v[0], (long long)v[1], (long long)v[2], (long long)v[3], (long long)v[4], (long long)v[5], \
        (long long)v[6], (long long)v[7]
    OF_PLAIN(_mm512_set_epi16, SIXTEEN(a.i16), SIXTEEN(b.i16));
    OF_PLAIN(_mm512_set_epi64, EIGHT(a.u64));
    OF_PLAIN(_mm512_setr_epi32, SIXTEEN(a.i32));
    OF_PLAIN(_mm512_setr_epi64, EIGHT(a.u64));
    OF_PLAIN(_mm512_setr4_epi32, a.i32[0], a.i32[1], a.i32[2], a.i32[3]);
}

/* name(out, mask, b) on the memory of a. */
#define MASKED_STORE(name, mask)                      \
    do {                                              \
        emulated_512 real = a, emulated = a;          \
        name(&real, mask, REAL(b));                   \
        emulated##name(&emulated, mask, b);           \
        expect(#name, &real, &emulated, sizeof real); \
    } while (0)
#define WHOLE_STORE(name)                             \
    do {                                              \
        _Alignas(64) emulated_512 real, emulated;     \
        name(&real, REAL(b));                         \
        emulated##name(&emulated, b);                 \
        expect(#name, &real, &emulated, sizeof real); \
    } while (0)

static void compare_memory(void)
{
    _Alignas(64) const emulated_512 aligned = a;
    OF_PLAIN(_mm512_load_si512, &aligned);
    OF_PLAIN(_mm512_loadu_si512, &a);
    OF_PLAIN(_mm512_maskz_loadu_epi8, b.u64[0], &a);
    WHOLE_STORE(_mm512_store_si512);
    WHOLE_STORE(_mm512_storeu_si512);
    MASKED_STORE(_mm512_mask_storeu_epi16, c.u32[0]);
    MASKED_STORE(_mm512_mask_storeu_epi32, c.u16[0]);
}

static void compare_lanes(void)
{
    OF_TWO(_mm512_add_epi16);
    OF_TWO(_mm512_add_epi32);
    OF_TWO(_mm512_add_epi64);
    OF_TWO(_mm512_sub_epi16);
    OF_TWO(_mm512_sub_epi32);
    OF_TWO(_mm512_and_si512);
    OF_TWO(_mm512_andnot_si512);
    OF_TWO(_mm512_or_si512);
    OF_TWO(_mm512_xor_si512);
    OF_TWO(_mm512_mullo_epi16);
    OF_TWO(_mm512_mullo_epi32);
    OF_TWO(_mm512_mulhi_epi16);
    OF_TWO(_mm512_mulhrs_epi16);
    OF_TWO(_mm512_min_epu16);
    OF_TWO(_mm512_mul_epi32);
    OF_TWO(_mm512_madd_epi16);
    OF_TWO(_mm512_sllv_epi32);
    OF_TWO(_mm512_srlv_epi16);
    OF_TWO(_mm512_srlv_epi32);
    OF_TWO(_mm512_srlv_epi64);
    OF_THREE(_mm512_shrdv_epi16);
}

static void compare_shifts(void)
{
    SHIFTED(_mm512_srli_epi16, 3);
    SHIFTED(_mm512_srli_epi16, 16);
    SHIFTED(_mm512_slli_epi32, 13);
    SHIFTED(_mm512_slli_epi32, 32);
    SHIFTED(_mm512_srli_epi32, 10);
    SHIFTED(_mm512_srli_epi32, 32);
    SHIFTED(_mm512_srli_epi64, 32);
    SHIFTED(_mm512_srli_epi64, 64);
    SHIFTED(_mm512_srai_epi32, 31);
    SHIFTED(_mm512_srai_epi32, 3);
    SHIFTED(_mm512_srai_epi32, 32);
    SHIFTED_BY_VECTOR(_mm512_sll_epi16);
    SHIFTED_BY_VECTOR(_mm512_srl_epi32);
    SHIFTED_BY_VECTOR(_mm512_sll_epi64);
    SHIFTED_BY_VECTOR(_mm512_srl_epi64);
    ROTATED(0);
    ROTATED(1);
    ROTATED(31);
    ROTATED(32);
    ROTATED(63);
    TERNARIES(0x96);
    TERNARIES(0xd2);
    TERNARIES(0x1b);
}

static void compare_masks(void)
{
    OF_ONE(_mm512_movepi32_mask);
    SAME(_mm512_mask_cmplt_epu16_mask, _mm512_mask_cmplt_epu16_mask(c.u32[0], REAL(a), REAL(b)),
         emulated_mm512_mask_cmplt_epu16_mask(c.u32[0], a, b));
    SAME(_mm512_mask_blend_epi16, _mm512_mask_blend_epi16(c.u32[0], REAL(a), REAL(b)),
         emulated_mm512_mask_blend_epi16(c.u32[0], a, b));
    SAME(_mm512_maskz_compress_epi16, _mm512_maskz_compress_epi16(c.u32[0], REAL(a)),
         emulated_mm512_maskz_compress_epi16(c.u32[0], a));
    SAME(_mm512_maskz_compress_epi32, _mm512_maskz_compress_epi32(c.u16[0], REAL(a)),
         emulated_mm512_maskz_compress_epi32(c.u16[0], a));
}

#define SHUFFLED(places)                                                                                            \
    SAME(_mm512_mask_shuffle_epi32, _mm512_mask_shuffle_epi32(REAL(b), c.u16[0], REAL(a), (_MM_PERM_ENUM)(places)), \
         emulated_mm512_mask_shuffle_epi32(b, c.u16[0], a, places))

static void compare_moves(void)
{
    OF_TWO(_mm512_permutexvar_epi8);
    OF_THREE(_mm512_permutex2var_epi64);
    OF_TWO(_mm512_shuffle_epi8);
    OF_TWO(_mm512_unpacklo_epi16);
    OF_TWO(_mm512_unpackhi_epi16);
    OF_TWO(_mm512_unpacklo_epi32);
    OF_TWO(_mm512_unpackhi_epi32);
    OF_TWO(_mm512_unpacklo_epi64);
    OF_TWO(_mm512_unpackhi_epi64);
    OF_TWO(_mm512_packus_epi32);
    SHIFTED(_mm512_bsrli_epi128, 8);
    SHIFTED(_mm512_bsrli_epi128, 3);
    SHUFFLED(0xf5);
    SHUFFLED(0x1b);
}

#define PART_OF(name, i)  SAME(name, name(REAL(a), i), emulated##name(a, i))
#define INSERTED(name, i) SAME(name, name(REAL(a), b.half[0], i), emulated##name(a, b.half[0], i))

static void compare_widths(void)
{
    OF_PLAIN(_mm512_cvtepi16_epi32, a.half[0]);
    OF_PLAIN(_mm512_cvtepu8_epi32, a.quarter[0]);
    OF_ONE(_mm512_castsi512_si256);
    SAME(_mm512_castsi256_si512, _mm512_castsi512_si256(_mm512_castsi256_si512(a.half[0])),
         emulated_mm512_castsi256_si512(a.half[0]).half[0]);
    PART_OF(_mm512_extracti64x2_epi64, 0);
    PART_OF(_mm512_extracti64x2_epi64, 1);
    PART_OF(_mm512_extracti64x2_epi64, 2);
    PART_OF(_mm512_extracti64x2_epi64, 3);
    PART_OF(_mm512_extracti64x4_epi64, 0);
    PART_OF(_mm512_extracti64x4_epi64, 1);
    INSERTED(_mm512_inserti64x4, 0);
    INSERTED(_mm512_inserti64x4, 1);
}

/* By itself, because main must run on every processor. */
static __attribute__((noinline)) int compare(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        fill(&a);
        fill(&b);
        fill(&c);
        compare_constants();
        compare_memory();
        compare_lanes();
        compare_shifts();
        compare_masks();
        compare_moves();
        compare_widths();
    }
    printf("emulation: %d rounds, %u differences\n", ROUNDS, differences);
    return differences != 0;
}

int main(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vbmi2"))
        return compare();
    printf("skipped: ct.avx512_emulation: this processor has no AVX-512\n");
    return 77;
}
