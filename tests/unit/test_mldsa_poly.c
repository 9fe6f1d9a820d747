/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of ML-DSA against their definitions, written as plainly as they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pq/mldsa_int.h"

#define Q MLDSA_Q
#define N MLDSA_N

static const mldsa_rounding roundings[] = {
    {.gamma2 = (Q - 1) / 88, .parts = 44, .factor = 2819, .shift = 11, .factor_shift = 18, .w1_bits = 6},
    {.gamma2 = (Q - 1) / 32, .parts = 16, .factor = 65601, .shift = 9, .factor_shift = 26, .w1_bits = 4},
};

static larch_keccak rng;

static int start(void **state)
{
    (void)state;
    larch_shake128_init(&rng);
    larch_shake_finalize(&rng);
    return 0;
}

static uint32_t random_below(uint32_t bound)
{
    uint8_t b[8];
    uint64_t x = 0;
    larch_shake_squeeze(&rng, b, sizeof b);
    for (unsigned i = 0; i < sizeof b; i++)
        x = x << 8 | b[i];
    return (uint32_t)(x % bound);
}

/* out = a * b modulo X^256 + 1. */
static void multiply(int64_t out[N], const int64_t a[N], const int64_t b[N])
{
    memset(out, 0, N * sizeof out[0]);
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++)
            out[(i + j) % N] += (i + j < N ? 1 : -1) * (a[i] * b[j] % Q);
}

static int64_t modulo(int64_t x, int64_t m) { return (x % m + m) % m; }
/* x mod+- m: in (-m/2, m/2]. */
static int64_t centered(int64_t x, int64_t m) { return modulo(x, m) > m / 2 ? modulo(x, m) - m : modulo(x, m); }

/* ---- products ------------------------------------------------------------ */

/* Sums of products by NTT, all values the largest and random ones. */
static void test_multiply_row(void **state)
{
    (void)state;
    static const unsigned lens[] = {4, 5, 7};
    static mldsa_poly a[7], b[7], out;
    for (unsigned round = 0; round < 6; round++) {
        const unsigned len = lens[round % 3];
        int64_t sum[N] = {0}, product[N], x[N], y[N];
        for (unsigned i = 0; i < len; i++) {
            for (unsigned n = 0; n < N; n++) {
                a[i].c[n] = (uint32_t)(x[n] = round < 3 ? Q - 1 : random_below(Q));
                b[i].c[n] = (uint32_t)(y[n] = round < 3 ? 2 * Q - 1 : random_below(2 * Q));
            }
            multiply(product, x, y);
            for (unsigned n = 0; n < N; n++)
                sum[n] += product[n];
            larch_mldsa_ntt(&a[i]);
            larch_mldsa_ntt(&b[i]);
            for (unsigned n = 0; n < N; n++) {
                assert_true(a[i].c[n] < 18u * Q && b[i].c[n] < 18u * Q);
                a[i].c[n] %= Q;
            }
        }
        larch_mldsa_multiply_row(&out, a, b, len);
        for (unsigned n = 0; n < N; n++)
            assert_true(out.c[n] < 2u * Q);
        larch_mldsa_inverse_ntt(&out);
        for (unsigned n = 0; n < N; n++)
            assert_int_equal(out.c[n], modulo(sum[n], Q));
    }
}

/* The largest that multiply_row and inverse_ntt say that they take. */
static void test_bounds(void **state)
{
    (void)state;
    static mldsa_poly a[7], b[7], out, other;
    for (unsigned n = 0; n < N; n++)
        for (unsigned i = 0; i < 7; i++) {
            a[i].c[n] = Q - 1;
            b[i].c[n] = 18 * Q - 1;
        }
    larch_mldsa_multiply_row(&out, a, b, 7);
    for (unsigned n = 0; n < N; n++) { /* 7 (-1) (-1) / 2^32, and 2^32 mod q = 4193792 */
        assert_true(out.c[n] < 2u * Q);
        assert_int_equal((uint64_t)out.c[n] * 4193792 % Q, 7);
    }
    for (unsigned pattern = 0; pattern < 4; pattern++) {
        for (unsigned n = 0; n < N; n++) {
            out.c[n] = (pattern == 0 || (pattern == 1 && n % 2 == 0) || (pattern == 2 && n < N / 2)) ? 2 * Q - 1 : 0;
            if (pattern == 3)
                out.c[n] = random_below(2) ? 2 * Q - 1 : 0;
            other.c[n] = out.c[n] % Q;
        }
        larch_mldsa_inverse_ntt(&out);
        larch_mldsa_inverse_ntt(&other);
        assert_memory_equal(&out, &other, sizeof out);
        assert_true(out.c[0] < Q && out.c[N - 1] < Q);
    }
}

