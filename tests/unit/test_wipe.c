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

#include <cmocka.h>

#include "larch/kem.h"
#include "levels.h"
#include "own_stack.h"
#include "pq/pq.h"
#include "skips.h"

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
    assert_true(own_stack_run(run));
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
    bool found = own_stack_holds(seed, sizeof seed) || own_stack_holds(g + 32, 32) ||
                 own_stack_holds(dk, (size_t)384 * k) || own_stack_holds(ss, 32);
    larch_sha3_512(LARCH_BYTES(m_h), g);
    found |= own_stack_holds(m, 32) || own_stack_holds(g, 64);
    for (unsigned i = 0; i < k; i++) {
        uint16_t s[256];
        for (unsigned n = 0; n < 256; n += 2) {
            const uint8_t *b = dk + (size_t)384 * i + (size_t)3 * n / 2;
            s[n] = (uint16_t)(b[0] | (b[1] & 15) << 8);
            s[n + 1] = (uint16_t)(b[1] >> 4 | b[2] << 4);
        }
        found |= own_stack_holds(s, sizeof s);
    }
    if (found)
        fail_msg("%s of set %u leaves a secret on the stack", what, (unsigned)kem->set);
}

static void test_stack(void **state)
{
    (void)state;
    if (!OWN_STACK_IS_TRUE)
        skip_because("instrumented code keeps copies of its own on the stack");
    larch_shake256(LARCH_TEXT("seed"), seed, sizeof seed);
    larch_shake256(LARCH_TEXT("m"), m, sizeof m);
    on_own_stack(LEAK);
    assert_true(own_stack_holds(seed, sizeof seed));
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
