/* SPDX-License-Identifier: Apache-2.0 */
/* From a protected message to what it carries. [RFC8613 8.2, 8.4] */
#include <string.h>

#include "oscore_int.h"

#define CODE_AT 3 /* the plaintext is decrypted to where its code becomes the last byte of a header */

/* The plaintext as a message: code | options | payload gets the header of the outer one, without its token. */
static larch_error parse_inner(const larch_coap_message *outer, larch_oscore_scratch scratch, size_t len,
                               larch_coap_message *inner)
{
    uint8_t *at = scratch.bytes;
    const uint8_t code = at[CODE_AT];
    at[0] = (uint8_t)(1u << 6 | (unsigned)outer->type << 4);
    at[1] = code;
    at[2] = (uint8_t)(outer->message_id >> 8);
    at[3] = (uint8_t)outer->message_id;
    if (code == LARCH_COAP_EMPTY || larch_coap_parse((larch_bytes){at, CODE_AT + len}, inner) != LARCH_OK)
        return LARCH_MALFORMED;
    inner->token = outer->token;
    return LARCH_OK;
}

static larch_error open(const larch_oscore_context *context, const larch_oscore_binding *binding, const uint8_t *nonce,
                        const larch_coap_message *outer, larch_oscore_scratch scratch, larch_coap_message *inner)
{
    uint8_t aad[OSCORE_AAD_MAX];
    const size_t tag_len = context->aead->tag_len;
    if (outer->payload.len <= tag_len)
        return LARCH_MALFORMED; /* not even a code */
    const size_t len = outer->payload.len - tag_len;
    if (scratch.cap < CODE_AT + len)
        return LARCH_SPACE;
    larch_error e =
        larch_cose_aead_open(context->aead, context->recipient_key, nonce, larch_oscore_aad(context, binding, aad),
                             outer->payload, scratch.bytes + CODE_AT, len);
    if (e == LARCH_OK)
        e = parse_inner(outer, scratch, len, inner);
    return e;
}

static larch_error finish(larch_error e, larch_oscore_scratch scratch, uint64_t *number, larch_coap_message *inner)
{
    if (e != LARCH_OK) {
        larch_wipe(scratch.bytes, scratch.cap);
        *number = 0;
        memset(inner, 0, sizeof *inner);
    }
    return e;
}

larch_error larch_oscore_unprotect_request(const larch_oscore_context *context, const larch_oscore_option *option,
                                           const larch_coap_message *outer, larch_oscore_scratch scratch,
                                           larch_oscore_binding *binding, uint64_t *number, larch_coap_message *inner)
{
    const larch_bytes kid = {context->recipient_id, context->recipient_id_len};
    uint8_t nonce[LARCH_COSE_AEAD_NONCE_MAX];
    larch_error e = option->partial_iv.len > 0 ? LARCH_OK : LARCH_MALFORMED;
    memset(binding, 0, sizeof *binding);
    if (e == LARCH_OK) {
        *number = larch_number_at(option->partial_iv.data, option->partial_iv.len);
        e = larch_oscore_check_number(context, *number);
    }
    if (e == LARCH_OK) {
        larch_oscore_bind(binding, kid, option->partial_iv);
        larch_oscore_nonce(context, kid, option->partial_iv, nonce);
        e = open(context, binding, nonce, outer, scratch, inner);
    }
    if (e != LARCH_OK)
        memset(binding, 0, sizeof *binding);
    return finish(e, scratch, number, inner);
}

larch_error larch_oscore_unprotect_response(const larch_oscore_context *context, const larch_oscore_binding *binding,
                                            const larch_coap_message *outer, larch_oscore_scratch scratch,
                                            bool *has_number, uint64_t *number, larch_coap_message *inner)
{
    const larch_bytes own = {context->recipient_id, context->recipient_id_len};
    uint8_t nonce[LARCH_COSE_AEAD_NONCE_MAX];
    larch_oscore_option option = {0};
    larch_bytes value;
    larch_error e = larch_coap_option_find(outer, LARCH_COAP_OPT_OSCORE, &value) ? LARCH_OK : LARCH_STATE;
    if (e == LARCH_OK)
        e = larch_oscore_option_parse(value, &option);
    *has_number = e == LARCH_OK && option.partial_iv.len > 0;
    *number = *has_number ? larch_number_at(option.partial_iv.data, option.partial_iv.len) : 0;
    if (e == LARCH_OK) {
        larch_oscore_nonce(context, *has_number ? own : larch_oscore_kid_of(binding),
                           *has_number ? option.partial_iv : larch_oscore_partial_iv_of(binding), nonce);
        e = open(context, binding, nonce, outer, scratch, inner);
    }
    if (e != LARCH_OK)
        *has_number = false;
    return finish(e, scratch, number, inner);
}
