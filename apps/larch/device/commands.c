/* SPDX-License-Identifier: Apache-2.0 */
/* The resources of the device, for a gateway alone: /time, /led, /interval, /session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/ask.h"
#include "device/device_int.h"
#include "system.h"
#include "text/text.h"

#define INTERVAL_LEAST_S 0.1
#define NUMBER_MAX       16  /* bytes of text */
#define ANSWER_MS        500 /* for an answer to arrive, and to go again to a gateway that asks again */

static void answer_text(device_run *run, const larch_request *rq, larch_bytes text)
{
    larch_request_answer(rq, &(larch_answer){.code = LARCH_COAP_CONTENT,
                                             .is_safe = true,
                                             .has_format = true,
                                             .format = LARCH_COAP_FORMAT_TEXT,
                                             .body = text});
    tell_command(run, rq, (larch_bytes){NULL, 0}, LARCH_COAP_CONTENT);
}

static void answer_change(device_run *run, const larch_request *rq, larch_bytes body, bool is_understood)
{
    const uint8_t code = is_understood ? LARCH_COAP_CHANGED : LARCH_COAP_BAD_REQUEST;
    larch_request_answer(rq, &(larch_answer){.code = code});
    tell_command(run, rq, body, code);
}

static void get_time(void *context, const larch_request *rq)
{
    uint8_t text[32];
    larch_writer w = larch_writer_to(text, sizeof text);
    larch_text_put_time(&w, (int64_t)(larch_posix_unix_ns() / 1000000), LARCH_TEXT_MS);
    answer_text(context, rq, (larch_bytes){text, w.len});
}

static void get_led(void *context, const larch_request *rq)
{
    device_run *run = context;
    answer_text(run, rq, run->led ? LARCH_TEXT("on") : LARCH_TEXT("off"));
}

static void set_led(void *context, const larch_request *rq)
{
    device_run *run = context;
    larch_bytes body;
    if (!larch_request_body(rq, &body))
        return;
    const bool on = larch_bytes_equal(body, LARCH_TEXT("on")), off = larch_bytes_equal(body, LARCH_TEXT("off"));
    run->led = on || (run->led && !off);
    answer_change(run, rq, body, on || off);
}

static void get_interval(void *context, const larch_request *rq)
{
    device_run *run = context;
    char text[32];
    (void)snprintf(text, sizeof text, "%g", run->options.interval);
    answer_text(run, rq, larch_bytes_of_text(text));
}

/* Seconds, with a fraction or without; false if body is anything else. */
static bool take_seconds(larch_bytes body, double *seconds)
{
    char text[NUMBER_MAX + 1] = {0}, *end;
    if (body.len == 0 || body.len > NUMBER_MAX)
        return false;
    memcpy(text, body.data, body.len);
    if (strspn(text, "0123456789.") != body.len)
        return false;
    *seconds = strtod(text, &end);
    return *end == '\0' && *seconds >= INTERVAL_LEAST_S && *seconds <= INTERVAL_MAX_S;
}

static void set_interval(void *context, const larch_request *rq)
{
    device_run *run = context;
    larch_bytes body;
    double seconds;
    if (!larch_request_body(rq, &body))
        return;
    const bool is_understood = take_seconds(body, &seconds);
    if (is_understood)
        readings_set_interval(run, seconds);
    answer_change(run, rq, body, is_understood);
}

/* "renew": a new session, once this answer has had time to arrive. The old one, which authenticates the command, stays good
 * until the new one is in use. */
static void renew_session(void *context, const larch_request *rq)
{
    device_run *run = context;
    larch_bytes body;
    if (!larch_request_body(rq, &body))
        return;
    const bool is_understood = run->session.is_enrolled && larch_bytes_equal(body, LARCH_TEXT(DEVICE_RENEW));
    if (is_understood) /* no pause: it comes from the gateway itself */
        run->renew_ms = run->rotate_ms = larch_posix_now_ms() + ANSWER_MS;
    answer_change(run, rq, body, is_understood);
}

static const uint16_t formats[] = {LARCH_COAP_FORMAT_TEXT, LARCH_COAP_FORMAT_NONE};

const larch_resource device_resources[DEVICE_RESOURCES] = {
    {.path = "time", .get = get_time, .is_protected = true, .formats = formats},
    {.path = "led", .get = get_led, .post = set_led, .put = set_led, .is_protected = true, .formats = formats},
    {.path = "interval", .get = get_interval, .put = set_interval, .is_protected = true, .formats = formats},
    {.path = DEVICE_SESSION, .post = renew_session, .is_protected = true, .formats = formats},
};
