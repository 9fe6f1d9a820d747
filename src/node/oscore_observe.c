/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Observations of readings [RFC7641] [RFC8613 4.1.3.5]. An observation is durable before its first notification leaves,
 * so it survives a restart. Every notification takes a number of our own. What changes while one is on its way is sent
 * once that one has come to an end: the client gets the last reading, if not every one of them.
 */
#include <string.h>

#include "node/oscore_service_int.h"

#if LARCH_SERVER_SESSIONS

#define LOST_MAX 3    /* notifications in a row that nobody acknowledged, each sent five times: the client is gone */
#define LATER_MS 1000 /* until the next try, if there are no numbers or no storage now */
#define ASK_MS   (24u * 3600 * 1000) /* after which a client is asked whether it is there [RFC7641 4.5] */
#define SZX_ANY  LARCH_COAP_BLOCK_SZX

/* ---- the table ---------------------------------------------------------------- */

static uint8_t *count_of(larch_oscore_service *oscore, larch_bytes name)
{
    unsigned hash = 0;
    for (size_t i = 0; i < name.len; i++)
        hash = 31 * hash + name.data[i];
    return &oscore->watched[hash % LARCH_OSCORE_WATCHED];
}

static larch_bytes name_of(const larch_observation *o) { return (larch_bytes){o->name, o->name_len}; }
static larch_bytes token_of(const larch_observation *o) { return (larch_bytes){o->token, o->token_len}; }

/* A count that is full stays so: its names are looked for in vain now and then. */
static void count(larch_oscore_service *oscore, const larch_observation *o, bool begins)
{
    uint8_t *watched = count_of(oscore, name_of(o));
    oscore->watch_used += begins ? 1u : -1u;
    if (*watched < UINT8_MAX)
        *watched = (uint8_t)(begins ? *watched + 1 : *watched - 1);
}

static larch_oscore_watch *find(larch_oscore_service *oscore, uint64_t session, larch_bytes token)
{
    for (size_t i = 0; i < oscore->config.watch_count; i++) {
        larch_oscore_watch *watch = &oscore->config.watches[i];
        if (watch->observation.session == session && larch_bytes_equal(token_of(&watch->observation), token))
            return watch;
    }
    return NULL;
}

static void drop(larch_oscore_service *oscore, larch_oscore_watch *watch)
{
    count(oscore, &watch->observation, false);
    memset(watch, 0, sizeof *watch);
}

/* For good. If the storage fails, the observation is there again after a restart, and ends then. */
static void end(larch_oscore_service *oscore, larch_oscore_watch *watch)
{
    const larch_contexts *contexts = oscore->config.contexts;
    (void)!contexts->end_observation(contexts->context, &watch->observation);
    drop(oscore, watch);
}

larch_error larch_oscore_service_resume(larch_oscore_service *oscore, const larch_observation *observation)
{
    larch_oscore_watch *watch = find(oscore, 0, (larch_bytes){NULL, 0});
    if (watch == NULL)
        return LARCH_SPACE;
    /* What came while the server was away, it does not know: it sends what is there now. */
    *watch = (larch_oscore_watch){.observation = *observation, .is_due = true};
    count(oscore, observation, true);
    oscore->is_any_due = true;
    return LARCH_OK;
}

void larch_oscore_service_forget(larch_oscore_service *oscore, larch_server *srv, uint64_t session)
{
    for (size_t i = 0; oscore->watch_used > 0 && i < oscore->config.watch_count; i++) {
        larch_oscore_watch *watch = &oscore->config.watches[i];
        if (watch->observation.session != session)
            continue;
        larch_coap_endpoint_cancel(&srv->endpoint, watch->handle);
        drop(oscore, watch);
    }
    larch_oscore_end_commands(oscore, session);
}

/* ---- registration --------------------------------------------------------------- */

static bool is_same(const larch_observation *a, const larch_observation *b)
{
    return larch_peer_equal(&a->peer, &b->peer) && larch_bytes_equal(name_of(a), name_of(b)) &&
           memcmp(&a->binding, &b->binding, sizeof a->binding) == 0;
}

static larch_observation observation_of(const larch_request *rq, larch_bytes name)
{
    const larch_coap_message *m = rq->message;
    larch_coap_block block = {.szx = SZX_ANY};
    bool given;
    larch_observation o = {.session = rq->session->number,
                           .peer = *rq->peer,
                           .binding = rq->slot->protection.binding,
                           .confirmable = m->type == LARCH_COAP_CON,
                           .token_len = (uint8_t)m->token.len,
                           .name_len = (uint8_t)name.len};
    if (larch_coap_block_find(m, LARCH_COAP_OPT_BLOCK2, &given, &block) == LARCH_OK)
        o.szx = block.szx < SZX_ANY ? block.szx : SZX_ANY;
    if (m->token.len > 0)
        memcpy(o.token, m->token.data, m->token.len);
    memcpy(o.name, name.data, name.len);
    return o;
}

