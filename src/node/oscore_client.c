/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer whose messages are protected, and an observation. [RFC8613 8.1, 8.4, 4.1.3.5] */
#include "larch/oscore_client.h"

#include <string.h>

#define CHALLENGES 4 /* inner ones that are met: the peer may restart while it is asked */
#define ECHOES     8 /* outer ones that are returned: they may be forged, so that their number is bounded */

/* What a request says of Observe. */
enum { SAYS_NOTHING, REGISTERS, DEREGISTERS };

_Static_assert(sizeof(larch_oscore_client) <= 512, "RAM budget");

/* ---- requests ---------------------------------------------------------- */

static uint8_t *scratch_at(const larch_oscore_client *c, size_t nth)
{
    return c->config->scratch + nth * LARCH_COAP_DATAGRAM_MAX;
}

static void wipe_scratch(const larch_oscore_client *c) { larch_wipe(c->config->scratch, LARCH_OSCORE_CLIENT_SCRATCH); }

/* The next message of the transfer, not yet protected. */
static larch_error compose(const larch_oscore_client *c, larch_coap_message *plain)
{
    larch_coap_builder b;
    larch_bytes datagram;
    larch_error e;
    larch_coap_build(&b, scratch_at(c, 0), LARCH_COAP_DATAGRAM_MAX, c->target.type,
                     larch_coap_transfer_method(&c->transfer), 0, (larch_bytes){NULL, 0});
    if (c->observe != SAYS_NOTHING)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, c->observe == REGISTERS ? 0 : 1);
    if ((e = larch_coap_transfer_compose_request(&c->transfer, &b)) != LARCH_OK ||
        (e = larch_coap_build_end(&b, &datagram)) != LARCH_OK)
        return e;
    return larch_coap_parse(datagram, plain);
}

/* Options of a protected message; echo: goes outside, in place of another; empty: none. */
static void copy_options(larch_coap_builder *b, const larch_coap_message *outer, larch_bytes early, larch_bytes echo)
{
    larch_coap_options options = larch_coap_options_of(outer);
    larch_coap_option option;
    /* EDHOC and Echo have the highest numbers of all that stand outside. */
    while (larch_coap_options_next(&options, &option))
        if (option.number != LARCH_COAP_OPT_ECHO)
            larch_coap_build_option(b, option.number, option.value);
    if (early.len > 0)
        larch_coap_build_option(b, LARCH_COAP_OPT_EDHOC, (larch_bytes){NULL, 0});
    if (echo.len > 0)
        larch_coap_build_option(b, LARCH_COAP_OPT_ECHO, echo);
}

/* A protected message that was just made; early: goes before its ciphertext; empty: nothing does. */
static void copy_outer(larch_coap_builder *b, const larch_coap_message *outer, larch_bytes early)
{
    copy_options(b, outer, early, (larch_bytes){NULL, 0});
    uint8_t *payload = larch_coap_build_payload_reserve(b, early.len + outer->payload.len);
    if (payload == NULL)
        return;
    if (early.len > 0)
        memcpy(payload, early.data, early.len);
    memcpy(payload + early.len, outer->payload.data, outer->payload.len);
}

static larch_error protect(larch_oscore_client *c, uint64_t now_ms, larch_coap_builder *b,
                           larch_oscore_binding *binding)
{
    const larch_oscore_client_config *config = c->config;
    const larch_oscore_scratch scratch = {scratch_at(c, 1), LARCH_COAP_DATAGRAM_MAX};
    larch_coap_message plain, outer;
    larch_bytes datagram;
    uint64_t number;
    larch_error e = compose(c, &plain);
    if (e == LARCH_OK)
        e = config->take_number(config->context, now_ms, &number);
    if (e == LARCH_AGAIN)
        return LARCH_BUSY; /* AGAIN of a client means that the answer is on its way */
    if (e == LARCH_OK)
        e = larch_oscore_protect_request(&config->session->oscore, number, &plain, scratch, scratch_at(c, 2),
                                         LARCH_COAP_DATAGRAM_MAX, binding, &datagram);
    if (e == LARCH_OK && (e = larch_coap_parse(datagram, &outer)) == LARCH_OK)
        copy_outer(b, &outer, c->early);
    return e;
}

