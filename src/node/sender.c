/* SPDX-License-Identifier: Apache-2.0 */
/*
 *            fetch                      pinned                post
 *   IDLE ----------> FETCH_KEY -------------------> READY <--------> POST
 *                     |     \  pin differs           ^  ^             |
 *                     |      `---------> ENDORSE ----'  | trust       | AUTH_FAIL: fetch anew, once
 *                     `----------------> DECIDE --------'             v
 *                       no pin                                    FETCH_KEY
 */
#include <string.h>

#include "larch/sender.h"

#define NEVER              UINT64_MAX
#define FALLBACK_MS        1000 /* a prototype gateway stays silent to GET */
#define PROTOTYPE_TEXT_MAX 64   /* and takes no more than this */
#define NO_FORMAT          0xffff

/* A prototype's answers carry Uri-Path, which has no place in a response. */
static const uint16_t understood[] = {LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_BLOCK1, LARCH_COAP_OPT_BLOCK2};

#define TEXT(name, text) [LARCH_SENDER_##name] = (text),
static const char *const state_texts[] = {LARCH_SENDER_STATES(TEXT)};
#undef TEXT
#define TEXT(name, text) [LARCH_SENDER_FAIL_##name] = (text),
static const char *const failure_texts[] = {LARCH_SENDER_FAILURES(TEXT)};
#undef TEXT

const char *larch_sender_state_text(larch_sender_state state)
{
    return state < sizeof state_texts / sizeof state_texts[0] ? state_texts[state] : "?";
}

const char *larch_sender_failure_text(larch_sender_failure failure)
{
    return failure < sizeof failure_texts / sizeof failure_texts[0] ? failure_texts[failure] : "?";
}

/* ---- life -------------------------------------------------------------- */

static void pin(larch_sender *s, larch_bytes ek, const uint8_t hash[32])
{
    memcpy(s->pinned_ek, ek.data, ek.len);
    memcpy(s->pinned_hash, hash, sizeof s->pinned_hash);
    memcpy(s->config.pin, hash, sizeof s->config.pin);
    s->config.pinned = true;
    s->config.pinned_ek = (larch_bytes){s->pinned_ek, ek.len};
}

larch_error larch_sender_init(larch_sender *s, uint64_t now_ms, const larch_sender_config *config)
{
    uint8_t hash[32];
    larch_error e;
    (void)now_ms;
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->fallback_at_ms = NEVER;
    if (config->pinned_ek.len > 0) {
        if ((e = larch_kem_check_ek(config->kem, config->pinned_ek)) != LARCH_OK ||
            (e = larch_direct_key_hash(config->pinned_ek, hash)) != LARCH_OK)
            return e;
        /* Given both, the key on record must be the pinned one. */
        if (config->pinned && memcmp(hash, config->pin, sizeof config->pin) != 0)
            return LARCH_STATE;
        pin(s, config->pinned_ek, hash);
    }
    return larch_coap_endpoint_init(&s->endpoint, s->exchanges, sizeof s->exchanges / sizeof s->exchanges[0],
                                    config->random, understood, sizeof understood / sizeof understood[0]);
}

void larch_sender_wipe(larch_sender *s) { larch_wipe(s, sizeof *s); }

static void fail(larch_sender *s, larch_sender_failure failure)
{
    larch_coap_client_cancel(&s->client);
    larch_coap_client_cancel(&s->fallback);
    s->fallback_at_ms = NEVER;
    larch_wipe(s->next_ss, sizeof s->next_ss);
    larch_wipe(s->text, s->text_len);
    s->state = LARCH_SENDER_FAILED;
    s->failure = failure;
}

/* ---- requests ---------------------------------------------------------- */

static larch_error ask(larch_sender *s, uint64_t now_ms, uint8_t method, const char *path, const char *query,
                       larch_bytes payload)
{
    const larch_coap_ask what = {
        .peer = s->config.peer,
        .type = s->config.non_confirmable && s->state == LARCH_SENDER_POST ? LARCH_COAP_NON : LARCH_COAP_CON,
        .method = method,
        .flags = s->is_prototype ? LARCH_COAP_EMPTY_TOKEN : 0,
        .path = path,
        .query = query,
        .payload = payload,
        .content_format = NO_FORMAT,
        .echo = {s->echo, s->echo_len},
    };
    return larch_coap_client_ask(&s->client, &s->endpoint, now_ms, &what, s->body, sizeof s->body);
}

