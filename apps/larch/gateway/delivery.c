/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/sessions.h"
#include "system.h"
#include "text/json.h"
#include "text/peer.h"
#include "text/text.h"

#define NAME      "gateway"
#define STDOUT    0    /* the sink's index */
#define FINISH_MS 2000 /* for the reader, at the end */
#define TIDY_MS   1000
#define RETRY_MS  1000  /* between tries of an outbox that cannot be read */
#define QUIET_MS  60000 /* between reports of a trouble that comes and goes */

_Static_assert(GATEWAY_SLOTS <= LARCH_OUTBOX_BATCH_MAX, "a batch of the gateway is a batch of the outbox");

/* ---- lines ----------------------------------------------------------------- */

static larch_bytes kind_of(const larch_outbox_message *m) { return (larch_bytes){&m->kind, 1}; }

static void put_identity(larch_json *j, const larch_outbox_message *m)
{
    char text[2 * LARCH_OUTBOX_ID_MAX + 2];
    larch_writer w = larch_writer_to((uint8_t *)text, sizeof text - 1);
    larch_writer_put(&w, kind_of(m));
    larch_text_put_hex(&w, m->id);
    text[w.len < sizeof text ? w.len : sizeof text - 1] = '\0';
    larch_json_put_text(j, "id", text);
}

static void put_json(larch_writer *w, const larch_outbox_row *row)
{
    const larch_outbox_message *m = &row->message;
    larch_json j = larch_json_begin_line(w);
    larch_json_put_time(&j, "time", (int64_t)m->time_ms, LARCH_TEXT_MS);
    larch_json_put_peer(&j, "peer", &m->peer);
    larch_json_put_bytes(&j, "via", m->through);
    if (m->kem.len > 0)
        larch_json_put_bytes(&j, "kem", m->kem);
    if (m->device.len > 0)
        larch_json_put_bytes(&j, "device", m->device);
    if (m->path.len > 0) {
        larch_json_put_bytes(&j, "path", m->path);
        larch_json_put_number(&j, "format", m->format);
    }
    larch_json_put_bytes(&j, "text", m->text);
    if (!larch_text_is_utf8(m->text))
        larch_json_put_hex(&j, "hex", m->text);
    put_identity(&j, m);
    if (row->repeat)
        larch_json_put_bool(&j, "repeat", true);
    larch_json_end_line(&j);
}

static void put_plain(larch_writer *w, const larch_outbox_row *row)
{
    const larch_outbox_message *m = &row->message;
    larch_text_put_time(w, (int64_t)m->time_ms, LARCH_TEXT_MS);
    larch_text_put(w, " ");
    larch_text_put_peer(w, &m->peer);
    larch_text_put(w, " ");
    if (m->kem.len > 0) {
        larch_writer_put(w, m->kem);
    } else {
        larch_text_put_plain(w, m->device);
        larch_text_put(w, " ");
        larch_text_put_plain(w, m->path);
    }
    larch_text_put(w, " ");
    larch_text_put_plain(w, m->text);
    larch_text_put(w, row->repeat ? " (repeat)\n" : "\n");
}

static void put_line(void *context, const larch_outbox_row *row, larch_writer *line)
{
    const gateway_delivery *d = context;
    (d->json ? put_json : put_plain)(line, row);
}

/* ---- a display instead of lines -------------------------------------------- */

static bool display_is_ready(void *context)
{
    (void)context;
    return true;
}

static larch_error display_offer(void *context, const larch_outbox_row *row)
{
    gateway_delivery *d = context;
    gateway_report_show(d->report, 1, &row->message.peer, row->message.kem, row->message.text);
    d->shown = row->position;
    return LARCH_OK;
}

static larch_error display_flush(void *context, uint64_t now_ms)
{
    (void)context;
    (void)now_ms;
    return LARCH_OK;
}

static larch_outbox_position display_settled(void *context) { return ((const gateway_delivery *)context)->shown; }
static uint64_t display_handed(void *context) { return ((const gateway_delivery *)context)->shown.sequence; }

static size_t display_wait(void *context, struct pollfd *fds)
{
    (void)context;
    (void)fds;
    return 0;
}

static uint64_t display_deadline_ms(void *context)
{
    (void)context;
    return UINT64_MAX;
}

