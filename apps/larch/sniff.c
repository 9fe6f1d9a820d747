/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "sniff/alert.h"
#include "sniff/capture.h"
#include "sniff/flow.h"
#include "sniff/pcapng.h"
#include "sniff/text.h"

static const char usage[] = "Usage: larch sniff (-i IFACE | -r FILE) [OPTION]...\n"
                            "Decodes CoAP and the post-quantum exchange, and names attacks as they happen.\n"
                            "\n"
                            "  -i, --interface IFACE  capture live from IFACE; \"any\" for all\n"
                            "  -r, --read FILE        read a pcap or pcapng file; - for standard input\n"
                            "  -w, --write FILE       write all frames as pcapng, alerts as packet comments;\n"
                            "                         - for standard output, which then carries nothing else\n"
                            "      --json             one JSON object a line\n"
                            "      --alerts           alerts alone, not every packet\n"
                            "      --port PORT        one more port that speaks CoAP, besides 5683; repeatable\n"
                            "      --count N          stop after N CoAP messages\n"
                            "      --help             print this help\n"
                            "\n"
                            "Alerts:\n";

typedef struct options {
    const char *interface;
    const char *read;
    const char *write;
    bool json;
    bool alerts;
    unsigned long count; /* 0: no limit */
} options;

typedef struct counters {
    uint64_t frames;
    uint64_t found[LARCH_SNIFF_FOUND_COUNT];
    uint64_t kinds[LARCH_SNIFF_RESPONSE + 1];
    uint64_t duplicates;
} counters;

typedef struct sniffer {
    options options;
    larch_sniff_capture *capture;
    larch_sniff_links *links;
    larch_sniff_flow *flow;
    larch_sniff_alerts *alerts;
    larch_sniff_pcapng pcapng;
    FILE *pcapng_file;
    FILE *lines;       /* packets and alerts; NULL: standard output carries pcapng */
    FILE *alert_lines; /* alerts, which are shown in any case */
    larch_sniff_style style;
    larch_sniff_style alert_style;
    counters counters;
    char comment[1024];
} sniffer;

static volatile sig_atomic_t stopped;
static larch_sniff_capture *volatile running;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
    if (running != NULL)
        larch_sniff_capture_stop(running);
}

static void print_usage(FILE *file)
{
    fputs(usage, file);
    for (int kind = 0; kind < LARCH_SNIFF_ALERT_COUNT; kind++)
        fprintf(file, "  %-19s %s\n", larch_sniff_alert_name((larch_sniff_alert_kind)kind),
                larch_sniff_alert_meaning((larch_sniff_alert_kind)kind));
    fputs("\nExit status: 0 done, 1 failed, 2 usage. Live capture needs a privilege: sudo, or\n"
          "sudo setcap cap_net_raw,cap_net_admin=ep on the program.\n",
          file);
}

/* ---- one frame --------------------------------------------------------- */

static void print(FILE *file, const larch_writer *line)
{
    size_t len = line->len < line->cap ? line->len : line->cap;
    if (file != NULL)
        (void)fwrite(line->data, 1, len, file); /* looked at in the end, with ferror */
}

static void note_comment(sniffer *s, const larch_sniff_alert *alert)
{
    size_t len = strlen(s->comment);
    (void)snprintf(s->comment + len, sizeof s->comment - len, "%s%s: %s", len == 0 ? "" : "; ",
                   larch_sniff_alert_name(alert->kind), alert->text);
}

static void show_alerts(sniffer *s, const larch_sniff_alert *alerts, size_t count)
{
    uint8_t buffer[LARCH_SNIFF_LINE_MAX];
    for (size_t i = 0; i < count; i++) {
        larch_writer line = larch_writer_to(buffer, sizeof buffer);
        note_comment(s, &alerts[i]);
        if (!alerts[i].told)
            continue;
        if (s->options.json)
            larch_sniff_json_alert(&line, &alerts[i]);
        else
            larch_sniff_text_alert(&line, &s->alert_style, &alerts[i]);
        print(s->alert_lines, &line);
    }
}

static void take_datagram(sniffer *s, const larch_sniff_frame *frame, const larch_sniff_datagram *datagram)
{
    uint8_t buffer[LARCH_SNIFF_LINE_MAX];
    larch_writer line = larch_writer_to(buffer, sizeof buffer);
    larch_sniff_packet packet;
    const larch_sniff_alert *alerts;

    larch_sniff_flow_take(s->flow, s->counters.frames, frame->time_ns, datagram, &packet);
    s->counters.kinds[packet.kind]++;
    s->counters.duplicates += packet.duplicate_of != 0;
    size_t count = larch_sniff_alerts_take(s->alerts, &packet, &alerts);
    if (!s->options.alerts) {
        if (s->options.json)
            larch_sniff_json_packet(&line, &packet, alerts, count);
        else
            larch_sniff_text_packet(&line, &s->style, &packet, alerts, count);
        print(s->lines, &line);
    }
    show_alerts(s, alerts, count);
}

