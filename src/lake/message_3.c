/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     message_3   = ( CIPHERTEXT_3 : bstr )                   AEAD( K_3, IV_3, A_3, PLAINTEXT_3 )  [RFC9528 5.4.1]
 *     PLAINTEXT_3 = (
 *       ID_CRED_I : map / bstr / -24..23,
 *       Signature_or_MAC_3 : bstr,
 *       ? EAD_3,
 *     )
 *
 *     PRK_4e3m    = PRK_3e2m, or of a static Diffie-Hellman key EDHOC_Extract( SALT_4e3m, G_IY )
 *     K_3, IV_3   = EDHOC_KDF( PRK_3e2m, 3 and 4, TH_3, ... )
 *     TH_4        = H( TH_3, PLAINTEXT_3, CRED_I )
 *
 * message_3 of method 4 is another one (psk.c).
 */
#include <string.h>

#include "lake_int.h"

#if LAKE_PROVES

typedef struct lake_secrets_3 {
    uint8_t g_iy[32];
    uint8_t prk_4e3m[LAKE_HASH_MAX], th_4[LAKE_HASH_MAX];
    larch_lake_keys keys;
} lake_secrets_3;

/* PRK_4e3m; own is NULL in the Responder. s->ephemeral: G_Y in the Initiator, Y in the Responder. */
static larch_error find_prk_4e3m(const larch_lake_session *s, bool signs, const larch_cose_key *own,
                                 const larch_cose_key *peer, lake_secrets_3 *k)
{
    if (signs) {
        memcpy(k->prk_4e3m, s->prk, sizeof k->prk_4e3m);
        return LARCH_OK;
    }
    const larch_error e = own != NULL ? larch_lake_dh_of_own(own, s->ephemeral, k->g_iy)
                                      : larch_lake_dh_of_peer(s->ephemeral, peer, k->g_iy);
    return e == LARCH_OK
               ? larch_lake_next_prk(s->keys.suite, s->prk, LAKE_SALT_4E3M, s->th, LARCH_BYTES(k->g_iy), k->prk_4e3m)
               : e;
}

static larch_error finish(const larch_lake_session *s, larch_bytes plaintext_3, larch_bytes cred_i, lake_secrets_3 *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const larch_bytes pieces[] = {plaintext_3, cred_i};
    const larch_error e = larch_lake_th(suite, lake_th(suite, s->th), pieces, 2, k->th_4);
    k->keys = s->keys;
    return e == LARCH_OK ? larch_lake_finish_keys(&k->keys, k->prk_4e3m, k->th_4) : e;
}

static void commit(larch_lake_session *s, const larch_lake_party *party, const lake_secrets_3 *k)
{
#if LARCH_KEYLOG
    larch_lake_keylog_3(party, s->keys.suite, s->th, k->prk_4e3m, k->th_4, (larch_bytes){0}, (larch_bytes){0});
#else
    (void)party;
#endif
    s->keys = k->keys;
    memcpy(s->th, k->th_4, sizeof s->th);
    memcpy(s->prk, k->prk_4e3m, sizeof s->prk);
    larch_wipe(s->ephemeral, sizeof s->ephemeral);
}

/* ---- Initiator [RFC9528 5.4.2] --------------------------------------------------- */

static larch_error compose(larch_lake_session *s, const larch_lake_party *party, const larch_lake_credential *own,
                           larch_bytes ead_3, larch_writer *w, lake_secrets_3 *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const bool signs = larch_lake_method_find(s->keys.method)->signs;
    const size_t proof_len = larch_lake_proof_len(suite, signs), tag_len = lake_tag_len(suite);
    const lake_proof proof = {.suite = suite,
                              .is_signature = signs,
                              .label = LAKE_MAC_3,
                              .id_cred = own->id_cred,
                              .th = s->th,
                              .cred = own->cred_i,
                              .ead = ead_3};
    lake_scratch scratch = lake_scratch_of(party);
    uint8_t aad[LAKE_AAD_MAX];
    larch_error e;
    if (own->cred_i.len == 0)
        return LARCH_STATE;
    larch_writer p = larch_writer_to(scratch.at, scratch.left); /* PLAINTEXT_3 */
    larch_lake_put_sent_id_cred(&p, own->id_cred);
    larch_cbor_put_bytes_head(&p, proof_len);
    uint8_t *signature_or_mac_3 = larch_writer_reserve(&p, proof_len);
    larch_writer_put(&p, ead_3);
    larch_bytes plaintext_3;
    if ((e = larch_writer_finish(&p, &plaintext_3)) != LARCH_OK)
        return e;
    larch_cbor_put_bytes_head(w, plaintext_3.len + tag_len);
    uint8_t *ciphertext_3 = larch_writer_reserve(w, plaintext_3.len + tag_len);
    if (ciphertext_3 == NULL)
        return LARCH_SPACE;
    if ((e = find_prk_4e3m(s, signs, &own->key, NULL, k)) != LARCH_OK ||
        (e = larch_lake_prove(&proof, k->prk_4e3m, &own->key, &party->random, signature_or_mac_3)) != LARCH_OK ||
        (e = larch_lake_seal(suite, s->prk, LAKE_K_3, s->th, larch_lake_aad(suite, s->th, aad), plaintext_3,
                             ciphertext_3, plaintext_3.len + tag_len)) != LARCH_OK ||
        (e = finish(s, plaintext_3, own->cred_i, k)) != LARCH_OK)
        return e;
    commit(s, party, k);
    return LARCH_OK;
}