static void random_challenge(mldsa_challenge *c, unsigned tau, int64_t plain[N])
{
    uint8_t c_tilde[32];
    unsigned ones = 0;
    larch_shake_squeeze(&rng, c_tilde, sizeof c_tilde);
    larch_mldsa_sample_challenge(c, tau, c_tilde, sizeof c_tilde);
    memset(plain, 0, N * sizeof plain[0]);
    assert_int_equal(c->tau, tau);
    for (unsigned t = 0; t < tau; t++) {
        assert_in_range(c->at[t], 0, 2 * N - 1);
        plain[c->at[t] % N] += c->at[t] < N ? 1 : -1;
    }
    for (unsigned n = 0; n < N; n++)
        ones += plain[n] != 0;
    assert_int_equal(ones, tau); /* no place twice */
}

static void test_challenge_times(void **state)
{
    (void)state;
    static const unsigned taus[] = {39, MLDSA_TAU_MAX < 49 ? MLDSA_TAU_MAX : 49, MLDSA_TAU_MAX};
    for (unsigned round = 0; round < 30; round++) {
        int64_t c_plain[N], p_plain[N], expected[N];
        mldsa_challenge c;
        mldsa_small p, out;
        random_challenge(&c, taus[round % 3], c_plain);
        for (unsigned n = 0; n < N; n++) {
            /* Round 0 to 2: the largest sum that occurs, that of t1 around zero. */
            p_plain[n] = round < 3 ? (c_plain[(N - n) % N] * (n == 0 ? 1 : -1) < 0 ? 511 : -512)
                                   : (int64_t)random_below(1024) - 512;
            p.c[n] = (int16_t)p_plain[n];
        }
        multiply(expected, c_plain, p_plain);
        larch_mldsa_challenge_times(&out, &c, &p);
        for (unsigned n = 0; n < N; n++)
            assert_int_equal(out.c[n], expected[n]);
    }
}

static void test_subtract_t1(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        mldsa_poly w, before;
        mldsa_small a, b;
        for (unsigned n = 0; n < N; n++) {
            const int16_t sign = round == 1 ? -1 : 1;
            w.c[n] = before.c[n] = round < 2 ? (n % 2 ? Q - 1 : 0) : random_below(Q);
            a.c[n] = (int16_t)(round < 2 ? sign * 60 * 511 : (int)random_below(61320) - 30660);
            b.c[n] = (int16_t)(round < 2 ? sign * 60 : (int)random_below(121) - 60);
        }
        larch_mldsa_subtract_t1(&w, &a, &b);
        for (unsigned n = 0; n < N; n++)
            assert_int_equal(w.c[n], modulo((int64_t)before.c[n] - 8192 * (a.c[n] + 512 * (int64_t)b.c[n]), Q));
    }
}