/* token: NULL: a fresh one. */
static larch_error begin(const larch_oscore_client *c, uint64_t now_ms, bool registers, uint8_t code,
                         const larch_bytes *token, larch_coap_builder *b, uint32_t *handle)
{
    const unsigned flags = c->target.flags | LARCH_COAP_VERIFIED | (registers ? LARCH_COAP_OBSERVE : 0u);
    const larch_error e = larch_coap_endpoint_request(c->config->endpoint, now_ms, &c->target.peer, c->target.type,
                                                      code, flags, token, b, handle);
    return e == LARCH_AGAIN ? LARCH_BUSY : e;
}

static larch_error send_request(larch_oscore_client *c, uint64_t now_ms, const larch_bytes *token)
{
    larch_coap_endpoint *ep = c->config->endpoint;
    const bool registers = c->observe == REGISTERS;
    larch_oscore_sent *sent = registers ? &c->observed : &c->asked;
    larch_coap_builder b;
    uint32_t handle;
    /* [RFC8613 4.2] */
    larch_error e = begin(c, now_ms, registers, c->observe == SAYS_NOTHING ? LARCH_COAP_POST : LARCH_COAP_FETCH, token,
                          &b, &handle);
    if (e != LARCH_OK)
        return e;
    e = protect(c, now_ms, &b, &sent->binding);
    wipe_scratch(c);
    if (e != LARCH_OK || (e = larch_coap_endpoint_request_end(ep, &b, handle)) != LARCH_OK) {
        larch_coap_endpoint_cancel(ep, handle);
        return e;
    }
    sent->handle = handle;
    c->echoes = ECHOES;
    return LARCH_OK;
}

static larch_error start(larch_oscore_client *c, const larch_oscore_client_config *config, uint64_t now_ms,
                         const larch_coap_target *target, const larch_coap_ask *ask, uint8_t observe, uint8_t *body,
                         size_t body_cap, larch_bytes early)
{
    if (larch_oscore_client_is_busy(c) || (target->flags & ~LARCH_COAP_SECOND_WAY) != 0)
        return LARCH_STATE;
    c->config = config;
    c->target = *target;
    c->ask = *ask;
    if (c->ask.challenges == 0)
        c->ask.challenges = CHALLENGES;
    c->observe = observe;
    c->next_number = 0;
    c->is_observing = false;
    c->hint = 0;
    const larch_error e = larch_coap_transfer_begin(&c->transfer, &c->ask, body, body_cap);
    c->ask.echo = (larch_bytes){NULL, 0}; /* a view that need not hold longer */
    c->early = early;
    return e == LARCH_OK ? send_request(c, now_ms, NULL) : e;
}

larch_error larch_oscore_client_ask(larch_oscore_client *c, const larch_oscore_client_config *config, uint64_t now_ms,
                                    const larch_coap_target *target, const larch_coap_ask *ask, uint8_t *body,
                                    size_t body_cap)
{
    return start(c, config, now_ms, target, ask, SAYS_NOTHING, body, body_cap, (larch_bytes){NULL, 0});
}

larch_error larch_oscore_client_ask_early(larch_oscore_client *c, const larch_oscore_client_config *config,
                                          uint64_t now_ms, const larch_coap_target *target, const larch_coap_ask *ask,
                                          uint8_t *body, size_t body_cap, larch_bytes message_3)
{
    return start(c, config, now_ms, target, ask, SAYS_NOTHING, body, body_cap, message_3);
}

larch_error larch_oscore_client_observe(larch_oscore_client *c, const larch_oscore_client_config *config,
                                        uint64_t now_ms, const larch_coap_target *target, const larch_coap_ask *ask,
                                        uint8_t *body, size_t body_cap)
{
    if (ask->method != LARCH_COAP_GET || ask->payload.len > 0)
        return LARCH_STATE;
    return start(c, config, now_ms, target, ask, REGISTERS, body, body_cap, (larch_bytes){NULL, 0});
}

/* ---- ends -------------------------------------------------------------- */

static void forget(const larch_oscore_client *c, larch_oscore_sent *sent)
{
    if (sent->handle != 0)
        larch_coap_endpoint_cancel(c->config->endpoint, sent->handle);
    sent->handle = 0;
}

static void forget_observation(larch_oscore_client *c)
{
    forget(c, &c->observed);
    c->is_observing = false;
}

void larch_oscore_client_cancel(larch_oscore_client *c)
{
    forget(c, &c->asked);
    forget_observation(c);
}

