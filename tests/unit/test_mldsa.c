/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/sig.h"
#include "levels.h"
#include "pq/mldsa_int.h"
#include "random_sources.h"
#include "skips.h"

static uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX], signature[LARCH_SIG_SIG_MAX + 1];

static const uint8_t seed[LARCH_SIG_SEED_LEN] = "a seed for nothing but this test";
static const larch_bytes none = {NULL, 0};

/* [FIPS204 4 table 1] */
static const struct {
    int cose_algorithm;
    unsigned k, l, eta, gamma1_bits, w1_bits, omega, lambda, beta;
} table[] = {
    {-48, 4, 4, 2, 18, 6, 80, 128, 78},
    {-49, 6, 5, 4, 20, 4, 55, 192, 196},
    {-50, 8, 7, 2, 20, 4, 75, 256, 120},
};

#define ROWS (sizeof table / sizeof table[0])

static void make_keys(const larch_sig *sig) { assert_int_equal(larch_sig_keygen(sig, seed, pk, sk), LARCH_OK); }

static larch_bytes pk_of(const larch_sig *sig) { return (larch_bytes){pk, sig->pk_len}; }
static larch_bytes signature_of(const larch_sig *sig) { return (larch_bytes){signature, sig->sig_len}; }

static void sign_text(const larch_sig *sig, larch_bytes context, larch_bytes text)
{
    assert_int_equal(larch_sig_sign(sig, NULL, sk, context, text, signature), LARCH_OK);
}

/* ---- ten thousand cases ------------------------------------------------ */

/* The accumulated vectors of C2SP/CCTV ML-DSA. */
static const struct {
    int cose_algorithm;
    unsigned iterations;
    const char *hash;
} accumulated[] = {
    {-48, 100, "d51148e1f9f4fa1a723a6cf42e25f2a99eb5c1b378b3d2dbbd561b1203beeae4"},
    {-49, 100, "8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199"},
    {-50, 100, "8c3ad714777622b8f21ce31bb35f71394f23bc0fcf3c78ace5d608990f3b061b"},
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !LARCH_PQ_SMALL /* elsewhere they would take a minute */
    {-48, 10000, "e7fd21f6a59bcba60d65adc44404bb29a7c00e5d8d3ec06a732c00a306a7d143"},
    {-49, 10000, "5ff5e196f0b830c3b10a9eb5358e7c98a3a20136cb677f3ae3b90175c3ace329"},
    {-50, 10000, "80a8cf39317f7d0be0e24972c51ac152bd2a3e09bc0c32ce29dd82c4e7385e60"},
#endif
};

/* One signature in ten is also verified. */
static void accumulate(const larch_sig *sig, unsigned iterations, uint8_t hash[32])
{
    larch_keccak rng, acc;
    larch_shake128_init(&rng);
    larch_shake_finalize(&rng);
    larch_shake128_init(&acc);
    for (unsigned i = 0; i < iterations; i++) {
        uint8_t xi[LARCH_SIG_SEED_LEN];
        larch_shake_squeeze(&rng, xi, sizeof xi);
        assert_int_equal(larch_sig_keygen(sig, xi, pk, sk), LARCH_OK);
        larch_shake_absorb(&acc, pk_of(sig));
        sign_text(sig, none, none);
        larch_shake_absorb(&acc, signature_of(sig));
        if (i % 10 == 0)
            assert_int_equal(larch_sig_verify(sig, pk_of(sig), none, none, signature_of(sig)), LARCH_OK);
    }
    larch_shake_finalize(&acc);
    larch_shake_squeeze(&acc, hash, 32);
}

static void test_accumulated(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof accumulated / sizeof accumulated[0]; row++) {
        const larch_sig *sig;
        for (size_t at = 0; (sig = level_sig_at(at)) != NULL; at++) {
            uint8_t hash[32];
            char hex[65];
            if (sig->cose_algorithm != accumulated[row].cose_algorithm)
                continue;
            if (accumulated[row].iterations > 100 && at < LARCH_MLDSA_44 + LARCH_MLDSA_65 + LARCH_MLDSA_87)
                continue; /* the same as one of the levels */
            accumulate(sig, accumulated[row].iterations, hash);
            for (size_t i = 0; i < sizeof hash; i++) {
                hex[2 * i] = "0123456789abcdef"[hash[i] >> 4];
                hex[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
            }
            hex[64] = 0;
            assert_string_equal(hex, accumulated[row].hash);
        }
    }
}

