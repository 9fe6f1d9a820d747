/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     message_2   = ( G_Y_CIPHERTEXT_2 : bstr )               G_Y | PLAINTEXT_2 xor KEYSTREAM_2   [RFC9528 5.3.1]
 *     PLAINTEXT_2 = (
 *       C_R : bstr / -24..23,
 *       ID_CRED_R : map / bstr / -24..23,                     not in method 4
 *       Signature_or_MAC_2 : bstr,                            not in method 4    [edhoc-psk 5.2]
 *       ? EAD_2,
 *     )
 *
 *     TH_2        = H( G_Y, H(message_1) )
 *     PRK_2e      = EDHOC_Extract( TH_2, G_XY )
 *     KEYSTREAM_2 = EDHOC_KDF( PRK_2e, 0, TH_2, plaintext_length )
 *     PRK_3e2m    = PRK_2e, or of a static Diffie-Hellman key EDHOC_Extract( SALT_3e2m, G_RX )
 *     TH_3        = H( TH_2, PLAINTEXT_2, CRED_R )            without CRED_R in method 4           [edhoc-psk 4]
 */
#include <string.h>

#include "lake_int.h"

/* What both sides compute on the way, and forget. */
typedef struct lake_secrets_2 {
    uint8_t g_xy[LARCH_KEM_SS_LEN], g_rx[32];
    uint8_t ephemeral[LARCH_KEM_SEED_LEN];
    uint8_t th_2[LAKE_HASH_MAX], th_3[LAKE_HASH_MAX];
    uint8_t prk_2e[LAKE_HASH_MAX], prk_3e2m[LAKE_HASH_MAX];
} lake_secrets_2;

static larch_error find_prk_2e(const larch_lake_session *s, larch_bytes g_y, lake_secrets_2 *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const lake_head head = larch_lake_head_of(suite->hash_len);
    const larch_bytes h_message_1[] = {lake_head_bytes(&head), lake_th(suite, s->th)};
    larch_error e;
    if ((e = larch_lake_th(suite, g_y, h_message_1, 2, k->th_2)) != LARCH_OK ||
        (e = larch_lake_extract(suite, k->th_2, LARCH_BYTES(k->g_xy), k->prk_2e)) != LARCH_OK)
        return e;
    memcpy(k->prk_3e2m, k->prk_2e, sizeof k->prk_3e2m); /* unless there is a G_RX */
    return LARCH_OK;
}

/* Plaintext to ciphertext, and back. */
static larch_error apply_keystream(const larch_lake_suite *suite, const lake_secrets_2 *k, larch_bytes in,
                                   uint8_t *keystream, uint8_t *out)
{
    const larch_bytes th_2 = lake_th(suite, k->th_2);
    const larch_error e = larch_lake_kdf(suite, k->prk_2e, LAKE_KEYSTREAM_2, &th_2, 1, keystream, in.len);
    for (size_t i = 0; e == LARCH_OK && i < in.len; i++)
        out[i] = in.data[i] ^ keystream[i];
    return e;
}

static larch_error find_th_3(const larch_lake_suite *suite, larch_bytes plaintext_2, larch_bytes cred_r,
                             lake_secrets_2 *k)
{
    const larch_bytes pieces[] = {plaintext_2, cred_r};
    return larch_lake_th(suite, lake_th(suite, k->th_2), pieces, 2, k->th_3);
}

static void commit(larch_lake_session *s, const larch_lake_party *party, const lake_secrets_2 *k, larch_bytes c_r)
{
#if LARCH_KEYLOG
    larch_lake_keylog_2(party, s->keys.suite, k->th_2, k->prk_2e, k->th_3, k->prk_3e2m);
#else
    (void)party;
#endif
    memcpy(s->th, k->th_3, sizeof s->th);
    memcpy(s->prk, k->prk_3e2m, sizeof s->prk);
    memcpy(s->ephemeral, k->ephemeral, sizeof s->ephemeral);
    s->keys.c_r = larch_lake_id_of(c_r);
}

