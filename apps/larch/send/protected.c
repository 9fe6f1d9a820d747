/* SPDX-License-Identifier: Apache-2.0 */
/* larch send --oscore and --enrolment: posts texts in a session that both sides hold. */
#include <stdio.h>
#include <string.h>

#include "common/session.h"
#include "common/shake.h"
#include "larch/oscore_client.h"
#include "send/send_int.h"
#include "system.h"
#include "text/text.h"

#define EXCHANGES     16
#define QUERY_MAX     (sizeof(((larch_posix_uri *)0)->query) + 24)
#define ANSWER_MAX    LARCH_COAP_BODY_MAX
#define FAILURE_BYTES 400

typedef struct protected_send {
    sending *s;
    larch_app_session app;
    larch_session session;
    larch_coap_exchange exchanges[EXCHANGES];
    uint8_t answers[EXCHANGES * 8]; /* acknowledgements of responses alone */
    larch_coap_endpoint endpoint;
    larch_oscore_client_config config;
    larch_oscore_client client;
    uint8_t scratch[LARCH_OSCORE_CLIENT_SCRATCH];
    uint8_t body[ANSWER_MAX];
    char query[QUERY_MAX];
    uint64_t next; /* the own number after the last one used */
    uint64_t n;    /* of the reading; 0: the text is not a reading */
    uint8_t shown_hint;
    larch_error outcome; /* LARCH_AGAIN: none yet */
    larch_coap_answer answer;
} protected_send;

/* ---- numbers ----------------------------------------------------------------- */

/* One message protected and one received, on record before the first of them. */
static larch_error take_number(void *context, uint64_t now_ms, uint64_t *number)
{
    protected_send *p = context;
    (void)now_ms;
    larch_error e = larch_app_session_count(&p->app, p->app.counted + 2);
    if (e == LARCH_OK && p->next >= p->app.end)
        e = larch_app_session_grant(&p->app, p->next + 1);
    if (e != LARCH_OK)
        return e;
    larch_oscore_grant(&p->session.oscore, p->next, p->app.end);
    e = larch_oscore_take_number(&p->session.oscore, number);
    if (e == LARCH_OK)
        p->next = *number + 1;
    return e;
}

/* The query of the URI, and for a reading its number, which no other reading of this context has. */
static larch_exit take_query(protected_send *p)
{
    const larch_posix_uri *uri = &p->s->uri;
    larch_exit code;
    p->n = 0;
    (void)snprintf(p->query, sizeof p->query, "%s", uri->query);
    if (!larch_app_is_reading_path(uri->path))
        return LARCH_EXIT_DONE;
    if ((code = larch_context_state_take_n(&p->app.state, &p->n)) == LARCH_EXIT_DONE)
        (void)snprintf(p->query, sizeof p->query, "%s%sn=%llu", uri->query, uri->query[0] != '\0' ? "&" : "",
                       (unsigned long long)p->n);
    return code;
}

/* ---- on the wire --------------------------------------------------------------- */

/* An error that anybody can have sent: shown at once, and believed by nobody. */
static void show_unprotected(protected_send *p)
{
    char text[LARCH_TEXT_CODE_MAX], line[64];
    const uint8_t hint = larch_oscore_client_hint(&p->client);
    if (hint != p->shown_hint && hint != 0) {
        (void)snprintf(line, sizeof line, "%s %s without protection", larch_text_of_code(hint, text),
                       larch_coap_code_text(hint));
        larch_show_line(&p->s->show, "not believed, trying on", line);
    }
    p->shown_hint = hint;
}

static void take_event(protected_send *p, uint64_t now_ms, const larch_coap_event *event)
{
    larch_coap_answer answer;
    const larch_error e = larch_oscore_client_take(&p->client, now_ms, event, &answer);
    show_unprotected(p);
    if (e == LARCH_AGAIN)
        return;
    p->outcome = e;
    p->answer = answer;
}

static uint64_t settle(void *context)
{
    protected_send *p = context;
    const uint64_t now_ms = larch_posix_now_ms();
    larch_peer peer;
    larch_bytes datagram;
    larch_coap_event event;
    while (larch_coap_endpoint_poll(&p->endpoint, now_ms, &peer, &datagram, &event) == LARCH_OK) {
        if (datagram.len > 0) {
            larch_show_datagram(&p->s->show, true, datagram);
            larch_app_wire_send(&p->s->wire, datagram);
        } else {
            take_event(p, now_ms, &event);
        }
    }
    send_show_hint(p->s);
    if (p->outcome != LARCH_AGAIN)
        larch_loop_stop(&p->s->loop, 0);
    return larch_coap_endpoint_deadline_ms(&p->endpoint);
}

