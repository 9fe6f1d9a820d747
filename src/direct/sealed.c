/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/crypto.h"
#include "larch/direct.h"

#define TYPE_SEALED 3

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
    while (answer < LARCH_DIRECT_ANSWER_COUNT &&
           !larch_bytes_equal(text, (larch_bytes){(const uint8_t *)answers[answer].text, strlen(answers[answer].text)}))
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

/* The set whose ciphertext is so long: each length names one. */
static const larch_kem *find_by_ct_len(size_t ct_len)
{
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++)
        if (kem->ct_len == ct_len)
            return kem;
    return NULL;
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
    larch_reader r = larch_reader_of(payload);
    larch_direct_sealed s = {0};
    uint8_t type, zero;
    uint16_t ct_len, text_len;

    memset(out, 0, sizeof *out);
    if (payload.len < LARCH_DIRECT_OVERHEAD || larch_reader_take_u8(&r, &type) != LARCH_OK ||
        larch_reader_take_u8(&r, &zero) != LARCH_OK || larch_reader_take_u16le(&r, &ct_len) != LARCH_OK ||
        larch_reader_take_u16le(&r, &text_len) != LARCH_OK ||
        larch_reader_take(&r, LARCH_DIRECT_NONCE_LEN, &s.nonce) != LARCH_OK)
        return LARCH_DIRECT_BAD_LEN;
    if (type != TYPE_SEALED || zero != 0)
        return LARCH_DIRECT_BAD_TYPE;
    if ((s.kem = find_by_ct_len(ct_len)) == NULL)
        return LARCH_DIRECT_BAD_CT;
    if (text_len > larch_direct_text_max(s.kem))
        return LARCH_DIRECT_BAD_TEXTLEN;
    if (larch_reader_take(&r, ct_len, &s.kem_ct) != LARCH_OK ||
        larch_reader_take(&r, (size_t)text_len + LARCH_DIRECT_TAG_LEN, &s.sealed) != LARCH_OK || r.left.len != 0)
        return LARCH_DIRECT_BAD_LEN;
    *out = s;
    return LARCH_DIRECT_OK;
}

static larch_error derive_key(const larch_trace *trace, const uint8_t ss[LARCH_KEM_SS_LEN],
                              uint8_t key[LARCH_CCM_KEY_LEN])
{
    larch_trace_begin(trace, LARCH_STEP_KDF);
    larch_error e = larch_hkdf_sha256((larch_bytes){0}, (larch_bytes){ss, LARCH_KEM_SS_LEN}, LARCH_TEXT("ML-KEM-AEAD"),
                                      key, LARCH_CCM_KEY_LEN);
    larch_trace_end(trace, LARCH_STEP_KDF, LARCH_CCM_KEY_LEN);
    return e;
}

larch_error larch_direct_seal(const larch_kem *kem, const larch_random *random, const larch_trace *trace,
                              larch_bytes ek, larch_bytes text, uint8_t *out, size_t cap, size_t *len)
{
    uint8_t ss[LARCH_KEM_SS_LEN], key[LARCH_CCM_KEY_LEN], nonce[LARCH_DIRECT_NONCE_LEN];
    larch_writer w = larch_writer_to(out, cap);
    larch_error e;

    if (text.len > larch_direct_text_max(kem) || cap < larch_direct_sealed_len(kem, text.len))
        return LARCH_SPACE;
    if ((e = larch_random_fill(random, nonce, sizeof nonce)) != LARCH_OK)
        return e;
    larch_writer_put_u8(&w, TYPE_SEALED);
    larch_writer_put_u8(&w, 0);
    larch_writer_put_u16le(&w, kem->ct_len);
    larch_writer_put_u16le(&w, (uint16_t)text.len);
    larch_writer_put(&w, LARCH_BYTES(nonce));
    uint8_t *ct = larch_writer_reserve(&w, kem->ct_len);
    uint8_t *sealed = larch_writer_reserve(&w, text.len + LARCH_DIRECT_TAG_LEN);

    larch_trace_begin(trace, LARCH_STEP_KEM_ENCAPS);
    e = larch_kem_encaps(kem, random, ek, ct, ss);
    larch_trace_end(trace, LARCH_STEP_KEM_ENCAPS, kem->ct_len);
    if (e == LARCH_OK)
        e = derive_key(trace, ss, key);
    if (e == LARCH_OK) {
        larch_trace_begin(trace, LARCH_STEP_SEAL);
        e = larch_ccm_seal(key, LARCH_BYTES(nonce), (larch_bytes){0}, text, LARCH_DIRECT_TAG_LEN, sealed,
                           text.len + LARCH_DIRECT_TAG_LEN);
        larch_trace_end(trace, LARCH_STEP_SEAL, text.len + LARCH_DIRECT_TAG_LEN);
    }
    larch_wipe(ss, sizeof ss);
    larch_wipe(key, sizeof key);
    if (e == LARCH_OK)
        *len = w.len;
    else
        larch_wipe(out, w.len);
    return e;
}

larch_error larch_direct_open_with(const larch_direct_sealed *sealed, const larch_trace *trace,
                                   const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t *text, size_t cap, size_t *len)
{
    uint8_t key[LARCH_CCM_KEY_LEN];
    larch_error e;

    if (cap < sealed->sealed.len - LARCH_DIRECT_TAG_LEN)
        return LARCH_SPACE;
    if ((e = derive_key(trace, ss, key)) == LARCH_OK) {
        larch_trace_begin(trace, LARCH_STEP_OPEN);
        e = larch_ccm_open(key, sealed->nonce, (larch_bytes){0}, sealed->sealed, LARCH_DIRECT_TAG_LEN, text, cap);
        larch_trace_end(trace, LARCH_STEP_OPEN, sealed->sealed.len - LARCH_DIRECT_TAG_LEN);
    }
    larch_wipe(key, sizeof key);
    if (e == LARCH_OK)
        *len = sealed->sealed.len - LARCH_DIRECT_TAG_LEN;
    return e;
}

larch_error larch_direct_open(const larch_direct_sealed *sealed, const larch_trace *trace, const uint8_t *dk,
                              uint8_t *text, size_t cap, size_t *len)
{
    uint8_t ss[LARCH_KEM_SS_LEN];
    larch_error e;

    /* A ciphertext that is not genuine goes the whole way with a secret of its own
     * (implicit rejection) and fails at the tag, as a wrong tag does, in the same time. */
    larch_trace_begin(trace, LARCH_STEP_KEM_DECAPS);
    e = larch_kem_decaps(sealed->kem, dk, sealed->kem_ct, ss);
    larch_trace_end(trace, LARCH_STEP_KEM_DECAPS, LARCH_KEM_SS_LEN);
    if (e == LARCH_OK)
        e = larch_direct_open_with(sealed, trace, ss, text, cap, len);
    larch_wipe(ss, sizeof ss);
    return e;
}
