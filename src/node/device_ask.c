/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's own requests: a reading goes until its answer is final, and an observation is kept up. What failed goes
 * again, after twice the time at each try.
 */
#include "node/device_int.h"

#if LARCH_SERVER_SESSIONS

#include <string.h>

#define BUSY_MS          250     /* the endpoint has no room for a request of ours */
#define RETRY_MS         1000    /* doubles */
#define RETRY_MAX        6       /* doublings */
#define WAIT_MAX_S       3600    /* that a gateway may ask for */
#define OBSERVE_LEAST_MS 300000u /* without a notification, until it is registered anew */

static uint64_t back_off_ms(uint8_t *tries)
{
    const uint64_t wait_ms = (uint64_t)RETRY_MS << *tries;
    if (*tries < RETRY_MAX)
        ++*tries;
    return wait_ms;
}

static void tell(const larch_device *device, const larch_device_event *event)
{
    device->config.event(device->config.context, event);
}

static larch_coap_target gateway_of(const larch_device *device)
{
    return (larch_coap_target){.peer = device->config.gateway, .type = LARCH_COAP_CON};
}

/* ---- readings ------------------------------------------------------------ */

static void put_number(larch_writer *w, uint64_t number)
{
    char digits[20];
    size_t len = 0;
    do
        digits[len++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (len > 0)
        larch_writer_put_u8(w, (uint8_t)digits[--len]);
}

larch_error larch_device_report(larch_device *device, uint64_t now_ms, const larch_device_reading *reading)
{
    if (device->has_reading)
        return LARCH_BUSY;
    larch_writer w = larch_writer_to((uint8_t *)device->query, sizeof device->query - 1);
    memset(device->query, 0, sizeof device->query);
    if (reading->has_n) {
        larch_writer_put_text(&w, "n=");
        put_number(&w, reading->n);
    }
    device->reading = *reading;
    device->has_reading = true;
    device->reading_tries = 0;
    device->reading_due_ms = now_ms;
    return LARCH_OK;
}

static void end_reading(larch_device *device, larch_error e, const larch_coap_answer *answer)
{
    device->has_reading = false; /* first: the driver may begin the next */
    tell(device, &(larch_device_event){.kind = LARCH_DEVICE_REPORTED,
                                       .error = e,
                                       .code = answer->code,
                                       .hint = larch_oscore_client_hint(&device->reporter),
                                       .n = device->reading.n,
                                       .body = answer->body});
}

static void put_off_reading(larch_device *device, uint64_t now_ms, larch_error e, uint8_t code, uint64_t wait_ms)
{
    device->reading_due_ms = now_ms + wait_ms;
    tell(device, &(larch_device_event){.kind = LARCH_DEVICE_RETRIES,
                                       .error = e,
                                       .code = code,
                                       .hint = larch_oscore_client_hint(&device->reporter),
                                       .n = device->reading.n,
                                       .wait_ms = wait_ms});
}

/* What time may change: the network, room, or a gateway that restarts while it is asked. */
static bool is_passing(larch_error e, uint8_t code)
{
    if (e != LARCH_OK)
        return e == LARCH_TIMEOUT || e == LARCH_RESET || e == LARCH_MALFORMED || e == LARCH_PLATFORM;
    return LARCH_COAP_CLASS(code) == 5 || code == LARCH_COAP_TOO_MANY_REQUESTS || code == LARCH_COAP_UNAUTHORIZED ||
           code == LARCH_COAP_REQUEST_ENTITY_INCOMPLETE;
}

static void take_reply(larch_device *device, uint64_t now_ms, larch_error e, const larch_coap_answer *answer)
{
    if (e == LARCH_BUSY) {
        device->reading_due_ms = now_ms + BUSY_MS;
    } else if (!is_passing(e, answer->code)) {
        end_reading(device, e, answer);
    } else {
        uint64_t wait_ms = back_off_ms(&device->reading_tries);
        const uint32_t asked_s = answer->max_age_s < WAIT_MAX_S ? answer->max_age_s : WAIT_MAX_S;
        if (e == LARCH_OK &&
            (answer->code == LARCH_COAP_SERVICE_UNAVAILABLE || answer->code == LARCH_COAP_TOO_MANY_REQUESTS))
            wait_ms = asked_s * UINT64_C(1000);
        put_off_reading(device, now_ms, e, answer->code, wait_ms);
    }
}

static void send_reading(larch_device *device, uint64_t now_ms)
{
    const larch_device_reading *r = &device->reading;
    const larch_coap_target target = gateway_of(device);
    const larch_coap_answer none = {0};
    const larch_coap_ask ask = {.method = LARCH_COAP_POST,
                                .path = r->path,
                                .query = r->has_n ? device->query : NULL,
                                .payload = r->payload,
                                .content_format = r->content_format};
    const larch_error e = larch_oscore_client_ask(&device->reporter, &device->wiring, now_ms, &target, &ask,
                                                  device->reply, sizeof device->reply);
    if (e != LARCH_OK)
        take_reply(device, now_ms, e, &none);
}

/* ---- the observation ------------------------------------------------------- */

larch_error larch_device_observe(larch_device *device, uint64_t now_ms, const char *path)
{
    const size_t len = strlen(path);
    if (len == 0 || device->observes)
        return LARCH_STATE;
    if (len > LARCH_DEVICE_PATH_MAX)
        return LARCH_SPACE;
    if (larch_oscore_client_is_busy(&device->observer))
        return LARCH_BUSY; /* its requests use the path */
    device->observes = true;
    memcpy(device->observed, path, len + 1);
    device->observe_tries = 0;
    device->observe_due_ms = now_ms;
    return LARCH_OK;
}

void larch_device_unobserve(larch_device *device, uint64_t now_ms)
{
    device->observes = false; /* the path is that of the last request, too */
    if (larch_oscore_client_deregister(&device->observer, now_ms) != LARCH_OK)
        larch_oscore_client_cancel(&device->observer);
}

static void take_notice(larch_device *device, uint64_t now_ms, larch_error e, const larch_coap_answer *answer)
{
    larch_device_event event = {.kind = LARCH_DEVICE_NOTIFIED,
                                .error = e,
                                .code = answer->code,
                                .hint = larch_oscore_client_hint(&device->observer),
                                .body = answer->body};
    if (!device->observes)
        return; /* the end of it was answered */
    if (e == LARCH_BUSY) {
        device->observe_due_ms = now_ms + BUSY_MS;
        return;
    }
    if (e == LARCH_OK && larch_oscore_client_is_observing(&device->observer)) {
        const uint64_t fresh_ms = answer->max_age_s * UINT64_C(1000);
        device->observe_tries = 0;
        device->observe_due_ms = now_ms + (fresh_ms > OBSERVE_LEAST_MS ? fresh_ms : OBSERVE_LEAST_MS);
    } else {
        event.kind = LARCH_DEVICE_UNOBSERVED;
        event.wait_ms = back_off_ms(&device->observe_tries);
        device->observe_due_ms = now_ms + event.wait_ms;
    }
    tell(device, &event);
}

static void register_observation(larch_device *device, uint64_t now_ms)
{
    const larch_coap_target target = gateway_of(device);
    const larch_coap_answer none = {0};
    const larch_coap_ask ask = {
        .method = LARCH_COAP_GET, .path = device->observed, .content_format = LARCH_COAP_FORMAT_NONE};
    larch_error e;
    device->observe_due_ms = UINT64_MAX; /* until the answer, or the time-out */
    if (larch_oscore_client_is_observing(&device->observer))
        e = larch_oscore_client_reregister(&device->observer, now_ms);
    else
        e = larch_oscore_client_observe(&device->observer, &device->wiring, now_ms, &target, &ask, device->notice,
                                        sizeof device->notice);
    if (e != LARCH_OK)
        take_notice(device, now_ms, e, &none);
}

/* ---- what the server asks -------------------------------------------------- */

void larch_device_take_event(void *context, larch_server *srv, uint64_t now_ms, const larch_coap_event *event)
{
    larch_device *device = context;
    larch_coap_answer answer;
    (void)srv;
    larch_error e = larch_oscore_client_take(&device->reporter, now_ms, event, &answer);
    if (e != LARCH_AGAIN)
        take_reply(device, now_ms, e, &answer);
    e = larch_oscore_client_take(&device->observer, now_ms, event, &answer);
    if (e != LARCH_AGAIN)
        take_notice(device, now_ms, e, &answer);
}

static bool reading_waits(const larch_device *device)
{
    return device->has_reading && !larch_oscore_client_is_busy(&device->reporter);
}

void larch_device_maintain(void *context, larch_server *srv, uint64_t now_ms)
{
    larch_device *device = context;
    (void)srv;
    if (reading_waits(device) && now_ms >= device->reading_due_ms)
        send_reading(device, now_ms);
    if (device->observes && now_ms >= device->observe_due_ms)
        register_observation(device, now_ms);
}

uint64_t larch_device_due_ms(const void *context)
{
    const larch_device *device = context;
    const uint64_t reading_ms = reading_waits(device) ? device->reading_due_ms : UINT64_MAX;
    const uint64_t observe_ms = device->observes ? device->observe_due_ms : UINT64_MAX;
    return reading_ms < observe_ms ? reading_ms : observe_ms;
}

bool larch_device_is_busy(const larch_device *device)
{
    return device->has_reading || larch_oscore_client_is_busy(&device->reporter) ||
           (larch_oscore_client_is_busy(&device->observer) && !larch_oscore_client_is_observing(&device->observer));
}

#endif