/* ---- unlucky seeds ------------------------------------------------------ */

/* Seeds with which a polynomial of s2 in ML-DSA-65 is not full after two blocks of SHAKE256: one in ten thousand. */
static void test_unlucky(void **state)
{
    (void)state;
    static const uint8_t seeds[][LARCH_SIG_SEED_LEN] = {{0x4f, 0x27}, {0x74, 0x39}, {0xf6, 0x70}, {0xb5, 0x88}};
    static uint8_t expected[LARCH_SIG_SK_MAX];
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        const struct larch_sig_functions *portable = larch_mldsa_at_level(0, -49);
        if (portable == NULL)
            skip_because("ML-DSA-65 is not in this build");
        portable->keygen(seeds[i], pk, expected);
        for (size_t at = 0; level_sig_at(at) != NULL; at++) {
            const larch_sig *sig = level_sig_at(at);
            if (sig->cose_algorithm != -49)
                continue;
            assert_int_equal(larch_sig_keygen(sig, seeds[i], pk, sk), LARCH_OK);
            assert_memory_equal(sk, expected, sig->sk_len);
        }
    }
}

/* ---- the table --------------------------------------------------------- */

static void test_table(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t row = 0; row < ROWS; row++) {
        const larch_sig *sig = larch_sig_find(table[row].cose_algorithm);
        if (sig == NULL)
            continue;
        assert_ptr_equal(larch_sig_at(count++), sig);
        unsigned k = table[row].k, l = table[row].l, s_bits = table[row].eta == 2 ? 3 : 4;
        assert_int_equal(sig->pk_len, 32 + 320 * k);
        assert_int_equal(sig->sk_len, 128 + 32 * (s_bits * (k + l) + 13 * k));
        assert_int_equal(sig->sig_len, table[row].lambda / 4 + 32 * l * table[row].gamma1_bits + table[row].omega + k);
        assert_int_equal(sig->seed_len, LARCH_SIG_SEED_LEN);
        assert_true(sig->pk_len <= LARCH_SIG_PK_MAX && sig->sk_len <= LARCH_SIG_SK_MAX &&
                    sig->sig_len <= LARCH_SIG_SIG_MAX);
    }
    assert_null(larch_sig_at(count));
    assert_int_equal(count, LARCH_MLDSA_44 + LARCH_MLDSA_65 + LARCH_MLDSA_87);
    assert_null(larch_sig_find(0));
    assert_null(larch_sig_find(-47));
}

/* ---- lengths ------------------------------------------------------------ */

static void test_lengths(void **state)
{
    (void)state;
    static uint8_t bytes[256];
    const larch_bytes text = LARCH_TEXT("text");
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        const larch_sig *sig = level_sig_at(at);
        uint8_t mu[LARCH_SIG_MU_LEN];
        make_keys(sig);
        for (size_t len = 0; len <= 256; len = len < 2 || len >= 254 ? len + 1 : 254) {
            const larch_bytes context = {bytes, len};
            const larch_error expected = len <= 255 ? LARCH_OK : LARCH_MALFORMED;
            memset(signature, 0x55, sig->sig_len);
            memset(mu, 0x55, sizeof mu);
            assert_int_equal(larch_sig_sign(sig, NULL, sk, context, text, signature), expected);
            assert_int_equal(larch_sig_verify(sig, pk_of(sig), context, text, signature_of(sig)), expected);
            assert_int_equal(larch_sig_mu(sig, pk_of(sig), context, &text, 1, mu), expected);
            assert_int_equal(is_zero(signature, sig->sig_len), expected != LARCH_OK);
            assert_int_equal(is_zero(mu, sizeof mu), expected != LARCH_OK);
        }
        sign_text(sig, none, text);
        assert_int_equal(larch_sig_mu(sig, pk_of(sig), none, &text, 1, mu), LARCH_OK);
        const size_t pk_lens[] = {0, 1, sig->pk_len - 1u, sig->pk_len + 1u};
        const size_t sig_lens[] = {0, 1, sig->sig_len - 1u, sig->sig_len + 1u};
        for (size_t i = 0; i < 4; i++) {
            const larch_bytes bad_pk = {pk, pk_lens[i]}, bad_sig = {signature, sig_lens[i]};
            assert_int_equal(larch_sig_verify(sig, bad_pk, none, text, signature_of(sig)), LARCH_MALFORMED);
            assert_int_equal(larch_sig_verify_mu(sig, bad_pk, mu, signature_of(sig)), LARCH_MALFORMED);
            assert_int_equal(larch_sig_verify(sig, pk_of(sig), none, text, bad_sig), LARCH_AUTH);
            assert_int_equal(larch_sig_verify_mu(sig, pk_of(sig), mu, bad_sig), LARCH_AUTH);
            memset(mu, 0x55, sizeof mu);
            assert_int_equal(larch_sig_mu(sig, bad_pk, none, &text, 1, mu), LARCH_MALFORMED);
            assert_true(is_zero(mu, sizeof mu));
            assert_int_equal(larch_sig_mu(sig, pk_of(sig), none, &text, 1, mu), LARCH_OK);
        }
        assert_int_equal(larch_sig_verify(sig, none, none, text, signature_of(sig)), LARCH_MALFORMED);
        assert_int_equal(larch_sig_verify(sig, pk_of(sig), none, text, none), LARCH_AUTH);
        assert_int_equal(larch_sig_verify(sig, pk_of(sig), none, text, signature_of(sig)), LARCH_OK);
    }
}