/* The form for small machines, on keys and signatures as they come. */
static void test_subtract_t1_slowly(void **state)
{
    (void)state;
    static const unsigned taus[] = {39, MLDSA_TAU_MAX < 49 ? MLDSA_TAU_MAX : 49, MLDSA_TAU_MAX};
    for (unsigned round = 0; round < 30; round++) {
        int64_t c_plain[N];
        mldsa_challenge c;
        mldsa_small t1, ones, product, c_ones;
        mldsa_poly w, slow;
        random_challenge(&c, taus[round % 3], c_plain);
        for (unsigned n = 0; n < N; n++) {
            w.c[n] = slow.c[n] = round < 6 ? (round % 2 ? Q - 1 : 0) : random_below(Q);
            ones.c[n] = 1;
            t1.c[n] = (int16_t)(round < 6 ? (c_plain[(N - n) % N] < 0 ? 511 : -512) : (int)random_below(1024) - 512);
        }
        larch_mldsa_challenge_times(&product, &c, &t1);
        larch_mldsa_challenge_times(&c_ones, &c, &ones);
        larch_mldsa_subtract_t1(&w, &product, &c_ones);
        larch_mldsa_subtract_t1_slowly(&slow, &c, &t1);
        assert_memory_equal(&slow, &w, sizeof w);
    }
}

static void test_multiply_sampled(void **state)
{
    (void)state;
    static mldsa_poly row[7], v[7], sum, fast;
    uint8_t rho[32];
    larch_shake_squeeze(&rng, rho, sizeof rho);
    larch_mldsa_sample_row(row, 7, rho, 5);
    for (unsigned s = 0; s < 7; s++) {
        for (unsigned n = 0; n < N; n++)
            v[s].c[n] = n == 0 ? 18 * Q - 1 : random_below(18 * Q);
        larch_mldsa_multiply_sampled(&sum, rho, 5, s, &v[s]);
    }
    larch_mldsa_multiply_row(&fast, row, v, 7);
    larch_mldsa_reduce(&sum);
    for (unsigned n = 0; n < N; n++)
        assert_true(sum.c[n] < 2u * Q && sum.c[n] % Q == fast.c[n] % Q);
}

static void test_add_small(void **state)
{
    (void)state;
    mldsa_small a;
    mldsa_poly p, before;
    for (unsigned n = 0; n < N; n++) {
        a.c[n] = (int16_t)(n < 4 ? (n % 2 ? INT16_MIN : INT16_MAX) : (int)random_below(65536) - 32768);
        p.c[n] = before.c[n] = n < 4 ? (n < 2 ? 0 : Q - 1) : random_below(Q);
    }
    larch_mldsa_add_small(&p, &a);
    for (unsigned n = 0; n < N; n++)
        assert_int_equal(p.c[n], modulo((int64_t)before.c[n] + a.c[n], Q));
}

static void test_norm(void **state)
{
    (void)state;
    mldsa_short p = {{0}};
    const int32_t bound = (1 << 17) - 78;
    assert_true(larch_mldsa_norm_is_below(&p, 1));
    for (unsigned n = 0; n < N; n++) {
        const int32_t below[] = {bound - 1, 1 - bound, 0}, beyond[] = {bound, -bound, 1 << 20, -(1 << 20)};
        for (unsigned i = 0; i < 4; i++) {
            p.c[n] = beyond[i];
            assert_false(larch_mldsa_norm_is_below(&p, bound));
        }
        for (unsigned i = 0; i < 3; i++) {
            p.c[n] = below[i];
            assert_true(larch_mldsa_norm_is_below(&p, bound));
        }
    }
}

/* ---- rounding: all residues ------------------------------------------------ */

static void test_power2round(void **state)
{
    (void)state;
    for (uint32_t r = 0; r < Q; r += N) {
        mldsa_poly t;
        mldsa_small t0;
        for (unsigned n = 0; n < N; n++)
            t.c[n] = (r + n) % Q;
        larch_mldsa_power2round(&t, &t0);
        for (unsigned n = 0; n < N; n++)
            if (t0.c[n] != centered((r + n) % Q, 8192) || t.c[n] != (uint32_t)((int64_t)((r + n) % Q) - t0.c[n]) / 8192)
                fail_msg("%u", (unsigned)(r + n) % Q);
    }
}

/* [FIPS204 algorithm 36] */
static void decompose(int64_t gamma2, int64_t r, int64_t *r1, int64_t *r0)
{
    *r0 = centered(r, 2 * gamma2);
    if (r - *r0 == Q - 1) {
        *r1 = 0;
        --*r0;
    } else {
        *r1 = (r - *r0) / (2 * gamma2);
    }
}