void larch_oscore_client_move(larch_oscore_client *c, uint64_t now_ms, const larch_peer *peer)
{
    c->target.peer = *peer;
    larch_coap_endpoint_move(c->config->endpoint, now_ms, c->asked.handle, peer);
    larch_coap_endpoint_move(c->config->endpoint, now_ms, c->observed.handle, peer);
}

/* Another request about the observation, with its token. */
static larch_error ask_again(larch_oscore_client *c, uint64_t now_ms, uint8_t observe)
{
    uint8_t token[LARCH_COAP_TOKEN_MAX];
    larch_coap_message registration;
    if (!c->is_observing)
        return LARCH_STATE;
    larch_error e =
        larch_coap_parse(larch_coap_endpoint_datagram(c->config->endpoint, c->observed.handle), &registration);
    if (e == LARCH_OK)
        memcpy(token, registration.token.data, registration.token.len);
    const larch_bytes same = {token, registration.token.len};
    larch_oscore_client_cancel(c);
    c->observe = observe;
    if (e == LARCH_OK)
        e = larch_coap_transfer_begin(&c->transfer, &c->ask, c->transfer.body, c->transfer.body_cap);
    return e == LARCH_OK ? send_request(c, now_ms, &same) : e;
}

larch_error larch_oscore_client_reregister(larch_oscore_client *c, uint64_t now_ms)
{
    return ask_again(c, now_ms, REGISTERS);
}

larch_error larch_oscore_client_deregister(larch_oscore_client *c, uint64_t now_ms)
{
    return ask_again(c, now_ms, DEREGISTERS);
}

/* ---- responses --------------------------------------------------------- */

/* The same bytes under a new message ID, with the Echo outside: the peer wants to see that this address is reached before
 * it decrypts. */
static larch_error send_again(larch_oscore_client *c, uint64_t now_ms, larch_oscore_sent *sent, larch_bytes echo)
{
    larch_coap_endpoint *ep = c->config->endpoint;
    const larch_bytes sent_bytes = larch_coap_endpoint_datagram(ep, sent->handle);
    const larch_bytes copy = {scratch_at(c, 0), sent_bytes.len};
    larch_coap_message outer;
    larch_coap_builder b;
    uint32_t handle;
    memcpy(scratch_at(c, 0), sent_bytes.data, sent_bytes.len);
    forget(c, sent);
    larch_error e = larch_coap_parse(copy, &outer);
    if (e == LARCH_OK &&
        (e = begin(c, now_ms, sent == &c->observed, outer.code, &outer.token, &b, &handle)) == LARCH_OK) {
        copy_options(&b, &outer, (larch_bytes){NULL, 0}, echo);
        larch_coap_build_payload(&b, outer.payload);
        if ((e = larch_coap_endpoint_request_end(ep, &b, handle)) == LARCH_OK)
            sent->handle = handle;
    }
    wipe_scratch(c);
    return e == LARCH_OK ? LARCH_AGAIN : e;
}

/* It completes nothing, whoever sent it. */
static larch_error take_unprotected(larch_oscore_client *c, uint64_t now_ms, larch_oscore_sent *sent,
                                    const larch_coap_event *event)
{
    const larch_coap_message *m = &event->message;
    larch_bytes echo;
    if (LARCH_COAP_CLASS(m->code) < 4)
        return LARCH_AGAIN;
    c->hint = m->code;
    if (m->code != LARCH_COAP_UNAUTHORIZED || !larch_coap_option_find(m, LARCH_COAP_OPT_ECHO, &echo) ||
        c->echoes == 0 || !larch_peer_equal(&event->peer, &c->target.peer) || (sent == &c->observed && c->is_observing))
        return LARCH_AGAIN;
    c->echoes--;
    return send_again(c, now_ms, sent, echo);
}

/* Decrypts within what the session's limits allow for the address that it came from. */
static larch_error unprotect(const larch_oscore_client *c, uint64_t now_ms, const larch_oscore_sent *sent,
                             const larch_coap_event *event, bool *has_number, uint64_t *number,
                             larch_coap_message *inner)
{
    larch_session *session = c->config->session;
    const larch_session_sender sender =
        larch_peer_equal(&event->peer, &c->target.peer) ? LARCH_SESSION_LAST : LARCH_SESSION_OTHER;
    if (!larch_session_try(session, now_ms, sender))
        return LARCH_BUSY;
    const larch_oscore_scratch scratch = {scratch_at(c, 0), LARCH_COAP_DATAGRAM_MAX};
    const larch_error e = larch_oscore_unprotect_response(&session->oscore, &sent->binding, &event->message, scratch,
                                                          has_number, number, inner);
    if (e == LARCH_AUTH)
        larch_session_count_failed(session);
    else
        larch_session_refund(session, sender);
    return e;
}