/* ---- what is signed ------------------------------------------------------ */

/* A message in pieces, and mu by hand, are the same as the message at once. */
static void test_external_mu(void **state)
{
    (void)state;
    const larch_bytes context = LARCH_TEXT("ctx"), text = LARCH_TEXT("in three pieces");
    const larch_bytes pieces[3] = {{text.data, 3}, {text.data + 3, 0}, {text.data + 3, text.len - 3}};
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        const larch_sig *sig = level_sig_at(at);
        uint8_t mu[LARCH_SIG_MU_LEN];
        static uint8_t by_mu[LARCH_SIG_SIG_MAX];
        make_keys(sig);
        sign_text(sig, context, text);
        assert_int_equal(larch_sig_mu(sig, pk_of(sig), context, pieces, 3, mu), LARCH_OK);
        assert_int_equal(larch_sig_sign_mu(sig, NULL, sk, mu, by_mu), LARCH_OK);
        assert_memory_equal(by_mu, signature, sig->sig_len);
        assert_int_equal(larch_sig_verify_mu(sig, pk_of(sig), mu, signature_of(sig)), LARCH_OK);
        for (size_t i = 0; i < sizeof mu; i++) {
            mu[i] ^= (uint8_t)(1u << i % 8);
            assert_int_equal(larch_sig_verify_mu(sig, pk_of(sig), mu, signature_of(sig)), LARCH_AUTH);
            mu[i] ^= (uint8_t)(1u << i % 8);
        }
    }
}

/* Hedged signatures differ from each other, and all hold. */
static void test_hedged(void **state)
{
    (void)state;
    const larch_bytes text = LARCH_TEXT("text");
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        const larch_sig *sig = level_sig_at(at);
        static uint8_t before[LARCH_SIG_SIG_MAX];
        larch_keccak rng;
        larch_shake256_init(&rng);
        larch_shake_finalize(&rng);
        const larch_random random = {fill_from_sponge, &rng};
        make_keys(sig);
        sign_text(sig, none, text);
        for (unsigned i = 0; i < 3; i++) {
            memcpy(before, signature, sig->sig_len);
            assert_int_equal(larch_sig_sign(sig, &random, sk, none, text, signature), LARCH_OK);
            assert_int_equal(larch_sig_verify(sig, pk_of(sig), none, text, signature_of(sig)), LARCH_OK);
            assert_memory_not_equal(signature, before, sig->sig_len);
        }
    }
}

static void test_failing_random(void **state)
{
    (void)state;
    const uint8_t mu[LARCH_SIG_MU_LEN] = {0};
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        const larch_sig *sig = level_sig_at(at);
        make_keys(sig);
        memset(signature, 0x55, sig->sig_len);
        assert_int_equal(larch_sig_sign(sig, &failing, sk, none, none, signature), LARCH_PLATFORM);
        assert_true(is_zero(signature, sig->sig_len));
        memset(signature, 0x55, sig->sig_len);
        assert_int_equal(larch_sig_sign_mu(sig, &failing, sk, mu, signature), LARCH_PLATFORM);
        assert_true(is_zero(signature, sig->sig_len));
    }
}

static bool give_up(const uint8_t *key, const uint8_t *mu, const uint8_t *rnd, uint8_t *out)
{
    (void)key, (void)mu, (void)rnd, (void)out;
    return false;
}

