/* SPDX-License-Identifier: Apache-2.0 */
/* The polynomials for 32-bit processors against plain integer arithmetic, at the ends of their ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pq/mlkem_32_int.h"

enum { KINDS = 12 };

/* Coefficients up to max without a pattern, or with one that adds up. */
static uint16_t sample(unsigned kind, unsigned n, uint32_t max)
{
    switch (kind) {
    case 0:
        return (uint16_t)max;
    case 1:
        return (uint16_t)(n % 2 == 0 ? max : 0);
    case 2:
        return n == 0 ? 1 : 0;
    case 3:
        return n == MLKEM_N - 1 ? 1 : 0;
    case 4:
        return (uint16_t)(n < MLKEM_N / 2 ? max : 0);
    default:
        return (uint16_t)(((n + 1) * (kind + 77) * 2654435761u >> 8) % (max + 1));
    }
}

static void fill(mlkem_residues *p, unsigned kind, uint32_t max)
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        p->c[n] = sample(kind, n, max);
}

/* The inverse NTT of four times NTT(a) NTT(b) is 4 a b modulo X^256 + 1, and canonical. */
static void test_product(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        for (unsigned j = 0; j < KINDS; j++) {
            mlkem_residues a, b, sum = {{0}};
            uint8_t bytes[MLKEM_POLY_LEN];
            uint64_t expected[MLKEM_N] = {0};
            fill(&a, i, Q - 1);
            fill(&b, j, 4 * Q - 1);
            for (unsigned m = 0; m < MLKEM_N; m++)
                for (unsigned n = 0; n < MLKEM_N; n++)
                    expected[(m + n) % MLKEM_N] += 4ull * a.c[m] * (m + n < MLKEM_N ? b.c[n] : 4 * Q - b.c[n]);
            larch_mlkem32_ntt(&a);
            larch_mlkem32_encode(bytes, &a, MLKEM32_ONE);
            larch_mlkem32_ntt(&b);
            for (unsigned times = 0; times < 4; times++)
                larch_mlkem32_multiply_encoded(&sum, bytes, &b);
            larch_mlkem32_inverse_ntt(&sum);
            for (unsigned n = 0; n < MLKEM_N; n++)
                assert_int_equal(sum.c[n], expected[n] % Q);
        }
    }
}

/* NTT of a constant is that constant at every even place; of X at every odd one; and bounds hold. */
static void test_ntt(void **state)
{
    (void)state;
    for (unsigned place = 0; place < 2; place++) {
        mlkem_residues p = {{0}};
        p.c[place] = 7;
        larch_mlkem32_ntt(&p);
        for (unsigned n = 0; n < MLKEM_N; n++)
            assert_int_equal(p.c[n] % Q, n % 2 == place ? 7 : 0);
    }
    /* Less than nothing would show as close to 2^16. The first of each butterfly at its least, then at its most. */
    for (unsigned kind = 0; kind < 400; kind++) {
        mlkem_residues p;
        fill(&p, kind / 2, 4 * Q - 1);
        for (unsigned n = 0; n < 32; n++)
            p.c[n] = (uint16_t)(kind % 2 == 0 ? 0 : 4 * Q - 1);
        larch_mlkem32_ntt(&p);
        for (unsigned n = 0; n < MLKEM_N; n++)
            assert_true(p.c[n] < 18 * Q);
    }
}

/* Residues up to their bound are taken as those below q are. */
static void test_inverse_range(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        mlkem_residues p, reduced;
        fill(&p, i, 5 * Q - 1);
        for (unsigned n = 0; n < MLKEM_N; n++)
            reduced.c[n] = (uint16_t)(p.c[n] % Q);
        larch_mlkem32_inverse_ntt(&p);
        larch_mlkem32_inverse_ntt(&reduced);
        assert_memory_equal(&p, &reduced, sizeof p);
    }
}

/* Coefficient n of the sample, bit by bit as the standard writes it. */
static int noise(const uint8_t *bytes, unsigned eta, unsigned n)
{
    int sum = 0;
    for (unsigned i = 0; i < 2 * eta; i++) {
        unsigned bit = 2 * eta * n + i;
        sum += (bytes[bit / 8] >> bit % 8 & 1) * (i < eta ? 1 : -1);
    }
    return sum;
}