static bool take_frame(sniffer *s, const larch_sniff_frame *frame)
{
    larch_sniff_datagram datagram;
    larch_sniff_found found;

    s->counters.frames++;
    s->comment[0] = 0;
    larch_sniff_links_begin(s->links, frame);
    while ((found = larch_sniff_links_next(s->links, &datagram)) != LARCH_SNIFF_END) {
        s->counters.found[found]++;
        if (found == LARCH_SNIFF_DATAGRAM)
            take_datagram(s, frame, &datagram);
        if (found == LARCH_SNIFF_MALFORMED) {
            const larch_sniff_alert *alerts;
            size_t count =
                larch_sniff_alerts_take_frame(s->alerts, s->counters.frames, frame->time_ns, &datagram, &alerts);
            show_alerts(s, alerts, count);
        }
    }
    if (s->pcapng_file != NULL &&
        (larch_sniff_pcapng_frame(&s->pcapng, frame, s->comment[0] != 0 ? s->comment : NULL) != LARCH_OK)) {
        fprintf(stderr, "larch sniff: %s: %s\n", s->options.write, strerror(errno));
        return false;
    }
    return true;
}

static uint64_t coap_messages(const counters *c)
{
    return c->kinds[LARCH_SNIFF_REQUEST] + c->kinds[LARCH_SNIFF_RESPONSE] + c->kinds[LARCH_SNIFF_EMPTY];
}

static int run(sniffer *s)
{
    larch_sniff_trouble trouble;
    larch_sniff_frame frame;
    int result = LARCH_EXIT_DONE;

    while (stopped == 0 && (s->options.count == 0 || coap_messages(&s->counters) < s->options.count)) {
        larch_error r = larch_sniff_capture_next(s->capture, &frame, &trouble);
        if (r == LARCH_SPENT || (r != LARCH_OK && stopped != 0))
            break;
        if (r != LARCH_OK && r != LARCH_AGAIN) {
            fprintf(stderr, "larch sniff: %s\n", trouble.text);
            result = LARCH_EXIT_FAILED;
            break;
        }
        if (r == LARCH_OK && !take_frame(s, &frame)) {
            result = LARCH_EXIT_FAILED;
            break;
        }
        if (s->options.interface != NULL) { /* who watches wants each line at once */
            (void)fflush(stdout);
            if (s->pcapng_file != NULL)
                (void)fflush(s->pcapng_file);
        }
    }
    return result;
}

/* ---- the end ----------------------------------------------------------- */

