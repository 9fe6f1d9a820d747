/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/device_name.h"
#include "system.h"
#include "text/text.h"

#define SECOND_MS   1000
#define AWAKE_S     60                /* a device that was heard so long ago gets a command at once */
#define EXPIRES_MAX (30u * 24 * 3600) /* seconds */
#define KNOCK       ".well-known/core"

#define FAIL(why, ...) (snprintf(why, LARCH_CONTROL_WHY_MAX, __VA_ARGS__), false)

/* ---- entries -------------------------------------------------------------- */

/* The first entry that is not before this one. */
static size_t place_of(const gateway_queue *q, uint64_t device, uint64_t number)
{
    size_t low = 0, high = q->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const gateway_queue_entry *e = &q->entries[middle];
        if (e->device < device || (e->device == device && e->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static gateway_queue_entry *find_entry(gateway_queue *q, uint64_t device, uint64_t number)
{
    const size_t at = place_of(q, device, number);
    return at < q->count && q->entries[at].device == device && q->entries[at].number == number ? &q->entries[at] : NULL;
}

static bool add_entry(gateway_queue *q, const gateway_queue_entry *entry)
{
    const size_t at = place_of(q, entry->device, entry->number);
    if (q->count == LARCH_COMMANDS_MAX)
        return false;
    memmove(q->entries + at + 1, q->entries + at, (q->count - at) * sizeof *q->entries);
    q->entries[at] = *entry;
    q->count++;
    return true;
}

static void remove_entry(gateway_queue *q, uint64_t device, uint64_t number)
{
    const gateway_queue_entry *entry = find_entry(q, device, number);
    if (entry == NULL)
        return;
    const size_t at = (size_t)(entry - q->entries);
    memmove(q->entries + at, q->entries + at + 1, (q->count - at - 1) * sizeof *q->entries);
    q->count--;
}

static void hold(gateway_queue *q, uint64_t device, bool is_held)
{
    for (size_t i = place_of(q, device, 0); i < q->count && q->entries[i].device == device; i++)
        q->entries[i].is_held = is_held;
}

size_t gateway_queue_waiting(const gateway_queue *q, uint64_t device)
{
    const size_t first = place_of(q, device, 0);
    size_t i = first;
    while (i < q->count && q->entries[i].device == device)
        i++;
    return i - first;
}

void gateway_queue_heard(void *queue, uint64_t device)
{
    gateway_queue *q = queue;
    if (q->count > 0)
        hold(q, device, false);
}

/* ---- what is on record ------------------------------------------------------ */

static void complain(const gateway_queue *q)
{
    gateway_report_say(q->sessions->report, "%s; commands to devices wait",
                       larch_sessions_error(q->sessions->registry)->text);
}

/* LARCH_AGAIN: it is not there. */
static larch_error load(const gateway_queue *q, uint64_t device, uint64_t number, larch_command_record *command)
{
    uint64_t at = number - 1;
    const larch_error e = larch_sessions_next_command(q->sessions->registry, device, &at, command);
    return e == LARCH_OK && command->number != number ? LARCH_AGAIN : e;
}

/* What the run before left. */
static void resume(gateway_queue *q)
{
    static larch_command_record command;
    larch_sessions *registry = q->sessions->registry;
    uint64_t at = 0;
    if (q->entries == NULL && (q->entries = calloc(LARCH_COMMANDS_MAX, sizeof *q->entries)) == NULL)
        return; /* it is tried again */
    larch_error e = larch_sessions_resume_commands(registry, gateway_sessions_unix_s(q->sessions));
    while (e == LARCH_OK && (e = larch_sessions_next_command(registry, 0, &at, &command)) == LARCH_OK)
        if (!add_entry(q, &(gateway_queue_entry){.device = command.device,
                                                 .number = command.number,
                                                 .expires_s = command.expires_s,
                                                 .is_held = true, /* nobody was heard yet */
                                                 .is_sent = command.sends > 0}))
            break;
    q->is_resumed = true;
    if (e != LARCH_AGAIN)
        complain(q);
}

/* The command has ended, or goes back into the queue if its state says so. */
static void change(gateway_queue *q, larch_command_record *command)
{
    if (larch_command_is_over(command->state))
        command->ended_s = (uint32_t)gateway_sessions_unix_s(q->sessions);
    if (larch_sessions_command_changed(q->sessions->registry, command) != LARCH_OK)
        complain(q); /* the next start decides */
    if (larch_command_is_over(command->state))
        remove_entry(q, command->device, command->number);
}

/* ---- sending ------------------------------------------------------------------ */

static gateway_queue_job *find_job(gateway_queue *q, uint64_t device)
{
    for (size_t i = 0; i < GATEWAY_QUEUE_JOBS; i++)
        if (q->jobs[i].handle != 0 && q->jobs[i].command.device == device)
            return &q->jobs[i];
    return NULL;
}

static gateway_queue_job *free_job(gateway_queue *q)
{
    for (size_t i = 0; i < GATEWAY_QUEUE_JOBS; i++)
        if (q->jobs[i].handle == 0)
            return &q->jobs[i];
    return NULL;
}

static void end_job(gateway_queue_job *job) { larch_wipe(job, sizeof *job); }

static bool is_awake(const gateway_queue *q, const larch_session *session)
{
    const uint64_t now_s = gateway_sessions_unix_s(q->sessions);
    const uint32_t heard_s = larch_sessions_heard(q->sessions->registry, session);
    return heard_s > 0 && now_s >= heard_s && now_s - heard_s <= AWAKE_S;
}

static larch_error ask(gateway_queue *q, gateway_queue_job *job, const larch_session *session)
{
    larch_command_record *command = &job->command;
    larch_coap_ask request = {.method = LARCH_COAP_GET, .path = KNOCK, .content_format = LARCH_COAP_FORMAT_NONE};
    if (!job->knocks) {
        char *query = strchr(command->path, '?');
        if (query != NULL)
            *query++ = '\0';
        request.method = command->method;
        request.path = command->path;
        request.query = query;
        request.payload = (larch_bytes){command->payload, command->payload_len};
        if (command->payload_len > 0 && larch_text_is_utf8(request.payload))
            request.content_format = LARCH_COAP_FORMAT_TEXT;
    }
    return larch_oscore_service_ask(&q->sessions->service, session->number, &request, false, &job->handle);
}

/* Nothing leaves before this call returns: the command is sent in the file first. */
static void begin(gateway_queue *q, gateway_queue_entry *entry, gateway_queue_job *job)
{
    const uint64_t device = entry->device;
    const larch_session *session = gateway_sessions_find(q->sessions, device);
    if (session == NULL || session->last.port == 0) {
        hold(q, device, true);
        return;
    }
    if (load(q, device, entry->number, &job->command) != LARCH_OK) {
        complain(q);
        hold(q, device, true);
        return;
    }
    job->knocks = !is_awake(q, session);
    const larch_error e = ask(q, job, session);
    if (e != LARCH_OK) {
        end_job(job);
        if (e != LARCH_BUSY)
            hold(q, device, true);
        return;
    }
    if (job->knocks)
        return;
    if (larch_sessions_command_sent(q->sessions->registry, &job->command) == LARCH_OK) {
        entry->is_sent = true;
        return;
    }
    complain(q);
    larch_oscore_service_cancel(&q->sessions->service, q->sessions->report->now_ms, job->handle);
    end_job(job);
    hold(q, device, true);
}

static void begin_some(gateway_queue *q)
{
    for (size_t i = 0; i < q->count; i++) {
        gateway_queue_entry *entry = &q->entries[i];
        const bool is_first = i == 0 || q->entries[i - 1].device != entry->device;
        if (entry->is_held || !is_first || find_job(q, entry->device) != NULL)
            continue;
        gateway_queue_job *job = free_job(q);
        if (job == NULL)
            return;
        begin(q, entry, job);
    }
}

/* A device that reports while it is asked whether it is awake needs no asking. */
static void stop_knocking(gateway_queue *q, gateway_queue_job *job)
{
    const larch_session *session = gateway_sessions_find(q->sessions, job->command.device);
    if (session == NULL || !is_awake(q, session))
        return;
    larch_oscore_service_cancel(&q->sessions->service, q->sessions->report->now_ms, job->handle);
    end_job(job);
}

/* ---- answers ------------------------------------------------------------------- */

static void take_knock(gateway_queue *q, const gateway_queue_job *job, const larch_oscore_outcome *outcome)
{
    const larch_session *session = gateway_sessions_find(q->sessions, job->command.device);
    if (outcome->error == LARCH_OK && session != NULL)
        larch_sessions_hear(q->sessions->registry, session, gateway_sessions_unix_s(q->sessions));
    else
        hold(q, job->command.device, true);
}

static void take_outcome(gateway_queue *q, gateway_queue_job *job, const larch_oscore_outcome *outcome)
{
    larch_command_record *command = &job->command;
    if (outcome->error == LARCH_OK) {
        command->state = LARCH_COAP_CLASS(outcome->code) == 2 ? LARCH_COMMAND_DONE : LARCH_COMMAND_FAILED;
        command->code = outcome->code;
        command->result_len = outcome->body.len < sizeof command->result ? outcome->body.len : sizeof command->result;
        if (command->result_len > 0)
            memcpy(command->result, outcome->body.data, command->result_len);
    } else if (outcome->error == LARCH_SPACE) {
        command->state = LARCH_COMMAND_FAILED; /* it fits no datagram, or its answer no buffer: never will */
    } else if (command->method == LARCH_COAP_POST) {
        command->state = LARCH_COMMAND_UNKNOWN;
    } else {
        command->state = LARCH_COMMAND_QUEUED;
        hold(q, command->device, true);
    }
    change(q, command);
}

static void take_outcomes(gateway_queue *q)
{
    larch_oscore_outcome outcome;
    for (size_t i = 0; i < GATEWAY_QUEUE_JOBS; i++) {
        gateway_queue_job *job = &q->jobs[i];
        if (job->handle == 0)
            continue;
        const larch_error e = larch_oscore_service_outcome(&q->sessions->service, job->handle, &outcome);
        if (e == LARCH_AGAIN) {
            if (job->knocks)
                stop_knocking(q, job);
            continue;
        }
        if (e != LARCH_OK)
            outcome = (larch_oscore_outcome){.error = e};
        if (job->knocks)
            take_knock(q, job, &outcome);
        else
            take_outcome(q, job, &outcome);
        end_job(job);
    }
}

/* ---- time ------------------------------------------------------------------------ */

static void expire(gateway_queue *q)
{
    static larch_command_record command;
    const uint64_t now_s = gateway_sessions_unix_s(q->sessions);
    for (size_t i = 0; now_s > 0 && i < q->count;) {
        const gateway_queue_entry *entry = &q->entries[i];
        const gateway_queue_job *job = find_job(q, entry->device);
        const bool is_under_way = job != NULL && !job->knocks && job->command.number == entry->number;
        const size_t before = q->count;
        if (entry->expires_s <= now_s && !is_under_way && load(q, entry->device, entry->number, &command) == LARCH_OK) {
            command.state = entry->is_sent ? LARCH_COMMAND_UNKNOWN : LARCH_COMMAND_EXPIRED;
            change(q, &command);
        }
        i += q->count == before;
    }
}

uint64_t gateway_queue_deadline_ms(const gateway_queue *q) { return q->count > 0 ? q->expire_ms : UINT64_MAX; }

void gateway_queue_forget(void *queue, uint64_t device)
{
    gateway_queue *q = queue;
    gateway_queue_job *job = find_job(q, device);
    if (job != NULL) {
        larch_oscore_service_cancel(&q->sessions->service, q->sessions->report->now_ms, job->handle);
        end_job(job);
    }
    const size_t first = place_of(q, device, 0), count = gateway_queue_waiting(q, device);
    if (count > 0)
        memmove(q->entries + first, q->entries + first + count, (q->count - first - count) * sizeof *q->entries);
    q->count -= count;
}

void gateway_queue_close(gateway_queue *q)
{
    free(q->entries);
    q->entries = NULL;
    q->count = 0;
}

/* ---- clients ----------------------------------------------------------------------- */

static void put_result(char *line, size_t cap, const larch_command_record *command)
{
    char code[LARCH_TEXT_CODE_MAX];
    const int n = snprintf(line, cap, "%s %s ", larch_command_state_text(command->state),
                           larch_text_of_code(command->code, code));
    larch_writer w = larch_writer_to((uint8_t *)line + n, cap - 1 - (size_t)n);
    larch_control_put_hex(&w, (larch_bytes){command->result, command->result_len});
    line[(size_t)n + w.len] = '\0';
}

/* False: the client has gone. */
static bool put(const gateway_queue_client *c, const char *line)
{
    gateway_control_client *client = c->client;
    return gateway_control_put(client, line) && c->client == client;
}

static void serve(gateway_queue *q, gateway_queue_client *c)
{
    static larch_command_record command;
    static char line[2 * LARCH_COAP_BODY_MAX + 64];
    const gateway_queue_entry *entry = find_entry(q, c->device, c->number);
    if (!c->is_told) {
        (void)snprintf(line, sizeof line, "queued %" PRIu64, c->number);
        c->is_told = true;
        if (!put(c, line))
            return;
    }
    if (entry != NULL && entry->is_held && !c->knows_it_sleeps) {
        c->knows_it_sleeps = true;
        (void)put(c, "sleeps");
        return;
    }
    if (entry != NULL)
        return;
    const larch_error e = load(q, c->device, c->number, &command);
    if (e == LARCH_OK) {
        put_result(line, sizeof line, &command);
        if (!put(c, line))
            return;
    }
    gateway_control_client *client = c->client;
    c->client = NULL;
    gateway_control_finish(client, e == LARCH_OK      ? NULL
                                   : e == LARCH_AGAIN ? "the device was revoked, and its commands with it"
                                                      : "the result cannot be read");
}

void gateway_queue_pump(gateway_queue *q)
{
    if (!q->sessions->is_started)
        return;
    if (!q->is_resumed)
        resume(q);
    if (!q->is_resumed)
        return;
    take_outcomes(q);
    if (q->sessions->report->now_ms >= q->expire_ms) {
        q->expire_ms = q->sessions->report->now_ms + SECOND_MS;
        expire(q);
    }
    begin_some(q);
    for (size_t i = 0; i < GATEWAY_QUEUE_CLIENTS; i++)
        if (q->clients[i].client != NULL)
            serve(q, &q->clients[i]);
}

/* ---- verbs ------------------------------------------------------------------------ */

static bool take_name(const gateway_queue *q, larch_bytes word, uint64_t *device, char why[LARCH_CONTROL_WHY_MAX])
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    if (word.len > LARCH_SESSIONS_NAME_MAX)
        return FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
    memcpy(name, word.data, word.len);
    name[word.len] = '\0';
    if (!larch_app_is_device_name(name))
        return FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
    *device = larch_sessions_device(q->sessions->registry, name);
    return *device != 0 || FAIL(why, "there is no device '%s'", name);
}

static bool take_number(larch_bytes word, uint64_t max, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9' || *number > max / 10)
            return false;
        *number = 10 * *number + (uint64_t)(word.data[i] - '0');
    }
    return *number <= max;
}

static bool take_command(const gateway_queue *q, const larch_control_request *request, larch_command_record *command,
                         char why[LARCH_CONTROL_WHY_MAX])
{
    larch_bytes path = request->word[3];
    uint64_t seconds;
    const uint64_t now_s = gateway_sessions_unix_s(q->sessions);
    if (!take_name(q, request->word[1], &command->device, why))
        return false;
    if (path.data[0] == '/')
        path = (larch_bytes){path.data + 1, path.len - 1};
    if (path.len > LARCH_COMMAND_PATH_MAX)
        return FAIL(why, "the path is longer than %d bytes", LARCH_COMMAND_PATH_MAX);
    memcpy(command->path, path.data, path.len);
    if (larch_bytes_equal(request->word[2], LARCH_TEXT("post")))
        command->method = LARCH_COAP_POST;
    else if (larch_bytes_equal(request->word[2], LARCH_TEXT("put")))
        command->method = LARCH_COAP_PUT;
    else
        return FAIL(why, "a method is post or put");
    if (!larch_control_take_hex(request->word[4], command->payload, sizeof command->payload, &command->payload_len))
        return FAIL(why, "the value is not in hexadecimal, or has more than %zu bytes", sizeof command->payload);
    if (!take_number(request->word[5], EXPIRES_MAX, &seconds) || seconds == 0)
        return FAIL(why, "a command expires within 1 to %u s", EXPIRES_MAX);
    if (now_s == 0)
        return FAIL(why, "the gateway's clock is not set: a command could not expire");
    command->created_s = (uint32_t)now_s;
    command->expires_s = (uint32_t)(now_s + seconds);
    return true;
}

static bool store(gateway_queue *q, const larch_command_record *command, uint64_t *number,
                  char why[LARCH_CONTROL_WHY_MAX])
{
    switch (larch_sessions_queue(q->sessions->registry, command, number)) {
    case LARCH_OK:
        break;
    case LARCH_BUSY:
        return FAIL(why, "%u commands wait for this device, or %u in all: no more are taken",
                    (unsigned)LARCH_COMMANDS_DEVICE_MAX, (unsigned)LARCH_COMMANDS_MAX);
    default:
        return FAIL(why, "%.200s", larch_sessions_error(q->sessions->registry)->text);
    }
    hold(q, command->device, false); /* its device is tried once more */
    return add_entry(
               q,
               &(gateway_queue_entry){.device = command->device, .number = *number, .expires_s = command->expires_s}) ||
           FAIL(why, "the queue is full");
}

static bool begin_queue(void *context, gateway_control_client *client, const larch_control_request *request,
                        char why[LARCH_CONTROL_WHY_MAX])
{
    static larch_command_record command;
    gateway_queue *q = context;
    gateway_queue_client *place = NULL;
    uint64_t number;
    for (size_t i = 0; i < GATEWAY_QUEUE_CLIENTS && place == NULL; i++)
        if (q->clients[i].client == NULL)
            place = &q->clients[i];
    if (place == NULL)
        return FAIL(why, "too many wait for the outcome of commands; try again");
    if (!q->is_resumed)
        return FAIL(why, "sessions wait for the clock; try again in a minute");
    command = (larch_command_record){.state = LARCH_COMMAND_QUEUED};
    if (!take_command(q, request, &command, why) || !store(q, &command, &number, why))
        return false;
    *place = (gateway_queue_client){.client = client, .device = command.device, .number = number};
    return true;
}

static void leave(void *context, gateway_control_client *client)
{
    gateway_queue *q = context;
    for (size_t i = 0; i < GATEWAY_QUEUE_CLIENTS; i++)
        if (q->clients[i].client == client)
            q->clients[i] = (gateway_queue_client){.client = NULL};
}

static void put_command(larch_writer *data, const larch_command_record *c)
{
    static char line[2 * LARCH_COAP_BODY_MAX + LARCH_COMMAND_PATH_MAX + 160];
    const int n = snprintf(line, sizeof line, "%" PRIu64 " %s %s %s %u %u %u %u ", c->number,
                           larch_command_state_text(c->state), c->method == LARCH_COAP_PUT ? "put" : "post", c->path,
                           (unsigned)c->created_s, (unsigned)c->expires_s, (unsigned)c->ended_s, (unsigned)c->sends);
    char code[LARCH_TEXT_CODE_MAX];
    larch_writer w = larch_writer_to((uint8_t *)line + n, sizeof line - 1 - (size_t)n);
    larch_text_put(&w, larch_text_of_code(c->code, code));
    larch_text_put(&w, " ");
    larch_control_put_hex(&w, (larch_bytes){c->result, c->result_len});
    line[(size_t)n + w.len] = '\0';
    larch_control_put_data(data, line);
}

static bool list_commands(void *context, const larch_control_request *request, larch_writer *data,
                          char why[LARCH_CONTROL_WHY_MAX])
{
    static larch_command_record command;
    const gateway_queue *q = context;
    char next[32];
    uint64_t device, at;
    larch_error e = LARCH_AGAIN;
    if (!take_name(q, request->word[1], &device, why))
        return false;
    if (!take_number(request->word[2], INT64_MAX, &at))
        return FAIL(why, "this is no position in the list");
    while (data->len < LARCH_CONTROL_REPLY_MAX - LARCH_CONTROL_LINE_MAX &&
           (e = larch_sessions_next_command(q->sessions->registry, device, &at, &command)) == LARCH_OK)
        put_command(data, &command);
    if (e == LARCH_PLATFORM)
        return FAIL(why, "%.200s", larch_sessions_error(q->sessions->registry)->text);
    if (e == LARCH_OK) {
        (void)snprintf(next, sizeof next, "next %" PRIu64, at);
        larch_control_put_data(data, next);
    }
    return true;
}

void gateway_queue_verbs(gateway_queue *q, gateway_control_verb verbs[GATEWAY_QUEUE_VERBS])
{
    verbs[0] =
        (gateway_control_verb){.name = "queue", .arguments = 5, .context = q, .begin = begin_queue, .left = leave};
    verbs[1] = (gateway_control_verb){.name = "commands", .arguments = 2, .context = q, .run = list_commands};
}
