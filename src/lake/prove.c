/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature_or_MAC_2 and Signature_or_MAC_3 [RFC9528 5.3.2, 5.4.2]:
 *
 *     context_2 = << C_R, ID_CRED_R, TH_2, CRED_R, ? EAD_2 >>
 *     context_3 = << ID_CRED_I, TH_3, CRED_I, ? EAD_3 >>
 *     MAC_x     = EDHOC_KDF( PRK, label, context_x, mac_length_x )
 *
 * A party with a static Diffie-Hellman key sends the MAC, of the suite's MAC length. A party that signs makes it as long as
 * the hash, and signs
 *
 *     [ "Signature1", << ID_CRED_x >>, << TH, CRED_x, ? EAD_x >>, MAC_x ]
 */
#include "lake_int.h"

#if LAKE_PROVES

_Static_assert(1 + 1 + 1 + 1 + 1 + 1 == LAKE_CONTEXT_PIECES, "C_R, ID_CRED, head and bytes of TH, CRED, EAD");

static size_t mac_len_of(const lake_proof *proof)
{
    return proof->is_signature ? proof->suite->hash_len : proof->suite->mac_len;
}

size_t larch_lake_proof_len(const larch_lake_suite *suite, bool is_signature)
{
    return is_signature ? larch_cose_signature_len(suite->signature) : suite->mac_len;
}

static larch_error make_mac(const lake_proof *p, const uint8_t *prk, uint8_t mac[LAKE_HASH_MAX])
{
    const lake_head head = larch_lake_head_of(p->suite->hash_len);
    const larch_bytes context[] = {p->c_r,  p->id_cred, lake_head_bytes(&head), lake_th(p->suite, p->th),
                                   p->cred, p->ead};
    return larch_lake_kdf(p->suite, prk, p->label, context, LAKE_CONTEXT_PIECES, mac, mac_len_of(p));
}

#define SIGNED_PIECES 9

typedef struct lake_signed {
    larch_bytes pieces[SIGNED_PIECES];
    uint8_t front[1 + 11 + 9];
    lake_head aad, th, mac;
} lake_signed;

static void make_signed(lake_signed *m, const lake_proof *p, larch_bytes mac)
{
    larch_writer w = larch_writer_to(m->front, sizeof m->front);
    const larch_bytes th = lake_th(p->suite, p->th);
    larch_cbor_put_array(&w, 4);
    larch_cbor_put_text(&w, "Signature1");
    larch_cbor_put_bytes_head(&w, p->id_cred.len);
    m->th = larch_lake_head_of(th.len);
    m->aad = larch_lake_head_of(m->th.len + th.len + p->cred.len + p->ead.len);
    m->mac = larch_lake_head_of(mac.len);
    const larch_bytes pieces[SIGNED_PIECES] = {
        {m->front, w.len},        p->id_cred, lake_head_bytes(&m->aad), lake_head_bytes(&m->th), th, p->cred, p->ead,
        lake_head_bytes(&m->mac), mac};
    for (size_t i = 0; i < SIGNED_PIECES; i++)
        m->pieces[i] = pieces[i];
}

larch_error larch_lake_prove(const lake_proof *proof, const uint8_t *prk, const larch_cose_key *key,
                             const larch_random *random, uint8_t *out)
{
    uint8_t mac[LAKE_HASH_MAX];
    lake_signed m;
    if (!proof->is_signature)
        return make_mac(proof, prk, out);
    larch_error e = make_mac(proof, prk, mac);
    if (e == LARCH_OK) {
        make_signed(&m, proof, (larch_bytes){mac, mac_len_of(proof)});
        e = larch_cose_sign_pieces(proof->suite->signature, key, random, m.pieces, SIGNED_PIECES, out);
    }
    larch_wipe(mac, sizeof mac);
    return e;
}

larch_error larch_lake_check_proof(const lake_proof *proof, const uint8_t *prk, const larch_cose_key *key,
                                   larch_bytes signature_or_mac)
{
    uint8_t mac[LAKE_HASH_MAX];
    lake_signed m;
    if (signature_or_mac.len != larch_lake_proof_len(proof->suite, proof->is_signature))
        return LARCH_MALFORMED;
    larch_error e = make_mac(proof, prk, mac);
    if (e == LARCH_OK && proof->is_signature) {
        LARCH_CT_PUBLIC(mac, sizeof mac); /* the peer signed both: a signature is verified over public bytes */
        LARCH_CT_PUBLIC(proof->th, proof->suite->hash_len);
        make_signed(&m, proof, (larch_bytes){mac, mac_len_of(proof)});
        e = larch_cose_verify_pieces(proof->suite->signature, key, m.pieces, SIGNED_PIECES, signature_or_mac);
    } else if (e == LARCH_OK && !larch_ct_equal(mac, signature_or_mac.data, signature_or_mac.len)) {
        e = LARCH_AUTH;
    }
    larch_wipe(mac, sizeof mac);
    return e;
}

/* ---- static Diffie-Hellman keys ------------------------------------------------- */

#if LARCH_ECC
static bool is_p256(const larch_cose_key *key) { return key->kty == LARCH_COSE_EC2 && key->crv == LARCH_COSE_P256; }

larch_error larch_lake_dh_of_own(const larch_cose_key *own, const uint8_t *peer_x, uint8_t shared[32])
{
    return is_p256(own) && own->d.len == LARCH_P256_LEN
               ? larch_p256_ecdh(own->d.data, (larch_bytes){peer_x, LARCH_P256_LEN}, shared)
               : LARCH_STATE;
}

larch_error larch_lake_dh_of_peer(const uint8_t *ephemeral, const larch_cose_key *peer, uint8_t shared[32])
{
    /* either y gives the same shared x */
    return is_p256(peer) && peer->x.len == LARCH_P256_LEN ? larch_p256_ecdh(ephemeral, peer->x, shared) : LARCH_STATE;
}
#else
larch_error larch_lake_dh_of_own(const larch_cose_key *own, const uint8_t *peer_x, uint8_t shared[32])
{
    (void)own, (void)peer_x, (void)shared;
    return LARCH_STATE;
}

larch_error larch_lake_dh_of_peer(const uint8_t *ephemeral, const larch_cose_key *peer, uint8_t shared[32])
{
    (void)ephemeral, (void)peer, (void)shared;
    return LARCH_STATE;
}
#endif

#endif