/* An algorithm whose every attempt fails. */
static void test_giving_up(void **state)
{
    (void)state;
    static const struct larch_sig_functions functions = {NULL, give_up, NULL};
    static const larch_sig broken = {.name = "broken", .sig_len = 100, .functions = &functions};
    memset(signature, 0x55, 100);
    assert_int_equal(larch_sig_sign(&broken, NULL, sk, none, none, signature), LARCH_PLATFORM);
    assert_true(is_zero(signature, 100));
}

/* ---- what must not be accepted ------------------------------------------- */

static void flip(uint8_t *bytes, size_t i) { bytes[i] ^= (uint8_t)(1u << i % 8); }

static void test_flipped(void **state)
{
    (void)state;
    uint8_t context[] = "context", text[] = "text";
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        const larch_sig *sig = level_sig_at(at);
        make_keys(sig);
        sign_text(sig, LARCH_BYTES(context), LARCH_BYTES(text));
        const struct {
            uint8_t *bytes;
            size_t len, step;
        } inputs[] = {
            {context, sizeof context, 1}, {text, sizeof text, 1}, {signature, sig->sig_len, 1}, {pk, sig->pk_len, 7}};
        for (size_t input = 0; input < 4; input++)
            for (size_t i = 0; i < inputs[input].len; i += inputs[input].step) {
                flip(inputs[input].bytes, i);
                assert_int_equal(
                    larch_sig_verify(sig, pk_of(sig), LARCH_BYTES(context), LARCH_BYTES(text), signature_of(sig)),
                    LARCH_AUTH);
                flip(inputs[input].bytes, i);
            }
        /* A byte moved from the context to the message, and the other way round. */
        assert_int_equal(larch_sig_verify(sig, pk_of(sig), (larch_bytes){context, sizeof context - 1},
                                          LARCH_BYTES(text), signature_of(sig)),
                         LARCH_AUTH);
        assert_int_equal(larch_sig_verify(sig, pk_of(sig), LARCH_BYTES(context), LARCH_BYTES(text), signature_of(sig)),
                         LARCH_OK);
    }
}

/* A signature of whose hints the first polynomial has two at least, and that has room for one more. */
static uint8_t *sign_with_hints(const larch_sig *sig, size_t row, uint8_t *number)
{
    const unsigned k = table[row].k, omega = table[row].omega;
    uint8_t *y = signature + sig->sig_len - omega - k;
    make_keys(sig);
    for (*number = 0; *number < 255; ++*number) {
        sign_text(sig, none, (larch_bytes){number, 1});
        if (y[omega] >= 2 && y[omega + k - 1] < omega && y[omega + 1] > y[omega])
            return y;
    }
    fail_msg("no such signature");
    return NULL;
}

/* Each way in which hints can break their encoding while they still say the same. [FIPS204 algorithm 21] */
static void test_malformed_hints(void **state)
{
    (void)state;
    for (size_t at = 0; level_sig_at(at) != NULL; at++) {
        const larch_sig *sig = level_sig_at(at);
        size_t row = 0;
        while (table[row].cose_algorithm != sig->cose_algorithm)
            row++;
        const unsigned k = table[row].k, omega = table[row].omega;
        static uint8_t genuine[LARCH_SIG_SIG_MAX];
        uint8_t number, *y = sign_with_hints(sig, row, &number), *ends = y + omega;
        const larch_bytes text = {&number, 1};
        memcpy(genuine, signature, sig->sig_len);
        for (unsigned kind = 0; kind < 7; kind++) {
            uint8_t first = y[0];
            switch (kind) {
            case 0: /* places not ascending: the same set of ones */
                y[0] = y[1];
                y[1] = first;
                break;
            case 1: /* a place twice: the same set again */
                memmove(y + 1, y, omega - 1);
                for (unsigned i = 0; i < k; i++)
                    ends[i]++;
                break;
            case 2: /* unused bytes that are not zero: the first and the last */
                y[ends[k - 1]] = 1;
                break;
            case 3:
                y[omega - 1] = 1;
                break;
            case 4: /* counts that shrink */
                ends[1] = (uint8_t)(ends[0] - 1);
                break;
            case 5: /* a count beyond omega: in the last polynomial, and in the first */
                ends[k - 1] = (uint8_t)(omega + 1);
                break;
            default:
                ends[0] = 255;
            }
            assert_memory_not_equal(signature, genuine, sig->sig_len);
            assert_int_equal(larch_sig_verify(sig, pk_of(sig), none, text, signature_of(sig)), LARCH_AUTH);
            memcpy(signature, genuine, sig->sig_len);
        }
        assert_int_equal(larch_sig_verify(sig, pk_of(sig), none, text, signature_of(sig)), LARCH_OK);
    }
}

