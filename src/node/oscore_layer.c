/* SPDX-License-Identifier: Apache-2.0 */
/* Opens protected requests, and protects their answers. [RFC8613 8.2, 8.3] */
#include "node/oscore_service_int.h"

#include <string.h>

#include "larch/cbor.h"

#if LARCH_SERVER_SESSIONS

/* ---- refusals -------------------------------------------------------------- */

/* An error outside of any session, which is not to be cached. [RFC8613 8.2] */
static void refuse(const larch_request *rq, uint8_t code, larch_bytes text)
{
    larch_request_answer(rq, &(larch_answer){.code = code, .is_safe = true, .is_uncached = true, .body = text});
}

static void refuse_option(const larch_request *rq, larch_error e)
{
    larch_server_report_peer(rq->server, LARCH_EVENT_MALFORMED, rq->peer, NULL, "OSCORE option");
    refuse(rq, LARCH_COAP_BAD_OPTION,
           e == LARCH_STATE ? LARCH_TEXT("Group OSCORE is not supported") : LARCH_TEXT("Failed to decode COSE"));
}

/* An answer that was sent before, under the header of the request in hand. Nothing remembers it: it is kept already. */
static void answer_kept(const larch_request *rq, larch_bytes kept)
{
    larch_server *srv = rq->server;
    larch_server_slot *slot = rq->slot;
    larch_coap_message answer;
    larch_coap_builder b;
    larch_bytes datagram;
    if (!larch_server_affords(srv, rq->now_ms, slot, rq->message, kept.len)) {
        larch_server_challenge(srv, rq->now_ms, slot, rq->message);
        return;
    }
    if (larch_coap_parse(kept, &answer) != LARCH_OK ||
        larch_coap_answer_begin(&slot->pending, answer.code, srv->config.pool + slot->at, LARCH_COAP_DATAGRAM_MAX,
                                &b) != LARCH_OK)
        return;
    larch_oscore_copy_into(&b, &answer);
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        slot->len = (uint32_t)datagram.len;
}

/* A request whose number was received before: a copy from another address gets the answer to it again. */
static void answer_copy(larch_oscore_service *oscore, const larch_request *rq, const larch_session *session,
                        uint64_t number)
{
    const uint32_t content = larch_oscore_content(oscore, rq->message);
    const larch_bytes kept = larch_oscore_kept_answer(oscore, session->number, number, &content);
    if (kept.len > 0) {
        answer_kept(rq, kept);
        return;
    }
    larch_server_report_peer(rq->server, LARCH_EVENT_REPLAY, rq->peer, NULL, NULL);
    refuse(rq, LARCH_COAP_UNAUTHORIZED, LARCH_TEXT("Replay detected"));
}

/* ---- numbers ----------------------------------------------------------------- */

/* The session does not know which numbers it has received: the device is to show that this request is new. */
static void challenge(const larch_request *rq, const larch_session *session, const larch_server_protection *protection)
{
    uint8_t echo[LARCH_OSCORE_ECHO_LEN];
    larch_oscore_put_echo(&session->oscore, echo);
    rq->slot->protection = *protection;
    larch_server_build(rq->server, rq->now_ms, rq->slot, rq->message,
                       &(larch_answer){.code = LARCH_COAP_UNAUTHORIZED, .is_safe = true, .echo = LARCH_BYTES(echo)});
}

/* The challenged request came again, perhaps from somebody who recorded it: the same bytes, which use up nothing of the
 * session. They are protected anew only if newer answers took their place. */
static void challenge_again(const larch_oscore_service *oscore, const larch_request *rq, const larch_session *session,
                            larch_server_protection *protection)
{
    const larch_bytes kept = larch_oscore_kept_answer(oscore, session->number, protection->number, NULL);
    protection->is_counted = true;
    if (kept.len > 0)
        answer_kept(rq, kept);
    else
        challenge(rq, session, protection);
}

static larch_error judge(larch_oscore_service *oscore, const larch_request *rq, larch_session *session,
                         larch_bytes echo, larch_server_protection *protection, larch_oscore_verdict *verdict)
{
    larch_error e = larch_oscore_accept_number(&session->oscore, protection->number, echo, verdict, &protection->own);
    if (e == LARCH_SPENT && (e = larch_epochs_allow(oscore->config.epochs, session, rq->now_ms)) == LARCH_OK)
        e = larch_oscore_accept_number(&session->oscore, protection->number, echo, verdict, &protection->own);
    return e;
}

/* Whether there is a number of our own for the answer, if it needs one: the request comes again, and must still be new
 * then. */
static bool may_answer(larch_oscore_service *oscore, const larch_request *rq, larch_session *session)
{
    return !oscore->config.own_numbers || larch_epochs_allow(oscore->config.epochs, session, rq->now_ms) == LARCH_OK;
}

/* The request is new. If it did not come with message_3, its device has stored the session. Number 0 counts for nothing:
 * whoever is on the path can deliver message_3 alone, and the request that came with it later. */
