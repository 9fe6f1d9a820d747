/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "direct/direct_int.h"

#define TYPE_SEALED 3
#define NONCE_AT    6
#define CT_AT       (NONCE_AT + LARCH_DIRECT_NONCE_LEN)

_Static_assert(LARCH_COAP_BODY_MAX >= LARCH_DIRECT_OVERHEAD + LARCH_KEM_CT_MAX, "the largest set fits a body");
_Static_assert(LARCH_DIRECT_TEXT_MAX <= UINT16_MAX, "L has 16 bits");

static const struct {
    const char *text;
    uint8_t code;
} answers[] = {
#define ANSWER(name, c, dd) [LARCH_DIRECT_##name] = {#name, (c) << 5 | (dd)},
    LARCH_DIRECT_ANSWERS(ANSWER)
#undef ANSWER
};

const char *larch_direct_answer_text(larch_direct_answer answer)
{
    return answer < LARCH_DIRECT_ANSWER_COUNT ? answers[answer].text : "?";
}

uint8_t larch_direct_answer_code(larch_direct_answer answer)
{
    return answer < LARCH_DIRECT_ANSWER_COUNT ? answers[answer].code : 0;
}

larch_direct_answer larch_direct_answer_find(larch_bytes text)
{
    larch_direct_answer answer = LARCH_DIRECT_OK;
    while (answer < LARCH_DIRECT_ANSWER_COUNT && !larch_bytes_equal(text, larch_bytes_of_text(answers[answer].text)))
        answer++;
    return answer;
}

size_t larch_direct_sealed_len(const larch_kem *kem, size_t text_len)
{
    return LARCH_DIRECT_OVERHEAD + kem->ct_len + text_len;
}

size_t larch_direct_text_max(const larch_kem *kem)
{
    size_t room = LARCH_COAP_BODY_MAX - larch_direct_sealed_len(kem, 0);
    return room < LARCH_DIRECT_TEXT_MAX ? room : LARCH_DIRECT_TEXT_MAX;
}

/*
 *   0        1        2        4        6            18              18+C          18+C+L     18+C+L+16
 *  +--------+--------+--------+--------+------------+---------------+-------------+-----------+
 *  | type=3 | 0      | C: ct  | L: text| nonce (12) | KEM ciphertext| ciphertext  | tag (16)  |
 *  |        |        | len LE | len LE |            | (C bytes)     | (L bytes)   |           |
 *  +--------+--------+--------+--------+------------+---------------+-------------+-----------+
 *
 * C and L are not covered by the tag: they must match the payload's length to the byte.
 */
larch_direct_answer larch_direct_parse(larch_bytes payload, larch_direct_sealed *out)
{
    const uint8_t *head = payload.data;
    memset(out, 0, sizeof *out);
    if (payload.len < LARCH_DIRECT_OVERHEAD)
        return LARCH_DIRECT_BAD_LEN;
    if (head[0] != TYPE_SEALED || head[1] != 0)
        return LARCH_DIRECT_BAD_TYPE;
    const size_t ct_len = (size_t)(head[2] | head[3] << 8);
    const size_t text_len = (size_t)(head[4] | head[5] << 8);
    const larch_kem *kem = larch_direct_kem_by_ct_len(ct_len);
    if (kem == NULL)
        return LARCH_DIRECT_BAD_CT;
    if (text_len > larch_direct_text_max(kem))
        return LARCH_DIRECT_BAD_TEXTLEN;
    if (payload.len != larch_direct_sealed_len(kem, text_len))
        return LARCH_DIRECT_BAD_LEN;
    out->kem = kem;
    out->message = payload;
    out->nonce = (larch_bytes){head + NONCE_AT, LARCH_DIRECT_NONCE_LEN};
    out->kem_ct = (larch_bytes){head + CT_AT, ct_len};
    out->sealed = (larch_bytes){head + CT_AT + ct_len, text_len + LARCH_DIRECT_TAG_LEN};
    return LARCH_DIRECT_OK;
}

/* prk: for derive_receipt. */
static larch_error derive_key(const larch_trace *trace, const larch_direct_sealed *sealed,
                              const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t prk[LARCH_SHA256_LEN],
                              uint8_t key[LARCH_CCM_KEY_LEN])
{
    const larch_step step = DIRECT_IS_COSE(sealed) ? LARCH_STEP_KMAC : LARCH_STEP_KDF;
    larch_trace_begin(trace, step);
    larch_error e = larch_direct_extract(ss, prk);
    if (e == LARCH_OK)
        e = DIRECT_IS_COSE(sealed) ? larch_direct_derive_cose(sealed, ss, key)
                                   : larch_hkdf_sha256_expand(prk, LARCH_TEXT("ML-KEM-AEAD"), key, LARCH_CCM_KEY_LEN);
    larch_trace_end(trace, step, LARCH_CCM_KEY_LEN);
    return e;
}

