/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Sign1 with ES256 [RFC9053 2.1] and ML-DSA [RFC9964]. The signed structure is hashed in pieces, so that no copy of
 * the payload is made. */
#include <string.h>

#include "base/ct_public.h"
#include "cose/cose_int.h"
#include "larch/ecc.h"
#include "larch/sig.h"

#define ES256_LEN 64

/* Whether the key is for this algorithm and operation. [RFC9052 7.1] */
static bool is_for(const larch_cose_key *key, int64_t alg, unsigned op)
{
    return (key->alg == 0 || key->alg == alg) && (key->ops == 0 || (key->ops >> op & 1) != 0);
}

static const larch_sig *sig_of(const larch_cose_key *key, int64_t alg)
{
    return key->kty == LARCH_COSE_AKP && key->alg == alg && alg >= INT16_MIN && alg < 0 ? larch_sig_find((int)alg)
                                                                                        : NULL;
}

static bool is_es256(const larch_cose_key *key, int64_t alg)
{
    return LARCH_ECC && alg == LARCH_COSE_ES256 && key->kty == LARCH_COSE_EC2 && key->crv == LARCH_COSE_P256;
}

/* ---- ES256 --------------------------------------------------------------------- */

#if LARCH_ECC
static larch_error verify_es256(const larch_cose_key *key, const larch_bytes *pieces, size_t count,
                                larch_bytes signature)
{
    uint8_t point[LARCH_P256_PUBLIC_LEN];
    if (key->x.len != LARCH_P256_LEN || key->y.len != LARCH_P256_LEN) /* compressed, or d alone */
        return LARCH_STATE;
    memcpy(point, key->x.data, LARCH_P256_LEN);
    memcpy(point + LARCH_P256_LEN, key->y.data, LARCH_P256_LEN);
    return larch_es256_verify(point, pieces, count, signature);
}

static larch_error sign_es256(const larch_cose_key *key, const larch_bytes *pieces, size_t count, uint8_t *signature)
{
    return key->d.len == LARCH_P256_LEN ? larch_es256_sign(key->d.data, pieces, count, signature) : LARCH_STATE;
}

_Static_assert(LARCH_ES256_LEN == ES256_LEN, "r || s");
#else
static larch_error verify_es256(const larch_cose_key *key, const larch_bytes *pieces, size_t count,
                                larch_bytes signature)
{
    (void)key, (void)pieces, (void)count, (void)signature;
    return LARCH_STATE;
}

static larch_error sign_es256(const larch_cose_key *key, const larch_bytes *pieces, size_t count, uint8_t *signature)
{
    (void)key, (void)pieces, (void)count, (void)signature;
    return LARCH_STATE;
}
#endif

/* ---- ML-DSA -------------------------------------------------------------------- */

static larch_error mu_of(const larch_sig *sig, larch_bytes pk, const larch_bytes *pieces, size_t count,
                         uint8_t mu[LARCH_SIG_MU_LEN])
{
    return larch_sig_mu(sig, pk, (larch_bytes){0}, pieces, count, mu);
}

static larch_error verify_ml_dsa(const larch_sig *sig, const larch_cose_key *key, const larch_bytes *pieces,
                                 size_t count, larch_bytes signature)
{
    uint8_t mu[LARCH_SIG_MU_LEN];
    const larch_error e = mu_of(sig, key->pub, pieces, count, mu);
    return e == LARCH_OK ? larch_sig_verify_mu(sig, key->pub, mu, signature) : e;
}

static larch_error sign_ml_dsa(const larch_sig *sig, const larch_random *random, const larch_cose_key *key,
                               const larch_bytes *pieces, size_t count, uint8_t *signature)
{
    uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX], mu[LARCH_SIG_MU_LEN];
    if (key->priv.len != sig->seed_len)
        return LARCH_STATE;
    larch_error e = larch_sig_keygen(sig, key->priv.data, pk, sk);
    LARCH_CT_PUBLIC(pk, sig->pk_len);
    if (e == LARCH_OK && !larch_bytes_equal(key->pub, (larch_bytes){pk, sig->pk_len}))
        e = LARCH_MALFORMED; /* a signature that nobody could verify */
    if (e == LARCH_OK)
        e = mu_of(sig, key->pub, pieces, count, mu);
    if (e == LARCH_OK)
        e = larch_sig_sign_mu(sig, random, sk, mu, signature);
    larch_wipe(sk, sizeof sk);
    return e;
}

