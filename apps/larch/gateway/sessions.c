/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app.h"
#include "common/keylog.h"
#include "registry/enrolled.h"
#include "registry/policy.h"

#define NAME       "gateway"
#define SECOND_MS  1000
#define QUIET_MS   60000
#define DOOMED_MAX 64 /* sessions of a device that are forgotten at once */
#define KEPT       16384
#define KEPT_BYTES (KEPT * 48)         /* the 2.04 to a reading takes some 20 bytes */
#define BUILT_S    INT64_C(1793491200) /* 2026-11-01: no clock that is right is behind it, */
#define TRUSTED_S  INT64_C(631152000)  /* nor, for 20 years, this far ahead of it */

/* ---- what the service asks ---------------------------------------------------- */

/* Once a minute: a device sends its reading again and again. */
static void report_unreadable(gateway_sessions *s)
{
    if (s->report->now_ms < s->quiet_until_ms)
        return;
    s->quiet_until_ms = s->report->now_ms + QUIET_MS;
    gateway_report_say(s->report, "%s; readings that may have been stored before are answered 5.03",
                       larch_outbox_error(s->outbox)->text);
}

static larch_recall recall(void *context, const larch_accepted_id *identity,
                           const uint8_t hash[LARCH_ACCEPTED_HASH_LEN], uint64_t *highest)
{
    gateway_sessions *s = context;
    const uint8_t kind = identity->bytes[0], *owner = identity->bytes + 1, *number = owner + LARCH_SEEN_OWNER_LEN;
    switch (larch_outbox_recall(s->outbox, kind, owner, larch_number_at(number, kind == 'N' ? 8 : 5), hash, highest)) {
    case LARCH_SEEN_KNOWN:
        return LARCH_RECALL_KNOWN;
    case LARCH_SEEN_CONFLICT:
        return LARCH_RECALL_CONFLICT;
    case LARCH_SEEN_FAILED:
        report_unreadable(s);
        return LARCH_RECALL_FAILED;
    default:
        return LARCH_RECALL_UNKNOWN;
    }
}

static larch_error last(void *context, larch_bytes name, uint8_t *out, size_t cap, size_t *len, uint16_t *format)
{
    const gateway_sessions *s = context;
    larch_outbox_last_reading reading;
    const larch_error e = larch_outbox_last(s->outbox, name, &reading);
    if (e != LARCH_OK)
        return e;
    if (reading.text.len > cap)
        return LARCH_SPACE;
    if (reading.text.len > 0)
        memcpy(out, reading.text.data, reading.text.len);
    *len = reading.text.len;
    *format = reading.format;
    return LARCH_OK;
}

static uint64_t clock_s(const gateway_report *report)
{
    const int64_t now_s = report->unix_ms / 1000;
    return now_s >= BUILT_S && now_s < BUILT_S + TRUSTED_S ? (uint64_t)now_s : 0;
}

static void heard(void *context, const larch_session *session)
{
    gateway_sessions *s = context;
    larch_sessions_hear(s->registry, session, clock_s(s->report));
    s->listener.heard(s->listener.context, session->device);
}

static bool allows(void *context, uint64_t device, larch_bytes name, bool reports)
{
    const gateway_sessions *s = context;
    return larch_sessions_allows(s->registry, device, name, reports ? LARCH_POLICY_REPORT : LARCH_POLICY_READ);
}

/* ---- start ------------------------------------------------------------------------ */

uint64_t gateway_sessions_unix_s(const gateway_sessions *s) { return clock_s(s->report); }