/* What is authenticated beside the text. */
static larch_bytes aad_of(const larch_direct_sealed *sealed, uint8_t out[DIRECT_COSE_AAD_MAX])
{
    return DIRECT_IS_COSE(sealed) ? larch_direct_cose_aad(out) : (larch_bytes){0};
}

/* receipt: NULL if none is wanted. */
static larch_error derive_receipt(const uint8_t prk[LARCH_SHA256_LEN], larch_bytes message,
                                  larch_direct_receipt *receipt)
{
    if (receipt == NULL)
        return LARCH_OK;
    const larch_error e = larch_hkdf_sha256_expand(prk, LARCH_TEXT("larch-receipt"), receipt->key, sizeof receipt->key);
    return e == LARCH_OK ? larch_sha256(&message, 1, receipt->message_hash) : e;
}

static void wipe_receipt(larch_direct_receipt *receipt)
{
    if (receipt != NULL)
        larch_wipe(receipt, sizeof *receipt);
}

/* ---- seal ---------------------------------------------------------------- */

/* Writes the head of a message of fields; what follows it is where CT_AT and the lengths say. */
static larch_error frame_fields(const larch_kem *kem, size_t text_len, uint8_t *out, size_t cap,
                                larch_direct_draft *draft)
{
    const size_t whole = larch_direct_sealed_len(kem, text_len);
    if (text_len > larch_direct_text_max(kem) || cap < whole)
        return LARCH_SPACE;
    larch_writer w = larch_writer_to(out, NONCE_AT);
    larch_writer_put_u8(&w, TYPE_SEALED);
    larch_writer_put_u8(&w, 0);
    larch_writer_put_u16le(&w, kem->ct_len);
    larch_writer_put_u16le(&w, (uint16_t)text_len);
    draft->nonce = out + NONCE_AT;
    draft->kem_ct = out + CT_AT;
    draft->sealed = draft->kem_ct + kem->ct_len;
    draft->fields = (larch_direct_sealed){.kem = kem,
                                          .message = {out, whole},
                                          .nonce = {draft->nonce, LARCH_DIRECT_NONCE_LEN},
                                          .kem_ct = {draft->kem_ct, kem->ct_len},
                                          .sealed = {draft->sealed, text_len + LARCH_DIRECT_TAG_LEN}};
    return LARCH_OK;
}

/* Fills the fields of a message that is framed, after its nonce. */
static larch_error fill(const larch_direct_draft *draft, const larch_random *random, const larch_trace *trace,
                        larch_bytes ek, larch_bytes text, larch_direct_receipt *receipt)
{
    uint8_t ss[LARCH_KEM_SS_LEN], prk[LARCH_SHA256_LEN], key[LARCH_CCM_KEY_LEN], aad[DIRECT_COSE_AAD_MAX];
    const larch_direct_sealed *fields = &draft->fields;
    larch_trace_begin(trace, LARCH_STEP_KEM_ENCAPS);
    larch_error e = larch_kem_encaps(fields->kem, random, ek, draft->kem_ct, ss);
    larch_trace_end(trace, LARCH_STEP_KEM_ENCAPS, fields->kem->ct_len);
    if (e == LARCH_OK)
        e = derive_key(trace, fields, ss, prk, key);
    if (e == LARCH_OK) {
        larch_trace_begin(trace, LARCH_STEP_SEAL);
        e = larch_ccm_seal(key, fields->nonce, aad_of(fields, aad), text, LARCH_DIRECT_TAG_LEN, draft->sealed,
                           fields->sealed.len);
        larch_trace_end(trace, LARCH_STEP_SEAL, fields->sealed.len);
    }
    if (e == LARCH_OK)
        e = derive_receipt(prk, fields->message, receipt);
    larch_wipe(ss, sizeof ss);
    larch_wipe(prk, sizeof prk);
    larch_wipe(key, sizeof key);
    return e;
}