static larch_sink display_sink(gateway_delivery *d)
{
    return (larch_sink){.context = d,
                        .ready = display_is_ready,
                        .offer = display_offer,
                        .flush = display_flush,
                        .settled = display_settled,
                        .handed = display_handed,
                        .wait = display_wait,
                        .deadline_ms = display_deadline_ms};
}

/* ---- start ------------------------------------------------------------------ */

larch_exit gateway_delivery_open(gateway_delivery *d, const gateway_options *options, gateway_report *report,
                                 const larch_posix_state *state)
{
    static const char *const sinks[] = {"stdout"};
    char path[GATEWAY_STATE_MAX + sizeof LARCH_APP_OUTBOX_NAME];
    larch_registry_reason why;
    *d = (gateway_delivery){.report = report, .json = options->json};
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_OUTBOX_NAME, options->state);
    const larch_outbox_config config = {.path = path,
                                        .durability = options->durability == LARCH_POSIX_DURABILITY_PROCESS
                                                          ? LARCH_OUTBOX_PROCESS
                                                          : LARCH_OUTBOX_MEDIUM,
                                        .bytes_max = options->outbox_bytes,
                                        .sinks = sinks,
                                        .sink_count = sizeof sinks / sizeof sinks[0],
                                        .start = state->start,
                                        .complete = state->complete};
    if (larch_outbox_open(&d->outbox, &config, &why) != LARCH_OK)
        return larch_app_fail(NAME, "%s", why.text);
    if (options->display && !options->json)
        d->sink = display_sink(d);
    else if (larch_stdout_open(&d->lines, STDOUT_FILENO, put_line, d) == LARCH_OK)
        d->sink = larch_stdout_sink(&d->lines);
    else
        return larch_app_fail(NAME, "out of memory");
    return LARCH_EXIT_DONE;
}

static larch_accepted_id identity_of(const larch_outbox_message *m)
{
    larch_accepted_id identity = {.len = 1, .bytes = {m->kind}};
    if (m->id.len < sizeof identity.bytes) {
        memcpy(identity.bytes + 1, m->id.data, m->id.len);
        identity.len = (uint8_t)(1 + m->id.len);
    }
    return identity;
}

larch_exit gateway_delivery_remember(gateway_delivery *d, larch_direct_service *direct)
{
    larch_outbox_message message;
    size_t at = 0, count = 0;
    larch_error e = LARCH_OK;
    while (e == LARCH_OK && larch_outbox_unmarked(d->outbox, &at, &message) == LARCH_OK) {
        const larch_accepted_id identity = identity_of(&message);
        e = larch_direct_service_remember(direct, &identity);
        count++;
    }
    if (e == LARCH_OK && count > 0)
        e = larch_direct_service_commit(direct);
    if (e == LARCH_MALFORMED)
        return larch_app_fail(NAME, "the outbox holds a message without an identity; it was left as it is");
    if (e != LARCH_OK)
        return larch_app_fail(NAME, "cannot mark what was stored before: %s", larch_error_text(e));
    larch_outbox_marked(d->outbox);
    return LARCH_EXIT_DONE;
}

/* ---- in --------------------------------------------------------------------- */

static larch_bytes numbers_of(const larch_accepted_id *identity)
{
    return identity->len > 0 ? (larch_bytes){identity->bytes + 1, identity->len - 1u} : (larch_bytes){NULL, 0};
}

/* Kept beside an identity 'N', which does not contain it. */
static larch_bytes hash_of(const larch_accepted *m)
{
    const larch_bytes hash = LARCH_BYTES(m->hash);
    return (larch_bytes){hash.data, m->identity.bytes[0] == 'N' ? hash.len : 0};
}

static larch_error put(gateway_delivery *d, const larch_accepted *m)
{
    const char *kem = m->kem != NULL ? m->kem->name : "", *device = "";
    if (m->device != 0)
        device = gateway_sessions_name(d->sessions, m->device);
    const larch_outbox_message message = {.kind = m->identity.bytes[0],
                                          .id = numbers_of(&m->identity),
                                          .hash = hash_of(m),
                                          .also = numbers_of(&m->also),
                                          .time_ms = (uint64_t)d->report->unix_ms,
                                          .peer = m->peer,
                                          .through = larch_bytes_of_text(m->via),
                                          .kem = larch_bytes_of_text(kem),
                                          .device = larch_bytes_of_text(device),
                                          .path = m->name,
                                          .format = m->format,
                                          .text = m->text};
    if (m->is_known) /* under its other identity; the device may ask for this one next */
        return larch_outbox_note(d->outbox, message.kind, message.id, message.hash);
    return larch_outbox_put(d->outbox, &message);
}

