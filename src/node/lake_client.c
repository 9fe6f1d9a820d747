/* SPDX-License-Identifier: Apache-2.0 */
/* The Initiator. Each state awaits the answer to one message. */
#include "larch/lake_client.h"

#include <string.h>

#include "node/lake_prefix.h"

#define CHALLENGES 4   /* Echos that are returned for one message */
#define BUSY_MS    250 /* the endpoint has no room for a request of ours */
#define WAITS_MAX  10
#define WAIT_MAX_S 600 /* that a Responder may ask for */
#define DRAWS      32  /* of a C_I */

enum { IDLE, SENDS_1, WAITS_FOR_2, SENDS_3, WAITS_FOR_4, WAITS_FOR_FIRST };

_Static_assert(sizeof(larch_lake_client) <= 2560, "RAM budget");

/* ---- ends ------------------------------------------------------------------------ */

static void forget(larch_lake_client *c)
{
    larch_lake_wipe(&c->lake);
    larch_wipe(&c->session, sizeof c->session);
    larch_wipe(c->config->request, c->config->request_cap);
    c->state = IDLE;
}

void larch_lake_client_cancel(larch_lake_client *c)
{
    if (c->state == IDLE)
        return;
    larch_coap_client_cancel(&c->coap);
    larch_oscore_client_cancel(&c->oscore);
    forget(c);
}

static larch_error fail(larch_lake_client *c, larch_error e)
{
    larch_lake_client_cancel(c);
    return e;
}

/* ---- sending ------------------------------------------------------------------------ */

/* The same message again, after a while. */
static larch_error put_off(larch_lake_client *c, uint64_t now_ms, uint64_t wait_ms)
{
    if (c->waits++ == WAITS_MAX)
        return fail(c, LARCH_BUSY);
    c->state = c->state == WAITS_FOR_2 || c->state == SENDS_1 ? SENDS_1 : SENDS_3;
    c->due_ms = now_ms + wait_ms;
    return LARCH_AGAIN;
}

/* The message in config->request. */
static larch_error send_message(larch_lake_client *c, uint64_t now_ms)
{
    const larch_lake_client_config *config = c->config;
    const larch_coap_target target = {.peer = config->responder, .type = LARCH_COAP_CON};
    const larch_coap_ask ask = {.method = LARCH_COAP_POST,
                                .path = LARCH_LAKE_PATH,
                                .payload = {config->request, c->message_at + c->message_len},
                                .content_format = LARCH_COAP_FORMAT_CID_EDHOC,
                                .echo = {c->echo, c->echo_len},
                                .challenges = CHALLENGES};
    const larch_error e =
        larch_coap_client_ask(&c->coap, config->endpoint, now_ms, &target, &ask, config->answer, config->answer_cap);
    if (e == LARCH_BUSY)
        return put_off(c, now_ms, BUSY_MS);
    if (e != LARCH_OK)
        return fail(c, e);
    c->state = c->state == SENDS_1 ? WAITS_FOR_2 : WAITS_FOR_4;
    return LARCH_AGAIN;
}

/* ---- message_1 ---------------------------------------------------------------------- */

static larch_error draw_c_i(const larch_lake_client *c, larch_lake_id *c_i)
{
    const larch_contexts *contexts = c->config->contexts;
    const larch_lake_suite *suite = c->config->party->suites[c->suite];
    const size_t room = larch_cose_aead_find(suite->application_aead)->nonce_len - 6u;
    for (unsigned i = 0; i < DRAWS; i++) {
        c_i->len = c->config->c_i_len < room ? c->config->c_i_len : (uint8_t)room;
        const larch_error e = larch_random_fill(&c->config->party->random, c_i->bytes, c_i->len);
        if (e != LARCH_OK)
            return e;
        if (contexts == NULL ||
            contexts->find(contexts->context, (larch_bytes){c_i->bytes, c_i->len}, (larch_bytes){NULL, 0}) == NULL)
            return LARCH_OK;
    }
    return LARCH_SPACE;
}

/* A PSK belongs to one EDHOC hash. */
static bool suite_fits(const larch_lake_client_config *config, size_t suite)
{
    return config->method != LARCH_LAKE_METHOD_PSK || config->party->suites[suite]->hash == config->own->psk_hash;
}

static larch_error send_message_1(larch_lake_client *c, uint64_t now_ms)
{
    const larch_lake_client_config *config = c->config;
    larch_writer w = larch_writer_to(config->request, config->request_cap);
    larch_lake_id c_i = {0};
    larch_error e = suite_fits(config, c->suite) ? draw_c_i(c, &c_i) : LARCH_STATE;
    larch_writer_put_u8(&w, LAKE_PREFIX_TRUE);
    larch_lake_init(&c->lake, LARCH_LAKE_INITIATOR);
    if (e == LARCH_OK)
        e = larch_lake_compose_message_1(&c->lake, config->party, config->method, c->suite,
                                         (larch_bytes){c_i.bytes, c_i.len}, (larch_bytes){NULL, 0}, &w);
    c->state = SENDS_1;
    c->message_at = 1;
    c->message_len = w.len - 1;
    return e == LARCH_OK ? send_message(c, now_ms) : fail(c, e);
}