/* ---- Responder [RFC9528 5.4.3] --------------------------------------------------- */

static larch_error process(larch_lake_session *s, const larch_lake_party *party, larch_bytes message, lake_secrets_3 *k,
                           larch_lake_received *out)
{
    const larch_lake_suite *suite = s->keys.suite;
    const bool signs = larch_lake_method_find(s->keys.method)->signs;
    const size_t tag_len = lake_tag_len(suite);
    lake_scratch scratch = lake_scratch_of(party);
    uint8_t aad[LAKE_AAD_MAX], map[LAKE_KID_MAP_MAX];
    larch_lake_reference id_cred_i = {.owner = LARCH_LAKE_INITIATOR, .method = s->keys.method, .suite = suite};
    larch_bytes ciphertext_3, signature_or_mac_3;
    larch_error e;
    if ((e = larch_lake_take_only(message, &ciphertext_3)) != LARCH_OK)
        return e;
    if (ciphertext_3.len < tag_len)
        return LARCH_MALFORMED;
    const size_t len = ciphertext_3.len - tag_len;
    uint8_t *plaintext_3 = larch_lake_take_scratch(&scratch, len);
    if (plaintext_3 == NULL)
        return LARCH_SPACE;
    if ((e = larch_lake_open(suite, s->prk, LAKE_K_3, s->th, larch_lake_aad(suite, s->th, aad), ciphertext_3,
                             plaintext_3, len)) != LARCH_OK)
        return e;
    LARCH_CT_PUBLIC(plaintext_3, len); /* as PLAINTEXT_2 */
    larch_reader r = larch_reader_of((larch_bytes){plaintext_3, len});
    if ((e = larch_lake_take_id_cred(&r, map, &id_cred_i)) != LARCH_OK ||
        (e = larch_cbor_take_bytes(&r, &signature_or_mac_3)) != LARCH_OK ||
        (e = larch_lake_check_ead(party, r.left)) != LARCH_OK ||
        (e = larch_lake_look_up(s, party, &id_cred_i, 0, &out->peer)) != LARCH_OK ||
        (e = find_prk_4e3m(s, signs, NULL, &out->peer.key, k)) != LARCH_OK)
        return e;
    const lake_proof proof = {.suite = suite,
                              .is_signature = signs,
                              .label = LAKE_MAC_3,
                              .id_cred = id_cred_i.id_cred,
                              .th = s->th,
                              .cred = out->peer.cred_i,
                              .ead = r.left};
    if ((e = larch_lake_check_proof(&proof, k->prk_4e3m, &out->peer.key, signature_or_mac_3)) != LARCH_OK ||
        (e = finish(s, (larch_bytes){plaintext_3, len}, out->peer.cred_i, k)) != LARCH_OK ||
        (e = larch_lake_note(s, message)) != LARCH_OK)
        return e;
    out->ead = r.left;
    commit(s, party, k);
    return LARCH_OK;
}

static larch_error compose_3(larch_lake_session *s, const larch_lake_party *party, const larch_lake_credential *own,
                             larch_bytes ead_3, larch_writer *w)
{
    lake_secrets_3 k = {0};
    const larch_error e = compose(s, party, own, ead_3, w, &k);
    larch_wipe(&k, sizeof k);
    return e;
}

static larch_error process_3(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                             larch_lake_received *out)
{
    lake_secrets_3 k = {0};
    const larch_error e = process(s, party, message, &k, out);
    larch_wipe(&k, sizeof k);
    return e;
}
#else
#define compose_3 larch_lake_compose_psk_3
#define process_3 larch_lake_process_psk_3
#endif

larch_error larch_lake_compose_message_3(larch_lake_session *s, const larch_lake_party *party,
                                         const larch_lake_credential *own, larch_bytes ead_3, larch_writer *w)
{
    const size_t before = w->len;
    if (s->state != LARCH_LAKE_COMPOSE_MESSAGE_3)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    const larch_error e = lake_is_psk(s->keys.method) ? larch_lake_compose_psk_3(s, party, own, ead_3, w)
                                                      : compose_3(s, party, own, ead_3, w);
    return larch_lake_end(s, party, e, LARCH_LAKE_WAIT_MESSAGE_4, w, before, NULL);
}

larch_error larch_lake_process_message_3(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                                         larch_lake_received *out)
{
    memset(out, 0, sizeof *out);
    if (s->state != LARCH_LAKE_WAIT_MESSAGE_3)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    larch_error e = lake_is_psk(s->keys.method) ? larch_lake_process_psk_3(s, party, message, out)
                                                : process_3(s, party, message, out);
    e = larch_lake_end(s, party, e, LARCH_LAKE_COMPOSE_MESSAGE_4, NULL, 0, &out->ead);
    if (e != LARCH_OK)
        larch_wipe(out, sizeof *out);
    return e;
}
