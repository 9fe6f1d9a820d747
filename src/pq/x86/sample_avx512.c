/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling by rejection with AVX-512 VBMI and VBMI2. */
#include <immintrin.h>

#include "pq/x86/x86_int.h"

unsigned larch_x86_reject_avx512(int16_t *out, unsigned room, const uint8_t *bytes, size_t len)
{
    /* Three bytes hold two numbers: 0 1, 1 2 of each three; the second begins at bit 4. */
    const __m512i odd = _mm512_set1_epi32(0x00040000);
    const __m512i step = _mm512_set_epi16(45, 45, 42, 42, 39, 39, 36, 36, 33, 33, 30, 30, 27, 27, 24, 24, 21, 21, 18,
                                          18, 15, 15, 12, 12, 9, 9, 6, 6, 3, 3, 0, 0);
    const __m512i places =
        _mm512_add_epi16(_mm512_mullo_epi16(step, _mm512_set1_epi16(0x0101)), _mm512_set1_epi32(0x02010100));
    unsigned n = 0;
    for (size_t at = 0; at < len && n < room; at += 48) {
        const size_t left = len - at;
        const __mmask32 there = left < 48 ? 0xffff : 0xffffffff; /* 24 bytes or 48 */
        __m512i v = _mm512_permutexvar_epi8(places, _mm512_loadu_si512(bytes + at));
        v = _mm512_and_si512(_mm512_srlv_epi16(v, odd), _mm512_set1_epi16(0xfff));
        const __mmask32 good = _mm512_mask_cmplt_epu16_mask(there, v, _mm512_set1_epi16(MLKEM_Q));
        const __mmask32 fits = room - n < 32 ? (1u << (room - n)) - 1 : 0xffffffff;
        /* Compressed in a register: Zen 4 takes a hundred cycles to compress into memory. */
        _mm512_mask_storeu_epi16(out + n, fits, _mm512_maskz_compress_epi16(good, v));
        n += (unsigned)__builtin_popcount(good);
    }
    return n < room ? n : room;
}