static bool is_complete(const larch_lake_client_config *config)
{
    return config->party->suite_count > 0 && config->own != NULL && config->c_i_len > 0 &&
           config->c_i_len <= LARCH_LAKE_ID_MAX && (config->first == NULL || config->scratch != NULL);
}

larch_error larch_lake_client_begin(larch_lake_client *c, const larch_lake_client_config *config, uint64_t now_ms)
{
    if (c->state != IDLE || !is_complete(config))
        return LARCH_STATE;
    memset(c, 0, sizeof *c);
    c->config = config;
    const larch_error e = send_message_1(c, now_ms);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

/* ---- the end of the handshake ----------------------------------------------------------- */

static larch_error make(const larch_lake_client *c, larch_lake_made *made)
{
    const larch_lake_keys *keys = larch_lake_keys_of(&c->lake);
    memset(made, 0, sizeof *made);
    made->suite = keys->suite;
    made->method = keys->method;
    return larch_lake_derive(keys, c->config->rkid_len, &made->oscore, &made->next);
}

/* The Responder's wall clock, from items of EAD_4. */
static uint64_t time_of(larch_bytes ead_4)
{
    larch_reader r = larch_reader_of(ead_4);
    larch_lake_ead ead;
    while (larch_lake_take_ead(&r, &ead) == LARCH_OK)
        if (ead.label == LARCH_LAKE_EAD_TIME && ead.value.len == 8)
            return larch_number_at(ead.value.data, 8);
    return 0;
}

/* The Responder was authenticated, and the keys are confirmed. */
static larch_error store(larch_lake_client *c, uint64_t now_ms, uint64_t unix_s)
{
    larch_lake_made made;
    larch_error e = make(c, &made);
    made.unix_s = unix_s;
    if (e == LARCH_OK)
        e = c->config->store(c->config->context, now_ms, &made);
    larch_wipe(&made, sizeof made);
    c->is_stored = e == LARCH_OK;
    return e;
}

static larch_error take_message_4(larch_lake_client *c, uint64_t now_ms, larch_bytes message)
{
    larch_lake_received received;
    larch_error e = larch_lake_process_message_4(&c->lake, c->config->party, message, &received);
    if (e == LARCH_OK)
        e = store(c, now_ms, time_of(received.ead));
    return fail(c, e); /* or done */
}

/* ---- message_3 ------------------------------------------------------------------------------ */

/* Numbers of the session, for larch_oscore_client. It asks for another than the first only after it verified a response
 * under the new keys. */
static larch_error take_number(void *context, uint64_t now_ms, uint64_t *number)
{
    larch_lake_client *c = context;
    if (c->session.oscore.own_number > 0 && !c->is_stored) {
        if (larch_lake_confirm(&c->lake) != LARCH_OK || store(c, now_ms, 0) != LARCH_OK)
            return LARCH_PLATFORM;
    }
    return larch_oscore_take_number(&c->session.oscore, number);
}

static larch_error begin_session(larch_lake_client *c)
{
    larch_lake_oscore o;
    larch_error e = larch_lake_derive_oscore(larch_lake_keys_of(&c->lake), &o);
    const larch_oscore_parameters p = {.aead = o.aead,
                                       .hash = o.hash,
                                       .master_secret = {o.master_secret, o.master_secret_len},
                                       .master_salt = LARCH_BYTES(o.master_salt),
                                       .sender_id = {o.sender_id.bytes, o.sender_id.len},
                                       .recipient_id = {o.recipient_id.bytes, o.recipient_id.len}};
    if (e == LARCH_OK)
        e = larch_oscore_context_init(&c->session.oscore, &p);
    larch_wipe(&o, sizeof o);
    larch_oscore_grant(&c->session.oscore, 0, LARCH_LAKE_CLIENT_EPOCHS << 8);
    return e;
}

/* message_3 with the first request. LARCH_SPACE: they do not fit a datagram. */
static larch_error send_combined(larch_lake_client *c, uint64_t now_ms)
{
    const larch_lake_client_config *config = c->config;
    const larch_coap_target target = {.peer = config->responder, .type = LARCH_COAP_CON};
    larch_error e = begin_session(c);
    c->wiring = (larch_oscore_client_config){config->endpoint, &c->session, take_number, c, config->scratch};
    if (e == LARCH_OK)
        e = larch_oscore_client_ask_early(&c->oscore, &c->wiring, now_ms, &target, config->first, config->first_body,
                                          config->first_body_cap,
                                          (larch_bytes){config->request + c->message_at, c->message_len});
    if (e == LARCH_BUSY)
        return put_off(c, now_ms, BUSY_MS);
    if (e != LARCH_OK)
        return e;
    c->state = WAITS_FOR_FIRST;
    return LARCH_AGAIN;
}

static larch_error send_message_3(larch_lake_client *c, uint64_t now_ms)
{
    larch_error e = LARCH_SPACE;
    c->state = SENDS_3;
    if (c->config->first != NULL && !c->is_alone)
        e = send_combined(c, now_ms);
    if (e == LARCH_SPACE) {
        c->is_alone = true;
        return send_message(c, now_ms);
    }
    return e == LARCH_AGAIN || c->state == IDLE ? e : fail(c, e);
}

static larch_error take_message_2(larch_lake_client *c, uint64_t now_ms, larch_bytes message)
{
    const larch_lake_client_config *config = c->config;
    larch_writer w = larch_writer_to(config->request, config->request_cap);
    larch_lake_received received;
    larch_error e = larch_lake_process_message_2(&c->lake, config->party, message, &received);
    if (e != LARCH_OK)
        return fail(c, e);
    larch_lake_put_prefix(&w, (larch_bytes){c->lake.keys.c_r.bytes, c->lake.keys.c_r.len});
    c->message_at = w.len;
    e = larch_lake_compose_message_3(&c->lake, config->party, config->own, (larch_bytes){NULL, 0}, &w);
    if (e != LARCH_OK)
        return fail(c, e);
    c->message_len = w.len - c->message_at;
    c->waits = 0;
    return send_message_3(c, now_ms);
}

/* ---- answers ---------------------------------------------------------------------------------- */

/* The Responder prefers another suite that the enrolment allows. Each is asked for once, in the party's order. */
static larch_error take_error(larch_lake_client *c, uint64_t now_ms, larch_bytes message)
{
    larch_lake_error error;
    size_t suite;
    if (larch_lake_parse_error(message, &error) != LARCH_OK)
        return fail(c, LARCH_AUTH);
    c->error_code = error.code;
    if (c->state != WAITS_FOR_2 || larch_lake_choose_suite(c->config->party, &error, c->suite, &suite) != LARCH_OK ||
        !suite_fits(c->config, suite))
        return fail(c, LARCH_AUTH);
    c->suite = suite;
    return send_message_1(c, now_ms);
}

static larch_error take_answer(larch_lake_client *c, uint64_t now_ms, const larch_coap_answer *answer)
{
    if (answer->echo.len > 0 && answer->echo.len <= sizeof c->echo) {
        memcpy(c->echo, answer->echo.data, answer->echo.len);
        c->echo_len = (uint8_t)answer->echo.len;
    }
    if (answer->code == LARCH_COAP_CHANGED)
        return c->state == WAITS_FOR_2 ? take_message_2(c, now_ms, answer->body)
                                       : take_message_4(c, now_ms, answer->body);
    c->hint = answer->code;
    if (answer->code == LARCH_COAP_SERVICE_UNAVAILABLE || answer->code == LARCH_COAP_TOO_MANY_REQUESTS)
        return put_off(c, now_ms, (answer->max_age_s < WAIT_MAX_S ? answer->max_age_s : WAIT_MAX_S) * UINT64_C(1000));
    return take_error(c, now_ms, answer->body);
}

/* The answer to the first request was verified, so the Responder is authenticated. */
static larch_error take_first(larch_lake_client *c, uint64_t now_ms, larch_error e, const larch_coap_answer *answer)
{
    c->hint = larch_oscore_client_hint(&c->oscore);
    if (e == LARCH_OK && !c->is_stored && (e = larch_lake_confirm(&c->lake)) == LARCH_OK)
        e = store(c, now_ms, 0);
    if (e == LARCH_OK) {
        c->first = *answer;
        c->has_first = true;
    }
    return fail(c, e); /* or done */
}

larch_error larch_lake_client_take(larch_lake_client *c, uint64_t now_ms, const larch_coap_event *event)
{
    larch_coap_answer answer;
    if (c->state == WAITS_FOR_FIRST) {
        const larch_error e = larch_oscore_client_take(&c->oscore, now_ms, event, &answer);
        return e == LARCH_AGAIN ? LARCH_AGAIN : take_first(c, now_ms, e, &answer);
    }
    if (c->state != WAITS_FOR_2 && c->state != WAITS_FOR_4)
        return LARCH_AGAIN;
    const larch_error e = larch_coap_client_take(&c->coap, now_ms, event, &answer);
    if (e == LARCH_AGAIN)
        return LARCH_AGAIN;
    if (e == LARCH_BUSY)
        return put_off(c, now_ms, BUSY_MS);
    return e == LARCH_OK ? take_answer(c, now_ms, &answer) : fail(c, e);
}

/* ---- time --------------------------------------------------------------------------------------- */

uint64_t larch_lake_client_due_ms(const larch_lake_client *c)
{
    return c->state == SENDS_1 || c->state == SENDS_3 ? c->due_ms : UINT64_MAX;
}

larch_error larch_lake_client_maintain(larch_lake_client *c, uint64_t now_ms)
{
    if (now_ms < larch_lake_client_due_ms(c))
        return LARCH_AGAIN;
    return c->state == SENDS_1 ? send_message(c, now_ms) : send_message_3(c, now_ms);
}
