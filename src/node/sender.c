/* SPDX-License-Identifier: Apache-2.0 */
/*
 *            fetch      what trust needs, one request after another
 *   IDLE ----------> FETCH_KEY, FETCH_DOCUMENT, VOUCH, FETCH_ROOT, ENDORSE
 *                      |       |        ^
 *                      | trust |        | post: renew; AUTH_FAIL: once
 *           DECIDE <---'       v        v
 *             `------------> READY <-> POST
 *               trust
 */
#include <string.h>

#include "node/sender_int.h"

_Static_assert(LARCH_COAP_BODY_MAX >= LARCH_KEM_EK_MAX && LARCH_KEM_EK_MAX >= LARCH_IDENTITY_DOCUMENT_MAX,
               "each answer has a place");

#define PROTOTYPE_TEXT_MAX 64 /* a prototype gateway takes no more than this */

/* A prototype's answers carry Uri-Path, which has no place in a response. */
static const uint16_t understood[] = {LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_BLOCK1, LARCH_COAP_OPT_BLOCK2};

/* ---- life -------------------------------------------------------------- */

larch_error larch_sender_init(larch_sender *s, uint64_t now_ms, const larch_sender_config *config)
{
    static const larch_trust_basis nothing;
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->config.trust = NULL; /* the caller's memory, copied into trust */
    larch_sender_stop_timers(s);
    const larch_error e =
        larch_trust_init(&s->trust, config->kem, config->trust != NULL ? config->trust : &nothing, now_ms);
    if (e != LARCH_OK)
        return e;
    if ((config->prototype && (config->cose || larch_trust_has_identity(&s->trust))) ||
        (config->cose && !LARCH_DIRECT_COSE))
        return LARCH_STATE;
    const larch_coap_memory memory = {s->exchanges, sizeof s->exchanges / sizeof s->exchanges[0], s->answers,
                                      sizeof s->answers};
    return larch_coap_endpoint_init(&s->endpoint, &memory, config->random, understood,
                                    sizeof understood / sizeof understood[0]);
}

void larch_sender_wipe(larch_sender *s) { larch_wipe(s, sizeof *s); }

/* ---- what the caller asks for ------------------------------------------ */

/* Begins that, now or when there is a place for it; else FAILED. */
static larch_error begin(larch_sender *s, uint64_t now_ms)
{
    s->refetched = false;
    s->proven = false;
    s->answer_code = s->answer_len = 0;
    s->patient_until_ms = now_ms + s->config.patience_ms;
    const larch_error e = larch_sender_go_on(s, now_ms);
    if (e != LARCH_OK)
        larch_sender_take_error(s, now_ms, e);
    return e == LARCH_BUSY ? LARCH_OK : e;
}

larch_error larch_sender_fetch(larch_sender *s, uint64_t now_ms)
{
    if (s->state != LARCH_SENDER_IDLE && s->state != LARCH_SENDER_READY)
        return LARCH_STATE;
    larch_trust_begin(&s->trust);
    return begin(s, now_ms);
}

size_t larch_sender_text_max(const larch_sender_config *config)
{
    return LARCH_DIRECT_COSE && config->cose ? larch_direct_cose_text_max(config->kem)
                                             : larch_direct_text_max(config->kem);
}

larch_error larch_sender_post(larch_sender *s, uint64_t now_ms, larch_bytes text)
{
    if (s->state != LARCH_SENDER_READY)
        return LARCH_STATE;
    if (text.len > larch_sender_text_max(&s->config) || (s->is_prototype && text.len > PROTOTYPE_TEXT_MAX))
        return LARCH_SPACE;
    if (text.len > 0)
        memcpy(s->text, text.data, text.len);
    s->text_len = text.len;
    s->posts = true;
    return begin(s, now_ms);
}

larch_error larch_sender_trust(larch_sender *s, uint64_t now_ms)
{
    if (s->state != LARCH_SENDER_DECIDE)
        return LARCH_STATE;
    const larch_error e = larch_trust_accept(&s->trust, now_ms);
    if (e == LARCH_OK)
        s->state = LARCH_SENDER_READY;
    return e;
}

/* ---- in and out -------------------------------------------------------- */