static const char *query_of(const larch_kem *kem)
{
    return kem->set == 768 ? "kem=768" : kem->set == 1024 ? "kem=1024" : NULL;
}

static larch_error ask_as_prototype(larch_sender *s, uint64_t now_ms)
{
    const larch_coap_ask what = {
        .peer = s->config.peer,
        .type = LARCH_COAP_CON,
        .method = LARCH_COAP_POST,
        .flags = LARCH_COAP_EMPTY_TOKEN | LARCH_COAP_SECOND_WAY,
        .path = LARCH_DIRECT_PATH_KEY,
        .content_format = NO_FORMAT,
        .echo = {s->echo, s->echo_len},
    };
    s->fallback_at_ms = NEVER;
    return larch_coap_client_ask(&s->fallback, &s->endpoint, now_ms, &what, s->fallback_body, sizeof s->fallback_body);
}

/* Asks for the key in the ways that may be answered. */
static larch_error begin_fetch(larch_sender *s, uint64_t now_ms)
{
    s->state = LARCH_SENDER_FETCH_KEY;
    if (s->config.prototype || s->is_prototype)
        return ask_as_prototype(s, now_ms);
    if (s->config.kem->set == 512) /* the only set that a prototype has */
        s->fallback_at_ms = now_ms + FALLBACK_MS;
    return ask(s, now_ms, LARCH_COAP_GET, LARCH_DIRECT_PATH_KEY, query_of(s->config.kem), (larch_bytes){0});
}

larch_error larch_sender_fetch(larch_sender *s, uint64_t now_ms)
{
    if (s->state != LARCH_SENDER_IDLE && s->state != LARCH_SENDER_READY)
        return LARCH_STATE;
    s->refetched = false;
    larch_error e = begin_fetch(s, now_ms);
    if (e != LARCH_OK)
        fail(s, LARCH_SENDER_FAIL_PLATFORM);
    return e;
}

/* Seals what is in s->text to the trusted key and posts it. */
static larch_error begin_post(larch_sender *s, uint64_t now_ms)
{
    const larch_bytes ek = {s->ek, s->config.kem->ek_len};
    size_t len;
    larch_error e = larch_direct_seal(s->config.kem, s->config.random, s->config.trace, ek,
                                      (larch_bytes){s->text, s->text_len}, s->message, sizeof s->message, &len);
    if (e != LARCH_OK)
        return e;
    s->state = LARCH_SENDER_POST;
    return ask(s, now_ms, LARCH_COAP_POST, LARCH_DIRECT_PATH_DATA, NULL, (larch_bytes){s->message, len});
}

larch_error larch_sender_post(larch_sender *s, uint64_t now_ms, larch_bytes text)
{
    if (s->state != LARCH_SENDER_READY)
        return LARCH_STATE;
    if (text.len > larch_direct_text_max(s->config.kem) || (s->is_prototype && text.len > PROTOTYPE_TEXT_MAX))
        return LARCH_SPACE;
    if (text.len > 0)
        memcpy(s->text, text.data, text.len);
    s->text_len = text.len;
    s->refetched = false;
    larch_error e = begin_post(s, now_ms);
    if (e != LARCH_OK && e != LARCH_AGAIN)
        fail(s, LARCH_SENDER_FAIL_PLATFORM);
    if (e == LARCH_AGAIN)
        s->state = LARCH_SENDER_READY;
    return e;
}

larch_error larch_sender_trust(larch_sender *s)
{
    if (s->state != LARCH_SENDER_DECIDE)
        return LARCH_STATE;
    pin(s, (larch_bytes){s->ek, s->config.kem->ek_len}, s->hash);
    s->state = LARCH_SENDER_READY;
    return LARCH_OK;
}

/* ---- answers ----------------------------------------------------------- */

/* A trusted key is there: go on with what it was fetched for. */
static larch_error become_ready(larch_sender *s, uint64_t now_ms)
{
    s->state = LARCH_SENDER_READY;
    return s->refetched ? begin_post(s, now_ms) : LARCH_OK;
}

