/* SPDX-License-Identifier: Apache-2.0 */
/* Opens messages of others with the secrets of a key log. message_2.c, message_3.c, psk.c and message_4.c draw their bytes. */
#include <string.h>

#include "lake_int.h"
#include "larch/lake_observer.h"

/* As identifier or as map; any header parameter, since nobody acts on it. */
static larch_error take_id_cred(larch_reader *r, larch_lake_inside *out)
{
    return larch_cbor_peek(r) == LARCH_CBOR_MAP ? larch_cbor_take_whole(r, &out->id_cred)
                                                : larch_lake_take_identifier(r, &out->kid);
}

static larch_error take_ead(larch_bytes ead, larch_lake_inside *out)
{
    larch_reader r = larch_reader_of(ead);
    larch_lake_ead item;
    larch_error e;
    out->ead = ead;
    out->has_ead = true;
    while ((e = larch_lake_take_ead(&r, &item)) == LARCH_OK)
        ;
    return e == LARCH_AGAIN ? LARCH_OK : LARCH_MALFORMED;
}

static larch_error take_proven(larch_reader r, larch_lake_inside *out)
{
    larch_error e;
    if ((e = take_id_cred(&r, out)) != LARCH_OK || (e = larch_cbor_take_bytes(&r, &out->signature_or_mac)) != LARCH_OK)
        return e;
    return take_ead(r.left, out);
}

static larch_error apply_keystream(const larch_lake_suite *suite, const uint8_t *prk, unsigned label, const uint8_t *th,
                                   larch_bytes in, uint8_t *out)
{
    const larch_bytes context = lake_th(suite, th);
    const larch_error e = larch_lake_kdf(suite, prk, label, &context, 1, out, in.len);
    for (size_t i = 0; e == LARCH_OK && i < in.len; i++)
        out[i] ^= in.data[i];
    return e;
}

static larch_error finish(larch_error e, larch_lake_inside *out)
{
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}

/* ---- transcripts ----------------------------------------------------------------- */

larch_error larch_lake_observe_message_1(const larch_lake_suite *suite, larch_bytes message_1,
                                         uint8_t hash[LARCH_LAKE_HASH_MAX])
{
    return larch_lake_hash(suite, message_1, hash);
}

/* G_Y and CIPHERTEXT_2. */
static larch_error split_2(const larch_lake_suite *suite, larch_bytes message, larch_bytes *g_y,
                           larch_bytes *ciphertext)
{
    const size_t g_y_len = larch_lake_g_y_len(suite);
    larch_bytes both;
    if (larch_lake_take_only(message, &both) != LARCH_OK || both.len <= g_y_len)
        return LARCH_MALFORMED;
    *g_y = (larch_bytes){both.data, g_y_len};
    *ciphertext = (larch_bytes){both.data + g_y_len, both.len - g_y_len};
    return LARCH_OK;
}

larch_error larch_lake_observe_th_2(const larch_lake_suite *suite, const uint8_t *h_message_1, larch_bytes message_2,
                                    uint8_t th_2[LARCH_LAKE_HASH_MAX])
{
    const lake_head head = larch_lake_head_of(suite->hash_len);
    const larch_bytes pieces[] = {lake_head_bytes(&head), lake_th(suite, h_message_1)};
    larch_bytes g_y, ciphertext;
    const larch_error e = split_2(suite, message_2, &g_y, &ciphertext);
    return e == LARCH_OK ? larch_lake_th(suite, g_y, pieces, 2, th_2) : e;
}

/* ---- messages -------------------------------------------------------------------- */

static larch_error open_2(const larch_lake_suite *suite, unsigned method, const larch_lake_secrets *s,
                          larch_bytes message, uint8_t *memory, size_t size, larch_lake_inside *out)
{
    larch_bytes g_y, ciphertext;
    larch_error e;
    if (s->after_3 || s->hash_len != suite->hash_len)
        return LARCH_STATE;
    if ((e = split_2(suite, message, &g_y, &ciphertext)) != LARCH_OK)
        return e;
    if (ciphertext.len > size)
        return LARCH_SPACE;
    if ((e = apply_keystream(suite, s->prk, LAKE_KEYSTREAM_2, s->th, ciphertext, memory)) != LARCH_OK)
        return e;
    larch_reader r = larch_reader_of((larch_bytes){memory, ciphertext.len});
    if ((e = larch_lake_take_identifier(&r, &out->c_r)) != LARCH_OK)
        return e;
    return lake_is_psk(method) ? take_ead(r.left, out) : take_proven(r, out);
}

larch_error larch_lake_observe_message_2(const larch_lake_suite *suite, unsigned method,
                                         const larch_lake_secrets *after_2, larch_bytes message, uint8_t *memory,
                                         size_t size, larch_lake_inside *out)
{
    memset(out, 0, sizeof *out);
    return finish(open_2(suite, method, after_2, message, memory, size, out), out);
}

/* The AEAD of messages 3 and 4. */
static larch_error open_sealed(const larch_lake_suite *suite, const uint8_t *prk, unsigned key_label, const uint8_t *th,
                               larch_bytes aad, larch_bytes ciphertext, uint8_t *memory, size_t size,
                               larch_bytes *plain)
{
    const size_t tag_len = lake_tag_len(suite);
    if (ciphertext.len < tag_len)
        return LARCH_MALFORMED;
    if (ciphertext.len - tag_len > size)
        return LARCH_SPACE;
    *plain = (larch_bytes){memory, ciphertext.len - tag_len};
    return larch_lake_open(suite, prk, key_label, th, aad, ciphertext, memory, plain->len);
}

