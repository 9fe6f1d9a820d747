/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     message_4   = ( CIPHERTEXT_4 : bstr )                   AEAD( K_4, IV_4, A_4, PLAINTEXT_4 )  [RFC9528 5.5.1]
 *     PLAINTEXT_4 = ( ? EAD_4 )
 *
 *     K_4, IV_4   = EDHOC_KDF( PRK_4e3m, 8 and 9, TH_4, ... )
 *
 * It proves that the Responder has PRK_out; in method 4 it is the first proof of who the Responder is.
 */
#include <string.h>

#include "lake_int.h"

/* ---- Responder [RFC9528 5.5.2] --------------------------------------------------- */

static larch_error compose(const larch_lake_session *s, larch_bytes ead_4, larch_writer *w)
{
    const larch_lake_suite *suite = s->keys.suite;
    const size_t len = ead_4.len + lake_tag_len(suite);
    uint8_t aad[LAKE_AAD_MAX];
    larch_cbor_put_bytes_head(w, len);
    uint8_t *ciphertext_4 = larch_writer_reserve(w, len);
    return ciphertext_4 != NULL ? larch_lake_seal(suite, s->prk, LAKE_K_4, s->th, larch_lake_aad(suite, s->th, aad),
                                                  ead_4, ciphertext_4, len)
                                : LARCH_SPACE;
}

larch_error larch_lake_compose_message_4(larch_lake_session *s, const larch_lake_party *party, larch_bytes ead_4,
                                         larch_writer *w)
{
    const size_t before = w->len;
    if (s->state != LARCH_LAKE_COMPOSE_MESSAGE_4)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    return larch_lake_end(s, party, compose(s, ead_4, w), LARCH_LAKE_COMPLETED, w, before, NULL);
}

/* ---- Initiator [RFC9528 5.5.3] --------------------------------------------------- */

static larch_error process(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                           larch_lake_received *out)
{
    const larch_lake_suite *suite = s->keys.suite;
    const size_t tag_len = lake_tag_len(suite);
    lake_scratch scratch = lake_scratch_of(party);
    uint8_t aad[LAKE_AAD_MAX];
    larch_bytes ciphertext_4;
    larch_error e;
    if ((e = larch_lake_take_only(message, &ciphertext_4)) != LARCH_OK)
        return e;
    if (ciphertext_4.len < tag_len)
        return LARCH_MALFORMED;
    const size_t len = ciphertext_4.len - tag_len;
    uint8_t *plaintext_4 = larch_lake_take_scratch(&scratch, len);
    if (plaintext_4 == NULL)
        return LARCH_SPACE;
    out->ead = (larch_bytes){plaintext_4, len};
    if ((e = larch_lake_open(suite, s->prk, LAKE_K_4, s->th, larch_lake_aad(suite, s->th, aad), ciphertext_4,
                             plaintext_4, len)) != LARCH_OK)
        return e;
    LARCH_CT_PUBLIC(plaintext_4, len); /* EAD items */
    e = larch_lake_check_ead(party, out->ead);
    return e == LARCH_OK ? larch_lake_note(s, message) : e;
}

larch_error larch_lake_process_message_4(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                                         larch_lake_received *out)
{
    memset(out, 0, sizeof *out);
    if (s->state != LARCH_LAKE_WAIT_MESSAGE_4)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    larch_error e = process(s, party, message, out);
    e = larch_lake_end(s, party, e, LARCH_LAKE_COMPLETED, NULL, 0, &out->ead);
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}
