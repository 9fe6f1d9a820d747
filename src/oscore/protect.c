/* SPDX-License-Identifier: Apache-2.0 */
/* From a message to its protected form. [RFC8613 8.1, 8.3] */
#include <string.h>

#include "oscore_int.h"

#define CODE_AT \
    3 /* the plaintext is built as a message without a token, whose last header byte gives way to the code */

/* One message on its way. */
typedef struct transform {
    const larch_oscore_context *context;
    const larch_coap_message *message;
    bool is_request;
    bool is_observe;
    larch_oscore_scratch scratch;
} transform;

/* Code, inner options, payload [RFC8613 5.3]. The inner Observe of a notification is empty. [RFC8613 4.1.3.5.2] */
static larch_error build_plaintext(const transform *t, larch_bytes *plaintext)
{
    larch_coap_builder b;
    larch_coap_option option;
    larch_bytes whole;
    larch_coap_options options = larch_coap_options_of(t->message);
    larch_coap_build(&b, t->scratch.bytes, t->scratch.cap, LARCH_COAP_CON, t->message->code, 0, (larch_bytes){NULL, 0});
    while (larch_coap_options_next(&options, &option)) {
        if (larch_oscore_is_outer(option.number))
            continue;
        if (option.number == LARCH_COAP_OPT_OBSERVE && !t->is_request)
            option.value.len = 0;
        larch_coap_build_option(&b, option.number, option.value);
    }
    larch_coap_build_payload(&b, t->message->payload);
    const larch_error e = larch_coap_build_end(&b, &whole);
    if (e != LARCH_OK)
        return e;
    t->scratch.bytes[CODE_AT] = t->message->code;
    *plaintext = (larch_bytes){whole.data + CODE_AT, whole.len - CODE_AT};
    return LARCH_OK;
}

/* LARCH_STATE: an option that must not stand in what is protected. [RFC8613 4.1.3.3, 4.1.3.7] */
static larch_error look_at(transform *t)
{
    larch_coap_option option;
    larch_coap_options options = larch_coap_options_of(t->message);
    t->is_observe = false;
    while (larch_coap_options_next(&options, &option)) {
        if (option.number == LARCH_COAP_OPT_OSCORE || option.number == LARCH_COAP_OPT_PROXY_URI)
            return LARCH_STATE;
        t->is_observe = t->is_observe || option.number == LARCH_COAP_OPT_OBSERVE;
    }
    return LARCH_OK;
}

static uint8_t outer_code(const transform *t)
{
    if (t->is_request)
        return t->is_observe ? LARCH_COAP_FETCH : LARCH_COAP_POST;
    return t->is_observe ? LARCH_COAP_CONTENT : LARCH_COAP_CHANGED;
}

/* Outer options in their order, the OSCORE option among them. */
static void build_outer(const transform *t, larch_coap_builder *b, larch_bytes oscore)
{
    larch_coap_option option;
    larch_coap_options options = larch_coap_options_of(t->message);
    bool is_put = false;
    while (larch_coap_options_next(&options, &option)) {
        if (!larch_oscore_is_outer(option.number) && option.number != LARCH_COAP_OPT_OBSERVE)
            continue;
        if (!is_put && option.number > LARCH_COAP_OPT_OSCORE) {
            larch_coap_build_option(b, LARCH_COAP_OPT_OSCORE, oscore);
            is_put = true;
        }
        larch_coap_build_option(b, option.number, option.value);
    }
    if (!is_put)
        larch_coap_build_option(b, LARCH_COAP_OPT_OSCORE, oscore);
}