static larch_error seal(larch_direct_form form, const larch_kem *kem, const larch_random *random,
                        const larch_trace *trace, larch_bytes ek, larch_bytes text, uint8_t *out, size_t cap,
                        size_t *len, larch_direct_receipt *receipt)
{
    larch_direct_draft draft;
    wipe_receipt(receipt);
    larch_error e = LARCH_DIRECT_COSE && form == LARCH_DIRECT_FORM_COSE
                        ? larch_direct_frame_cose(kem, ek, text.len, out, cap, &draft)
                        : frame_fields(kem, text.len, out, cap, &draft);
    if (e != LARCH_OK)
        return e;
    if ((e = larch_random_fill(random, draft.nonce, draft.fields.nonce.len)) == LARCH_OK)
        e = fill(&draft, random, trace, ek, text, receipt);
    if (e == LARCH_OK) {
        *len = draft.fields.message.len;
    } else {
        larch_wipe(out, draft.fields.message.len);
        wipe_receipt(receipt);
    }
    return e;
}

larch_error larch_direct_seal(const larch_kem *kem, const larch_random *random, const larch_trace *trace,
                              larch_bytes ek, larch_bytes text, uint8_t *out, size_t cap, size_t *len,
                              larch_direct_receipt *receipt)
{
    return seal(LARCH_DIRECT_FORM_FIELDS, kem, random, trace, ek, text, out, cap, len, receipt);
}

#if LARCH_DIRECT_COSE
larch_error larch_direct_seal_cose(const larch_kem *kem, const larch_random *random, const larch_trace *trace,
                                   larch_bytes ek, larch_bytes text, uint8_t *out, size_t cap, size_t *len,
                                   larch_direct_receipt *receipt)
{
    return seal(LARCH_DIRECT_FORM_COSE, kem, random, trace, ek, text, out, cap, len, receipt);
}
#endif

/* ---- open ---------------------------------------------------------------- */

larch_error larch_direct_open_with(const larch_direct_sealed *sealed, const larch_trace *trace,
                                   const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t *text, size_t cap, size_t *len,
                                   larch_direct_receipt *receipt)
{
    uint8_t prk[LARCH_SHA256_LEN], key[LARCH_CCM_KEY_LEN], aad[DIRECT_COSE_AAD_MAX];
    const size_t text_len = sealed->sealed.len - LARCH_DIRECT_TAG_LEN;
    larch_error e;

    wipe_receipt(receipt);
    if (cap < text_len)
        return LARCH_SPACE;
    if ((e = derive_key(trace, sealed, ss, prk, key)) == LARCH_OK) {
        larch_trace_begin(trace, LARCH_STEP_OPEN);
        e = larch_ccm_open(key, sealed->nonce, aad_of(sealed, aad), sealed->sealed, LARCH_DIRECT_TAG_LEN, text, cap);
        larch_trace_end(trace, LARCH_STEP_OPEN, text_len);
    }
    larch_wipe(key, sizeof key);
    if (e == LARCH_OK)
        e = derive_receipt(prk, sealed->message, receipt);
    larch_wipe(prk, sizeof prk);
    if (e == LARCH_OK) {
        *len = text_len;
    } else {
        larch_wipe(text, text_len);
        wipe_receipt(receipt);
    }
    return e;
}

larch_error larch_direct_open(const larch_direct_sealed *sealed, const larch_trace *trace, const uint8_t *dk,
                              uint8_t *text, size_t cap, size_t *len, larch_direct_receipt *receipt)
{
    uint8_t ss[LARCH_KEM_SS_LEN];
    const size_t text_len = sealed->sealed.len - LARCH_DIRECT_TAG_LEN;
    larch_error e;

    wipe_receipt(receipt);
    /* A ciphertext that is not genuine goes the whole way with a secret of its own
     * (implicit rejection) and fails at the tag, as a wrong tag does, in the same time. */
    larch_trace_begin(trace, LARCH_STEP_KEM_DECAPS);
    e = larch_kem_decaps(sealed->kem, dk, sealed->kem_ct, ss);
    larch_trace_end(trace, LARCH_STEP_KEM_DECAPS, LARCH_KEM_SS_LEN);
    if (LARCH_XWING && e == LARCH_MALFORMED) { /* a share of small order, which is public */
        larch_wipe(text, cap < text_len ? cap : text_len);
        e = LARCH_AUTH;
    }
    if (e == LARCH_OK)
        e = larch_direct_open_with(sealed, trace, ss, text, cap, len, receipt);
    larch_wipe(ss, sizeof ss);
    return e;
}