/* ---- Responder [RFC9528 5.3.2] --------------------------------------------------- */

#if LAKE_PROVES
static larch_error put_proof(const larch_lake_session *s, const larch_lake_party *party,
                             const larch_lake_message_1 *message_1, const larch_lake_answer *answer, larch_writer *w,
                             lake_secrets_2 *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const bool signs = larch_lake_method_find(s->keys.method)->signs;
    const size_t len = larch_lake_proof_len(suite, signs);
    const lake_proof proof = {.suite = suite,
                              .is_signature = signs,
                              .label = LAKE_MAC_2,
                              .c_r = {w->data, w->len}, /* all that is there yet */
                              .id_cred = answer->own->id_cred,
                              .th = k->th_2,
                              .cred = answer->own->cred_r,
                              .ead = answer->ead_2};
    larch_error e;
    if (!signs && ((e = larch_lake_dh_of_own(&answer->own->key, message_1->g_x.data, k->g_rx)) != LARCH_OK ||
                   (e = larch_lake_next_prk(suite, k->prk_2e, LAKE_SALT_3E2M, k->th_2, LARCH_BYTES(k->g_rx),
                                            k->prk_3e2m)) != LARCH_OK))
        return e;
    larch_lake_put_sent_id_cred(w, answer->own->id_cred);
    larch_cbor_put_bytes_head(w, len);
    uint8_t *signature_or_mac_2 = larch_writer_reserve(w, len);
    return signature_or_mac_2 != NULL
               ? larch_lake_prove(&proof, k->prk_3e2m, &answer->own->key, &party->random, signature_or_mac_2)
               : LARCH_SPACE;
}

static size_t proof_len(const larch_lake_session *s, const larch_lake_answer *answer)
{
    const size_t len = larch_lake_proof_len(s->keys.suite, larch_lake_method_find(s->keys.method)->signs);
    larch_writer w = larch_writer_to(NULL, 0);
    larch_lake_put_sent_id_cred(&w, answer->own->id_cred);
    larch_cbor_put_bytes_head(&w, len);
    return w.len + len;
}
#else
static larch_error put_proof(const larch_lake_session *s, const larch_lake_party *party,
                             const larch_lake_message_1 *message_1, const larch_lake_answer *answer, larch_writer *w,
                             lake_secrets_2 *k)
{
    (void)s, (void)party, (void)message_1, (void)answer, (void)w, (void)k;
    return LARCH_STATE;
}

static size_t proof_len(const larch_lake_session *s, const larch_lake_answer *answer)
{
    (void)s, (void)answer;
    return 0;
}
#endif

static size_t plaintext_len(const larch_lake_session *s, const larch_lake_answer *answer)
{
    larch_writer w = larch_writer_to(NULL, 0);
    larch_lake_put_identifier(&w, answer->c_r);
    return w.len + (lake_is_psk(s->keys.method) ? 0 : proof_len(s, answer)) + answer->ead_2.len;
}

