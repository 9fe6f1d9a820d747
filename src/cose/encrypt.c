/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption and decryption of content. [RFC9052 5.3] */
#include <string.h>

#include "cose/cose_int.h"

typedef struct sealing {
    const larch_cose_aead *aead;
    uint8_t nonce[LARCH_COSE_AEAD_NONCE_MAX];
    larch_bytes aad;
    uint8_t bytes[LARCH_COSE_AAD_MAX];
} sealing;

/* The nonce is the IV, or the Partial IV, padded on the left, on the Context IV. [RFC9052 3.1] */
static larch_error make_nonce(const larch_cose_header *header, larch_bytes base_iv, size_t len, uint8_t *nonce)
{
    const bool is_partial = (header->present & LARCH_COSE_HAS_PARTIAL_IV) != 0;
    const larch_bytes whole = is_partial ? base_iv : header->iv;
    if (whole.len != len || (is_partial && header->partial_iv.len > len))
        return LARCH_MALFORMED;
    memcpy(nonce, whole.data, len);
    for (size_t i = 0; is_partial && i < header->partial_iv.len; i++)
        nonce[len - header->partial_iv.len + i] ^= header->partial_iv.data[i];
    return LARCH_OK;
}

/* header: its protected_map is filled. */
static larch_error begin(const larch_cose_header *header, const char *context, const larch_cose_secrets *secrets,
                         sealing *s)
{
    larch_writer w = larch_writer_to(s->bytes, sizeof s->bytes);
    s->aead = larch_cose_aead_find(header->alg);
    if (s->aead == NULL)
        return LARCH_STATE;
    if (secrets->key.len != s->aead->key_len)
        return LARCH_MALFORMED;
    const larch_error e = make_nonce(header, secrets->base_iv, s->aead->nonce_len, s->nonce);
    if (e != LARCH_OK)
        return e;
    larch_cose_put_enc_structure(&w, context, header->protected_map, secrets->external_aad);
    return larch_writer_finish(&w, &s->aad);
}

/* Headers and ciphertext. */
static larch_error put_sealed(larch_writer *w, const char *context, const larch_cose_header *header,
                              const larch_cose_secrets *secrets, larch_bytes plaintext)
{
    uint8_t map[LARCH_COSE_PROTECTED_MAX];
    larch_cose_header filled = *header;
    sealing s;
    larch_error e;
    if ((e = larch_cose_protect(&filled, map)) != LARCH_OK || (e = begin(&filled, context, secrets, &s)) != LARCH_OK)
        return e;
    const size_t len = plaintext.len + s.aead->tag_len;
    larch_cose_put_header(w, &filled);
    larch_cbor_put_bytes_head(w, len);
    uint8_t *ciphertext = larch_writer_reserve(w, len);
    if (ciphertext == NULL)
        return LARCH_SPACE;
    return larch_cose_aead_seal(s.aead, secrets->key.data, s.nonce, s.aad, plaintext, ciphertext, len);
}

larch_error larch_cose_put_encrypt0(larch_writer *w, bool tagged, const larch_cose_header *header,
                                    const larch_cose_secrets *secrets, larch_bytes plaintext)
{
    const size_t before = w->len;
    if (tagged)
        larch_cbor_put_tag(w, COSE_TAG_ENCRYPT0);
    larch_cbor_put_array(w, 3);
    const larch_error e = put_sealed(w, "Encrypt0", header, secrets, plaintext);
    if (e != LARCH_OK)
        w->len = before;
    return e;
}

larch_error larch_cose_put_encrypt(larch_writer *w, bool tagged, const larch_cose_header *header,
                                   const larch_cose_secrets *secrets, larch_bytes plaintext,
                                   const larch_cose_message *recipients, size_t count)
{
    const size_t before = w->len;
    if (tagged)
        larch_cbor_put_tag(w, COSE_TAG_ENCRYPT);
    larch_cbor_put_array(w, 4);
    larch_error e = put_sealed(w, "Encrypt", header, secrets, plaintext);
    larch_cbor_put_array(w, count);
    for (size_t i = 0; i < count; i++) {
        larch_cbor_put_array(w, 3);
        larch_cose_put_header(w, &recipients[i].header);
        larch_cbor_put_bytes(w, recipients[i].content);
    }
    if (e == LARCH_OK && w->len > w->cap)
        e = LARCH_SPACE;
    if (e != LARCH_OK)
        w->len = before;
    return e;
}

larch_error larch_cose_open(const larch_cose_message *message, const char *context, const larch_cose_secrets *secrets,
                            uint8_t *out, size_t cap, size_t *len)
{
    sealing s;
    larch_error e = begin(&message->header, context, secrets, &s);
    if (e == LARCH_OK && message->content.len < s.aead->tag_len)
        e = LARCH_MALFORMED;
    if (e == LARCH_OK)
        e = larch_cose_aead_open(s.aead, secrets->key.data, s.nonce, s.aad, message->content, out, cap);
    if (e == LARCH_OK)
        *len = message->content.len - s.aead->tag_len;
    return e;
}