static void confirm(const larch_oscore_service *oscore, const larch_request *rq, larch_session *session,
                    uint64_t number)
{
    const larch_oscore_handshakes *handshakes = oscore->config.handshakes;
    larch_bytes early;
    if (session->is_unconfirmed && handshakes != NULL && number > 0 &&
        !larch_coap_option_find(rq->message, LARCH_COAP_OPT_EDHOC, &early))
        handshakes->confirm(handshakes->context, rq->now_ms, session);
}

/* The request is authentic. true: it is new, and is to be carried out. */
static bool is_new(larch_oscore_service *oscore, const larch_request *rq, larch_session *session,
                   const larch_coap_message *inner, larch_server_protection *protection)
{
    larch_bytes echo = {NULL, 0};
    larch_oscore_verdict verdict;
    (void)larch_coap_option_find(inner, LARCH_COAP_OPT_ECHO, &echo);
    const larch_error e = judge(oscore, rq, session, echo, protection, &verdict);
    if (e != LARCH_OK) {
        if (e == LARCH_PLATFORM)
            larch_server_report_peer(rq->server, LARCH_EVENT_STORAGE, rq->peer, NULL, NULL);
        return false; /* it comes again */
    }
    switch (verdict) {
    case LARCH_OSCORE_FRESH:
        larch_session_count_received(session);
        protection->has_echoed = larch_oscore_count_echo(&session->oscore, echo, &protection->echoed);
        session->last = *rq->peer;
        if (oscore->config.devices != NULL)
            oscore->config.devices->heard(oscore->config.devices->context, session);
        confirm(oscore, rq, session, protection->number);
        return true;
    case LARCH_OSCORE_CHALLENGE:
        larch_session_count_received(session);
        protection->has_own = true;
        challenge(rq, session, protection);
        return false;
    case LARCH_OSCORE_CHALLENGE_AGAIN:
        protection->has_own = true;
        challenge_again(oscore, rq, session, protection);
        return false;
    case LARCH_OSCORE_REPLAYED:
        answer_copy(oscore, rq, session, protection->number);
        return false;
    default:
        return false;
    }
}

/* ---- opening ----------------------------------------------------------------- */

/* false: it is nothing that can be opened, and the request was answered. */
static bool take_option(const larch_request *rq, larch_oscore_option *option)
{
    larch_bytes value;
    if (!larch_coap_option_find(rq->message, LARCH_COAP_OPT_OSCORE, &value))
        return false;
    const larch_error e = larch_oscore_option_parse(value, option);
    if (e == LARCH_OK && option->kid.data != NULL && option->partial_iv.len > 0)
        return true;
    refuse_option(rq, e);
    return false;
}

/* Takes message_3 from the front of the payload of a combined request, message_3 | ciphertext [RFC9668 3.3]. false: the
 * request was answered. */
static bool take_early(const larch_oscore_service *oscore, const larch_request *rq, larch_bytes kid,
                       larch_coap_message *message)
{
    const larch_oscore_handshakes *handshakes = oscore->config.handshakes;
    larch_reader r = larch_reader_of(message->payload);
    larch_bytes option, message_3, ciphertext_3;
    if (handshakes == NULL || !larch_coap_option_find(message, LARCH_COAP_OPT_EDHOC, &option))
        return true;
    if (larch_cbor_take_bytes(&r, &ciphertext_3) != LARCH_OK || r.left.len == 0) {
        larch_server_report_peer(rq->server, LARCH_EVENT_MALFORMED, rq->peer, NULL, "message_3 before OSCORE");
        refuse(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("message_3"));
        return false;
    }
    message_3 = (larch_bytes){message->payload.data, message->payload.len - r.left.len};
    message->payload = r.left;
    return handshakes->take_early(handshakes->context, rq, kid, message_3);
}

/* Finds what the option names; answers the request if there is none. */
static larch_session *find_session(larch_oscore_service *oscore, const larch_request *rq,
                                   const larch_oscore_option *option)
{
    const larch_contexts *contexts = oscore->config.contexts;
    larch_session *session = contexts->find(contexts->context, option->kid, option->kid_context);
    if (session == NULL) {
        larch_server_report_peer(rq->server, LARCH_EVENT_AUTH, rq->peer, NULL, NULL);
        refuse(rq, LARCH_COAP_UNAUTHORIZED, LARCH_TEXT("Security context not found"));
    } else if (larch_session_is_spent(session)) {
        larch_server_report_peer(rq->server, LARCH_EVENT_SPENT, rq->peer, NULL, NULL);
        refuse(rq, LARCH_COAP_UNAUTHORIZED, LARCH_TEXT("Security context is used up"));
        session = NULL;
    }
    return session;
}

/* Blocks of the outside belong to proxies [RFC8613 4.1.3.4.2]; larch has those of the inside alone. */
static bool has_outer_blocks(const larch_coap_message *message)
{
    larch_bytes value;
    return larch_coap_option_find(message, LARCH_COAP_OPT_BLOCK1, &value) ||
           larch_coap_option_find(message, LARCH_COAP_OPT_BLOCK2, &value);
}

