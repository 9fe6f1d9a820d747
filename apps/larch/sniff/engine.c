/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/same_file.h"
#include "sniff/capture/capture.h"
#include "sniff/engine.h"
#include "text/text.h"

bool larch_engine_init(larch_engine *e)
{
    memset(e, 0, sizeof *e);
    e->command = "sniff";
    e->input = -1;
    e->links = malloc(sizeof *e->links);
    e->flow = malloc(sizeof *e->flow);
    e->alerts = malloc(sizeof *e->alerts);
    if (e->links == NULL || e->flow == NULL || e->alerts == NULL || larch_sniff_flow_init(e->flow) != LARCH_OK) {
        fprintf(stderr, "larch sniff: no memory, or no SHA-256\n");
        return false;
    }
    larch_sniff_links_init(e->links);
    larch_sniff_alerts_init(e->alerts);
    return true;
}

/* Because of errno. */
static larch_exit complain(const larch_engine *e, const char *place)
{
    if (e->silent && errno == EPIPE)
        return LARCH_EXIT_DONE;
    return larch_app_fail(e->command, "%s: %s", place, strerror(errno));
}

/* Before anything is written: opening a file for writing empties it, and who reads what he writes never ends. */
static larch_exit check_output(const larch_engine *e)
{
    const char *file = e->write != NULL && strcmp(e->write, "-") != 0 ? e->write : NULL;
    struct stat input, output;
    if (e->input < 0 || fstat(e->input, &input) != 0)
        return LARCH_EXIT_DONE;
    if (file != NULL && stat(file, &output) == 0 && larch_app_is_same_file(&input, &output))
        return larch_app_fail(e->command, "%s: it is the file that is read; name another to write", file);
    if (fstat(STDOUT_FILENO, &output) == 0 && larch_app_is_same_file(&input, &output))
        return larch_app_fail(e->command, "standard output is the file that is read; send it elsewhere");
    return LARCH_EXIT_DONE;
}

larch_exit larch_engine_open(larch_engine *e, uint32_t snaplen)
{
    const larch_exit checked = check_output(e);
    if (checked != LARCH_EXIT_DONE)
        return checked;
    e->lines = e->alert_lines = stdout;
    if (e->write != NULL) {
        bool standard_output = strcmp(e->write, "-") == 0;
        if (standard_output && isatty(STDOUT_FILENO)) {
            fprintf(stderr, "larch sniff: a capture is not for a terminal; pipe it on, or name a file\n");
            return LARCH_EXIT_USAGE;
        }
        if (standard_output) {
            e->lines = NULL;
            e->alert_lines = stderr;
        }
        e->pcapng_file = standard_output ? stdout : fopen(e->write, "wb");
        if (e->pcapng_file == NULL || larch_sniff_pcapng_begin(&e->pcapng, e->pcapng_file, snaplen) != LARCH_OK)
            return complain(e, e->write);
    }
    e->style.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    e->alert_style.colour = isatty(fileno(e->alert_lines)) && getenv("NO_COLOR") == NULL;
    if (e->silent)
        e->lines = e->alert_lines = NULL;
    return LARCH_EXIT_DONE;
}

/* ---- one frame --------------------------------------------------------- */

static void print(FILE *file, const larch_writer *line)
{
    if (file != NULL)
        larch_text_print(line, file); /* looked at in the end, with ferror */
}

static void note_comment(larch_engine *e, const larch_sniff_alert *alert)
{
    size_t len = strlen(e->comment);
    (void)snprintf(e->comment + len, sizeof e->comment - len, "%s%s: %s", len == 0 ? "" : "; ",
                   larch_sniff_alert_name(alert->kind), alert->text);
}

static void show_alerts(larch_engine *e, const larch_sniff_alert *alerts, size_t count)
{
    uint8_t buffer[LARCH_SNIFF_LINE_MAX];
    for (size_t i = 0; i < count; i++) {
        larch_writer line = larch_writer_to(buffer, sizeof buffer);
        note_comment(e, &alerts[i]);
        if (!alerts[i].told)
            continue;
        if (e->json)
            larch_sniff_json_alert(&line, &alerts[i]);
        else
            larch_sniff_text_alert(&line, &e->alert_style, &alerts[i]);
        print(e->alert_lines, &line);
    }
}