static bool register_observation(larch_oscore_service *oscore, const larch_request *rq, larch_bytes name)
{
    const larch_contexts *contexts = oscore->config.contexts;
    const larch_observation o = observation_of(rq, name);
    larch_oscore_watch *watch = find(oscore, o.session, rq->message->token);
    if (watch != NULL && (!larch_bytes_equal(name_of(&watch->observation), name) ||
                          !larch_peer_equal(&watch->observation.peer, &o.peer))) {
        end(oscore, watch); /* the client uses its token for something else now, or its address has changed */
        watch = NULL;
    }
    const bool is_there = watch != NULL;
    if (!is_there && (watch = find(oscore, 0, (larch_bytes){NULL, 0})) == NULL)
        return false;
    if (larch_oscore_take_own(oscore, rq) != LARCH_OK)
        return false;
    if ((!is_there || !is_same(&watch->observation, &o)) &&
        contexts->add_observation(contexts->context, &o) != LARCH_OK)
        return false;
    if (!is_there) {
        *watch = (larch_oscore_watch){.observation = o};
        count(oscore, &o, true);
    }
    watch->observation = o;
    watch->ask_ms = rq->now_ms + ASK_MS;
    watch->lost = 0;
    return true;
}

bool larch_oscore_observe(larch_oscore_service *oscore, const larch_request *rq, larch_bytes name)
{
    larch_bytes value;
    uint32_t observe;
    if (!larch_coap_option_find(rq->message, LARCH_COAP_OPT_OBSERVE, &value) ||
        larch_coap_option_uint(value, &observe) != LARCH_OK)
        return false;
    if (observe == 0)
        return register_observation(oscore, rq, name);
    larch_oscore_watch *watch = find(oscore, rq->session->number, rq->message->token);
    if (observe == 1 && watch != NULL)
        end(oscore, watch);
    return false;
}

/* ---- notifications -------------------------------------------------------------- */

void larch_oscore_notify(larch_oscore_service *oscore, larch_bytes name)
{
    if (*count_of(oscore, name) == 0)
        return;
    for (size_t i = 0; i < oscore->config.watch_count; i++) {
        larch_oscore_watch *watch = &oscore->config.watches[i];
        if (watch->observation.session != 0 && larch_bytes_equal(name_of(&watch->observation), name))
            watch->is_due = oscore->is_any_due = true;
        oscore->due_ms = 0;
    }
}

/* The notification in plain, in the draft. Its header is that of no message: options and payload alone leave. */
static larch_error compose(larch_oscore_service *oscore, const larch_observation *o, uint64_t number,
                           larch_coap_message *plain)
{
    const larch_readings *readings = oscore->config.readings;
    larch_coap_slice slice = {.block = {.szx = o->szx}};
    larch_bytes body = {oscore->last, 0}, datagram;
    uint16_t format;
    larch_coap_builder b;
    larch_error e =
        readings->last(readings->context, name_of(o), oscore->last, sizeof oscore->last, &body.len, &format);
    if (e != LARCH_OK)
        return e;
    slice.bytes = body;
    if (body.len > larch_coap_block_size(o->szx)) { /* the client asks for the rest */
        slice.blockwise = slice.block.more = true;
        slice.bytes.len = larch_coap_block_size(o->szx);
    }
    larch_coap_build(&b, oscore->draft, sizeof oscore->draft, LARCH_COAP_NON, LARCH_COAP_CONTENT, 0,
                     (larch_bytes){NULL, 0});
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, (uint32_t)(number & 0xffffff));
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, format);
    larch_coap_block2_build(&b, &slice, body.len);
    if (slice.bytes.len > 0)
        larch_coap_build_payload(&b, slice.bytes);
    e = larch_coap_build_end(&b, &datagram);
    return e == LARCH_OK ? larch_coap_parse(datagram, plain) : e;
}

/* Protects the notification into the opened buffer, which no request is in between batches. */
static larch_error protect(larch_oscore_service *oscore, const larch_observation *o, const larch_session *session,
                           uint64_t number, larch_coap_message *out)
{
    const larch_oscore_scratch scratch = {oscore->scratch, sizeof oscore->scratch};
    larch_coap_message plain;
    larch_bytes datagram;
    larch_error e = compose(oscore, o, number, &plain);
    if (e == LARCH_OK)
        e = larch_oscore_protect_response(&session->oscore, &o->binding, &number, &plain, scratch, oscore->opened,
                                          sizeof oscore->opened, &datagram);
    larch_wipe(oscore->draft, sizeof oscore->draft);
    return e == LARCH_OK ? larch_coap_parse(datagram, out) : e;
}