/* message: the request without message_3. */
static larch_error decrypt(larch_oscore_service *oscore, const larch_request *rq, const larch_coap_message *message,
                           larch_session *session, const larch_oscore_option *option, larch_session_sender sender,
                           larch_coap_message *inner, larch_server_protection *protection)
{
    const larch_oscore_scratch scratch = {oscore->opened, sizeof oscore->opened};
    *protection = (larch_server_protection){
        .is_protected = true, .session = session->number, .content = larch_oscore_content(oscore, rq->message)};
    const larch_error e = larch_oscore_unprotect_request(&session->oscore, option, message, scratch,
                                                         &protection->binding, &protection->number, inner);
    larch_oscore_tried(oscore, rq, session, sender, e != LARCH_AUTH);
    return e;
}

bool larch_oscore_layer_open(void *context, const larch_request *rq, larch_coap_message *inner, larch_session **session,
                             larch_server_protection *protection)
{
    larch_oscore_service *oscore = context;
    larch_oscore_option option;
    larch_session_sender sender;
    larch_server_protection found;
    if (has_outer_blocks(rq->message)) {
        refuse(rq, LARCH_COAP_BAD_OPTION, LARCH_TEXT("Block outside"));
        return false;
    }
    larch_coap_message message = *rq->message;
    if (!take_option(rq, &option) || !take_early(oscore, rq, option.kid, &message) ||
        (*session = find_session(oscore, rq, &option)) == NULL)
        return false;
    const uint64_t number = larch_number_at(option.partial_iv.data, option.partial_iv.len);
    if (larch_oscore_check_number(&(*session)->oscore, number) != LARCH_OK) {
        answer_copy(oscore, rq, *session, number);
        return false;
    }
    if (!larch_oscore_try(oscore, rq, *session, &sender))
        return false;
    const larch_error e = decrypt(oscore, rq, &message, *session, &option, sender, inner, &found);
    if (e == LARCH_OK) {
        if (!may_answer(oscore, rq, *session) || !is_new(oscore, rq, *session, inner, &found))
            return false;
        *protection = found;
        return !oscore->config.own_numbers || larch_oscore_take_own(oscore, rq) == LARCH_OK;
    }
    if (e == LARCH_AUTH) {
        larch_server_report_peer(rq->server, LARCH_EVENT_AUTH, rq->peer, NULL, NULL);
        refuse(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("Decryption failed"));
    } else if (e == LARCH_MALFORMED) {
        larch_server_report_peer(rq->server, LARCH_EVENT_MALFORMED, rq->peer, NULL, "OSCORE message");
        refuse(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("Failed to decode COSE"));
    }
    return false;
}

void larch_oscore_layer_done(void *context)
{
    larch_oscore_service *oscore = context;
    larch_wipe(oscore->opened, sizeof oscore->opened);
}

/* ---- protecting ------------------------------------------------------------- */

larch_error larch_oscore_take_own(larch_oscore_service *oscore, const larch_request *rq)
{
    larch_server_protection *protection = &rq->slot->protection;
    if (protection->has_own)
        return LARCH_OK;
    const larch_error e = larch_epochs_take(oscore->config.epochs, rq->session, rq->now_ms, &protection->own);
    protection->has_own = protection->is_counted = e == LARCH_OK;
    return e;
}

void larch_oscore_copy_into(larch_coap_builder *b, const larch_coap_message *message)
{
    larch_coap_options options = larch_coap_options_of(message);
    larch_coap_option option;
    while (larch_coap_options_next(&options, &option))
        larch_coap_build_option(b, option.number, option.value);
    larch_coap_build_payload(b, message->payload);
}

uint8_t *larch_oscore_layer_draft(void *context) { return ((larch_oscore_service *)context)->draft; }

larch_error larch_oscore_layer_protect(void *context, uint64_t now_ms, const larch_server_protection *protection,
                                       larch_bytes answer, uint8_t *out, size_t cap, larch_bytes *datagram)
{
    larch_oscore_service *oscore = context;
    const larch_contexts *contexts = oscore->config.contexts;
    const larch_oscore_scratch scratch = {oscore->scratch, sizeof oscore->scratch};
    larch_session *session = contexts->find_number(contexts->context, protection->session);
    larch_coap_message message;
    (void)now_ms;
    if (session == NULL)
        return LARCH_STATE; /* it was revoked meanwhile */
    larch_error e = larch_coap_parse(answer, &message);
    if (e == LARCH_OK)
        e = larch_oscore_protect_response(&session->oscore, &protection->binding,
                                          protection->has_own ? &protection->own : NULL, &message, scratch, out, cap,
                                          datagram);
    if (e == LARCH_OK) {
        if (!protection->is_counted)
            larch_session_count_protected(session);
        larch_oscore_keep(oscore, protection, *datagram);
    }
    larch_wipe(oscore->draft, sizeof oscore->draft);
    return e;
}

#endif
