/* SPDX-License-Identifier: Apache-2.0 */
/* How a sender ends what it was doing, and why. */
#include "node/sender_int.h"

#define BUSY_AGAIN_MS 1000 /* where a place is missing, not a message ID */

void larch_sender_stop_timers(larch_sender *s)
{
    s->fallback_at_ms = s->retry_at_ms = s->renew_until_ms = SENDER_NEVER;
    s->is_held = false;
}

void larch_sender_fail(larch_sender *s, larch_sender_failure failure)
{
    larch_coap_client_cancel(&s->client);
    larch_coap_client_cancel(&s->fallback);
    larch_sender_stop_timers(s);
    larch_trust_drop_question(&s->trust);
    larch_wipe(s->text, s->text_len);
    larch_wipe(&s->receipt, sizeof s->receipt);
    s->state = LARCH_SENDER_FAILED;
    s->failure = failure;
}

static larch_sender_failure failure_from(const larch_sender *s, larch_error e)
{
    switch (e) {
    case LARCH_TIMEOUT:
        return LARCH_SENDER_FAIL_NO_ANSWER;
    case LARCH_RESET:
        return LARCH_SENDER_FAIL_RESET;
    case LARCH_PLATFORM:
        return LARCH_SENDER_FAIL_PLATFORM;
    default: /* blocks that contradict each other, or more than any answer of a gateway has */
        return s->bad_option != 0 ? LARCH_SENDER_FAIL_OPTION : LARCH_SENDER_FAIL_BAD_ANSWER;
    }
}

/* Message IDs may be used up for minutes: that is no time in which a gateway is silent. */
static void hold(larch_sender *s, uint64_t now_ms)
{
    const uint64_t soon_ms = now_ms + BUSY_AGAIN_MS, free_ms = larch_coap_endpoint_free_ms(&s->endpoint);
    larch_coap_client_cancel(&s->client);
    larch_coap_client_cancel(&s->fallback);
    larch_trust_drop_question(&s->trust);
    s->fallback_at_ms = SENDER_NEVER;
    s->retry_at_ms = free_ms > soon_ms ? free_ms : soon_ms;
    s->patient_until_ms += s->retry_at_ms - now_ms;
    s->is_held = true;
}

void larch_sender_take_error(larch_sender *s, uint64_t now_ms, larch_error e)
{
    if (e == LARCH_BUSY)
        hold(s, now_ms);
    else
        larch_sender_fail(s, failure_from(s, e));
}

bool larch_sender_refused(const larch_sender *s)
{
    const larch_sender_failure f = s->failure;
    return f == LARCH_SENDER_FAIL_WRONG_KEY || f == LARCH_SENDER_FAIL_WRONG_IDENTITY ||
           f == LARCH_SENDER_FAIL_NO_IDENTITY || f == LARCH_SENDER_FAIL_BAD_IDENTITY || f == LARCH_SENDER_FAIL_RECEIPT;
}
