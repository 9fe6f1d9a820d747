/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/sig.h"

#include "pq/pq.h"

static const larch_sig sigs[] = {
#if LARCH_MLDSA_44
    {"ML-DSA-44", -48, 1312, 2560, 2420, LARCH_SIG_SEED_LEN, &larch_mldsa_44},
#endif
#if LARCH_MLDSA_65
    {"ML-DSA-65", -49, 1952, 4032, 3309, LARCH_SIG_SEED_LEN, &larch_mldsa_65},
#endif
#if LARCH_MLDSA_87
    {"ML-DSA-87", -50, 2592, 4896, 4627, LARCH_SIG_SEED_LEN, &larch_mldsa_87},
#endif
    {.name = NULL}, /* the end: a build may have no signatures at all */
};

const larch_sig *larch_sig_at(size_t index)
{
    const larch_sig *sig = sigs;
    while (sig->name != NULL && index-- > 0)
        sig++;
    return sig->name != NULL ? sig : NULL;
}

const larch_sig *larch_sig_find(int cose_algorithm)
{
    for (const larch_sig *sig = sigs; sig->name != NULL; sig++)
        if (sig->cose_algorithm == cose_algorithm)
            return sig;
    return NULL;
}

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#define TR_LEN 64
#define TR_AT  64 /* in sk [FIPS204 algorithm 24] */

larch_error larch_sig_keygen(const larch_sig *sig, const uint8_t *seed, uint8_t *pk, uint8_t *sk)
{
    sig->functions->keygen(seed, pk, sk);
    return LARCH_OK;
}

larch_error larch_sig_check_sk(const larch_sig *sig, larch_bytes sk)
{
    return sk.len == sig->sk_len && larch_mldsa_sk_is_in_range(sig->cose_algorithm, sk.data) ? LARCH_OK
                                                                                             : LARCH_MALFORMED;
}

/* mu = H(tr || 0 || length of context || context || message). [FIPS204 algorithm 2 line 10] */
static void make_mu(const uint8_t *tr, larch_bytes context, const larch_bytes *pieces, size_t count, uint8_t *mu)
{
    const uint8_t pure_and_length[2] = {0, (uint8_t)context.len};
    larch_keccak h;
    larch_shake256_init(&h);
    larch_shake_absorb(&h, (larch_bytes){tr, TR_LEN});
    larch_shake_absorb(&h, LARCH_BYTES(pure_and_length));
    larch_shake_absorb(&h, context);
    for (size_t i = 0; i < count; i++)
        larch_shake_absorb(&h, pieces[i]);
    larch_shake_finalize(&h);
    larch_shake_squeeze(&h, mu, LARCH_SIG_MU_LEN);
    larch_wipe(&h, sizeof h); /* the message may be secret */
}

larch_error larch_sig_mu(const larch_sig *sig, larch_bytes pk, larch_bytes context, const larch_bytes *pieces,
                         size_t count, uint8_t mu[LARCH_SIG_MU_LEN])
{
    uint8_t tr[TR_LEN];
    if (pk.len != sig->pk_len || context.len > LARCH_SIG_CONTEXT_MAX) {
        larch_wipe(mu, LARCH_SIG_MU_LEN);
        return LARCH_MALFORMED;
    }
    larch_shake256(pk, tr, sizeof tr);
    make_mu(tr, context, pieces, count, mu);
    return LARCH_OK;
}

larch_error larch_sig_sign_mu(const larch_sig *sig, const larch_random *random, const uint8_t *sk,
                              const uint8_t mu[LARCH_SIG_MU_LEN], uint8_t *signature)
{
    uint8_t rnd[32] = {0};
    larch_error e = random != NULL ? larch_random_fill(random, rnd, sizeof rnd) : LARCH_OK;
    if (e == LARCH_OK && !sig->functions->sign(sk, mu, rnd, signature))
        e = LARCH_PLATFORM;
    if (e != LARCH_OK)
        larch_wipe(signature, sig->sig_len);
    larch_wipe(rnd, sizeof rnd);
    return e;
}

larch_error larch_sig_sign(const larch_sig *sig, const larch_random *random, const uint8_t *sk, larch_bytes context,
                           larch_bytes message, uint8_t *signature)
{
    uint8_t mu[LARCH_SIG_MU_LEN];
    if (context.len > LARCH_SIG_CONTEXT_MAX) {
        larch_wipe(signature, sig->sig_len);
        return LARCH_MALFORMED;
    }
    make_mu(sk + TR_AT, context, &message, 1, mu);
    larch_error e = larch_sig_sign_mu(sig, random, sk, mu, signature);
    larch_wipe(mu, sizeof mu);
    return e;
}

larch_error larch_sig_verify_mu(const larch_sig *sig, larch_bytes pk, const uint8_t mu[LARCH_SIG_MU_LEN],
                                larch_bytes signature)
{
    if (pk.len != sig->pk_len)
        return LARCH_MALFORMED;
    return signature.len == sig->sig_len && sig->functions->verify(pk.data, mu, signature.data) ? LARCH_OK : LARCH_AUTH;
}

larch_error larch_sig_verify(const larch_sig *sig, larch_bytes pk, larch_bytes context, larch_bytes message,
                             larch_bytes signature)
{
    uint8_t mu[LARCH_SIG_MU_LEN];
    larch_error e = larch_sig_mu(sig, pk, context, &message, 1, mu);
    return e == LARCH_OK ? larch_sig_verify_mu(sig, pk, mu, signature) : e;
}

#endif
