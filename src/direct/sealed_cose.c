/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed message as COSE [RFC9052 5.1], for one recipient by direct key agreement with a KEM
 * [draft-ietf-jose-pqc-kem-06]:
 *
 *     96([ << { 1: 30 } >>,                           / alg: AES-CCM-16-128-128 /
 *          { 5: nonce (13) },                         / IV /
 *          ciphertext and tag,
 *          [ [ << { 1: KEM, 4: hint (4) } >>,         / alg, kid /
 *              { -4: KEM ciphertext },                / ek /
 *              h'' ] ] ])
 *
 * Nothing else is taken: so the fields determine every byte, and each field is authenticated, by the tag or, in the
 * recipient's protected map, by the key. AES-CCM-16-128-128 is what COSE has for the cipher of the other form: AES-128 in
 * CCM with a tag of 16 bytes, which the boards have anyway; it has a nonce of 13 bytes in place of 12.
 */
#include "direct/direct_int.h"

#if LARCH_DIRECT_COSE

#include <string.h>

#include "larch/cbor.h"
#include "larch/cose.h"

#define CONTENT_ALG   LARCH_COSE_AES_CCM_16_128_128
#define TAG_ENCRYPT   96
#define LABEL_ALG     1
#define LABEL_KID     4
#define LABEL_IV      5
#define BODY_MAX      8  /* bytes of the body's protected map: 4 */
#define RECIPIENT_MAX 16 /* of the recipient's: 13 */
#define CONTEXT_MAX   32 /* of the KDF's context: 21 */

_Static_assert(LARCH_CCM_TAG_LEN == LARCH_DIRECT_TAG_LEN, "AES-CCM-16-128-128");
_Static_assert(LARCH_COAP_BODY_MAX >= LARCH_DIRECT_COSE_OVERHEAD + LARCH_KEM_CT_MAX, "the largest set fits a body");

size_t larch_direct_cose_text_max(const larch_kem *kem)
{
    const size_t room = LARCH_COAP_BODY_MAX - (size_t)LARCH_DIRECT_COSE_OVERHEAD - kem->ct_len;
    return room < LARCH_DIRECT_TEXT_MAX ? room : LARCH_DIRECT_TEXT_MAX;
}

/* ---- what is protected ----------------------------------------------------- */

static larch_bytes body_protected(uint8_t out[BODY_MAX])
{
    larch_writer w = larch_writer_to(out, BODY_MAX);
    larch_cbor_put_map(&w, 1);
    larch_cbor_put_int(&w, LABEL_ALG);
    larch_cbor_put_int(&w, CONTENT_ALG);
    return (larch_bytes){out, w.len};
}

static larch_bytes recipient_protected(const larch_kem *kem, larch_bytes kid, uint8_t out[RECIPIENT_MAX])
{
    larch_writer w = larch_writer_to(out, RECIPIENT_MAX);
    larch_cbor_put_map(&w, 2);
    larch_cbor_put_int(&w, LABEL_ALG);
    larch_cbor_put_int(&w, larch_cose_kem_number(kem));
    larch_cbor_put_int(&w, LABEL_KID);
    larch_cbor_put_bytes(&w, kid);
    return (larch_bytes){out, w.len};
}

larch_bytes larch_direct_cose_aad(uint8_t out[DIRECT_COSE_AAD_MAX])
{
    _Static_assert(DIRECT_COSE_AAD_MAX >= 1 + 8 + 5 + 1, "Enc_structure");
    uint8_t body[BODY_MAX];
    larch_writer w = larch_writer_to(out, DIRECT_COSE_AAD_MAX);
    larch_cose_put_enc_structure(&w, "Encrypt", body_protected(body), (larch_bytes){0});
    return (larch_bytes){out, w.len};
}

/* KMAC256 with the context of [RFC9053 5.2] without its parties: [AlgorithmID, [keyDataLength, protected]]. */
larch_error larch_direct_derive_cose(const larch_direct_sealed *sealed, const uint8_t ss[LARCH_KEM_SS_LEN],
                                     uint8_t key[LARCH_CCM_KEY_LEN])
{
    uint8_t out[CONTEXT_MAX];
    larch_bytes context;
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_cbor_put_array(&w, 2);
    larch_cbor_put_int(&w, CONTENT_ALG);
    larch_cbor_put_array(&w, 2);
    larch_cbor_put_uint(&w, 8 * LARCH_CCM_KEY_LEN);
    larch_cbor_put_bytes(&w, sealed->recipient_protected);
    const larch_error e = larch_writer_finish(&w, &context);
    if (e == LARCH_OK)
        larch_kmac256((larch_bytes){ss, LARCH_KEM_SS_LEN}, (larch_bytes){0}, &context, 1, key, LARCH_CCM_KEY_LEN);
    return e;
}

/* ---- seal ------------------------------------------------------------------ */