/* Asks the pinned key whether it endorses the one that was fetched. */
static larch_error begin_endorse(larch_sender *s, uint64_t now_ms)
{
    size_t len;
    larch_error e = larch_direct_next_ask(s->config.kem, s->config.random, s->config.pinned_ek, s->message,
                                          sizeof s->message, &len, s->next_ss);
    if (e != LARCH_OK)
        return e;
    s->state = LARCH_SENDER_ENDORSE;
    return ask(s, now_ms, LARCH_COAP_POST, LARCH_DIRECT_PATH_NEXT, NULL, (larch_bytes){s->message, len});
}

static larch_error take_key(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    larch_error e;
    if (LARCH_COAP_CLASS(answer->code) != 2) {
        fail(s, LARCH_SENDER_FAIL_REFUSED);
        return LARCH_OK;
    }
    larch_trace_begin(s->config.trace, LARCH_STEP_CHECK_KEY);
    e = larch_kem_check_ek(s->config.kem, answer->body);
    larch_trace_end(s->config.trace, LARCH_STEP_CHECK_KEY, answer->body.len);
    if (e != LARCH_OK) {
        fail(s, LARCH_SENDER_FAIL_BAD_KEY);
        return LARCH_OK;
    }
    larch_trace_begin(s->config.trace, LARCH_STEP_FINGERPRINT);
    e = larch_direct_key_hash(answer->body, s->hash);
    larch_trace_end(s->config.trace, LARCH_STEP_FINGERPRINT, sizeof s->hash);
    if (e != LARCH_OK)
        return e;
    memcpy(s->ek, answer->body.data, answer->body.len);
    if (!s->config.pinned) {
        s->state = LARCH_SENDER_DECIDE;
        return LARCH_OK;
    }
    if (memcmp(s->hash, s->config.pin, sizeof s->config.pin) == 0) {
        pin(s, answer->body, s->hash);
        if (s->refetched) { /* the same key again: it was not rotated, so the message is at fault */
            fail(s, LARCH_SENDER_FAIL_AUTH);
            return LARCH_OK;
        }
        return become_ready(s, now_ms);
    }
    if (s->config.pinned_ek.len == 0 || s->is_prototype) {
        fail(s, LARCH_SENDER_FAIL_WRONG_KEY);
        return LARCH_OK;
    }
    return begin_endorse(s, now_ms);
}

static larch_error take_endorsement(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    uint8_t new_hash[32];
    larch_error e = LARCH_AUTH;
    if (answer->code == LARCH_COAP_CHANGED)
        e = larch_direct_next_check(s->next_ss, s->pinned_hash, answer->body, new_hash);
    larch_wipe(s->next_ss, sizeof s->next_ss);
    if (e == LARCH_PLATFORM)
        return e;
    if (e != LARCH_OK || memcmp(new_hash, s->hash, sizeof new_hash) != 0) {
        fail(s, LARCH_SENDER_FAIL_WRONG_KEY);
        return LARCH_OK;
    }
    pin(s, (larch_bytes){s->ek, s->config.kem->ek_len}, s->hash);
    s->rotated = true;
    return become_ready(s, now_ms);
}

static larch_error take_receipt(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    switch (larch_direct_answer_find(answer->body)) {
    case LARCH_DIRECT_OK:
        if (answer->code != LARCH_COAP_CHANGED)
            break;
        larch_wipe(s->text, s->text_len);
        s->state = LARCH_SENDER_READY;
        return LARCH_OK;
    case LARCH_DIRECT_REPLAY:
        fail(s, LARCH_SENDER_FAIL_REPLAY);
        return LARCH_OK;
    case LARCH_DIRECT_AUTH_FAIL:
        if (s->refetched) {
            fail(s, LARCH_SENDER_FAIL_AUTH);
            return LARCH_OK;
        }
        s->refetched = true;
        return begin_fetch(s, now_ms);
    default:
        break;
    }
    fail(s, LARCH_COAP_CLASS(answer->code) == 2 ? LARCH_SENDER_FAIL_BAD_ANSWER : LARCH_SENDER_FAIL_REFUSED);
    return LARCH_OK;
}

