/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak with AVX-512, which has the rotation and any function of three words:
 * on eight states in 512-bit vectors, on four in 256-bit ones, and on one in the
 * low halves of 128-bit ones. (One state as five vectors of a plane each was tried
 * and took longer: on Zen 4 a shuffle across a vector takes five cycles.)
 */
#include <immintrin.h>

#include "pq/x86/x86_int.h"

/* Truth tables of a ^ b ^ c and of a ^ (~b & c). */
enum { PARITY = 0x96, CHOOSE = 0xd2 };

#define LANES         8
#define V             __m512i
#define LOAD(p)       _mm512_loadu_si512(p)
#define STORE(p, v)   _mm512_storeu_si512(p, v)
#define XOR(a, b)     _mm512_xor_si512(a, b)
#define XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, PARITY)
#define CHI(a, b, c)  _mm512_ternarylogic_epi64(a, b, c, CHOOSE)
#define ROL(a, n)     ((n) == 0 ? (a) : _mm512_rol_epi64(a, n))
#define SPREAD(x)     _mm512_set1_epi64((long long)(x))
#define PERMUTE       larch_keccak_x8_avx512
#define NAME(part)    part##_x8
#include "pq/x86/keccak_lanes.h"

#define LANES         4
#define V             __m256i
#define LOAD(p)       _mm256_loadu_si256((const __m256i *)(p))
#define STORE(p, v)   _mm256_storeu_si256((__m256i *)(p), v)
#define XOR(a, b)     _mm256_xor_si256(a, b)
#define XOR3(a, b, c) _mm256_ternarylogic_epi64(a, b, c, PARITY)
#define CHI(a, b, c)  _mm256_ternarylogic_epi64(a, b, c, CHOOSE)
#define ROL(a, n)     ((n) == 0 ? (a) : _mm256_rol_epi64(a, n))
#define SPREAD(x)     _mm256_set1_epi64x((long long)(x))
#define PERMUTE       larch_keccak_x4_avx512
#define NAME(part)    part##_x4
#include "pq/x86/keccak_lanes.h"

#define LANES         1
#define V             __m128i
#define LOAD(p)       _mm_loadl_epi64((const __m128i *)(p))
#define STORE(p, v)   _mm_storel_epi64((__m128i *)(p), v)
#define XOR(a, b)     _mm_xor_si128(a, b)
#define XOR3(a, b, c) _mm_ternarylogic_epi64(a, b, c, PARITY)
#define CHI(a, b, c)  _mm_ternarylogic_epi64(a, b, c, CHOOSE)
#define ROL(a, n)     ((n) == 0 ? (a) : _mm_rol_epi64(a, n))
#define SPREAD(x)     _mm_set1_epi64x((long long)(x))
#define PERMUTE       larch_keccak_x1_avx512
#define NAME(part)    part##_x1
#include "pq/x86/keccak_lanes.h"