static larch_exit make_service(gateway_sessions *s, const larch_random *random,
                               const larch_oscore_handshakes *handshakes)
{
    s->readings = (larch_readings){.context = s, .recall = recall, .last = last};
    s->devices = (larch_oscore_devices){.context = s, .heard = heard, .allows = allows};
    s->config = (larch_oscore_config){.contexts = larch_sessions_contexts(s->registry),
                                      .readings = &s->readings,
                                      .devices = &s->devices,
                                      .epochs = &s->epochs,
                                      .handshakes = handshakes,
                                      .kept = calloc(KEPT, sizeof *s->config.kept),
                                      .kept_count = KEPT,
                                      .kept_bytes = malloc(KEPT_BYTES),
                                      .kept_bytes_len = KEPT_BYTES,
                                      .watches = calloc(LARCH_SESSIONS_OBSERVATIONS, sizeof *s->config.watches),
                                      .watch_count = LARCH_SESSIONS_OBSERVATIONS,
                                      .commands = s->commands,
                                      .command_count = sizeof s->commands / sizeof s->commands[0],
                                      .command_scratch = s->command_scratch};
    const larch_error e = larch_oscore_service_init(&s->service, &s->config, random);
    return e == LARCH_OK ? LARCH_EXIT_DONE
                         : larch_app_fail(NAME, "%s", e == LARCH_STATE ? "out of memory" : larch_error_text(e));
}

#if LARCH_KEYLOG
/* A log that cannot be written is complained of, and keeps nobody from being served. */
static void log_keys(void *context, const larch_oscore_parameters *parameters)
{
    (void)context;
    (void)larch_app_keylog(NAME, parameters);
}
#endif

larch_exit gateway_sessions_open(gateway_sessions *s, const gateway_options *options, gateway_report *report,
                                 const larch_posix_state *state, const larch_storage *storage,
                                 const larch_random *random, larch_outbox *outbox,
                                 const larch_oscore_handshakes *handshakes)
{
    char path[GATEWAY_STATE_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    larch_registry_reason why;
    s->report = report;
    s->outbox = outbox;
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_SESSIONS_NAME, options->state);
    const larch_sessions_config config = {
        .path = path,
        .storage = storage,
        .random = random,
        .place_max = options->contexts,
        .start = state->start,
        .complete = state->complete,
        .has_groups = true,
#if LARCH_KEYLOG
        .key_log = log_keys,
#endif
    };
    if (larch_sessions_open(&s->registry, &config, &why) != LARCH_OK)
        return larch_app_fail(NAME, "%s", why.text);
    return make_service(s, random, handshakes);
}

static void resume_observations(gateway_sessions *s)
{
    larch_observation observation;
    uint64_t at = 0;
    larch_error e;
    while ((e = larch_sessions_next_observation(s->registry, &at, &observation)) == LARCH_OK)
        if (larch_oscore_service_resume(&s->service, &observation) != LARCH_OK)
            break;
    if (e != LARCH_OK && e != LARCH_AGAIN)
        gateway_report_say(s->report, "%s; observations are not taken up", larch_sessions_error(s->registry)->text);
}

/* Returns what larch_sessions_start does. */
static larch_error begin(gateway_sessions *s)
{
    size_t removed;
    const larch_error e =
        larch_sessions_start(s->registry, &s->epochs, s->report->now_ms, clock_s(s->report), &removed);
    if (e != LARCH_OK)
        return e;
    s->is_started = true;
    if (removed > 0)
        gateway_report_say(s->report,
                           "the clock stayed behind the newest time on record: %zu sessions were deleted, and their "
                           "devices need new ones",
                           removed);
    resume_observations(s);
    return LARCH_OK;
}

larch_exit gateway_sessions_start(gateway_sessions *s)
{
    const larch_error e = begin(s);
    if (e == LARCH_AGAIN)
        gateway_report_say(s->report,
                           "the clock is behind the newest time on record: sessions wait until it has passed that, for "
                           "at most a minute, and are deleted then");
    else if (e != LARCH_OK)
        return larch_app_fail(NAME, "%s", larch_sessions_error(s->registry)->text);
    return LARCH_EXIT_DONE;
}

/* ---- run -------------------------------------------------------------------------- */

/* What is remembered of messages of a device or session that is gone, whose number is never given again. */
static void forget_identities(gateway_sessions *s, uint8_t kind, uint64_t number)
{
    uint8_t owner[LARCH_SEEN_OWNER_LEN];
    larch_writer w = larch_writer_to(owner, sizeof owner);
    larch_writer_put_u64(&w, number);
    (void)!larch_outbox_forget(s->outbox, kind, owner); /* without memory they stay, which does no harm */
}