static void test_decompose_and_use_hint(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 2; m++) {
        const mldsa_rounding *rounding = &roundings[m];
        for (uint32_t r = 0; r < Q; r += N) {
            mldsa_poly p;
            mldsa_short r0;
            uint8_t r1[N], used[N];
            for (unsigned n = 0; n < N; n++) {
                p.c[n] = (r + n) % Q;
                used[n] = (uint8_t)((r / N + n) % 2);
            }
            larch_mldsa_decompose(rounding, r1, &r0, &p);
            larch_mldsa_use_hint(rounding, used, &p);
            for (unsigned n = 0; n < N; n++) {
                int64_t e1, e0;
                decompose(rounding->gamma2, p.c[n], &e1, &e0);
                int64_t hinted = (r / N + n) % 2 ? modulo(e1 + (e0 > 0 ? 1 : -1), rounding->parts) : e1;
                if (r1[n] != e1 || r0.c[n] != e0 || used[n] != hinted)
                    fail_msg("gamma2 %d, r %u", (int)rounding->gamma2, (unsigned)p.c[n]);
            }
        }
    }
}

/* MakeHint by its definition, for r = w - c s2 with small |c s2| and all t that the signer lets through. */
static void test_make_hint(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 2; m++) {
        const mldsa_rounding *rounding = &roundings[m];
        const int64_t gamma2 = rounding->gamma2;
        for (unsigned round = 0; round < 3000; round++) {
            mldsa_short low;
            uint8_t w1[N], expected[N];
            unsigned count = 0;
            for (unsigned n = 0; n < N; n++) {
                int64_t r, r1, r0, s1, s0, step;
                do { /* where the parts meet, by preference */
                    const int64_t near_edge = (int64_t)random_below(88) * gamma2 + random_below(9) - 4;
                    r = random_below(2) ? modulo(near_edge, Q) : random_below(Q);
                    decompose(gamma2, r, &r1, &r0);
                } while (llabs(r0) >= gamma2 - 78);
                step = random_below(2) ? (int64_t)random_below((uint32_t)(2 * gamma2 - 1)) - gamma2 + 1
                                       : (random_below(2) ? gamma2 : -gamma2) - r0 + random_below(5) - 2;
                if (llabs(step) >= gamma2)
                    step = 0;
                decompose(gamma2, modulo(r + step, Q), &s1, &s0);
                expected[n] = s1 != r1;
                count += expected[n];
                w1[n] = (uint8_t)r1;
                low.c[n] = (int32_t)(r0 + step);
            }
            assert_int_equal(larch_mldsa_make_hint(rounding, w1, &low), count);
            assert_memory_equal(w1, expected, N);
        }
    }
}

/* ---- bytes ------------------------------------------------------------------ */

/* The n-th number of so many bits. */
static uint32_t number_at(const uint8_t *bytes, size_t n, unsigned bits)
{
    uint32_t x = 0;
    for (unsigned i = 0; i < bits; i++)
        x |= (uint32_t)(bytes[(n * bits + i) / 8] >> ((n * bits + i) % 8) & 1) << i;
    return x;
}