/* ---- secret keys from elsewhere ------------------------------------------------ */

/* Each value that a coefficient's bits can have, at each of its places among its neighbours, in the first and in the
 * last polynomial of s1 and s2, and in some between: those beyond eta are refused, and nothing else is. */
static void test_secret_range(void **state)
{
    (void)state;
    for (size_t at = 0; larch_sig_at(at) != NULL; at++) {
        const larch_sig *sig = larch_sig_at(at);
        const larch_bytes key = {sk, sig->sk_len};
        size_t row = 0;
        while (table[row].cose_algorithm != sig->cose_algorithm)
            row++;
        const unsigned bits = table[row].eta == 2 ? 3 : 4, count = 256 * (table[row].k + table[row].l);
        make_keys(sig);
        assert_int_equal(larch_sig_check_sk(sig, key), LARCH_OK);
        assert_int_equal(larch_sig_check_sk(sig, (larch_bytes){sk, sig->sk_len - 1u}), LARCH_MALFORMED);
        assert_int_equal(larch_sig_check_sk(sig, none), LARCH_MALFORMED);
        for (unsigned n = 0; n < count; n += n % 256 == 8 && n + 256 < count ? 249 : 1)
            for (unsigned value = 0; value < 1u << bits; value++) {
                uint8_t *byte = sk + 128 + n * bits / 8, genuine[2] = {byte[0], byte[1]};
                const unsigned shift = n * bits % 8, mask = ((1u << bits) - 1) << shift;
                const unsigned both = ((genuine[0] | (unsigned)genuine[1] << 8) & ~mask) | value << shift;
                byte[0] = (uint8_t)both;
                byte[1] = (uint8_t)(both >> 8);
                assert_int_equal(larch_sig_check_sk(sig, key),
                                 value <= 2 * table[row].eta ? LARCH_OK : LARCH_MALFORMED);
                byte[0] = genuine[0];
                byte[1] = genuine[1];
            }
        /* What is not s1 or s2 is free. */
        memset(sk, 0xff, 128);
        memset(sk + 128 + count * bits / 8, 0xff, sig->sk_len - 128 - count * bits / 8);
        assert_int_equal(larch_sig_check_sk(sig, key), LARCH_OK);
    }
}

/* ---- a signer that goes too far -------------------------------------------- */

#if LARCH_MLDSA_44

static const mldsa_rounding rounding_44 = {
    .gamma2 = 95232, .parts = 44, .factor = 2819, .shift = 11, .factor_shift = 18, .w1_bits = 6};

/* ML-DSA-44 by the book with the key in sk, except that the first coefficient of y is given: false if the attempt
 * fails otherwise, or does not bring it to z unchanged. */