static void take_datagrams(larch_loop_watch *watch, unsigned events)
{
    protected_send *p = watch->context;
    uint8_t reply[LARCH_COAP_DATAGRAM_MAX];
    (void)events;
    larch_app_wire_receive(&p->s->wire, &larch_app_batch);
    for (size_t i = 0; i < larch_app_batch.count; i++) {
        const larch_udp_datagram *d = &larch_app_batch.datagrams[i];
        larch_writer writer = larch_writer_to(reply, sizeof reply);
        larch_coap_event event;
        const uint64_t now_ms = larch_posix_now_ms();
        larch_show_datagram(&p->s->show, false, (larch_bytes){d->bytes, d->len});
        larch_coap_endpoint_receive(&p->endpoint, now_ms, &d->peer, d->multicast, (larch_bytes){d->bytes, d->len},
                                    &writer, &event);
        if (writer.len > 0)
            larch_app_wire_send(&p->s->wire, (larch_bytes){reply, writer.len});
        take_event(p, now_ms, &event);
    }
    send_show_hint(p->s);
}

/* Until there is an outcome, or the user's time is over: LARCH_TIMEOUT. */
static larch_error drive(protected_send *p)
{
    sending *s = p->s;
    larch_loop_watch answers = {.fd = s->wire.udp.fd, .ready = take_datagrams, .context = p};
    larch_loop_init(&s->loop, settle, p);
    if (larch_loop_add_watch(&s->loop, &answers, LARCH_LOOP_READ) != LARCH_OK)
        return LARCH_PLATFORM;
    if (larch_loop_run_until(&s->loop, larch_posix_now_ms() + (uint64_t)(s->timeout * 1000)) == LARCH_LOOP_DUE)
        p->outcome = LARCH_TIMEOUT;
    larch_oscore_client_cancel(&p->client);
    return p->outcome;
}

/* ---- the end of one ------------------------------------------------------------- */

static void explain(const protected_send *p, larch_error e, char text[FAILURE_BYTES])
{
    const sending *s = p->s;
    const uint8_t hint = larch_oscore_client_hint(&p->client);
    char code[LARCH_TEXT_CODE_MAX];
    if (e != LARCH_TIMEOUT && e != LARCH_RESET)
        (void)snprintf(text, FAILURE_BYTES, "%s", larch_error_text(e));
    else if (hint != 0)
        (void)snprintf(text, FAILURE_BYTES,
                       "no protected answer, but %s %s without protection; check that both sides hold this %s",
                       larch_text_of_code(hint, code), larch_coap_code_text(hint),
                       p->app.is_enrolled ? "session" : "context");
    else if (s->wire.hint != 0)
        (void)snprintf(text, FAILURE_BYTES, "no answer: %s; %s", larch_app_hint_of(s->wire.hint).text,
                       larch_app_hint_of(s->wire.hint).advice);
    else
        (void)snprintf(text, FAILURE_BYTES,
                       "no protected answer within %g s; check the address, and that both sides hold this %s",
                       s->timeout, p->app.is_enrolled ? "session" : "context");
}

static larch_exit fail(protected_send *p, larch_error e)
{
    char text[FAILURE_BYTES];
    explain(p, e, text);
    larch_show_result(&p->s->show, &(larch_show_end){.failure = text, .n = p->n});
    if (p->app.failure != LARCH_EXIT_DONE)
        return p->app.failure; /* the state has said why */
    return larch_app_fail(NAME, "%s: %s", p->s->authority, text);
}

/* It was verified, so that it is the gateway's. */
static larch_exit show_answer(protected_send *p)
{
    const uint8_t code = p->answer.code;
    char text[FAILURE_BYTES], code_text[LARCH_TEXT_CODE_MAX];
    larch_show_end end = {.outcome = code == LARCH_COAP_CHANGED ? "accepted" : "answered",
                          .is_proven = true,
                          .code = code,
                          .answer = p->answer.body,
                          .n = p->n};
    if (LARCH_COAP_CLASS(code) != 2) {
        (void)snprintf(text, sizeof text, "the gateway refused it: %s %s", larch_text_of_code(code, code_text),
                       larch_coap_code_text(code));
        end.failure = text;
    }
    larch_show_result(&p->s->show, &end);
    return end.failure == NULL ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s: %s", p->s->authority, text);
}

static protected_send state; /* of one run */

/* ---- sessions ------------------------------------------------------------------------ */

/* Begins the session that the state has. */
static larch_exit begin_session(protected_send *p)
{
    p->next = p->app.first;
    return larch_app_session_begin(&p->app, &p->session);
}

static void show_handshake(void *context, const char *what, const char *result)
{
    const protected_send *p = context;
    larch_show_line(&p->s->show, what, result);
}

static void show_shaken(void *context, bool out, larch_bytes datagram)
{
    protected_send *p = context;
    larch_show_datagram(&p->s->show, out, datagram);
}