static void print_summary(const sniffer *s)
{
    const counters *c = &s->counters;
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
            c->found[LARCH_SNIFF_MALFORMED], larch_sniff_capture_drops(s->capture));
    bool any = false;
    for (int i = 0; i < LARCH_SNIFF_ALERT_COUNT; i++) {
        const struct larch_sniff_tally *tally = &s->alerts->tallies[i];
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

/* ---- the start --------------------------------------------------------- */

/* LARCH_EXIT_DONE: go on; -1: help was shown. */
static int parse_options(int argc, char **argv, sniffer *s)
{
    enum { JSON = 256, ALERTS, PORT, COUNT, HELP };
    static const struct option known[] = {{"interface", required_argument, NULL, 'i'},
                                          {"read", required_argument, NULL, 'r'},
                                          {"write", required_argument, NULL, 'w'},
                                          {"json", no_argument, NULL, JSON},
                                          {"alerts", no_argument, NULL, ALERTS},
                                          {"port", required_argument, NULL, PORT},
                                          {"count", required_argument, NULL, COUNT},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    unsigned long number;
    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":i:r:w:", known, NULL)) != -1;) {
        switch (c) {
        case 'i':
            s->options.interface = optarg;
            break;
        case 'r':
            s->options.read = optarg;
            break;
        case 'w':
            s->options.write = optarg;
            break;
        case JSON:
            s->options.json = true;
            break;
        case ALERTS:
            s->options.alerts = true;
            break;
        case PORT:
            if (!larch_app_number(optarg, 1, UINT16_MAX, &number))
                return larch_app_usage("sniff", "a port is a number from 1 to 65535, not %s", optarg);
            if (larch_sniff_flow_add_port(s->flow, (uint16_t)number) != LARCH_OK)
                return larch_app_usage("sniff", "too many ports; the last was %s", optarg);
            break;
        case COUNT:
            if (!larch_app_number(optarg, 1, ULONG_MAX, &s->options.count))
                return larch_app_usage("sniff", "a count is a number from 1 on, not %s", optarg);
            break;
        case HELP:
            print_usage(stdout);
            return -1;
        case ':':
            return larch_app_usage("sniff", "an argument is missing after %s", argv[optind - 1]);
        default:
            return larch_app_usage("sniff", "unknown option %s", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return larch_app_usage("sniff", "unexpected argument %s", argv[optind]);
    if ((s->options.interface == NULL) == (s->options.read == NULL))
        return larch_app_usage("sniff", "give either -i IFACE or -r FILE");
    return LARCH_EXIT_DONE;
}

static int open_all(sniffer *s)
{
    larch_sniff_trouble trouble;
    s->capture = s->options.read != NULL ? larch_sniff_capture_open_file(s->options.read, &trouble)
                                         : larch_sniff_capture_open_live(s->options.interface, &trouble);
    if (s->capture == NULL) {
        fprintf(stderr, "larch sniff: %s\n%s%s", trouble.text, trouble.hint, trouble.hint[0] != 0 ? "\n" : "");
        return LARCH_EXIT_FAILED;
    }
    s->lines = s->alert_lines = stdout;
    if (s->options.write != NULL) {
        bool standard_output = strcmp(s->options.write, "-") == 0;
        if (standard_output && isatty(STDOUT_FILENO)) {
            fprintf(stderr, "larch sniff: a capture is not for a terminal; pipe it on, or name a file\n");
            return LARCH_EXIT_USAGE;
        }
        if (standard_output) {
            s->lines = NULL;
            s->alert_lines = stderr;
        }
        s->pcapng_file = standard_output ? stdout : fopen(s->options.write, "wb");
        if (s->pcapng_file == NULL ||
            larch_sniff_pcapng_begin(&s->pcapng, s->pcapng_file, larch_sniff_capture_snaplen(s->capture)) != LARCH_OK) {
            fprintf(stderr, "larch sniff: %s: %s\n", s->options.write, strerror(errno));
            return LARCH_EXIT_FAILED;
        }
    }
    s->style.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    s->alert_style.colour = isatty(fileno(s->alert_lines)) && getenv("NO_COLOR") == NULL;
    return LARCH_EXIT_DONE;
}

static int close_all(sniffer *s, int result)
{
    bool failed = ferror(stdout) || fflush(stdout) != 0;
    if (s->pcapng_file != NULL && s->pcapng_file != stdout && fclose(s->pcapng_file) != 0) {
        fprintf(stderr, "larch sniff: %s: %s\n", s->options.write, strerror(errno));
        result = result == LARCH_EXIT_DONE ? LARCH_EXIT_FAILED : result;
    }
    if (failed) {
        fprintf(stderr, "larch sniff: standard output: %s\n", strerror(errno));
        result = result == LARCH_EXIT_DONE ? LARCH_EXIT_FAILED : result;
    }
    running = NULL;
    larch_sniff_capture_close(s->capture);
    return result;
}

int larch_sniff_main(int argc, char **argv)
{
    int result = LARCH_EXIT_FAILED;
    sniffer s;
    memset(&s, 0, sizeof s);
    s.links = malloc(sizeof *s.links);
    s.flow = malloc(sizeof *s.flow);
    s.alerts = malloc(sizeof *s.alerts);
    if (s.links == NULL || s.flow == NULL || s.alerts == NULL || larch_sniff_flow_init(s.flow) != LARCH_OK) {
        fprintf(stderr, "larch sniff: no memory, or no SHA-256\n");
    } else {
        larch_sniff_links_init(s.links);
        larch_sniff_alerts_init(s.alerts);
        result = parse_options(argc, argv, &s);
        if (result == LARCH_EXIT_DONE) {
            result = open_all(&s);
            if (result == LARCH_EXIT_DONE) {
                struct sigaction action = {.sa_handler = stop};
                running = s.capture;
                sigemptyset(&action.sa_mask);
                sigaction(SIGINT, &action, NULL);
                sigaction(SIGTERM, &action, NULL);
                if (s.options.interface != NULL)
                    fprintf(stderr, "listening on %s (%s); Ctrl-C ends\n", s.options.interface,
                            larch_sniff_link_text(larch_sniff_capture_linktype(s.capture)));
                result = run(&s);
                (void)fflush(stdout);
                print_summary(&s);
            }
            result = close_all(&s, result);
        } else if (result < 0) {
            result = LARCH_EXIT_DONE;
        }
    }
    free(s.links);
    free(s.flow);
    free(s.alerts);
    return result;
}