/* ---- any signature --------------------------------------------------------------- */

size_t larch_cose_signature_len(int64_t alg)
{
    const larch_sig *sig = alg >= INT16_MIN && alg < 0 ? larch_sig_find((int)alg) : NULL;
    return sig != NULL ? sig->sig_len : LARCH_ECC && alg == LARCH_COSE_ES256 ? ES256_LEN : 0;
}

larch_error larch_cose_verify_pieces(int64_t alg, const larch_cose_key *key, const larch_bytes *pieces, size_t count,
                                     larch_bytes signature)
{
    const larch_sig *sig = sig_of(key, alg);
    if (!is_for(key, alg, LARCH_COSE_OP_VERIFY))
        return LARCH_STATE;
    if (sig != NULL)
        return verify_ml_dsa(sig, key, pieces, count, signature);
    return is_es256(key, alg) ? verify_es256(key, pieces, count, signature) : LARCH_STATE;
}

larch_error larch_cose_sign_pieces(int64_t alg, const larch_cose_key *key, const larch_random *random,
                                   const larch_bytes *pieces, size_t count, uint8_t *signature)
{
    const larch_sig *sig = sig_of(key, alg);
    const larch_error e = !is_for(key, alg, LARCH_COSE_OP_SIGN) ? LARCH_STATE
                          : sig != NULL        ? sign_ml_dsa(sig, random, key, pieces, count, signature)
                          : is_es256(key, alg) ? sign_es256(key, pieces, count, signature)
                                               : LARCH_STATE;
    if (e != LARCH_OK)
        memset(signature, 0, larch_cose_signature_len(alg));
    return e;
}

/* ---- the message ----------------------------------------------------------------- */

larch_error larch_cose_verify_sign1(const larch_cose_message *message, const larch_cose_key *key,
                                    larch_bytes external_aad)
{
    cose_sig_structure s;
    larch_cose_make_sig_structure(&s, message->header.protected_map, external_aad, message->content);
    return larch_cose_verify_pieces(message->header.alg, key, s.pieces, COSE_SIG_PIECES, message->signature);
}

static larch_error put_sign1(larch_writer *w, bool tagged, const larch_cose_header *header, const larch_cose_key *key,
                             const larch_random *random, larch_bytes external_aad, larch_bytes payload)
{
    uint8_t map[LARCH_COSE_PROTECTED_MAX];
    larch_cose_header filled = *header;
    cose_sig_structure s;
    const size_t len = larch_cose_signature_len(header->alg);
    if (len == 0)
        return LARCH_STATE;
    const larch_error e = larch_cose_protect(&filled, map);
    if (e != LARCH_OK)
        return e;
    if (tagged)
        larch_cbor_put_tag(w, COSE_TAG_SIGN1);
    larch_cbor_put_array(w, 4);
    larch_cose_put_header(w, &filled);
    larch_cbor_put_bytes(w, payload);
    larch_cbor_put_bytes_head(w, len);
    uint8_t *signature = larch_writer_reserve(w, len);
    if (signature == NULL)
        return LARCH_SPACE;
    larch_cose_make_sig_structure(&s, filled.protected_map, external_aad, payload);
    return larch_cose_sign_pieces(header->alg, key, random, s.pieces, COSE_SIG_PIECES, signature);
}

larch_error larch_cose_put_sign1(larch_writer *w, bool tagged, const larch_cose_header *header,
                                 const larch_cose_key *key, const larch_random *random, larch_bytes external_aad,
                                 larch_bytes payload)
{
    const size_t before = w->len;
    const larch_error e = put_sign1(w, tagged, header, key, random, external_aad, payload);
    if (e != LARCH_OK)
        w->len = before;
    return e;
}
