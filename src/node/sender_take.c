/* SPDX-License-Identifier: Apache-2.0 */
/* What the sender makes of a gateway's answers. */
#include <string.h>

#include "node/sender_int.h"

/* ---- trust ------------------------------------------------------------- */

/* What a GET brought, or why it did not: an older gateway has no such path. */
static larch_error take_identity(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    larch_error e = LARCH_OK;
    if (answer->code == LARCH_COAP_CONTENT)
        e = s->state == LARCH_SENDER_FETCH_DOCUMENT ? larch_trust_process_document(&s->trust, answer->body)
                                                    : larch_trust_process_root(&s->trust, answer->body);
    else if (LARCH_COAP_CLASS(answer->code) == 4)
        larch_trust_process_absence(&s->trust, now_ms);
    else if (!larch_trust_stop_identifying(&s->trust)) {
        larch_sender_fail(s, LARCH_SENDER_FAIL_REFUSED);
        return LARCH_OK;
    }
    return e == LARCH_OK ? larch_sender_go_on(s, now_ms) : e;
}

static larch_error take_key(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    if (LARCH_COAP_CLASS(answer->code) != 2) {
        larch_sender_fail(s, LARCH_SENDER_FAIL_REFUSED);
        return LARCH_OK;
    }
    const larch_error e = larch_trust_process_key(&s->trust, s->config.trace, answer->body);
    if (e == LARCH_OK)
        return larch_sender_go_on(s, now_ms);
    if (e != LARCH_MALFORMED)
        return e;
    larch_sender_fail(s, LARCH_SENDER_FAIL_BAD_KEY);
    return LARCH_OK;
}

static larch_error take_word(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    larch_error e = LARCH_OK;
    if (answer->code == LARCH_COAP_CHANGED) {
        e = larch_trust_process_answer(&s->trust, answer->body);
    } else if (answer->code == LARCH_COAP_NOT_FOUND || LARCH_COAP_CLASS(answer->code) == 2) {
        larch_trust_process_absence(&s->trust, now_ms);
    } else if (s->renew_until_ms != SENDER_NEVER) { /* there is time for another try */
        return larch_sender_put_off_renewal(s, now_ms, 0);
    } else { /* it says nothing about the key */
        larch_sender_fail(s, LARCH_SENDER_FAIL_REFUSED);
        return LARCH_OK;
    }
    return e == LARCH_OK ? larch_sender_go_on(s, now_ms) : e;
}

/* ---- receipts ---------------------------------------------------------- */

/* An answer to a message: a text that has a receipt behind it, if that was asked for and the text is about a message
 * that was opened. */
typedef struct verdict {
    larch_direct_answer answer;
    larch_bytes text;
    larch_bytes tag;
} verdict;

static verdict split(const larch_sender *s, larch_bytes body)
{
    static const larch_direct_answer opened[] = {LARCH_DIRECT_OK, LARCH_DIRECT_REPLAY};
    verdict v = {larch_direct_answer_find(body), body, {0}};
    for (size_t i = 0; i < 2 && larch_sender_wants_receipt(s); i++) {
        const char *text = larch_direct_answer_text(opened[i]);
        const size_t len = strlen(text);
        if (body.len > len && memcmp(body.data, text, len) == 0)
            v = (verdict){opened[i], {body.data, len}, {body.data + len, body.len - len}};
    }
    return v;
}

/* The gateway has opened the message, it says: now, or before. */
static larch_error take_opened(larch_sender *s, const larch_coap_answer *answer, const verdict *v)
{
    larch_error e = LARCH_OK;
    if (v->tag.len > 0)
        e = larch_direct_receipt_check(&s->receipt, answer->code, v->tag);
    if (e == LARCH_PLATFORM)
        return e;
    s->proven = e == LARCH_OK && v->tag.len > 0;
    if (e != LARCH_OK || (!s->proven && larch_trust_has_identity(&s->trust))) {
        larch_sender_fail(s, LARCH_SENDER_FAIL_RECEIPT);
    } else if (!s->proven && v->answer == LARCH_DIRECT_REPLAY) {
        larch_sender_fail(s, LARCH_SENDER_FAIL_REPLAY);
    } else {
        larch_wipe(&s->receipt, sizeof s->receipt);
        larch_wipe(s->text, s->text_len);
        s->posts = false;
        s->state = LARCH_SENDER_READY;
    }
    return LARCH_OK;
}

static larch_error take_verdict(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    const verdict v = split(s, answer->body);
    s->answer_len = (uint8_t)(v.text.len < sizeof s->answer ? v.text.len : sizeof s->answer);
    if ((v.answer == LARCH_DIRECT_OK && answer->code == LARCH_COAP_CHANGED) ||
        (v.answer == LARCH_DIRECT_REPLAY && answer->code == LARCH_COAP_UNAUTHORIZED))
        return take_opened(s, answer, &v);
    if (v.answer == LARCH_DIRECT_AUTH_FAIL && !s->refetched) {
        s->refetched = true;
        larch_trust_doubt(&s->trust);
        return larch_sender_go_on(s, now_ms);
    }
    larch_sender_fail(s, v.answer == LARCH_DIRECT_AUTH_FAIL    ? LARCH_SENDER_FAIL_AUTH
                         : LARCH_COAP_CLASS(answer->code) != 2 ? LARCH_SENDER_FAIL_REFUSED
                         : larch_trust_has_identity(&s->trust) ? LARCH_SENDER_FAIL_RECEIPT
                                                               : LARCH_SENDER_FAIL_BAD_ANSWER);
    return LARCH_OK;
}