/* Puts the frame, with room for what the draft's pointers then say. */
static void put_frame(larch_writer *w, larch_bytes protected, size_t text_len, larch_direct_draft *draft)
{
    const size_t sealed_len = text_len + LARCH_DIRECT_TAG_LEN, ct_len = draft->fields.kem->ct_len;
    uint8_t body[BODY_MAX];
    larch_cbor_put_tag(w, TAG_ENCRYPT);
    larch_cbor_put_array(w, 4);
    larch_cbor_put_bytes(w, body_protected(body));
    larch_cbor_put_map(w, 1);
    larch_cbor_put_int(w, LABEL_IV);
    larch_cbor_put_bytes_head(w, LARCH_DIRECT_COSE_NONCE_LEN);
    draft->nonce = larch_writer_reserve(w, LARCH_DIRECT_COSE_NONCE_LEN);
    larch_cbor_put_bytes_head(w, sealed_len);
    draft->sealed = larch_writer_reserve(w, sealed_len);
    larch_cbor_put_array(w, 1);
    larch_cbor_put_array(w, 3);
    larch_cbor_put_bytes_head(w, protected.len);
    draft->fields.recipient_protected = (larch_bytes){w->data + w->len, protected.len};
    larch_writer_put(w, protected);
    larch_cbor_put_map(w, 1);
    larch_cbor_put_int(w, LARCH_COSE_LABEL_EK);
    larch_cbor_put_bytes_head(w, ct_len);
    draft->kem_ct = larch_writer_reserve(w, ct_len);
    larch_cbor_put_bytes_head(w, 0);
    draft->fields.nonce = (larch_bytes){draft->nonce, LARCH_DIRECT_COSE_NONCE_LEN};
    draft->fields.sealed = (larch_bytes){draft->sealed, sealed_len};
    draft->fields.kem_ct = (larch_bytes){draft->kem_ct, ct_len};
}

larch_error larch_direct_frame_cose(const larch_kem *kem, larch_bytes ek, size_t text_len, uint8_t *out, size_t cap,
                                    larch_direct_draft *draft)
{
    uint8_t hash[32], protected[RECIPIENT_MAX];
    larch_writer w = larch_writer_to(out, cap);
    const larch_error e = larch_direct_key_hash(ek, hash);
    if (e != LARCH_OK)
        return e;
    if (text_len > larch_direct_cose_text_max(kem))
        return LARCH_SPACE;
    const size_t most = LARCH_DIRECT_COSE_OVERHEAD + (size_t)kem->ct_len + text_len;
    const size_t whole = most - (text_len + LARCH_DIRECT_TAG_LEN < 24) - (text_len + LARCH_DIRECT_TAG_LEN < 256);
    if (cap < whole)
        return LARCH_SPACE;
    draft->fields = (larch_direct_sealed){.kem = kem, .form = LARCH_DIRECT_FORM_COSE, .message = {out, whole}};
    put_frame(&w, recipient_protected(kem, (larch_bytes){hash, LARCH_DIRECT_HINT_LEN}, protected), text_len, draft);
    return w.len == whole ? LARCH_OK : LARCH_SPACE;
}

/* ---- parse ----------------------------------------------------------------- */

/* Whether the headers are those of the picture above, and there are no others. */
static bool has_headers(const larch_cose_header *header, unsigned protected, unsigned unprotected)
{
    return header->protects == protected && header->present == (protected | unprotected);
}

static bool is_framed(const larch_cose_message *body, const larch_cose_message *recipient)
{
    return body->is_tagged && !body->is_detached && body->recipient_count == 1 &&
           has_headers(&body->header, LARCH_COSE_HAS_ALG, LARCH_COSE_HAS_IV) &&
           body->header.iv.len == LARCH_DIRECT_COSE_NONCE_LEN && body->content.len >= LARCH_DIRECT_TAG_LEN &&
           !recipient->is_detached && recipient->content.len == 0 &&
           has_headers(&recipient->header, LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_KID, LARCH_COSE_HAS_EK) &&
           recipient->header.kid.len == LARCH_DIRECT_HINT_LEN;
}

larch_direct_answer larch_direct_parse_cose(larch_bytes payload, larch_direct_sealed *out)
{
    larch_cose_message body, recipient;
    memset(out, 0, sizeof *out);
    larch_error e = larch_cose_parse_encrypt(payload, &body);
    if (e == LARCH_OK)
        e = larch_cose_take_recipient(&body.recipients, &recipient);
    if (e == LARCH_STATE)
        return LARCH_DIRECT_BAD_ALG;
    if (e != LARCH_OK)
        return LARCH_DIRECT_BAD_COSE;
    const larch_kem *kem = larch_cose_kem_find(recipient.header.alg);
    if ((body.header.alg != 0 && body.header.alg != CONTENT_ALG) || (recipient.header.alg != 0 && kem == NULL))
        return LARCH_DIRECT_BAD_ALG;
    if (kem == NULL || !is_framed(&body, &recipient))
        return LARCH_DIRECT_BAD_COSE;
    if (recipient.header.ek.len != kem->ct_len)
        return LARCH_DIRECT_BAD_CT;
    if (body.content.len - LARCH_DIRECT_TAG_LEN > larch_direct_cose_text_max(kem))
        return LARCH_DIRECT_BAD_TEXTLEN;
    *out = (larch_direct_sealed){.kem = kem,
                                 .form = LARCH_DIRECT_FORM_COSE,
                                 .message = payload,
                                 .nonce = body.header.iv,
                                 .kem_ct = recipient.header.ek,
                                 .sealed = body.content,
                                 .kid = recipient.header.kid,
                                 .recipient_protected = recipient.header.protected_map};
    return LARCH_DIRECT_OK;
}

#endif