/* True when the trouble begins, but at most once in QUIET_MS. */
static bool is_news(gateway_trouble *trouble, bool is_there, uint64_t now_ms)
{
    const bool begins = is_there && !trouble->is_there && now_ms >= trouble->quiet_until_ms;
    trouble->is_there = is_there && (trouble->is_there || begins);
    if (begins)
        trouble->quiet_until_ms = now_ms + QUIET_MS;
    return begins;
}

static void report_room(gateway_delivery *d, bool is_full, bool is_disk)
{
    if (!is_news(&d->full, is_full, d->report->now_ms))
        return;
    if (is_disk)
        gateway_report_say(d->report, "%s; messages are answered 5.03 until there is room",
                           larch_outbox_error(d->outbox)->text);
    else
        gateway_report_say(d->report,
                           "the outbox holds %llu bytes that nobody has read from stdout, and no more fit; messages "
                           "are answered 5.03 until they are read",
                           (unsigned long long)larch_outbox_use(d->outbox).bytes);
}

bool gateway_delivery_store(gateway_delivery *d, larch_gateway *gateway)
{
    larch_accepted batch[GATEWAY_SLOTS], message;
    bool stored[GATEWAY_SLOTS];
    size_t count = 0, kept = 0;
    larch_error e = LARCH_OK;
    while (e != LARCH_PLATFORM && larch_gateway_accepted(gateway, d->report->now_ms, &message) == LARCH_OK) {
        e = put(d, &message);
        stored[count] = e == LARCH_OK;
        kept += stored[count];
        batch[count++] = message;
    }
    if (count == 0)
        return true; /* none, or not before the marks of the batch before are durable: the send that follows says so */
    if (e != LARCH_PLATFORM)
        e = larch_outbox_commit(d->outbox);
    if (e != LARCH_OK && e != LARCH_BUSY)
        return false;
    const bool is_disk_full = e == LARCH_BUSY;
    report_room(d, is_disk_full || kept < count, is_disk_full);
    for (size_t i = 0; i < count; i++) {
        const bool is_stored = stored[i] && !is_disk_full;
        (void)!larch_gateway_settle(gateway, &batch[i], is_stored ? LARCH_SETTLED_STORED : LARCH_SETTLED_NO_ROOM);
        if (is_stored && d->json && !batch[i].is_known)
            gateway_report_prepare(d->report, &batch[i]);
    }
    d->has_batch = kept > 0 && !is_disk_full;
    return true;
}

/* ---- out -------------------------------------------------------------------- */

/* The reader has taken some, or has gone: the pump before the next wait goes on. */
static void take_room(larch_loop_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
}

larch_error gateway_delivery_watch(gateway_delivery *d, larch_loop *loop)
{
    if (d->lines.bytes == NULL || d->lines.stream.kind == LARCH_STREAM_FILE)
        return LARCH_OK; /* there is no reader */
    d->reader = (larch_loop_watch){.fd = d->lines.stream.fd, .ready = take_room};
    return larch_loop_add_watch(loop, &d->reader, 0);
}

static void await_reader(gateway_delivery *d, larch_loop *loop)
{
    struct pollfd fds[LARCH_SINK_FDS];
    const size_t count = d->sink.wait(d->sink.context, fds);
    if (d->reader.ready != NULL)
        larch_loop_change_watch(loop, &d->reader, count > 0 && (fds[0].events & POLLOUT) != 0 ? LARCH_LOOP_WRITE : 0);
}

/* Hands rows to the sink as far as it takes them. */
static void pump(gateway_delivery *d)
{
    bool outbox_failed;
    const larch_error e = larch_sink_pump(&d->sink, d->outbox, STDOUT, d->report->now_ms, &outbox_failed);
    if (is_news(&d->unreadable, outbox_failed, d->report->now_ms))
        gateway_report_say(d->report, "%s; what is stored waits there", larch_outbox_error(d->outbox)->text);
    else if (e == LARCH_RESET)
        gateway_report_say(d->report, "stdout has no reader any more; messages wait in the outbox for the next start");
    else if (e == LARCH_PLATFORM && !outbox_failed)
        gateway_report_say(d->report, "stdout: %s; messages wait in the outbox",
                           strerror(larch_stdout_error(&d->lines)));
    d->again_at_ms = e == LARCH_AGAIN ? 0 : outbox_failed ? d->report->now_ms + RETRY_MS : UINT64_MAX;
}

