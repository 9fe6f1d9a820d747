/* SPDX-License-Identifier: Apache-2.0 */
/* The self-test finds a fault in any operation of any algorithm. The linker puts __wrap_... where the
 * library calls larch_kem_find and larch_sig_find: they lend it tables with one faulty operation. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pq/pq.h"

const larch_kem *__real_larch_kem_find(unsigned set);
const larch_kem *__wrap_larch_kem_find(unsigned set);
const larch_sig *__real_larch_sig_find(int cose_algorithm);
const larch_sig *__wrap_larch_sig_find(int cose_algorithm);

/* ---- faults -------------------------------------------------------------- */

static larch_kem faulty_kem;
static larch_sig faulty_sig;
static const larch_kem *kem; /* as it should be */
static const larch_sig *sig;

const larch_kem *__wrap_larch_kem_find(unsigned set)
{
    return kem != NULL && kem->set == set ? &faulty_kem : __real_larch_kem_find(set);
}

const larch_sig *__wrap_larch_sig_find(int cose_algorithm)
{
    return sig != NULL && sig->cose_algorithm == cose_algorithm ? &faulty_sig : __real_larch_sig_find(cose_algorithm);
}

static larch_error keygen(const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    const larch_error e = kem->functions->keygen(seed, ek, dk);
    dk[kem->dk_len - 1] ^= 1; /* z: seen by a forged ciphertext alone, were dk not in the digest */
    return e;
}

static larch_error encaps(const uint8_t *ek, const uint8_t *m, uint8_t *ct, uint8_t *ss)
{
    const larch_error e = kem->functions->encaps(ek, m, ct, ss);
    ss[31] ^= 0x80;
    return e;
}

/* Without the implicit rejection. */
static larch_error decaps(const uint8_t *dk, const uint8_t *ct, uint8_t *ss)
{
    uint8_t copy[LARCH_KEM_CT_MAX];
    memcpy(copy, ct, kem->ct_len);
    copy[0] = (uint8_t)(copy[0] & ~1u);
    return kem->functions->decaps(dk, copy, ss);
}

static void sig_keygen(const uint8_t *seed, uint8_t *pk, uint8_t *sk)
{
    sig->functions->keygen(seed, pk, sk);
    sk[32] ^= 1; /* K, which a valid signature may have any of */
}

static bool sign(const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *signature)
{
    (void)rnd;
    static const uint8_t other[32] = {1};
    return sig->functions->sign(sk, mu, other, signature); /* valid, but not the one asked for */
}

static bool sign_nothing(const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *signature)
{
    (void)sk;
    (void)mu;
    (void)rnd;
    (void)signature;
    return false;
}

static bool accept_all(const uint8_t *pk, const uint8_t *mu, const uint8_t *signature)
{
    (void)pk;
    (void)mu;
    (void)signature;
    return true;
}

static bool accept_none(const uint8_t *pk, const uint8_t *mu, const uint8_t *signature)
{
    return !accept_all(pk, mu, signature);
}

/* ---- tests --------------------------------------------------------------- */

static void test_passes(void **state)
{
    (void)state;
    kem = NULL;
    sig = NULL;
    assert_int_equal(larch_pq_self_test(), LARCH_OK);
}

static void test_finds_faulty_kem(void **state)
{
    (void)state;
    sig = NULL;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++)
        for (unsigned fault = 0; fault < 4; fault++) {
            struct larch_kem_functions f = *kem->functions;
            f.keygen = fault == 1 ? keygen : f.keygen;
            f.encaps = fault == 2 ? encaps : f.encaps;
            f.decaps = fault == 3 ? decaps : f.decaps;
            faulty_kem = *kem;
            faulty_kem.functions = &f;
            assert_int_equal(larch_pq_self_test(), fault == 0 ? LARCH_OK : LARCH_PLATFORM);
        }
}

static void test_finds_faulty_signature(void **state)
{
    (void)state;
    kem = NULL;
    for (size_t i = 0; (sig = larch_sig_at(i)) != NULL; i++)
        for (unsigned fault = 0; fault < 6; fault++) {
            struct larch_sig_functions f = *sig->functions;
            f.keygen = fault == 1 ? sig_keygen : f.keygen;
            f.sign = fault == 2 ? sign : fault == 3 ? sign_nothing : f.sign;
            f.verify = fault == 4 ? accept_all : fault == 5 ? accept_none : f.verify;
            faulty_sig = *sig;
            faulty_sig.functions = &f;
            assert_int_equal(larch_pq_self_test(), fault == 0 ? LARCH_OK : LARCH_PLATFORM);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes),
        cmocka_unit_test(test_finds_faulty_kem),
        cmocka_unit_test(test_finds_faulty_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
