/* SPDX-License-Identifier: Apache-2.0 */
#include "common/signer.h"

#include <string.h>

#include "larch/crypto.h"
#include "larch/identity.h"

larch_error larch_app_signer_of(larch_app_signer *signer, int alg, const uint8_t seed[LARCH_SIG_SEED_LEN])
{
    uint8_t sk[LARCH_SIG_SK_MAX], own[LARCH_SIG_SEED_LEN];
    memcpy(own, seed, sizeof own); /* it may be the signer's */
    memset(signer, 0, sizeof *signer);
    const larch_sig *sig = larch_sig_find(alg);
    const larch_error e = sig != NULL ? larch_sig_keygen(sig, own, signer->pub, sk) : LARCH_STATE;
    if (e == LARCH_OK) {
        signer->sig = sig;
        memcpy(signer->seed, own, sizeof own);
    } else {
        larch_wipe(signer, sizeof *signer);
    }
    larch_wipe(sk, sizeof sk);
    larch_wipe(own, sizeof own);
    return e;
}

larch_error larch_app_signer_make(larch_app_signer *signer, int alg, const larch_random *random)
{
    uint8_t seed[LARCH_SIG_SEED_LEN];
    memset(signer, 0, sizeof *signer);
    larch_error e = larch_random_fill(random, seed, sizeof seed);
    if (e == LARCH_OK)
        e = larch_app_signer_of(signer, alg, seed);
    larch_wipe(seed, sizeof seed);
    return e;
}

/* Its number in the identity document. */
static uint16_t algorithm_of(int alg) { return alg == -48 ? 44 : alg == -49 ? 65 : 87; }

larch_error larch_app_signer_load(larch_app_signer *signer, int alg, const larch_storage *storage,
                                  larch_store_fault *fault)
{
    static const uint8_t elsewhere[LARCH_STORE_SEED_LEN];
    larch_stored_identity stored;
    memset(signer, 0, sizeof *signer);
    larch_error e = larch_stored_identity_load(storage, &stored, fault);
    if (e == LARCH_OK) {
        e = LARCH_STATE;
        *fault = LARCH_STORE_NONE;
    }
    for (size_t i = 0; i < stored.count; i++)
        if (stored.keys[i].kind == LARCH_IDENTITY_SIGNATURE && stored.keys[i].algorithm == algorithm_of(alg) &&
            !larch_ct_equal(stored.keys[i].seed, elsewhere, sizeof elsewhere))
            e = larch_app_signer_of(signer, alg, stored.keys[i].seed);
    larch_wipe(&stored, sizeof stored);
    return e;
}

larch_cose_key larch_app_signer_key(const larch_app_signer *signer)
{
    return (larch_cose_key){.kty = LARCH_COSE_AKP,
                            .alg = signer->sig->cose_algorithm,
                            .pub = larch_app_signer_pub(signer),
                            .priv = LARCH_BYTES(signer->seed)};
}
