/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/downlink.h"

#include <stdio.h>
#include <string.h>

#include "common/context_file.h"
#include "common/device_name.h"
#include "system.h"
#include "text/text.h"

#define OBSERVERS_MAX (GATEWAY_COMMANDS / 2) /* observations leave room for requests, which end by themselves */

#define FAIL(why, ...) (snprintf(why, LARCH_CONTROL_WHY_MAX, __VA_ARGS__), false)

/* ---- words --------------------------------------------------------------- */

static bool take_name(larch_bytes word, char name[LARCH_SESSIONS_NAME_MAX + 1], char why[LARCH_CONTROL_WHY_MAX])
{
    if (word.len > LARCH_SESSIONS_NAME_MAX)
        return FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
    memcpy(name, word.data, word.len);
    name[word.len] = '\0';
    return larch_app_is_device_name(name) || FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
}

/* "led", "/led" or "led?a=1&b". */
static bool take_path(gateway_downlink_job *job, larch_bytes word, char why[LARCH_CONTROL_WHY_MAX])
{
    if (word.data[0] == '/')
        word = (larch_bytes){word.data + 1, word.len - 1};
    if (word.len > GATEWAY_PATH_MAX)
        return FAIL(why, "the path is longer than %d bytes", GATEWAY_PATH_MAX);
    memcpy(job->path, word.data, word.len);
    job->path[word.len] = '\0';
    char *query = strchr(job->path, '?');
    if (query != NULL)
        *query++ = '\0';
    job->query = query;
    return true;
}

