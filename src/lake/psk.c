/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_3 of method 4 [edhoc-psk 5.3]:
 *
 *     message_3     = ( CIPHERTEXT_3A : bstr )                PLAINTEXT_3A xor KEYSTREAM_3A
 *     PLAINTEXT_3A  = (
 *       ID_CRED_PSK : map / bstr / -24..23,
 *       CIPHERTEXT_3B : bstr,                                 AEAD( K_3, IV_3, A_3B, PLAINTEXT_3B )
 *     )
 *     PLAINTEXT_3B  = ( ? EAD_3 )
 *     A_3B          = [ "Encrypt0", h'', << ID_CRED_PSK, TH_3, CRED_I, CRED_R >> ]
 *
 *     KEYSTREAM_3A  = EDHOC_KDF( PRK_3e2m, 12, TH_3, plaintext_length_3a )
 *     PRK_4e3m      = EDHOC_Extract( SALT_4e3m, PSK )
 *     K_3, IV_3     = EDHOC_KDF( PRK_4e3m, 3 and 4, TH_3, ... )
 *     TH_4          = H( TH_3, ID_CRED_PSK, PLAINTEXT_3B, CRED_I, CRED_R )                          [edhoc-psk 4]
 */
#include <string.h>

#include "lake_int.h"

#define PSK_MIN 16 /* at least 128 bits [edhoc-psk 3] */

typedef struct lake_psk_secrets {
    uint8_t salt_4e3m[LAKE_HASH_MAX];
    uint8_t prk_4e3m[LAKE_HASH_MAX], th_4[LAKE_HASH_MAX];
    larch_lake_keys keys;
} lake_psk_secrets;

/* A PSK belongs to one EDHOC hash, and both parties to different credentials: else one's own messages could come back as
 * those of the peer [edhoc-psk 3]. */
static bool is_usable(const larch_lake_session *s, const larch_lake_credential *c)
{
    return c->key.k.len >= PSK_MIN && c->psk_hash == s->keys.suite->hash && c->cred_i.len > 0 && c->cred_r.len > 0 &&
           !larch_bytes_equal(c->cred_i, c->cred_r);
}

/* ID_CRED_PSK as it enters A_3B and TH_4: the text of the draft has the map [edhoc-psk 3.1.3], its vectors what is sent.
 * map: the encoded map; compact: memory for what is sent of a kid. */
static larch_bytes authenticated_id(const larch_lake_party *party, larch_bytes map, uint8_t compact[LAKE_KID_MAP_MAX])
{
    larch_writer w = larch_writer_to(compact, LAKE_KID_MAP_MAX);
    if (!party->psk_id_is_compact)
        return map;
    larch_lake_put_sent_id_cred(&w, map);
    return (larch_bytes){compact, w.len};
}

/* A_3B, in scratch memory. */
static larch_error put_a_3b(const larch_lake_session *s, larch_bytes id, const larch_lake_credential *c,
                            lake_scratch scratch, larch_bytes *out)
{
    const larch_bytes th_3 = lake_th(s->keys.suite, s->th);
    const lake_head head = larch_lake_head_of(th_3.len);
    larch_writer w = larch_writer_to(scratch.at, scratch.left);
    larch_cbor_put_array(&w, 3);
    larch_cbor_put_text(&w, "Encrypt0");
    larch_cbor_put_bytes(&w, (larch_bytes){0});
    larch_cbor_put_bytes_head(&w, id.len + head.len + th_3.len + c->cred_i.len + c->cred_r.len);
    larch_writer_put(&w, id);
    larch_cbor_put_bytes(&w, th_3);
    larch_writer_put(&w, c->cred_i);
    larch_writer_put(&w, c->cred_r);
    return larch_writer_finish(&w, out);
}

/* KEYSTREAM_3A of len bytes, and SALT_4e3m. */
static larch_error find_keystream(const larch_lake_session *s, uint8_t *keystream, size_t len, lake_psk_secrets *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const lake_output outputs[] = {{LARCH_LAKE_KEYSTREAM_3A, keystream, len},
                                   {LAKE_SALT_4E3M, k->salt_4e3m, suite->hash_len}};
    return larch_lake_kdf_each(suite, s->prk, lake_th(suite, s->th), outputs, 2);
}

static larch_error find_prk_4e3m(const larch_lake_session *s, larch_bytes psk, lake_psk_secrets *k)
{
    return larch_lake_extract(s->keys.suite, k->salt_4e3m, psk, k->prk_4e3m);
}