/* nonce: of this message; option: what the receiver needs besides what it knows. */
static larch_error protect(transform *t, const larch_oscore_binding *binding, const uint8_t *nonce,
                           const larch_oscore_option *option, uint8_t *out, size_t cap, larch_bytes *datagram)
{
    const larch_coap_message *m = t->message;
    const larch_cose_aead *aead = t->context->aead;
    uint8_t value[LARCH_OSCORE_OPTION_MAX], aad[OSCORE_AAD_MAX];
    larch_writer w = larch_writer_to(value, sizeof value);
    larch_coap_builder b;
    larch_bytes plaintext;
    larch_error e = build_plaintext(t, &plaintext);
    if (e != LARCH_OK)
        return e;
    larch_oscore_option_put(&w, option);
    larch_coap_build(&b, out, cap, m->type, outer_code(t), m->message_id, m->token);
    build_outer(t, &b, (larch_bytes){value, w.len});
    const size_t len = plaintext.len + aead->tag_len;
    uint8_t *ciphertext = larch_coap_build_payload_reserve(&b, len);
    if ((e = larch_coap_build_end(&b, datagram)) != LARCH_OK)
        return e;
    const larch_bytes additional = larch_oscore_aad(t->context, binding, aad);
#ifdef LARCH_NONCE_LOG
    larch_oscore_nonce_log((larch_bytes){t->context->sender_key, aead->key_len}, (larch_bytes){nonce, aead->nonce_len},
                           additional, plaintext);
#endif
    return larch_cose_aead_seal(aead, t->context->sender_key, nonce, additional, plaintext, ciphertext, len);
}

/* What the plaintext was built in is wiped, and nothing half-made is left. */
static larch_error finish(const transform *t, larch_error e, uint8_t *out, size_t cap, larch_bytes *datagram)
{
    larch_wipe(t->scratch.bytes, t->scratch.cap);
    if (e != LARCH_OK) {
        larch_wipe(out, cap);
        *datagram = (larch_bytes){NULL, 0};
    }
    return e;
}

larch_error larch_oscore_protect_request(const larch_oscore_context *context, uint64_t number,
                                         const larch_coap_message *message, larch_oscore_scratch scratch, uint8_t *out,
                                         size_t cap, larch_oscore_binding *binding, larch_bytes *datagram)
{
    transform t = {.context = context, .message = message, .is_request = true, .scratch = scratch};
    uint8_t partial_iv[LARCH_OSCORE_PARTIAL_IV_MAX], nonce[LARCH_COSE_AEAD_NONCE_MAX];
    const larch_bytes piv = {partial_iv, larch_oscore_partial_iv(number, partial_iv)};
    const larch_bytes kid = {context->sender_id, context->sender_id_len};
    larch_oscore_option option = {.partial_iv = piv, .kid = kid};
    if (context->id_context_len <= LARCH_OSCORE_ID_CONTEXT_MAX)
        option.kid_context = (larch_bytes){context->id_context, context->id_context_len};
    larch_oscore_bind(binding, kid, piv);
    larch_oscore_nonce(context, kid, piv, nonce);
    larch_error e = look_at(&t);
    if (e == LARCH_OK)
        e = protect(&t, binding, nonce, &option, out, cap, datagram);
    return finish(&t, e, out, cap, datagram);
}

larch_error larch_oscore_protect_response(const larch_oscore_context *context, const larch_oscore_binding *binding,
                                          const uint64_t *number, const larch_coap_message *message,
                                          larch_oscore_scratch scratch, uint8_t *out, size_t cap, larch_bytes *datagram)
{
    transform t = {.context = context, .message = message, .scratch = scratch};
    uint8_t partial_iv[LARCH_OSCORE_PARTIAL_IV_MAX], nonce[LARCH_COSE_AEAD_NONCE_MAX];
    larch_oscore_option option = {0};
    if (number != NULL) {
        option.partial_iv = (larch_bytes){partial_iv, larch_oscore_partial_iv(*number, partial_iv)};
        larch_oscore_nonce(context, (larch_bytes){context->sender_id, context->sender_id_len}, option.partial_iv,
                           nonce);
    } else {
        larch_oscore_nonce(context, larch_oscore_kid_of(binding), larch_oscore_partial_iv_of(binding), nonce);
    }
    larch_error e = look_at(&t);
    if (e == LARCH_OK)
        e = protect(&t, binding, nonce, &option, out, cap, datagram);
    return finish(&t, e, out, cap, datagram);
}