static bool take_method(larch_bytes word, uint8_t *method)
{
    static const struct {
        const char *name;
        uint8_t method;
    } rows[] = {{"get", LARCH_COAP_GET}, {"post", LARCH_COAP_POST}, {"put", LARCH_COAP_PUT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (larch_bytes_equal(word, larch_bytes_of_text(rows[i].name))) {
            *method = rows[i].method;
            return true;
        }
    return false;
}

/* ---- contexts ------------------------------------------------------------ */

static bool add_file(gateway_downlink *d, const char *name, const larch_context_file *file,
                     char why[LARCH_CONTROL_WHY_MAX])
{
    const larch_oscore_parameters parameters = larch_context_file_parameters(file);
    const char *reason;
    return gateway_sessions_add(d->sessions, name, &parameters, &reason) || FAIL(why, "%s", reason);
}

static bool add_context(void *context, const larch_control_request *request, larch_writer *data,
                        char why[LARCH_CONTROL_WHY_MAX])
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    uint8_t text[LARCH_CONTEXT_FILE_PLAIN_MAX];
    larch_context_file file;
    larch_context_fault fault;
    size_t len;
    (void)data;
    if (!take_name(request->word[1], name, why))
        return false;
    if (!larch_control_take_hex(request->word[2], text, sizeof text, &len))
        return FAIL(why, "the context is not in hexadecimal");
    const larch_error e = larch_context_file_parse((larch_bytes){text, len}, &file, &fault);
    larch_wipe(text, sizeof text);
    if (e != LARCH_OK)
        return FAIL(why, "the context: %s", fault.text);
    const bool is_added = add_file(context, name, &file, why);
    larch_context_file_wipe(&file);
    return is_added;
}

/* ---- requests ------------------------------------------------------------ */

static bool ask_device(gateway_downlink *d, gateway_downlink_job *job, const larch_coap_ask *ask,
                       char why[LARCH_CONTROL_WHY_MAX])
{
    const uint64_t device = larch_sessions_device(d->sessions->registry, job->name);
    const larch_session *session = device != 0 ? gateway_sessions_find(d->sessions, device) : NULL;
    if (device == 0)
        return FAIL(why, "there is no device '%s'", job->name);
    if (session == NULL)
        return FAIL(why, "%s has no context", job->name);
    switch (larch_oscore_service_ask(&d->sessions->service, session->number, ask, job->observes, &job->handle)) {
    case LARCH_OK:
        return true;
    case LARCH_AGAIN:
        return FAIL(why, "%s has not been heard of since the gateway's start", job->name);
    case LARCH_SPENT:
        return FAIL(why, "the context of %s is used up: it needs a new one", job->name);
    case LARCH_BUSY:
        return FAIL(why, "too many requests to devices are under way; try again");
    default:
        return FAIL(why, "the context of %s has expired, or waits for the clock", job->name);
    }
}

static gateway_downlink_job *find_job(gateway_downlink *d, const gateway_control_client *client)
{
    for (size_t i = 0; i < GATEWAY_COMMANDS; i++)
        if (d->jobs[i].client == client)
            return &d->jobs[i];
    return NULL;
}

static void end_job(gateway_downlink_job *job) { larch_wipe(job, sizeof *job); }

/* A place for a client, with the words that every request has; NULL: why says why not. */
static gateway_downlink_job *take_job(gateway_downlink *d, bool observes, larch_bytes name, larch_bytes path,
                                      char why[LARCH_CONTROL_WHY_MAX])
{
    size_t observers = 0;
    gateway_downlink_job *job = find_job(d, NULL);
    for (size_t i = 0; i < GATEWAY_COMMANDS; i++)
        observers += d->jobs[i].client != NULL && d->jobs[i].observes;
    if (job == NULL || (observes && observers == OBSERVERS_MAX)) {
        (void)FAIL(why, "too many %s are under way; try again", observes ? "observations" : "requests to devices");
        return NULL;
    }
    job->observes = observes;
    return take_name(name, job->name, why) && take_path(job, path, why) ? job : NULL;
}

static bool begin(gateway_downlink *d, gateway_downlink_job *job, gateway_control_client *client,
                  const larch_coap_ask *ask, char why[LARCH_CONTROL_WHY_MAX])
{
    if (!ask_device(d, job, ask, why)) {
        end_job(job);
        return false;
    }
    job->client = client;
    return true;
}

static bool begin_ask(void *context, gateway_control_client *client, const larch_control_request *request,
                      char why[LARCH_CONTROL_WHY_MAX])
{
    gateway_downlink *d = context;
    larch_coap_ask ask = {.content_format = LARCH_COAP_FORMAT_NONE};
    gateway_downlink_job *job = take_job(d, false, request->word[1], request->word[3], why);
    if (job == NULL)
        return false;
    if (!take_method(request->word[2], &ask.method))
        return FAIL(why, "a method is get, post or put");
    if (!larch_control_take_hex(request->word[4], job->payload, sizeof job->payload, &ask.payload.len))
        return FAIL(why, "the value is not in hexadecimal, or has more than %zu bytes", sizeof job->payload);
    ask.path = job->path;
    ask.query = job->query;
    ask.payload.data = job->payload;
    if (ask.payload.len > 0 && larch_text_is_utf8(ask.payload))
        ask.content_format = LARCH_COAP_FORMAT_TEXT;
    return begin(d, job, client, &ask, why);
}

static bool begin_observation(void *context, gateway_control_client *client, const larch_control_request *request,
                              char why[LARCH_CONTROL_WHY_MAX])
{
    gateway_downlink *d = context;
    gateway_downlink_job *job = take_job(d, true, request->word[1], request->word[2], why);
    if (job == NULL)
        return false;
    const larch_coap_ask ask = {
        .method = LARCH_COAP_GET, .path = job->path, .query = job->query, .content_format = LARCH_COAP_FORMAT_NONE};
    return begin(d, job, client, &ask, why);
}

static void leave(void *context, gateway_control_client *client)
{
    gateway_downlink *d = context;
    gateway_downlink_job *job = find_job(d, client);
    if (job == NULL)
        return;
    larch_oscore_service_cancel(&d->sessions->service, larch_posix_now_ms(), job->handle);
    end_job(job);
}

/* ---- answers ------------------------------------------------------------- */

static void put_answer(gateway_control_client *client, const larch_oscore_outcome *outcome)
{
    static uint8_t text[2 * LARCH_COAP_BODY_MAX + 16];
    char code[LARCH_TEXT_CODE_MAX];
    larch_writer w = larch_writer_to(text, sizeof text - 1);
    larch_text_put(&w, larch_text_of_code(outcome->code, code));
    larch_text_put(&w, " ");
    larch_control_put_hex(&w, outcome->body);
    text[w.len] = '\0';
    (void)gateway_control_put(client, (const char *)text);
    larch_wipe(text, sizeof text);
}

static void explain(const gateway_downlink_job *job, const larch_oscore_outcome *outcome,
                    char why[LARCH_CONTROL_WHY_MAX])
{
    char code[LARCH_TEXT_CODE_MAX];
    switch (outcome->error) {
    case LARCH_TIMEOUT:
        if (outcome->hint != 0)
            (void)FAIL(why, "%s did not answer; somebody sent %s without protection", job->name,
                       larch_text_of_code(outcome->hint, code));
        else
            (void)FAIL(why, "%s did not answer", job->name);
        return;
    case LARCH_RESET:
        (void)FAIL(why, "%s refused the message", job->name);
        return;
    case LARCH_STATE:
        (void)FAIL(why, "the context of %s has ended", job->name);
        return;
    case LARCH_SPACE:
        (void)FAIL(why, "the request is too long for a datagram, or the answer has more than %d bytes",
                   LARCH_COAP_BODY_MAX);
        return;
    default:
        (void)FAIL(why, "the request to %s failed: %s", job->name, larch_error_text(outcome->error));
    }
}

static void conclude(gateway_downlink_job *job, const larch_oscore_outcome *outcome)
{
    gateway_control_client *client = job->client;
    char why[LARCH_CONTROL_WHY_MAX];
    if (outcome->error == LARCH_OK)
        put_answer(client, outcome);
    if (!outcome->is_last || job->client == NULL)
        return; /* more may come; or the client has gone, and with it the job */
    if (outcome->error != LARCH_OK)
        explain(job, outcome, why);
    end_job(job);
    gateway_control_finish(client, outcome->error == LARCH_OK ? NULL : why);
}

void gateway_downlink_pump(gateway_downlink *d)
{
    larch_oscore_outcome outcome;
    for (size_t i = 0; i < GATEWAY_COMMANDS; i++)
        if (d->jobs[i].client != NULL &&
            larch_oscore_service_outcome(&d->sessions->service, d->jobs[i].handle, &outcome) == LARCH_OK)
            conclude(&d->jobs[i], &outcome);
}

/* ---- verbs --------------------------------------------------------------- */

void gateway_downlink_verbs(gateway_downlink *d, gateway_control_verb verbs[GATEWAY_DOWNLINK_VERBS])
{
    verbs[0] = (gateway_control_verb){.name = "add-context", .arguments = 2, .context = d, .run = add_context};
    verbs[1] = (gateway_control_verb){.name = "ask", .arguments = 4, .context = d, .begin = begin_ask, .left = leave};
    verbs[2] = (gateway_control_verb){
        .name = "observe", .arguments = 2, .context = d, .begin = begin_observation, .left = leave};
}