static larch_error compose(larch_lake_session *s, const larch_lake_party *party, const larch_lake_message_1 *message_1,
                           const larch_lake_answer *answer, larch_writer *w, lake_secrets_2 *k)
{
    const larch_lake_suite *suite = s->keys.suite;
    const bool is_psk = lake_is_psk(s->keys.method);
    lake_scratch scratch = lake_scratch_of(party);
    larch_error e;
    if (answer->c_r.len > larch_lake_id_max(suite) || larch_bytes_equal(answer->c_r, lake_id_bytes(&s->keys.c_i)) ||
        (!is_psk && (answer->own == NULL || answer->own->cred_r.len == 0)) ||
        message_1->g_x.len != larch_lake_g_x_len(suite))
        return LARCH_STATE;
    const size_t g_y_len = larch_lake_g_y_len(suite), len = plaintext_len(s, answer);
    larch_cbor_put_bytes_head(w, g_y_len + len);
    uint8_t *g_y = larch_writer_reserve(w, g_y_len + len), *keystream = larch_lake_take_scratch(&scratch, len);
    if (g_y == NULL || keystream == NULL)
        return LARCH_SPACE;
    if ((e = larch_lake_make_g_y(suite, &party->random, message_1->g_x, answer, k->ephemeral, g_y, k->g_xy)) !=
            LARCH_OK ||
        (e = find_prk_2e(s, (larch_bytes){g_y, g_y_len}, k)) != LARCH_OK)
        return e;
    larch_writer p = larch_writer_to(g_y + g_y_len, len); /* PLAINTEXT_2 */
    larch_lake_put_identifier(&p, answer->c_r);
    if (!is_psk && (e = put_proof(s, party, message_1, answer, &p, k)) != LARCH_OK)
        return e;
    larch_writer_put(&p, answer->ead_2);
    const larch_bytes plaintext_2 = {p.data, p.len};
    const larch_bytes cred_r = is_psk ? (larch_bytes){0} : answer->own->cred_r;
    if ((e = find_th_3(suite, plaintext_2, cred_r, k)) != LARCH_OK ||
        (e = apply_keystream(suite, k, plaintext_2, keystream, p.data)) != LARCH_OK)
        return e;
    commit(s, party, k, answer->c_r);
    return LARCH_OK;
}

larch_error larch_lake_compose_message_2(larch_lake_session *s, const larch_lake_party *party,
                                         const larch_lake_message_1 *message_1, const larch_lake_answer *answer,
                                         larch_writer *w)
{
    const size_t before = w->len;
    lake_secrets_2 k = {0};
    if (s->state != LARCH_LAKE_COMPOSE_MESSAGE_2)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    const larch_error e = compose(s, party, message_1, answer, w, &k);
    larch_wipe(&k, sizeof k);
    return larch_lake_end(s, party, e, LARCH_LAKE_WAIT_MESSAGE_3, w, before, NULL);
}

/* ---- Initiator [RFC9528 5.3.3] --------------------------------------------------- */

#if LAKE_PROVES
/* ID_CRED_R and Signature_or_MAC_2. c_r: encoded; r: what follows it. */
static larch_error check_proof(larch_lake_session *s, const larch_lake_party *party, larch_bytes c_r, larch_reader *r,
                               lake_secrets_2 *k, larch_lake_credential *peer)
{
    const larch_lake_suite *suite = s->keys.suite;
    const bool signs = larch_lake_method_find(s->keys.method)->signs;
    uint8_t map[LAKE_KID_MAP_MAX];
    larch_lake_reference id_cred_r = {.owner = LARCH_LAKE_RESPONDER, .method = s->keys.method, .suite = suite};
    larch_bytes signature_or_mac_2;
    larch_error e;
    if ((e = larch_lake_take_id_cred(r, map, &id_cred_r)) != LARCH_OK ||
        (e = larch_cbor_take_bytes(r, &signature_or_mac_2)) != LARCH_OK ||
        (e = larch_lake_check_ead(party, r->left)) != LARCH_OK ||
        (e = larch_lake_look_up(s, party, &id_cred_r, 0, peer)) != LARCH_OK)
        return e;
    if (!signs && ((e = larch_lake_dh_of_peer(s->ephemeral, &peer->key, k->g_rx)) != LARCH_OK ||
                   (e = larch_lake_next_prk(suite, k->prk_2e, LAKE_SALT_3E2M, k->th_2, LARCH_BYTES(k->g_rx),
                                            k->prk_3e2m)) != LARCH_OK))
        return e;
    const lake_proof proof = {.suite = suite,
                              .is_signature = signs,
                              .label = LAKE_MAC_2,
                              .c_r = c_r,
                              .id_cred = id_cred_r.id_cred,
                              .th = k->th_2,
                              .cred = peer->cred_r,
                              .ead = r->left};
    return larch_lake_check_proof(&proof, k->prk_3e2m, &peer->key, signature_or_mac_2);
}
#else
static larch_error check_proof(larch_lake_session *s, const larch_lake_party *party, larch_bytes c_r, larch_reader *r,
                               lake_secrets_2 *k, larch_lake_credential *peer)
{
    (void)s, (void)party, (void)c_r, (void)r, (void)k, (void)peer;
    return LARCH_STATE;
}
#endif