static void test_packing(void **state)
{
    (void)state;
    static const struct {
        unsigned bits;
        int32_t top;
    } small[] = {{3, 2}, {4, 4}, {13, 4096}}, wide[] = {{18, 1 << 17}, {20, 1 << 19}};
    uint8_t bytes[32 * 20], again[32 * 20], w1[N];
    mldsa_small s;
    mldsa_short p;
    mldsa_poly t1;
    for (unsigned round = 0; round < 20; round++) {
        larch_shake_squeeze(&rng, bytes, sizeof bytes);
        for (unsigned i = 0; i < 3; i++) {
            larch_mldsa_unpack_small(&s, bytes, (int16_t)small[i].top, small[i].bits);
            for (unsigned n = 0; n < N; n++)
                assert_int_equal(s.c[n], small[i].top - (int32_t)number_at(bytes, n, small[i].bits));
            larch_mldsa_pack_small(again, &s, (int16_t)small[i].top, small[i].bits);
            assert_memory_equal(again, bytes, 32 * small[i].bits);
        }
        for (unsigned i = 0; i < 2; i++) {
            larch_mldsa_unpack_short(&p, bytes, wide[i].top, wide[i].bits);
            for (unsigned n = 0; n < N; n++)
                assert_int_equal(p.c[n], wide[i].top - (int32_t)number_at(bytes, n, wide[i].bits));
            larch_mldsa_pack_short(again, &p, wide[i].top, wide[i].bits);
            assert_memory_equal(again, bytes, 32 * wide[i].bits);
            larch_mldsa_unpack_residues(&t1, bytes, wide[i].top, wide[i].bits);
            for (unsigned n = 0; n < N; n++)
                assert_int_equal(t1.c[n], p.c[n] + Q);
        }
        larch_mldsa_unpack_t1_centered(&s, bytes);
        for (unsigned n = 0; n < N; n++) {
            t1.c[n] = number_at(bytes, n, 10);
            assert_int_equal(s.c[n], (int32_t)t1.c[n] - 512);
        }
        larch_mldsa_pack_t1(again, &t1);
        assert_memory_equal(again, bytes, 320);
        for (unsigned bits = 4; bits <= 6; bits += 2) {
            for (unsigned n = 0; n < N; n++)
                w1[n] = (uint8_t)number_at(bytes, n, bits);
            larch_mldsa_pack_w1(again, w1, bits);
            assert_memory_equal(again, bytes, 32 * bits);
        }
    }
}

/* Two polynomials, up to three ones: places, then the two counts. [FIPS204 algorithm 21] */
static void test_hint_is_valid(void **state)
{
    (void)state;
    static const struct {
        uint8_t y[5];
        bool valid;
    } rows[] = {
        {{0, 0, 0, 0, 0}, true},  {{0, 0, 0, 1, 1}, true},  {{0, 1, 255, 3, 3}, true},
        {{7, 3, 0, 1, 2}, true},  {{7, 8, 7, 2, 3}, true},  {{1, 2, 3, 0, 3}, true},
        {{2, 1, 0, 2, 2}, false}, {{1, 1, 0, 2, 2}, false}, {{9, 1, 1, 1, 3}, false},     /* not ascending */
        {{1, 2, 0, 2, 1}, false}, {{0, 0, 0, 1, 0}, false}, {{1, 2, 3, 3, 2}, false},     /* counts shrink */
        {{1, 2, 3, 3, 4}, false}, {{1, 2, 3, 4, 4}, false}, {{1, 2, 3, 255, 255}, false}, /* beyond omega */
        {{1, 0, 0, 0, 0}, false}, {{0, 0, 1, 0, 0}, false}, {{1, 2, 3, 1, 2}, false},     /* what is unused */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (larch_mldsa_hint_is_valid(rows[i].y, 2, 3) != rows[i].valid)
            fail_msg("row %zu", i);
    uint8_t hints[N] = {0}, y[5] = {0};
    hints[3] = hints[255] = 1;
    larch_mldsa_pack_hint(y, hints, 0, 3);
    hints[255] = 0;
    larch_mldsa_pack_hint(y, hints, 1, 3);
    assert_memory_equal(y, ((const uint8_t[5]){3, 255, 3, 2, 3}), 5);
    larch_mldsa_unpack_hint(hints, y, 0, 3);
    for (unsigned n = 0; n < N; n++)
        assert_int_equal(hints[n], n == 3 || n == 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multiply_row),     cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_challenge_times),  cmocka_unit_test(test_subtract_t1),
        cmocka_unit_test(test_add_small),        cmocka_unit_test(test_subtract_t1_slowly),
        cmocka_unit_test(test_multiply_sampled), cmocka_unit_test(test_norm),
        cmocka_unit_test(test_power2round),      cmocka_unit_test(test_decompose_and_use_hint),
        cmocka_unit_test(test_make_hint),        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_hint_is_valid),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