static void take_answer(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    larch_error e = LARCH_OK;
    s->answer_code = answer->code;
    s->answer_len = (uint8_t)(answer->body.len < sizeof s->answer ? answer->body.len : sizeof s->answer);
    memcpy(s->answer, answer->body.data, s->answer_len);
    if (answer->echo.len > 0 && answer->echo.len <= sizeof s->echo) {
        memmove(s->echo, answer->echo.data, answer->echo.len);
        s->echo_len = (uint8_t)answer->echo.len;
    }
    switch (s->state) {
    case LARCH_SENDER_FETCH_KEY:
        s->fallback_at_ms = NEVER;
        e = take_key(s, now_ms, answer);
        break;
    case LARCH_SENDER_ENDORSE:
        e = take_endorsement(s, now_ms, answer);
        break;
    case LARCH_SENDER_POST:
        e = take_receipt(s, now_ms, answer);
        break;
    default:
        break;
    }
    if (e != LARCH_OK)
        fail(s, LARCH_SENDER_FAIL_PLATFORM);
}

static larch_sender_failure failure_of(larch_error e)
{
    switch (e) {
    case LARCH_STATE:
        return LARCH_SENDER_FAIL_RESET;
    case LARCH_PLATFORM:
        return LARCH_SENDER_FAIL_NO_ANSWER;
    default:
        return LARCH_SENDER_FAIL_BAD_ANSWER;
    }
}

static void take_event(larch_sender *s, uint64_t now_ms, const larch_coap_event *event)
{
    larch_coap_answer answer;
    larch_error e = larch_coap_client_take(&s->fallback, now_ms, event, &answer);
    if (e == LARCH_OK && s->state == LARCH_SENDER_FETCH_KEY) {
        larch_coap_client_cancel(&s->client);
        s->is_prototype = answer.etag.len == 0; /* a gateway of ours, merely late, gives an ETag */
        take_answer(s, now_ms, &answer);
        return;
    }
    if (e != LARCH_AGAIN && s->state == LARCH_SENDER_FETCH_KEY && (s->config.prototype || s->is_prototype))
        fail(s, failure_of(e));
    if (e != LARCH_AGAIN)
        return;
    e = larch_coap_client_take(&s->client, now_ms, event, &answer);
    if (e == LARCH_AGAIN)
        return;
    if (e == LARCH_OK) {
        larch_coap_client_cancel(&s->fallback);
        take_answer(s, now_ms, &answer);
    } else {
        fail(s, failure_of(e));
    }
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
    take_event(s, now_ms, &event);
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
    if (now_ms >= s->fallback_at_ms && s->state == LARCH_SENDER_FETCH_KEY)
        (void)!ask_as_prototype(s, now_ms); /* the GET is still under way */
    while ((e = larch_coap_endpoint_poll(&s->endpoint, now_ms, peer, datagram, &event)) == LARCH_OK) {
        if (datagram->len > 0)
            return LARCH_OK;
        take_event(s, now_ms, &event);
    }
    return e;
}

uint64_t larch_sender_deadline_ms(const larch_sender *s)
{
    uint64_t deadline_ms = larch_coap_endpoint_deadline_ms(&s->endpoint);
    if (s->reply_len > 0)
        return 0;
    return s->fallback_at_ms < deadline_ms ? s->fallback_at_ms : deadline_ms;
}

void larch_sender_unreachable(larch_sender *s)
{
    if (s->state == LARCH_SENDER_FETCH_KEY || s->state == LARCH_SENDER_ENDORSE || s->state == LARCH_SENDER_POST)
        fail(s, LARCH_SENDER_FAIL_UNREACHABLE);
}

/* ---- what came of it --------------------------------------------------- */

larch_sender_state larch_sender_state_of(const larch_sender *s) { return s->state; }
larch_sender_failure larch_sender_failure_of(const larch_sender *s) { return s->failure; }
bool larch_sender_rotated(const larch_sender *s) { return s->rotated; }

uint8_t larch_sender_answer(const larch_sender *s, larch_bytes *text)
{
    if (text != NULL)
        *text = (larch_bytes){s->answer, s->answer_len};
    return s->answer_code;
}

larch_bytes larch_sender_key(const larch_sender *s, const uint8_t **hash)
{
    bool fetched = s->state == LARCH_SENDER_DECIDE || s->state == LARCH_SENDER_READY || s->state == LARCH_SENDER_POST ||
                   (s->state == LARCH_SENDER_FAILED && s->failure == LARCH_SENDER_FAIL_WRONG_KEY);
    if (hash != NULL)
        *hash = s->hash;
    return fetched ? (larch_bytes){s->ek, s->config.kem->ek_len} : (larch_bytes){0};
}