static larch_error process_plaintext(larch_lake_session *s, const larch_lake_party *party, larch_bytes plaintext_2,
                                     lake_secrets_2 *k, larch_lake_received *out)
{
    const larch_lake_suite *suite = s->keys.suite;
    const bool is_psk = lake_is_psk(s->keys.method);
    larch_reader r = larch_reader_of(plaintext_2);
    larch_bytes c_r;
    larch_error e = larch_lake_take_identifier(&r, &c_r);
    if (e != LARCH_OK)
        return e;
    const larch_bytes c_r_encoded = {plaintext_2.data, plaintext_2.len - r.left.len};
    if (c_r.len > larch_lake_id_max(suite) || larch_bytes_equal(c_r, lake_id_bytes(&s->keys.c_i))) /* [RFC9668 4] */
        return LARCH_STATE;
    if ((e = is_psk ? larch_lake_check_ead(party, r.left) : check_proof(s, party, c_r_encoded, &r, k, &out->peer)) !=
            LARCH_OK ||
        (e = find_th_3(suite, plaintext_2, is_psk ? (larch_bytes){0} : out->peer.cred_r, k)) != LARCH_OK)
        return e;
    out->ead = r.left;
    commit(s, party, k, c_r);
    return LARCH_OK;
}

static larch_error process(larch_lake_session *s, const larch_lake_party *party, larch_bytes message, lake_secrets_2 *k,
                           larch_lake_received *out)
{
    const larch_lake_suite *suite = s->keys.suite;
    const size_t g_y_len = larch_lake_g_y_len(suite);
    lake_scratch scratch = lake_scratch_of(party);
    larch_bytes g_y_ciphertext_2;
    larch_error e;
    if ((e = larch_lake_take_only(message, &g_y_ciphertext_2)) != LARCH_OK)
        return e;
    if (g_y_ciphertext_2.len <= g_y_len)
        return LARCH_MALFORMED;
    const larch_bytes g_y = {g_y_ciphertext_2.data, g_y_len};
    const larch_bytes ciphertext_2 = {g_y.data + g_y_len, g_y_ciphertext_2.len - g_y_len};
    if ((e = larch_lake_find_g_xy(suite, scratch, s->ephemeral, g_y, k->g_xy)) != LARCH_OK ||
        (e = find_prk_2e(s, g_y, k)) != LARCH_OK)
        return e;
    uint8_t *plaintext_2 = larch_lake_take_scratch(&scratch, ciphertext_2.len);
    if (plaintext_2 == NULL)
        return LARCH_SPACE;
    if (suite->supports_dh)
        memcpy(k->ephemeral, g_y.data, g_y_len); /* for G_IY */
    if ((e = apply_keystream(suite, k, ciphertext_2, plaintext_2, plaintext_2)) != LARCH_OK)
        return e;
    LARCH_CT_PUBLIC(plaintext_2, ciphertext_2.len); /* names, not keys: what it says decides what is done */
    if ((e = process_plaintext(s, party, (larch_bytes){plaintext_2, ciphertext_2.len}, k, out)) != LARCH_OK)
        return e;
    return larch_lake_note(s, message);
}

larch_error larch_lake_process_message_2(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                                         larch_lake_received *out)
{
    lake_secrets_2 k = {0};
    memset(out, 0, sizeof *out);
    if (s->state != LARCH_LAKE_WAIT_MESSAGE_2)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    larch_error e = process(s, party, message, &k, out);
    larch_wipe(&k, sizeof k);
    e = larch_lake_end(s, party, e, LARCH_LAKE_COMPOSE_MESSAGE_3, NULL, 0, &out->ead);
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}