static void take_datagram(larch_engine *e, const larch_sniff_frame *frame, const larch_sniff_datagram *datagram)
{
    uint8_t buffer[LARCH_SNIFF_LINE_MAX];
    larch_writer line = larch_writer_to(buffer, sizeof buffer);
    larch_sniff_packet packet;
    const larch_sniff_alert *alerts;

    larch_sniff_flow_take(e->flow, e->counters.frames, frame->time_ns, datagram, &packet);
    e->counters.kinds[packet.kind]++;
    e->counters.duplicates += packet.duplicate_of != 0;
    size_t count = larch_sniff_alerts_take(e->alerts, &packet, &alerts);
    if (!e->alerts_only) {
        if (e->json)
            larch_sniff_json_packet(&line, &packet, alerts, count);
        else
            larch_sniff_text_packet(&line, &e->style, &packet, alerts, count);
        print(e->lines, &line);
    }
    show_alerts(e, alerts, count);
}

bool larch_engine_take(larch_engine *e, const larch_sniff_frame *frame, uint64_t missing)
{
    larch_sniff_datagram datagram;
    larch_sniff_found found;

    e->counters.frames++;
    e->last_ns = frame->time_ns;
    if (larch_sniff_link_text(frame->linktype) == NULL && e->counters.unread++ == 0)
        e->unread_linktype = frame->linktype;
    larch_sniff_links_begin(e->links, frame);
    while ((found = larch_sniff_links_next(e->links, &datagram)) != LARCH_SNIFF_END) {
        e->counters.found[found]++;
        if (found == LARCH_SNIFF_DATAGRAM)
            take_datagram(e, frame, &datagram);
        if (found == LARCH_SNIFF_MALFORMED) {
            const larch_sniff_alert *alerts;
            size_t count =
                larch_sniff_alerts_take_frame(e->alerts, e->counters.frames, frame->time_ns, &datagram, &alerts);
            show_alerts(e, alerts, count);
        }
    }
    if (e->pcapng_file != NULL &&
        larch_sniff_pcapng_frame(&e->pcapng, frame, missing, e->comment[0] != 0 ? e->comment : NULL) != LARCH_OK) {
        (void)complain(e, e->write);
        return false;
    }
    e->comment[0] = 0;
    return true;
}

void larch_engine_take_loss(larch_engine *e, uint64_t time_ns, larch_sniff_loss loss, uint64_t count)
{
    const larch_sniff_alert *alerts;
    const size_t n = larch_sniff_alerts_take_loss(e->alerts, e->counters.frames + 1, time_ns, loss, count, &alerts);
    show_alerts(e, alerts, n);
}

/* ---- all of them ------------------------------------------------------- */

static uint64_t coap_messages(const struct larch_engine_counters *c)
{
    return c->kinds[LARCH_SNIFF_REQUEST] + c->kinds[LARCH_SNIFF_RESPONSE] + c->kinds[LARCH_SNIFF_EMPTY];
}

bool larch_engine_enough(const larch_engine *e) { return e->count != 0 && coap_messages(&e->counters) >= e->count; }

bool larch_engine_flush(larch_engine *e)
{
    (void)fflush(stdout); /* looked at in the end, with ferror */
    return e->pcapng_file == NULL || fflush(e->pcapng_file) == 0;
}

static void print_sessions(const larch_sniff_handshakes *handshakes)
{
    const uint64_t *sessions = handshakes->totals.sessions;
    if (handshakes->totals.begun + handshakes->totals.completed + sessions[LARCH_SNIFF_STRENGTH_UNKNOWN] == 0)
        return;
    fprintf(stderr,
            "  handshakes begun %" PRIu64 ", completed %" PRIu64 "; sessions: %" PRIu64 " post-quantum, %" PRIu64
            " not, %" PRIu64 " unknown\n",
            handshakes->totals.begun, handshakes->totals.completed, sessions[LARCH_SNIFF_STRENGTH_POST_QUANTUM],
            sessions[LARCH_SNIFF_STRENGTH_CLASSICAL], sessions[LARCH_SNIFF_STRENGTH_UNKNOWN]);
}