static bool sign_with(int32_t first, uint16_t kappa, const uint8_t mu[LARCH_SIG_MU_LEN])
{
    enum { K = 4, L = 4, GAMMA1 = 1 << 17, BETA = 78, Z_LEN = 576, OMEGA = 80 };
    static mldsa_poly y_hat[L], row[L], w;
    static mldsa_short y[L], w0[K];
    static uint8_t w1[K][MLDSA_N];
    uint8_t bytes[Z_LEN], *z = signature + 32, *h = z + L * Z_LEN;
    mldsa_small s, product;
    mldsa_challenge c;
    larch_keccak hash;
    unsigned hints = 0;
    for (unsigned i = 0; i < L; i++) {
        larch_mldsa_sample_mask(bytes, sizeof bytes, mu, (uint16_t)(kappa * L + i));
        larch_mldsa_unpack_short(&y[i], bytes, GAMMA1, 18);
        if (i == 0)
            y[i].c[0] = first;
        larch_mldsa_pack_short(bytes, &y[i], GAMMA1, 18);
        larch_mldsa_unpack_residues(&y_hat[i], bytes, GAMMA1, 18);
        larch_mldsa_ntt(&y_hat[i]);
    }
    larch_shake256_init(&hash);
    larch_shake_absorb(&hash, (larch_bytes){mu, LARCH_SIG_MU_LEN});
    for (unsigned r = 0; r < K; r++) {
        larch_mldsa_sample_row(row, L, sk, r);
        larch_mldsa_multiply_row(&w, row, y_hat, L);
        larch_mldsa_inverse_ntt(&w);
        larch_mldsa_decompose(&rounding_44, w1[r], &w0[r], &w);
        larch_mldsa_pack_w1(bytes, w1[r], 6);
        larch_shake_absorb(&hash, (larch_bytes){bytes, 192});
    }
    larch_shake_finalize(&hash);
    larch_shake_squeeze(&hash, signature, 32);
    larch_mldsa_sample_challenge(&c, 39, signature, 32);
    memset(h, 0, OMEGA + K);
    for (unsigned i = 0; i < L; i++) {
        larch_mldsa_unpack_small(&s, sk + 128 + 96 * i, 2, 3);
        larch_mldsa_challenge_times(&product, &c, &s);
        if (i == 0 && product.c[0] != 0)
            return false;
        for (unsigned n = 0; n < MLDSA_N; n++) {
            y[i].c[n] += product.c[n];
            if ((i != 0 || n != 0) && abs(y[i].c[n]) >= GAMMA1 - BETA)
                return false;
        }
        larch_mldsa_pack_short(z + Z_LEN * i, &y[i], GAMMA1, 18);
    }
    for (unsigned r = 0; r < K; r++) {
        larch_mldsa_unpack_small(&s, sk + 128 + 96 * (L + r), 2, 3);
        larch_mldsa_challenge_times(&product, &c, &s);
        for (unsigned n = 0; n < MLDSA_N; n++)
            w0[r].c[n] -= product.c[n];
        if (!larch_mldsa_norm_is_below(&w0[r], 95232 - BETA))
            return false;
        /* t0 by halves, as the products must fit 16 bits */
        for (unsigned half = 0; half < 2; half++) {
            larch_mldsa_unpack_small(&s, sk + 128 + 96 * (L + K) + 416 * r, 1 << 12, 13);
            for (unsigned n = 0; n < MLDSA_N; n++)
                s.c[n] = (int16_t)(half == 0 ? s.c[n] & 127 : s.c[n] >> 7);
            larch_mldsa_challenge_times(&product, &c, &s);
            for (unsigned n = 0; n < MLDSA_N; n++)
                w0[r].c[n] += product.c[n] * (half == 0 ? 1 : 128);
        }
        hints += larch_mldsa_make_hint(&rounding_44, w1[r], &w0[r]);
        if (hints > OMEGA)
            return false;
        larch_mldsa_pack_hint(h, w1[r], r, OMEGA);
    }
    return true;
}

/* A signature that fulfils all but the norm of z is refused, one just within it is taken. [FIPS204 algorithm 8 line 13] */
static void test_z_norm(void **state)
{
    (void)state;
    static const struct {
        int32_t first;
        larch_error expected;
    } rows[] = {{(1 << 17) - 79, LARCH_OK}, {(1 << 17) - 78, LARCH_AUTH}, {1 << 17, LARCH_AUTH},
                {79 - (1 << 17), LARCH_OK}, {78 - (1 << 17), LARCH_AUTH}, {1 - (1 << 17), LARCH_AUTH}};
    const larch_sig *sig = larch_sig_find(-48);
    uint8_t mu[LARCH_SIG_MU_LEN];
    make_keys(sig);
    assert_int_equal(larch_sig_mu(sig, pk_of(sig), none, NULL, 0, mu), LARCH_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint16_t kappa = 0;
        while (!sign_with(rows[i].first, kappa, mu))
            assert_true(kappa++ < 2000);
        for (size_t at = 0; level_sig_at(at) != NULL; at++)
            if (level_sig_at(at)->cose_algorithm == -48)
                assert_int_equal(larch_sig_verify(level_sig_at(at), pk_of(sig), none, none, signature_of(sig)),
                                 rows[i].expected);
    }
}

#else

static void test_z_norm(void **state) { (void)state; }

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),       cmocka_unit_test(test_accumulated), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_external_mu), cmocka_unit_test(test_hedged),      cmocka_unit_test(test_failing_random),
        cmocka_unit_test(test_giving_up),   cmocka_unit_test(test_flipped),     cmocka_unit_test(test_malformed_hints),
        cmocka_unit_test(test_z_norm),      cmocka_unit_test(test_unlucky),     cmocka_unit_test(test_secret_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