static larch_exit shake_hands(protected_send *p)
{
    const larch_app_shaking shaking = {.gateway = &p->s->wire.gateway,
                                       .authority = p->s->authority,
                                       .timeout_s = p->s->timeout,
                                       .show = show_handshake,
                                       .show_datagram = show_shaken,
                                       .context = p};
    larch_exit code = larch_app_shake_hands(&p->app, &shaking);
    if (code == LARCH_EXIT_DONE)
        code = larch_app_session_take_up(&p->app);
    return code == LARCH_EXIT_DONE ? begin_session(p) : code;
}

static larch_exit open_session(protected_send *p)
{
    const larch_app_enrolled enrolled = {p->s->enrolment_path, p->s->enrolment_state, p->s->has_no_clock};
    larch_exit code;
    if (p->s->enrolment_path[0] == '\0') {
        code = larch_app_session_open(&p->app, NAME, p->s->context_path);
        return code == LARCH_EXIT_DONE ? begin_session(p) : code;
    }
    if ((code = larch_app_session_open_enrolled(&p->app, NAME, &enrolled)) != LARCH_EXIT_DONE)
        return code;
    if (larch_app_session_needs_handshake(&p->app))
        return shake_hands(p);
    code = larch_app_session_take_up(&p->app);
    return code == LARCH_EXIT_DONE ? begin_session(p) : code;
}

/* The gateway says that it does not know the session. Anybody can say so, which is why it is believed only when no verified
 * answer came in all of the time; and all that follows is a handshake, in which the gateway has to prove who it is. */
static bool is_session_lost(const protected_send *p, larch_error e)
{
    return p->app.is_enrolled && (e == LARCH_TIMEOUT || e == LARCH_RESET) &&
           larch_oscore_client_hint(&p->client) == LARCH_COAP_UNAUTHORIZED;
}

/* ---- one text ------------------------------------------------------------------------ */

static larch_error ask(protected_send *p)
{
    const sending *s = p->s;
    const larch_coap_target target = {.peer = s->wire.gateway,
                                      .type = s->config.non_confirmable ? LARCH_COAP_NON : LARCH_COAP_CON};
    const larch_coap_ask ask = {.method = LARCH_COAP_POST,
                                .path = s->uri.path,
                                .query = p->query,
                                .payload = s->message,
                                .content_format = (uint16_t)s->format};
    p->outcome = LARCH_AGAIN;
    p->shown_hint = 0;
    const larch_error e =
        larch_oscore_client_ask(&p->client, &p->config, larch_posix_now_ms(), &target, &ask, p->body, sizeof p->body);
    return e == LARCH_OK ? drive(p) : e;
}

static larch_exit post(sending *s)
{
    protected_send *p = &state;
    larch_exit code = LARCH_EXIT_DONE;
    if (p->app.is_enrolled && larch_app_session_needs_handshake(&p->app))
        code = shake_hands(p);
    if (code != LARCH_EXIT_DONE || (code = take_query(p)) != LARCH_EXIT_DONE)
        return code;
    larch_error e = ask(p);
    if (is_session_lost(p, e)) {
        larch_show_line(&s->show, "no session", "the gateway does not know it any more");
        if ((code = shake_hands(p)) != LARCH_EXIT_DONE)
            return code;
        e = ask(p); /* under the number that it has, so that the gateway stores it once */
    }
    return e == LARCH_OK ? show_answer(p) : fail(p, e);
}

/* ---- the whole of it -------------------------------------------------------------- */

static larch_exit begin(protected_send *p)
{
    static const uint16_t understood[] = {LARCH_COAP_OPT_OSCORE};
    const larch_coap_memory memory = {p->exchanges, EXCHANGES, p->answers, sizeof p->answers};
    const larch_exit code = open_session(p);
    if (code != LARCH_EXIT_DONE)
        return code;
    p->config = (larch_oscore_client_config){&p->endpoint, &p->session, take_number, p, p->scratch};
    const larch_error e = larch_coap_endpoint_init(&p->endpoint, &memory, &p->s->random, understood,
                                                   sizeof understood / sizeof understood[0]);
    return e == LARCH_OK ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s", larch_error_text(e));
}

larch_exit send_protected(sending *s)
{
    protected_send *p = &state;
    larch_posix_uri *uri = &s->uri;
    if (larch_app_is_reading_path(uri->path) &&
        (strncmp(uri->query, "n=", 2) == 0 || strstr(uri->query, "&n=") != NULL))
        return larch_app_usage(NAME, "n is the number that larch gives a reading: leave it out");
    p->s = s;
    larch_exit code = begin(p);
    if (code == LARCH_EXIT_DONE)
        code = send_all(s, post);
    const larch_exit closed = larch_app_session_close(&p->app, p->next);
    larch_wipe(p, sizeof *p);
    return code == LARCH_EXIT_DONE ? closed : code;
}