void larch_sender_receive(larch_sender *s, uint64_t now_ms, const larch_peer *peer, larch_bytes datagram)
{
    larch_writer reply = larch_writer_to(s->reply, sizeof s->reply);
    larch_coap_event event;
    s->reply_len = 0;
    larch_coap_endpoint_receive(&s->endpoint, now_ms, peer, false, datagram, &reply, &event);
    if (reply.len <= sizeof s->reply) {
        s->reply_len = (uint8_t)reply.len;
        s->reply_peer = *peer;
    }
    larch_sender_take_event(s, now_ms, &event);
}

/* What is due by now. */
static void run_timers(larch_sender *s, uint64_t now_ms)
{
    larch_error e = LARCH_OK;
    if (now_ms >= s->fallback_at_ms && s->state == LARCH_SENDER_FETCH_KEY &&
        (e = larch_sender_ask_prototype(s, now_ms)) != LARCH_OK) {
        larch_sender_take_fallback_end(s, now_ms, e);
        return;
    }
    if (now_ms >= s->renew_until_ms)
        e = larch_sender_put_off_renewal(s, now_ms, 0);
    else if (now_ms >= s->retry_at_ms)
        e = larch_sender_ask_again(s, now_ms);
    if (e != LARCH_OK)
        larch_sender_take_error(s, now_ms, e);
}

larch_error larch_sender_send(larch_sender *s, uint64_t now_ms, larch_peer *peer, larch_bytes *datagram)
{
    larch_coap_event event;
    larch_error e;
    if (s->reply_len > 0) {
        *peer = s->reply_peer;
        *datagram = (larch_bytes){s->reply, s->reply_len};
        s->reply_len = 0;
        return LARCH_OK;
    }
    run_timers(s, now_ms);
    while ((e = larch_coap_endpoint_poll(&s->endpoint, now_ms, peer, datagram, &event)) == LARCH_OK) {
        if (datagram->len > 0)
            return LARCH_OK;
        larch_sender_take_event(s, now_ms, &event);
    }
    return e;
}

static uint64_t earlier(uint64_t a_ms, uint64_t b_ms) { return a_ms < b_ms ? a_ms : b_ms; }

uint64_t larch_sender_deadline_ms(const larch_sender *s)
{
    if (s->reply_len > 0)
        return 0;
    return earlier(earlier(larch_coap_endpoint_deadline_ms(&s->endpoint), s->fallback_at_ms),
                   earlier(s->retry_at_ms, s->renew_until_ms));
}

/* ---- what came of it --------------------------------------------------- */

larch_sender_state larch_sender_state_of(const larch_sender *s) { return s->state; }
larch_sender_failure larch_sender_failure_of(const larch_sender *s) { return s->failure; }
bool larch_sender_rotated(const larch_sender *s) { return larch_trust_rotated(&s->trust); }
bool larch_sender_proven(const larch_sender *s) { return s->proven; }
uint16_t larch_sender_bad_option(const larch_sender *s) { return s->bad_option; }
const larch_trust *larch_sender_trust_of(const larch_sender *s) { return &s->trust; }

uint64_t larch_sender_held_until_ms(const larch_sender *s) { return s->is_held ? s->retry_at_ms : 0; }

bool larch_sender_is_busy(const larch_sender *s)
{
    return s->state != LARCH_SENDER_IDLE && s->state != LARCH_SENDER_DECIDE && s->state != LARCH_SENDER_READY &&
           s->state != LARCH_SENDER_FAILED;
}

uint8_t larch_sender_answer(const larch_sender *s, larch_bytes *text)
{
    if (text != NULL)
        *text = (larch_bytes){s->answer, s->answer_len};
    return s->answer_code;
}

larch_bytes larch_sender_key(const larch_sender *s, const uint8_t **hash)
{
    if (s->state == LARCH_SENDER_READY || s->state == LARCH_SENDER_POST)
        return larch_trust_direct_key(&s->trust, hash);
    const bool shown = s->state == LARCH_SENDER_DECIDE ||
                       (s->state == LARCH_SENDER_FAILED && s->failure == LARCH_SENDER_FAIL_WRONG_KEY);
    const larch_bytes ek = larch_trust_fetched_key(&s->trust, hash);
    return shown ? ek : (larch_bytes){0};
}
