/* SPDX-License-Identifier: Apache-2.0 */
/* Two leaks on purpose, as AVX-512 code would have them: valgrind must report them in the
 * emulation, and tools/check_ct_asm.py in the machine code. */
#include <immintrin.h>

#include "leaks.h"

/* A branch on whether any number is negative. */
unsigned leak_avx512_by_branch(const uint8_t key[64])
{
    static volatile unsigned steps;
    if (_mm512_movepi32_mask(_mm512_loadu_si512(key)) != 0)
        steps++;
    return steps;
}

/* A look-up by a number. */
unsigned leak_avx512_by_index(const uint8_t key[64])
{
    static const volatile uint8_t table[256] = {1};
    const __m128i low = _mm512_extracti64x2_epi64(_mm512_and_si512(_mm512_loadu_si512(key), _mm512_set1_epi32(255)), 0);
    return table[_mm_cvtsi128_si32(low)];
}