/* Whether a verified message is a response that may be acted on. */
static bool is_sound(const larch_coap_message *inner)
{
    static const uint16_t understood[] = {LARCH_COAP_OPT_BLOCK2, LARCH_COAP_OPT_BLOCK1};
    uint16_t bad;
    return LARCH_COAP_CLASS(inner->code) >= 2 &&
           !larch_coap_find_bad_option(inner, understood, sizeof understood / sizeof understood[0], &bad);
}

/* The answer to a registration, or a notification: they grow in number [RFC8613 4.1.3.5.2, 7.4.1]. false: it came before,
 * or another overtook it. */
static bool take_notification(larch_oscore_client *c, const larch_coap_message *inner, bool has_number, uint64_t number)
{
    larch_bytes value;
    if (c->is_observing) {
        if (!has_number || number < c->next_number)
            return false;
        forget(c, &c->asked); /* the rest of an older one */
        if (larch_coap_transfer_begin(&c->transfer, &c->ask, c->transfer.body, c->transfer.body_cap) != LARCH_OK)
            return false;
    }
    if (LARCH_COAP_CLASS(inner->code) == 2 && larch_coap_option_find(inner, LARCH_COAP_OPT_OBSERVE, &value)) {
        larch_coap_endpoint_accept(c->config->endpoint, c->observed.handle);
        c->is_observing = true;
        c->next_number = has_number ? number + 1 : 0;
    } else {
        forget_observation(c);
    }
    return true;
}

/* A verified message; it lies in the scratch memory. */
static larch_error take_inner(larch_oscore_client *c, uint64_t now_ms, larch_oscore_sent *sent,
                              const larch_coap_message *inner, bool has_number, uint64_t number,
                              larch_coap_answer *answer)
{
    if (!is_sound(inner)) {
        larch_oscore_client_cancel(c);
        return LARCH_MALFORMED;
    }
    if (sent == &c->asked)
        forget(c, sent);
    else if (!take_notification(c, inner, has_number, number))
        return LARCH_AGAIN;
    c->early = (larch_bytes){NULL, 0};
    if (inner->code != LARCH_COAP_UNAUTHORIZED)
        c->observe = SAYS_NOTHING; /* that was heard: what follows are blocks */
    const larch_error e = larch_coap_transfer_process_response(&c->transfer, inner, answer);
    if (e != LARCH_AGAIN)
        return e;
    const larch_error next = send_request(c, now_ms, NULL);
    return next == LARCH_OK ? LARCH_AGAIN : next;
}

static larch_error take_response(larch_oscore_client *c, uint64_t now_ms, larch_oscore_sent *sent,
                                 const larch_coap_event *event, larch_coap_answer *answer)
{
    larch_coap_message inner;
    larch_bytes value;
    uint64_t number;
    bool has_number;
    if (event->drop != LARCH_COAP_DROP_NONE)
        return LARCH_AGAIN; /* too long: no tag can be checked */
    if (!larch_coap_option_find(&event->message, LARCH_COAP_OPT_OSCORE, &value))
        return take_unprotected(c, now_ms, sent, event);
    larch_error e = unprotect(c, now_ms, sent, event, &has_number, &number, &inner);
    e = e == LARCH_OK ? take_inner(c, now_ms, sent, &inner, has_number, number, answer) : LARCH_AGAIN;
    wipe_scratch(c);
    return e;
}

larch_error larch_oscore_client_take(larch_oscore_client *c, uint64_t now_ms, const larch_coap_event *event,
                                     larch_coap_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    larch_oscore_sent *sent = event->handle == 0                    ? NULL
                              : event->handle == c->asked.handle    ? &c->asked
                              : event->handle == c->observed.handle ? &c->observed
                                                                    : NULL;
    if (sent == NULL || event->kind == LARCH_COAP_NOTHING)
        return LARCH_AGAIN;
    if (event->kind == LARCH_COAP_RESPONSE)
        return take_response(c, now_ms, sent, event, answer);
    if (sent == &c->observed)
        forget_observation(c);
    else
        forget(c, sent);
    return event->kind == LARCH_COAP_RESET ? LARCH_RESET : LARCH_TIMEOUT;
}