static unsigned modulo_q(long x) { return (unsigned)((x % MLKEM_Q + MLKEM_Q) % MLKEM_Q); }

static void test_noise(void **state)
{
    (void)state;
    const long scale = -(long)((1ull << 32) % MLKEM_Q);
    for (unsigned eta = 2; eta <= 3; eta++) {
        for (unsigned nonce = 0; nonce < 256; nonce++) {
            uint8_t seed[33] = "0123456789abcdef0123456789abcdef", bytes[192];
            mlkem_residues plain, scaled, sum;
            seed[32] = (uint8_t)nonce;
            larch_shake256(LARCH_BYTES(seed), bytes, sizeof bytes);
            larch_mlkem32_sample_noise(&plain, eta, seed, (uint8_t)nonce, false);
            larch_mlkem32_sample_noise(&scaled, eta, seed, (uint8_t)nonce, true);
            fill(&sum, nonce % KINDS, Q - 1);
            larch_mlkem32_add_noise(&sum, seed, (uint8_t)nonce);
            for (unsigned n = 0; n < MLKEM_N; n++) {
                const int expected = noise(bytes, eta, n);
                assert_true(plain.c[n] <= Q + 3 && scaled.c[n] < 4 * Q);
                assert_int_equal(plain.c[n] % Q, modulo_q(expected));
                assert_int_equal(scaled.c[n] % Q, modulo_q(scale * expected));
                if (eta == MLKEM_ETA2)
                    assert_int_equal(sum.c[n] % Q, modulo_q(expected + sample(nonce % KINDS, n, Q - 1)));
            }
        }
    }
}

/* An entry of the matrix times one, which carries what products undo, is what the standard samples. */
static void test_sampled(void **state)
{
    (void)state;
    for (unsigned j = 0; j < 256; j++) {
        uint8_t seed[34] = "0123456789abcdef0123456789abcdef", stream[168 * 6];
        mlkem_residues one = {{0}}, sum = {{0}};
        seed[32] = (uint8_t)j;
        seed[33] = 3;
        for (unsigned n = 0; n < MLKEM_N; n += 2)
            one.c[n] = (uint16_t)(MLKEM_Q - (1ull << 32) % MLKEM_Q);
        larch_shake128(LARCH_BYTES(seed), stream, sizeof stream);
        larch_mlkem32_multiply_sampled(&sum, seed, (uint8_t)j, 3, &one);
        unsigned n = 0;
        for (const uint8_t *b = stream; n < MLKEM_N && b < stream + sizeof stream; b += 3) {
            const unsigned d[2] = {b[0] | (b[1] & 15u) << 8, b[1] >> 4 | (unsigned)b[2] << 4};
            for (unsigned i = 0; i < 2 && n < MLKEM_N; i++)
                if (d[i] < MLKEM_Q)
                    assert_int_equal(sum.c[n++], d[i]);
        }
        assert_int_equal(n, MLKEM_N);
    }
}

/* Every 16-bit value: the result is round(2^d / q * c) mod 2^d, whether written or compared; and back. */
static void test_compress(void **state)
{
    (void)state;
    static const unsigned widths[] = {4, 5, 10, 11};
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        const unsigned d = widths[w];
        for (unsigned first = 0; first < 0x10000; first += MLKEM_N) {
            mlkem_residues p, back;
            uint8_t bytes[32 * 11];
            for (unsigned n = 0; n < MLKEM_N; n++)
                p.c[n] = (uint16_t)(first + n);
            assert_int_equal(larch_mlkem32_compress(bytes, bytes, &p, d), 0);
            assert_int_equal(larch_mlkem32_compress(NULL, bytes, &p, d), 0);
            larch_mlkem32_decompress(&back, bytes, d);
            for (unsigned n = 0; n < MLKEM_N; n++) {
                const unsigned c = (((first + n) % Q << (d + 1)) + Q) / (2 * Q) % (1u << d);
                assert_int_equal(back.c[n], (2 * c * Q + (1u << d)) >> (d + 1));
            }
            bytes[first / MLKEM_N % (32 * d)] ^= 0x10;
            assert_int_not_equal(larch_mlkem32_compress(NULL, bytes, &p, d), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product), cmocka_unit_test(test_ntt),     cmocka_unit_test(test_inverse_range),
        cmocka_unit_test(test_noise),   cmocka_unit_test(test_sampled), cmocka_unit_test(test_compress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
