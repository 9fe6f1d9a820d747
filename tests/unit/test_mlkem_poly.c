/* SPDX-License-Identifier: Apache-2.0 */
/* The polynomials against plain integer arithmetic, at the ends of their ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pq/mlkem_int.h"

static const unsigned widths[] = {1, 4, 5, 10, 11, 12};

static int modulo_q(long x)
{
    long r = x % MLKEM_Q;
    return (int)(r < 0 ? r + MLKEM_Q : r);
}

/* Every 16-bit value, in every place: the result is round(2^d / q * c) mod 2^d. */
static void test_compress(void **state)
{
    (void)state;
    for (size_t w = 0; widths[w] < 12; w++) {
        const unsigned d = widths[w];
        for (int first = INT16_MIN; first <= INT16_MAX; first += MLKEM_N) {
            mlkem_poly p;
            for (int n = 0; n < MLKEM_N; n++)
                p.c[n] = (int16_t)(first + n);
            larch_mlkem_compress(&p, d);
            for (int n = 0; n < MLKEM_N; n++) {
                int c = modulo_q(first + n);
                assert_int_equal(p.c[n], ((2 * c << d) + MLKEM_Q) / (2 * MLKEM_Q) % (1 << d));
            }
        }
    }
}

static void test_decompress(void **state)
{
    (void)state;
    for (size_t w = 0; widths[w] < 12; w++) {
        const unsigned d = widths[w];
        for (int first = 0; first < 1 << d; first += MLKEM_N) {
            mlkem_poly p;
            for (int n = 0; n < MLKEM_N; n++)
                p.c[n] = (int16_t)((first + n) % (1 << d));
            const mlkem_poly in = p;
            larch_mlkem_decompress(&p, d);
            for (int n = 0; n < MLKEM_N; n++)
                assert_int_equal(p.c[n], (2 * in.c[n] * MLKEM_Q + (1 << d)) / (2 << d));
        }
    }
}

/* Bit i of coefficient n is bit n d + i of the bytes, in both directions. */
static void test_encode(void **state)
{
    (void)state;
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        const unsigned d = widths[w];
        uint8_t bytes[MLKEM_POLY_LEN + 1];
        mlkem_poly p, back;
        for (unsigned n = 0; n < MLKEM_N; n++)
            p.c[n] = (int16_t)(n * 2654435761u >> 7 & ((1u << d) - 1));
        memset(bytes, 0x5a, sizeof bytes);
        larch_mlkem_encode(bytes, &p, d);
        for (unsigned bit = 0; bit < MLKEM_N * d; bit++)
            assert_int_equal(bytes[bit / 8] >> bit % 8 & 1, p.c[bit / d] >> bit % d & 1);
        assert_int_equal(bytes[32 * d], 0x5a);
        larch_mlkem_decode(&back, bytes, d);
        assert_memory_equal(&back, &p, sizeof p);
    }
}

/* What the polynomials of the product test look like. */
static int16_t sample(unsigned kind, unsigned n)
{
    switch (kind) {
    case 0:
        return MLKEM_Q - 1;
    case 1:
        return n % 2 == 0 ? MLKEM_Q - 1 : 0;
    case 2:
        return n == 0 ? 1 : 0;
    case 3:
        return n == MLKEM_N - 1 ? 1 : 0;
    default: /* no pattern */
        return (int16_t)modulo_q((long)((n + 1) * (kind + 77) * 2654435761u >> 8 & 0xffff));
    }
}

enum { KINDS = 12 };

/* The inverse NTT of four times NTT(a) NTT(b) is 4 a b modulo X^256 + 1. */
static void test_product(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        for (unsigned j = 0; j < KINDS; j++) {
            mlkem_poly a, acc = {{0}};
            mlkem_factor b;
            long expected[MLKEM_N] = {0};
            for (unsigned n = 0; n < MLKEM_N; n++) {
                a.c[n] = sample(i, n);
                b.poly.c[n] = sample(j, n);
            }
            for (unsigned m = 0; m < MLKEM_N; m++)
                for (unsigned n = 0; n < MLKEM_N; n++)
                    expected[(m + n) % MLKEM_N] += (m + n < MLKEM_N ? 4L : -4L) * a.c[m] * b.poly.c[n];
            larch_mlkem_ntt(&a);
            larch_mlkem_to_plain(&a);
            larch_mlkem_ntt(&b.poly);
            larch_mlkem_factor_finish(&b);
            for (unsigned times = 0; times < 4; times++)
                larch_mlkem_multiply_add(&acc, &a, &b);
            larch_mlkem_inverse_ntt(&acc);
            for (unsigned n = 0; n < MLKEM_N; n++) {
                assert_true(acc.c[n] > -MLKEM_Q && acc.c[n] < MLKEM_Q);
                assert_int_equal(modulo_q(acc.c[n]), modulo_q(expected[n]));
            }
        }
    }
}

/* NTT of a constant is that constant at every even place; of X at every odd one,
 * so the order of to_plain is seen. */
static void test_order(void **state)
{
    (void)state;
    for (unsigned place = 0; place < 2; place++) {
        mlkem_poly p = {{0}};
        p.c[place] = 7;
        larch_mlkem_ntt(&p);
        larch_mlkem_to_plain(&p);
        for (unsigned n = 0; n < MLKEM_N; n++)
            assert_int_equal(p.c[n], n % 2 == place ? 7 : 0);
    }
}

/* The eta-bit sums, bit by bit as the standard writes them. */
static void test_sample_cbd(void **state)
{
    (void)state;
    for (unsigned eta = 2; eta <= 3; eta++) {
        for (unsigned nonce = 0; nonce < 256; nonce++) {
            uint8_t seed[33] = "0123456789abcdef0123456789abcdef", bytes[192];
            mlkem_poly p;
            seed[32] = (uint8_t)nonce;
            larch_shake256(LARCH_BYTES(seed), bytes, sizeof bytes);
            larch_mlkem_sample_cbd(&p, eta, seed, (uint8_t)nonce);
            for (unsigned n = 0; n < MLKEM_N; n++) {
                int expected = 0;
                for (unsigned i = 0; i < 2 * eta; i++) {
                    unsigned bit = 2 * eta * n + i;
                    expected += (bytes[bit / 8] >> bit % 8 & 1) * (i < eta ? 1 : -1);
                }
                assert_int_equal(p.c[n], expected);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compress), cmocka_unit_test(test_decompress), cmocka_unit_test(test_encode),
        cmocka_unit_test(test_product),  cmocka_unit_test(test_order),      cmocka_unit_test(test_sample_cbd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