/* Contexts that a handshake has replaced. */
static void drop_doomed(gateway_sessions *s, larch_gateway *gateway)
{
    const larch_session *session;
    while ((session = larch_sessions_doomed_one(s->registry)) != NULL) {
        larch_oscore_service_forget(&s->service, &gateway->server, session->number);
        forget_identities(s, 'O', session->number);
        larch_sessions_drop(s->registry, session->number);
    }
}

void gateway_sessions_maintain(gateway_sessions *s, larch_gateway *gateway)
{
    size_t removed;
    drop_doomed(s, gateway);
    if (s->report->now_ms < s->next_ms)
        return;
    s->next_ms = s->report->now_ms + SECOND_MS;
    if (!s->is_started) {
        const larch_error e = begin(s);
        if (e != LARCH_OK && e != LARCH_AGAIN)
            gateway_report_say(s->report, "%s; sessions are not served", larch_sessions_error(s->registry)->text);
        return;
    }
    if (larch_sessions_expire(s->registry, clock_s(s->report), &removed) != LARCH_OK ||
        larch_sessions_flush(s->registry) != LARCH_OK)
        gateway_report_say(s->report, "%s", larch_sessions_error(s->registry)->text);
}

uint64_t gateway_sessions_deadline_ms(const gateway_sessions *s)
{
    return larch_sessions_count(s->registry) > 0 || !s->is_started ? s->next_ms : UINT64_MAX;
}

const char *gateway_sessions_name(gateway_sessions *s, uint64_t device)
{
    if (device != s->device && !larch_sessions_name(s->registry, device, s->name))
        device = 0;
    s->device = device;
    return s->name;
}

larch_session *gateway_sessions_find(const gateway_sessions *s, uint64_t device)
{
    larch_session *best = NULL, *session;
    size_t at = 0;
    while ((session = larch_sessions_next(s->registry, &at)) != NULL) {
        if (session->device != device)
            continue;
        const bool is_heard = session->last.port != 0, was_heard = best != NULL && best->last.port != 0;
        if (best == NULL || (is_heard && !was_heard) ||
            (is_heard == was_heard && session->first_epoch > best->first_epoch))
            best = session;
    }
    return best;
}

bool gateway_sessions_revoke(gateway_sessions *s, larch_gateway *gateway, const char *name, const char **why)
{
    const uint64_t device = larch_sessions_device(s->registry, name);
    const larch_session *session;
    uint64_t doomed[DOOMED_MAX];
    size_t at = 0, doomed_count = 0, removed;
    *why = "there is no device of this name";
    if (device == 0)
        return false;
    while ((session = larch_sessions_next(s->registry, &at)) != NULL)
        if (session->device == device)
            larch_oscore_service_forget(&s->service, &gateway->server, session->number);
    at = 0;
    while ((session = larch_sessions_next(s->registry, &at)) != NULL && doomed_count < DOOMED_MAX)
        if (session->device == device)
            doomed[doomed_count++] = session->number;
    const larch_error e = larch_sessions_forget_device(s->registry, device, &removed);
    *why = larch_sessions_error(s->registry)->text;
    s->device = 0;
    if (e != LARCH_OK)
        return false;
    s->listener.gone(s->listener.context, device);
    forget_identities(s, 'N', device);
    for (size_t i = 0; i < doomed_count; i++)
        forget_identities(s, 'O', doomed[i]);
    return true;
}

bool gateway_sessions_add(gateway_sessions *s, const char *name, const larch_oscore_parameters *parameters,
                          const char **why)
{
    larch_session *session;
    const larch_error e = larch_sessions_add(s->registry, name, parameters, 0, &session);
    *why = larch_sessions_error(s->registry)->text;
    return e == LARCH_OK;
}

/* ---- end -------------------------------------------------------------------------- */

larch_exit gateway_sessions_close(gateway_sessions *s)
{
    larch_registry_reason why;
    if (s->registry == NULL)
        return LARCH_EXIT_DONE;
    const larch_error e = larch_sessions_close(s->registry, &why);
    if (e != LARCH_OK)
        gateway_report_say(s->report, "%s", why.text);
    free(s->config.kept);
    free(s->config.kept_bytes);
    free(s->config.watches);
    return e == LARCH_OK ? LARCH_EXIT_DONE : LARCH_EXIT_FAILED;
}