void gateway_delivery_marked(gateway_delivery *d)
{
    if (!d->has_batch)
        return;
    d->has_batch = false;
    larch_outbox_marked(d->outbox);
    gateway_report_show_prepared(d->report);
    pump(d);
    d->is_pumped = true;
}

void gateway_delivery_pump(gateway_delivery *d, larch_loop *loop)
{
    if (!d->is_pumped)
        pump(d);
    d->is_pumped = false;
    if (larch_outbox_is_stale(d->outbox) && d->report->now_ms >= d->tidy_at_ms) {
        (void)!larch_outbox_tidy(d->outbox); /* else some lines are repeated after a crash */
        d->tidy_at_ms = d->report->now_ms + TIDY_MS;
    }
    await_reader(d, loop);
}

uint64_t gateway_delivery_deadline_ms(const gateway_delivery *d)
{
    uint64_t deadline_ms = d->sink.deadline_ms(d->sink.context);
    if (d->again_at_ms < deadline_ms)
        deadline_ms = d->again_at_ms;
    if (larch_outbox_is_stale(d->outbox) && d->tidy_at_ms < deadline_ms)
        deadline_ms = d->tidy_at_ms;
    return deadline_ms;
}

const char *gateway_delivery_error(const gateway_delivery *d) { return larch_outbox_error(d->outbox)->text; }

/* ---- end -------------------------------------------------------------------- */

static bool is_delivered(const gateway_delivery *d)
{
    const larch_outbox_usage use = larch_outbox_use(d->outbox);
    return use.delivered == use.newest;
}

/* Whether a sink that waits for these descriptors and this time will deliver more. */
static bool is_at_work(const struct pollfd *fds, size_t count, uint64_t deadline_ms)
{
    return deadline_ms != UINT64_MAX || (count > 0 && fds[0].events != 0);
}

/* Bounded by FINISH_MS: the only place where the gateway waits for a reader. */
static void give_time(gateway_delivery *d)
{
    const uint64_t end_ms = larch_posix_now_ms() + FINISH_MS;
    bool outbox_failed;
    for (;;) {
        const uint64_t now_ms = larch_posix_now_ms();
        const larch_error e = larch_sink_pump(&d->sink, d->outbox, STDOUT, now_ms, &outbox_failed);
        if ((e != LARCH_OK && e != LARCH_AGAIN) || is_delivered(d) || now_ms >= end_ms)
            return;
        struct pollfd fds[LARCH_SINK_FDS];
        const size_t count = d->sink.wait(d->sink.context, fds);
        const uint64_t deadline_ms = d->sink.deadline_ms(d->sink.context);
        const uint64_t until_ms = deadline_ms < end_ms ? deadline_ms : end_ms;
        if (e != LARCH_AGAIN && !is_at_work(fds, count, deadline_ms))
            return;
        if (e != LARCH_AGAIN && until_ms > now_ms)
            (void)poll(fds, count, (int)(until_ms - now_ms));
    }
}

larch_exit gateway_delivery_close(gateway_delivery *d)
{
    larch_registry_reason why;
    if (d->outbox == NULL)
        return LARCH_EXIT_DONE;
    give_time(d);
    larch_sink_stop(&d->sink, d->outbox, STDOUT);
    const larch_outbox_usage use = larch_outbox_use(d->outbox);
    if (use.newest > use.delivered)
        gateway_report_say(d->report, "messages that wait in the outbox for a reader of stdout: %llu",
                           (unsigned long long)(use.newest - use.delivered));
    const larch_error e = larch_outbox_close(d->outbox, &why);
    d->outbox = NULL;
    if (d->lines.bytes != NULL)
        larch_stdout_close(&d->lines);
    if (e != LARCH_OK)
        gateway_report_say(d->report, "%s", why.text);
    return e == LARCH_OK ? LARCH_EXIT_DONE : LARCH_EXIT_FAILED;
}
