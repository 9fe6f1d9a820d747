/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ML-KEM leaves on the stack: each operation runs on a stack of its own, which is
 * then searched for every secret that the test can know: seeds, the shared secret,
 * the polynomials of the key as bytes and as coefficients.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "larch/kem.h"
#include "levels.h"
#include "pq/pq.h"

/* Instrumented code keeps copies and red zones of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

enum { STACK = 256 * 1024, WINDOW = 8 };

static uint8_t stack[STACK];
static ucontext_t here, there;

/* The operation's arguments: not on the stack that is searched. */
static const larch_kem *kem;
typedef enum operation { KEYGEN, ENCAPS, DECAPS, LEAK } operation;
static operation now;
static uint8_t seed[LARCH_KEM_SEED_LEN], m[32], ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX];
static uint8_t ss[LARCH_KEM_SS_LEN];

/* The control: a secret left behind must be found. */
static void leak(void)
{
    volatile uint8_t copy[1024]; /* deeper than the way back from here overwrites */
    for (unsigned i = 0; i < sizeof copy; i++)
        copy[i] = seed[i % sizeof seed];
}

static void run(void)
{
    switch (now) {
    case KEYGEN:
        kem->functions->keygen(seed, ek, dk);
        break;
    case ENCAPS:
        kem->functions->encaps(ek, m, ct, ss);
        break;
    case DECAPS:
        kem->functions->decaps(dk, ct, ss);
        break;
    case LEAK:
        leak();
        break;
    }
}

static void on_own_stack(operation what)
{
    now = what;
    memset(stack, 0, sizeof stack);
    assert_int_equal(getcontext(&there), 0);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    makecontext(&there, run, 0);
    assert_int_equal(swapcontext(&here, &there), 0);
}

/* Whether eight bytes in a row of the secret are on the stack, at any place. */
static bool remains(const void *secret, size_t len)
{
    for (const uint8_t *s = secret; s + WINDOW <= (const uint8_t *)secret + len; s += WINDOW) {
        static const uint8_t zeroes[WINDOW];
        if (memcmp(s, zeroes, WINDOW) == 0)
            continue;
        for (const uint8_t *at = stack; at + WINDOW <= stack + STACK; at++)
            if (*at == *s && memcmp(at, s, WINDOW) == 0)
                return true;
    }
    return false;
}

static void assert_clean(const char *what)
{
    const unsigned k = kem->set / 256u;
    uint8_t g[64], d_k[33], m_h[64];
    memcpy(d_k, seed, 32);
    d_k[32] = (uint8_t)k;
    larch_sha3_512(LARCH_BYTES(d_k), g);
    memcpy(m_h, m, 32);
    memcpy(m_h + 32, dk + kem->dk_len - 64, 32);
    bool found = remains(seed, sizeof seed) || remains(g + 32, 32) || remains(dk, (size_t)384 * k) || remains(ss, 32);
    larch_sha3_512(LARCH_BYTES(m_h), g);
    found |= remains(m, 32) || remains(g, 64);
    for (unsigned i = 0; i < k; i++) {
        uint16_t s[256];
        for (unsigned n = 0; n < 256; n += 2) {
            const uint8_t *b = dk + (size_t)384 * i + (size_t)3 * n / 2;
            s[n] = (uint16_t)(b[0] | (b[1] & 15) << 8);
            s[n + 1] = (uint16_t)(b[1] >> 4 | b[2] << 4);
        }
        found |= remains(s, sizeof s);
    }
    if (found)
        fail_msg("%s of set %u leaves a secret on the stack", what, (unsigned)kem->set);
}

static void test_stack(void **state)
{
    (void)state;
    if (INSTRUMENTED)
        skip();
    larch_shake256(LARCH_TEXT("seed"), seed, sizeof seed);
    larch_shake256(LARCH_TEXT("m"), m, sizeof m);
    on_own_stack(LEAK);
    assert_true(remains(seed, sizeof seed));
    /* At a function's first call the dynamic linker saves the vector registers: done here. */
    for (size_t at = 0; (kem = level_kem_at(at)) != NULL; at++)
        for (operation o = KEYGEN; o <= DECAPS; o++)
            on_own_stack(o);
    for (size_t at = 0; (kem = level_kem_at(at)) != NULL; at++) {
        on_own_stack(KEYGEN);
        assert_clean("keygen");
        on_own_stack(ENCAPS);
        assert_clean("encaps");
        on_own_stack(DECAPS);
        assert_clean("decaps");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