void larch_engine_print_summary(const larch_engine *e, uint64_t dropped)
{
    const struct larch_engine_counters *c = &e->counters;
    fprintf(stderr,
            "\n%" PRIu64 " frames: %" PRIu64 " CoAP messages (%" PRIu64 " requests, %" PRIu64 " responses, %" PRIu64
            " empty; %" PRIu64 " of them duplicates), %" PRIu64 " broken\n",
            c->frames, coap_messages(c), c->kinds[LARCH_SNIFF_REQUEST], c->kinds[LARCH_SNIFF_RESPONSE],
            c->kinds[LARCH_SNIFF_EMPTY], c->duplicates, c->kinds[LARCH_SNIFF_BROKEN]);
    fprintf(stderr,
            "  other UDP %" PRIu64 ", not UDP %" PRIu64 ", fragments %" PRIu64 ", encrypted %" PRIu64
            ", cut short %" PRIu64 ", malformed below CoAP %" PRIu64 ", dropped by the system %" PRIu64 "\n",
            c->kinds[LARCH_SNIFF_NOT_COAP], c->found[LARCH_SNIFF_OTHER], c->found[LARCH_SNIFF_FRAGMENT],
            c->found[LARCH_SNIFF_PROTECTED], c->found[LARCH_SNIFF_TRUNCATED] + c->kinds[LARCH_SNIFF_CUT],
            c->found[LARCH_SNIFF_MALFORMED], dropped);
    if (c->unread > 0)
        fprintf(stderr, "  of a link type that cannot be read %" PRIu64 ", the first: %s (%" PRIu32 ")\n", c->unread,
                larch_sniff_capture_describe_link(e->unread_linktype), e->unread_linktype);
    print_sessions(&e->flow->handshakes);
    bool any = false;
    for (int i = 0; i < LARCH_SNIFF_ALERT_COUNT; i++) {
        const struct larch_sniff_tally *tally = &e->alerts->tallies[i];
        larch_sniff_alert_kind kind = (larch_sniff_alert_kind)i;
        if (tally->alerts == 0)
            continue;
        any = true;
        fprintf(stderr, "  %-7s  %-19s %6" PRIu64 "  (%" PRIu64 " %s",
                larch_sniff_severity_text(larch_sniff_alert_severity(kind)), larch_sniff_alert_name(kind),
                tally->alerts, tally->causes, tally->causes == 1 ? "cause" : "causes");
        if (tally->untold > 0)
            fprintf(stderr, ", %" PRIu64 " not shown", tally->untold);
        fprintf(stderr, ")\n");
    }
    if (!any)
        fprintf(stderr, "  no alerts\n");
}

larch_exit larch_engine_close(larch_engine *e, uint64_t dropped, larch_exit result)
{
    larch_exit end = LARCH_EXIT_DONE;
    if (e->pcapng_file != NULL && e->live && !e->unread &&
        larch_sniff_pcapng_statistics(&e->pcapng, e->last_ns, e->counters.frames, dropped) != LARCH_OK)
        end = complain(e, e->write);
    const bool failed = ferror(stdout) || fflush(stdout) != 0;
    if (failed && end == LARCH_EXIT_DONE)
        end = complain(e, "standard output");
    if (e->pcapng_file != NULL && e->pcapng_file != stdout && fclose(e->pcapng_file) != 0 && end == LARCH_EXIT_DONE)
        end = complain(e, e->write);
    e->pcapng_file = NULL;
    return result == LARCH_EXIT_DONE ? end : result;
}

void larch_engine_free(larch_engine *e)
{
    free(e->links);
    free(e->flow);
    free(e->alerts);
}