static larch_error finish(const larch_lake_session *s, larch_bytes id, larch_bytes plaintext_3b,
                          const larch_lake_credential *c, lake_psk_secrets *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const larch_bytes pieces[] = {id, plaintext_3b, c->cred_i, c->cred_r};
    const larch_error e = larch_lake_th(suite, lake_th(suite, s->th), pieces, 4, k->th_4);
    k->keys = s->keys;
    return e == LARCH_OK ? larch_lake_finish_keys(&k->keys, k->prk_4e3m, k->th_4) : e;
}

static void commit(larch_lake_session *s, const larch_lake_party *party, const larch_lake_credential *c,
                   const lake_psk_secrets *k)
{
#if LARCH_KEYLOG
    larch_lake_keylog_3(party, s->keys.suite, s->th, k->prk_4e3m, k->th_4, c->cred_i, c->cred_r);
#else
    (void)party;
    (void)c;
#endif
    s->keys = k->keys;
    memcpy(s->th, k->th_4, sizeof s->th);
    memcpy(s->prk, k->prk_4e3m, sizeof s->prk);
    larch_wipe(s->ephemeral, sizeof s->ephemeral);
}

/* PLAINTEXT_3A to CIPHERTEXT_3A and back. */
static void apply_keystream(larch_bytes in, const uint8_t *keystream, uint8_t *out)
{
    for (size_t i = 0; i < in.len; i++)
        out[i] = in.data[i] ^ keystream[i];
}

/* ---- Initiator [edhoc-psk 5.3.2] ------------------------------------------------- */

static larch_error compose(larch_lake_session *s, const larch_lake_party *party, const larch_lake_credential *own,
                           larch_bytes ead_3, larch_writer *w, lake_psk_secrets *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const size_t len_3b = ead_3.len + lake_tag_len(suite);
    uint8_t compact[LAKE_KID_MAP_MAX];
    lake_scratch scratch = lake_scratch_of(party);
    larch_bytes a_3b;
    larch_error e;
    const larch_bytes kid = larch_lake_lone_kid(own->id_cred);
    if (!is_usable(s, own) || kid.data == NULL || kid.len > LARCH_LAKE_KID_MAX)
        return LARCH_STATE;
    const larch_bytes id = authenticated_id(party, own->id_cred, compact);
    larch_writer measure = larch_writer_to(NULL, 0);
    larch_lake_put_identifier(&measure, kid);
    larch_cbor_put_bytes_head(&measure, len_3b);
    const size_t len_3a = measure.len + len_3b;
    larch_cbor_put_bytes_head(w, len_3a);
    uint8_t *plaintext_3a = larch_writer_reserve(w, len_3a), *keystream = larch_lake_take_scratch(&scratch, len_3a);
    if (plaintext_3a == NULL || keystream == NULL)
        return LARCH_SPACE;
    larch_writer p = larch_writer_to(plaintext_3a, len_3a);
    larch_lake_put_identifier(&p, kid);
    larch_cbor_put_bytes_head(&p, len_3b);
    if ((e = put_a_3b(s, id, own, scratch, &a_3b)) != LARCH_OK ||
        (e = find_keystream(s, keystream, len_3a, k)) != LARCH_OK ||
        (e = find_prk_4e3m(s, own->key.k, k)) != LARCH_OK ||
        (e = larch_lake_seal(suite, k->prk_4e3m, LAKE_K_3, s->th, a_3b, ead_3, plaintext_3a + p.len, len_3b)) !=
            LARCH_OK ||
        (e = finish(s, id, ead_3, own, k)) != LARCH_OK)
        return e;
    apply_keystream((larch_bytes){plaintext_3a, len_3a}, keystream, plaintext_3a);
    commit(s, party, own, k);
    return LARCH_OK;
}

larch_error larch_lake_compose_psk_3(larch_lake_session *s, const larch_lake_party *party,
                                     const larch_lake_credential *own, larch_bytes ead_3, larch_writer *w)
{
    lake_psk_secrets k = {0};
    const larch_error e = compose(s, party, own, ead_3, w, &k);
    larch_wipe(&k, sizeof k);
    return e;
}

/* ---- Responder [edhoc-psk 5.3.3] ------------------------------------------------- */