/* LARCH_BUSY: no transmission is free. */
static larch_error send_to(larch_oscore_service *oscore, larch_server *srv, uint64_t now_ms, larch_oscore_watch *watch,
                           larch_session *session)
{
    const larch_observation *o = &watch->observation;
    const bool asks = o->confirmable != 0 || now_ms >= watch->ask_ms;
    larch_coap_pending pending = {.peer = o->peer, .is_request = true, .confirmable = asks, .token_len = o->token_len};
    larch_coap_builder b;
    larch_coap_message message;
    uint32_t handle;
    uint64_t number;
    memcpy(pending.token, o->token, sizeof pending.token);
    larch_error e = larch_coap_endpoint_respond(&srv->endpoint, now_ms, &pending, LARCH_COAP_CONTENT, &b, &handle);
    if (e != LARCH_OK)
        return e == LARCH_AGAIN ? LARCH_BUSY : e;
    if ((e = larch_epochs_take(oscore->config.epochs, session, now_ms, &number)) == LARCH_OK &&
        (e = protect(oscore, o, session, number, &message)) == LARCH_OK) {
        larch_oscore_copy_into(&b, &message);
        e = larch_coap_endpoint_request_end(&srv->endpoint, &b, handle);
    }
    if (e != LARCH_OK)
        larch_coap_endpoint_cancel(&srv->endpoint, handle);
    else
        watch->handle = asks ? handle : 0;
    if (e == LARCH_OK && asks)
        watch->ask_ms = now_ms + ASK_MS;
    return e;
}

/* Returns false if no transmission is free. */
static bool serve(larch_oscore_service *oscore, larch_server *srv, uint64_t now_ms, larch_oscore_watch *watch)
{
    const larch_contexts *contexts = oscore->config.contexts;
    larch_session *session = contexts->find_number(contexts->context, watch->observation.session);
    if (session == NULL) {
        end(oscore, watch);
        return true;
    }
    const larch_error e = send_to(oscore, srv, now_ms, watch, session);
    if (e == LARCH_BUSY)
        return false;
    watch->is_due = e != LARCH_OK && e != LARCH_SPENT; /* a session that is spent gets no more */
    watch->wait_ms = e == LARCH_OK ? 0 : now_ms + LATER_MS;
    return true;
}

void larch_oscore_send_watches(larch_oscore_service *oscore, larch_server *srv, uint64_t now_ms)
{
    if (!oscore->is_any_due || now_ms < oscore->due_ms)
        return;
    const size_t count = oscore->config.watch_count;
    oscore->is_any_due = false;
    oscore->due_ms = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        larch_oscore_watch *watch = &oscore->config.watches[(oscore->watch_next + i) % count];
        if (!watch->is_due || watch->handle != 0)
            continue;
        if (now_ms >= watch->wait_ms && !serve(oscore, srv, now_ms, watch)) {
            oscore->watch_next = (oscore->watch_next + i) % count;
            oscore->is_any_due = true;
            oscore->due_ms = now_ms + LATER_MS; /* or when a transmission ends */
            return;
        }
        if (watch->is_due) {
            oscore->is_any_due = true;
            oscore->due_ms = watch->wait_ms < oscore->due_ms ? watch->wait_ms : oscore->due_ms;
        }
    }
}

uint64_t larch_oscore_watches_due_ms(const larch_oscore_service *oscore)
{
    return oscore->is_any_due ? oscore->due_ms : UINT64_MAX;
}

void larch_oscore_take_watch_event(larch_oscore_service *oscore, const larch_coap_event *event)
{
    oscore->due_ms = 0; /* a transmission may be free */
    for (size_t i = 0; i < oscore->config.watch_count; i++) {
        larch_oscore_watch *watch = &oscore->config.watches[i];
        if (watch->handle == 0 || watch->handle != event->handle)
            continue;
        watch->handle = 0;
        oscore->is_any_due = oscore->is_any_due || watch->is_due;
        watch->lost = event->kind == LARCH_COAP_TIMEOUT ? watch->lost + 1u : 0;
        if (watch->lost > 0)
            watch->ask_ms = 0; /* the next one is confirmable too */
        if (event->kind == LARCH_COAP_RESET || watch->lost >= LOST_MAX)
            end(oscore, watch);
        return;
    }
}

#endif