/* A_3B, with ID_CRED_PSK as the map of its kid. */
static larch_error put_a_3b(const larch_lake_suite *suite, const larch_lake_secrets *s, larch_bytes kid,
                            larch_writer *w)
{
    uint8_t map[LAKE_KID_MAP_MAX];
    larch_writer id = larch_writer_to(map, sizeof map);
    const larch_bytes th_3 = lake_th(suite, s->th);
    const lake_head head = larch_lake_head_of(th_3.len);
    if (kid.len > LARCH_LAKE_KID_MAX)
        return LARCH_STATE;
    larch_lake_put_id_cred(&id, LARCH_LAKE_BY_KID, kid);
    larch_cbor_put_array(w, 3);
    larch_cbor_put_text(w, "Encrypt0");
    larch_cbor_put_bytes(w, (larch_bytes){0});
    larch_cbor_put_bytes_head(w, id.len + head.len + th_3.len + s->creds_len);
    larch_writer_put(w, (larch_bytes){map, id.len});
    larch_cbor_put_bytes(w, th_3);
    larch_writer_put(w, (larch_bytes){s->creds, s->creds_len});
    return LARCH_OK;
}

/* EAD_3 of method 4 stays closed without its secrets; the tag of what has no EAD_3 is then not looked at. */
static larch_error open_3b(const larch_lake_suite *suite, const larch_lake_secrets *s, larch_bytes ciphertext,
                           uint8_t *memory, size_t size, larch_lake_inside *out)
{
    uint8_t a_3b[32 + LAKE_KID_MAP_MAX + LAKE_HASH_MAX + LARCH_LAKE_LOGGED_CREDS_MAX];
    larch_writer w = larch_writer_to(a_3b, sizeof a_3b);
    larch_bytes plain;
    larch_error e;
    if (s == NULL)
        return ciphertext.len < lake_tag_len(suite) ? LARCH_MALFORMED : LARCH_OK;
    if (!s->after_3 || s->hash_len != suite->hash_len)
        return LARCH_STATE;
    if ((e = put_a_3b(suite, s, out->kid, &w)) != LARCH_OK)
        return e;
    e = open_sealed(suite, s->prk, LAKE_K_3, s->th, (larch_bytes){a_3b, w.len}, ciphertext, memory, size, &plain);
    return e == LARCH_OK ? take_ead(plain, out) : e;
}

static larch_error open_3(const larch_lake_suite *suite, unsigned method, const larch_lake_secrets *s,
                          const larch_lake_secrets *after_3, larch_bytes message, uint8_t *memory, size_t size,
                          larch_lake_inside *out)
{
    uint8_t aad[LAKE_AAD_MAX];
    larch_bytes ciphertext, plain;
    larch_error e;
    if (s->after_3 || s->hash_len != suite->hash_len)
        return LARCH_STATE;
    if ((e = larch_lake_take_only(message, &ciphertext)) != LARCH_OK)
        return e;
    if (ciphertext.len > size)
        return LARCH_SPACE;
    if (!lake_is_psk(method)) {
        e = open_sealed(suite, s->prk_3e2m, LAKE_K_3, s->next_th, larch_lake_aad(suite, s->next_th, aad), ciphertext,
                        memory, size, &plain);
        return e == LARCH_OK ? take_proven(larch_reader_of(plain), out) : e;
    }
    const larch_bytes ciphertext_3a = ciphertext;
    e = apply_keystream(suite, s->prk_3e2m, LARCH_LAKE_KEYSTREAM_3A, s->next_th, ciphertext_3a, memory);
    if (e != LARCH_OK)
        return e;
    larch_reader r = larch_reader_of((larch_bytes){memory, ciphertext_3a.len});
    if ((e = take_id_cred(&r, out)) != LARCH_OK || (e = larch_lake_take_only(r.left, &ciphertext)) != LARCH_OK)
        return e;
    return open_3b(suite, after_3, ciphertext, memory + ciphertext_3a.len, size - ciphertext_3a.len, out);
}

larch_error larch_lake_observe_message_3(const larch_lake_suite *suite, unsigned method,
                                         const larch_lake_secrets *after_2, const larch_lake_secrets *after_3,
                                         larch_bytes message, uint8_t *memory, size_t size, larch_lake_inside *out)
{
    memset(out, 0, sizeof *out);
    return finish(open_3(suite, method, after_2, after_3, message, memory, size, out), out);
}

static larch_error open_4(const larch_lake_suite *suite, const larch_lake_secrets *s, larch_bytes message,
                          uint8_t *memory, size_t size, larch_lake_inside *out)
{
    uint8_t aad[LAKE_AAD_MAX];
    larch_bytes ciphertext, plain;
    larch_error e;
    if (!s->after_3 || s->hash_len != suite->hash_len)
        return LARCH_STATE;
    if ((e = larch_lake_take_only(message, &ciphertext)) != LARCH_OK)
        return e;
    e = open_sealed(suite, s->prk, LAKE_K_4, s->next_th, larch_lake_aad(suite, s->next_th, aad), ciphertext, memory,
                    size, &plain);
    return e == LARCH_OK ? take_ead(plain, out) : e;
}

larch_error larch_lake_observe_message_4(const larch_lake_suite *suite, const larch_lake_secrets *after_3,
                                         larch_bytes message, uint8_t *memory, size_t size, larch_lake_inside *out)
{
    memset(out, 0, sizeof *out);
    return finish(open_4(suite, after_3, message, memory, size, out), out);
}