/* One candidate's key: CIPHERTEXT_3B opens under it, or does not. */
static larch_error try_candidate(const larch_lake_session *s, larch_bytes id, larch_bytes ciphertext_3b,
                                 const larch_lake_credential *c, lake_scratch scratch, lake_psk_secrets *k,
                                 larch_bytes *plaintext_3b)
{
    const size_t len = ciphertext_3b.len - lake_tag_len(s->keys.suite);
    uint8_t *out = larch_lake_take_scratch(&scratch, len);
    larch_bytes a_3b;
    larch_error e;
    if (out == NULL)
        return LARCH_SPACE;
    if ((e = put_a_3b(s, id, c, scratch, &a_3b)) != LARCH_OK || (e = find_prk_4e3m(s, c->key.k, k)) != LARCH_OK)
        return e;
    *plaintext_3b = (larch_bytes){out, len};
    if ((e = larch_lake_open(s->keys.suite, k->prk_4e3m, LAKE_K_3, s->th, a_3b, ciphertext_3b, out, len)) == LARCH_OK)
        LARCH_CT_PUBLIC(out, len); /* EAD items */
    return e;
}

static larch_error find_candidate(larch_lake_session *s, const larch_lake_party *party,
                                  const larch_lake_reference *id_cred_psk, larch_bytes id, larch_bytes ciphertext_3b,
                                  lake_scratch scratch, lake_psk_secrets *k, larch_lake_received *out)
{
    larch_error e = LARCH_AUTH;
    for (unsigned attempt = 0; e == LARCH_AUTH && attempt < LARCH_LAKE_CANDIDATES; attempt++) {
        if ((e = larch_lake_look_up(s, party, id_cred_psk, attempt, &out->peer)) != LARCH_OK)
            return e;
        e = is_usable(s, &out->peer) ? try_candidate(s, id, ciphertext_3b, &out->peer, scratch, k, &out->ead)
                                     : LARCH_AUTH;
    }
    return e;
}

static larch_error process(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                           lake_psk_secrets *k, larch_lake_received *out)
{
    const larch_lake_suite *suite = s->keys.suite;
    uint8_t map[LAKE_KID_MAP_MAX], compact[LAKE_KID_MAP_MAX];
    lake_scratch scratch = lake_scratch_of(party);
    larch_lake_reference id_cred_psk = {.owner = LARCH_LAKE_INITIATOR, .method = s->keys.method, .suite = suite};
    larch_bytes ciphertext_3a, ciphertext_3b;
    larch_error e;
    if ((e = larch_lake_take_only(message, &ciphertext_3a)) != LARCH_OK)
        return e;
    uint8_t *plaintext_3a = larch_lake_take_scratch(&scratch, ciphertext_3a.len);
    if (plaintext_3a == NULL)
        return LARCH_SPACE;
    if ((e = find_keystream(s, plaintext_3a, ciphertext_3a.len, k)) != LARCH_OK)
        return e;
    apply_keystream(ciphertext_3a, plaintext_3a, plaintext_3a);
    LARCH_CT_PUBLIC(plaintext_3a, ciphertext_3a.len); /* a kid, and a ciphertext */
    larch_reader r = larch_reader_of((larch_bytes){plaintext_3a, ciphertext_3a.len});
    if ((e = larch_lake_take_id_cred(&r, map, &id_cred_psk)) != LARCH_OK ||
        (e = larch_lake_take_only(r.left, &ciphertext_3b)) != LARCH_OK)
        return e;
    if (id_cred_psk.kind != LARCH_LAKE_BY_KID)
        return LARCH_STATE;
    if (ciphertext_3b.len < lake_tag_len(suite))
        return LARCH_MALFORMED;
    const larch_bytes id = authenticated_id(party, id_cred_psk.id_cred, compact);
    if ((e = find_candidate(s, party, &id_cred_psk, id, ciphertext_3b, scratch, k, out)) != LARCH_OK ||
        (e = larch_lake_check_ead(party, out->ead)) != LARCH_OK ||
        (e = finish(s, id, out->ead, &out->peer, k)) != LARCH_OK || (e = larch_lake_note(s, message)) != LARCH_OK)
        return e;
    commit(s, party, &out->peer, k);
    return LARCH_OK;
}

larch_error larch_lake_process_psk_3(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                                     larch_lake_received *out)
{
    lake_psk_secrets k = {0};
    const larch_error e = process(s, party, message, &k, out);
    larch_wipe(&k, sizeof k);
    return e;
}