/* ---- answers of all kinds ---------------------------------------------- */

/* The gateway's budgets are spent. Whether what was asked for can do without, or wait. */
static bool take_delay(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer, larch_error *e)
{
    const bool later = answer->code == LARCH_COAP_SERVICE_UNAVAILABLE || answer->code == LARCH_COAP_TOO_MANY_REQUESTS;
    const bool challenged = answer->code == LARCH_COAP_UNAUTHORIZED && answer->echo.len > 0;
    const uint64_t wait_ms = (answer->max_age_s > 0 ? answer->max_age_s : 1) * (uint64_t)1000;
    if (s->state == LARCH_SENDER_POST ? !later : !later && !challenged)
        return false;
    if (s->state != LARCH_SENDER_POST && s->renew_until_ms != SENDER_NEVER) {
        *e = larch_sender_put_off_renewal(s, now_ms, later ? wait_ms : 0);
        return true;
    }
    if (s->state != LARCH_SENDER_POST && s->state != LARCH_SENDER_FETCH_KEY &&
        larch_trust_stop_identifying(&s->trust)) {
        *e = larch_sender_go_on(s, now_ms);
        return true;
    }
    if (later && now_ms + wait_ms < s->patient_until_ms) {
        s->retry_at_ms = now_ms + wait_ms;
        return true;
    }
    larch_sender_fail(s, LARCH_SENDER_FAIL_REFUSED);
    return true;
}

static void take_answer(larch_sender *s, uint64_t now_ms, const larch_coap_answer *answer)
{
    larch_error e = LARCH_OK;
    const bool key = s->state == LARCH_SENDER_FETCH_KEY;
    s->answer_code = answer->code;
    s->answer_len = (uint8_t)(answer->body.len < sizeof s->answer ? answer->body.len : sizeof s->answer);
    if (s->state != LARCH_SENDER_POST && LARCH_COAP_CLASS(answer->code) == 2) /* bytes, and nothing to read */
        s->answer_code = s->answer_len = 0;
    memcpy(s->answer, answer->body.data, s->answer_len);
    if (answer->echo.len > 0 && answer->echo.len <= sizeof s->echo) {
        memmove(s->echo, answer->echo.data, answer->echo.len);
        s->echo_len = (uint8_t)answer->echo.len;
    }
    if (key)
        s->fallback_at_ms = SENDER_NEVER;
    if (!take_delay(s, now_ms, answer, &e)) {
        switch (s->state) {
        case LARCH_SENDER_FETCH_KEY:
            e = take_key(s, now_ms, answer);
            break;
        case LARCH_SENDER_FETCH_DOCUMENT:
        case LARCH_SENDER_FETCH_ROOT:
            e = take_identity(s, now_ms, answer);
            break;
        case LARCH_SENDER_VOUCH:
        case LARCH_SENDER_ENDORSE:
            e = take_word(s, now_ms, answer);
            break;
        case LARCH_SENDER_POST:
            e = take_verdict(s, now_ms, answer);
            break;
        default:
            break;
        }
    }
    if (e != LARCH_OK)
        larch_sender_take_error(s, now_ms, e);
}

/* ---- events ------------------------------------------------------------ */

/* The fallback did not bring the key, but the GET still may, unless it was never sent or what failed is ours. */
void larch_sender_take_fallback_end(larch_sender *s, uint64_t now_ms, larch_error e)
{
    if (s->state == LARCH_SENDER_FETCH_KEY && (larch_sender_is_for_prototype(s) || e == LARCH_PLATFORM))
        larch_sender_take_error(s, now_ms, e);
}

void larch_sender_take_event(larch_sender *s, uint64_t now_ms, const larch_coap_event *event)
{
    larch_coap_answer answer;
    s->bad_option = event->bad_option;
    larch_error e = larch_coap_client_take(&s->fallback, now_ms, event, &answer);
    if (e == LARCH_OK && s->state == LARCH_SENDER_FETCH_KEY) {
        larch_coap_client_cancel(&s->client);
        s->is_prototype = answer.etag.len == 0; /* a gateway of ours, merely late, gives an ETag */
        take_answer(s, now_ms, &answer);
        return;
    }
    if (e != LARCH_AGAIN) {
        larch_sender_take_fallback_end(s, now_ms, e);
        return;
    }
    e = larch_coap_client_take(&s->client, now_ms, event, &answer);
    if (e == LARCH_AGAIN)
        return;
    if (e == LARCH_OK) {
        larch_coap_client_cancel(&s->fallback);
        take_answer(s, now_ms, &answer);
    } else {
        larch_sender_take_error(s, now_ms, e);
    }
}
