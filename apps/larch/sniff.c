/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "sniff/capture.h"
#include "sniff_engine.h"
#include "tap.h"

static const char usage[] = "Usage: larch sniff (-i IFACE | -r FILE | --serial DEVICE) [OPTION]...\n"
                            "Decodes CoAP and the post-quantum exchange, and names attacks as they happen.\n"
                            "\n"
                            "  -i, --interface IFACE  capture live from IFACE; \"any\" for all\n"
                            "  -r, --read FILE        read a pcap or pcapng file; - for standard input\n"
                            "      --serial DEVICE    read a sniffer board, ours or a prototype's: a serial port,\n"
                            "                         or a FIFO, file or Unix socket that stands for one\n"
                            "      --baud N           of the serial port; 2000000 by default\n"
                            "      --channel N        have the board listen on channel N, 1 to 14\n"
                            "      --snap N           have it keep at most N bytes of a frame, 1 to 4096\n"
                            "  -w, --write FILE       write all frames as pcapng, alerts as packet comments;\n"
                            "                         - for standard output, which then carries nothing else\n"
                            "      --json             one JSON object a line\n"
                            "      --alerts           alerts alone, not every packet\n"
                            "      --port PORT        one more port that speaks CoAP, besides 5683; repeatable\n"
                            "      --count N          stop after N CoAP messages\n"
                            "      --help             print this help\n"
                            "\n"
                            "Alerts:\n";

typedef struct sniffer {
    const char *interface;
    const char *read;
    const char *serial;
    unsigned long baud; /* 0, of these three: not given */
    unsigned long channel;
    unsigned long snap;
    larch_sniff_capture *capture; /* one of these two is open */
    larch_tap *tap;
    larch_engine engine;
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

/* ---- where frames come from -------------------------------------------- */

static int complain(const larch_sniff_trouble *trouble)
{
    fprintf(stderr, "larch sniff: %s\n%s%s", trouble->text, trouble->hint, trouble->hint[0] != 0 ? "\n" : "");
    return LARCH_EXIT_FAILED;
}

static int run_capture(sniffer *s)
{
    larch_sniff_trouble trouble;
    larch_sniff_frame frame;

    while (stopped == 0 && !larch_engine_enough(&s->engine)) {
        larch_error r = larch_sniff_capture_next(s->capture, &frame, &trouble);
        if (r == LARCH_SPENT || (r != LARCH_OK && stopped != 0))
            break;
        if (r != LARCH_OK && r != LARCH_AGAIN) {
            fprintf(stderr, "larch sniff: %s\n", trouble.text);
            return LARCH_EXIT_FAILED;
        }
        if (r == LARCH_OK && !larch_engine_take(&s->engine, &frame, 0))
            return LARCH_EXIT_FAILED;
        if (s->engine.live) /* who watches wants each line at once */
            (void)larch_engine_flush(&s->engine);
    }
    return LARCH_EXIT_DONE;
}

/* What the board says in words is for who watches. */
static void show_talk(void *context, larch_bytes talk)
{
    (void)context;
    fprintf(stderr, "board: %.*s\n", (int)talk.len, (const char *)talk.data);
}

static int run_tap(sniffer *s)
{
    larch_sniff_trouble trouble;

    while (stopped == 0 && !larch_engine_enough(&s->engine)) {
        larch_error r = larch_tap_step(s->tap, &s->engine, LARCH_TAP_WAIT_MS, &trouble);
        (void)larch_engine_flush(&s->engine);
        if (r == LARCH_SPENT)
            break;
        if (r == LARCH_PLATFORM)
            return complain(&trouble);
        if (r != LARCH_OK && r != LARCH_AGAIN)
            return LARCH_EXIT_FAILED; /* the frame was not written, as has been said */
    }
    return LARCH_EXIT_DONE;
}

static int open_tap(sniffer *s)
{
    static const larch_tap_listener listener = {show_talk, NULL, NULL};
    larch_sniff_trouble trouble;
    s->tap = larch_tap_open(s->serial, s->baud != 0 ? s->baud : LARCH_SNIFF_PORT_BAUD, &listener, &trouble);
    if (s->tap == NULL)
        return complain(&trouble);
    if (!larch_tap_tell_number(s->tap, "channel", s->channel) || !larch_tap_tell_number(s->tap, "snap", s->snap)) {
        fprintf(stderr, "larch sniff: %s: the board takes no commands there\n", s->serial);
        return LARCH_EXIT_FAILED;
    }
    fprintf(stderr, "listening to the board on %s; Ctrl-C ends\n", s->serial);
    return larch_engine_open(&s->engine, LARCH_SNIFF_SERIAL_SNAPLEN);
}

static int open_capture(sniffer *s)
{
    larch_sniff_trouble trouble;
    s->capture = s->read != NULL ? larch_sniff_capture_open_file(s->read, &trouble)
                                 : larch_sniff_capture_open_live(s->interface, &trouble);
    if (s->capture == NULL)
        return complain(&trouble);
    running = s->capture;
    if (s->interface != NULL)
        fprintf(stderr, "listening on %s (%s); Ctrl-C ends\n", s->interface,
                larch_sniff_link_text(larch_sniff_capture_linktype(s->capture)));
    return larch_engine_open(&s->engine, larch_sniff_capture_snaplen(s->capture));
}

/* ---- the whole --------------------------------------------------------- */

/* LARCH_EXIT_DONE: go on; -1: help was shown. */
static int parse_options(int argc, char **argv, sniffer *s)
{
    enum { JSON = 256, ALERTS, PORT, COUNT, SERIAL, BAUD, CHANNEL, SNAP, HELP };
    static const struct option known[] = {{"interface", required_argument, NULL, 'i'},
                                          {"read", required_argument, NULL, 'r'},
                                          {"write", required_argument, NULL, 'w'},
                                          {"json", no_argument, NULL, JSON},
                                          {"alerts", no_argument, NULL, ALERTS},
                                          {"port", required_argument, NULL, PORT},
                                          {"count", required_argument, NULL, COUNT},
                                          {"serial", required_argument, NULL, SERIAL},
                                          {"baud", required_argument, NULL, BAUD},
                                          {"channel", required_argument, NULL, CHANNEL},
                                          {"snap", required_argument, NULL, SNAP},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    unsigned long number;
    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":i:r:w:", known, NULL)) != -1;) {
        switch (c) {
        case 'i':
            s->interface = optarg;
            break;
        case 'r':
            s->read = optarg;
            break;
        case 'w':
            s->engine.write = optarg;
            break;
        case JSON:
            s->engine.json = true;
            break;
        case ALERTS:
            s->engine.alerts_only = true;
            break;
        case PORT:
            if (!larch_app_number(optarg, 1, UINT16_MAX, &number))
                return larch_app_usage("sniff", "a port is a number from 1 to 65535, not %s", optarg);
            if (larch_sniff_flow_add_port(s->engine.flow, (uint16_t)number) != LARCH_OK)
                return larch_app_usage("sniff", "too many ports; the last was %s", optarg);
            break;
        case COUNT:
            if (!larch_app_number(optarg, 1, ULONG_MAX, &s->engine.count))
                return larch_app_usage("sniff", "a count is a number from 1 on, not %s", optarg);
            break;
        case SERIAL:
            s->serial = optarg;
            break;
        case BAUD:
            if (!larch_app_number(optarg, 1, ULONG_MAX, &s->baud))
                return larch_app_usage("sniff", "a baud rate is a number, not %s", optarg);
            break;
        case CHANNEL:
            if (!larch_app_number(optarg, LARCH_TAP_CHANNEL_MIN, LARCH_TAP_CHANNEL_MAX, &s->channel))
                return larch_app_usage("sniff", "a channel is a number from 1 to 14, not %s", optarg);
            break;
        case SNAP:
            if (!larch_app_number(optarg, 1, LARCH_RECORD_SNAP_MAX, &s->snap))
                return larch_app_usage("sniff", "a snap length is a number from 1 to 4096, not %s", optarg);
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
    if ((s->interface != NULL) + (s->read != NULL) + (s->serial != NULL) != 1)
        return larch_app_usage("sniff", "give either -i IFACE, -r FILE or --serial DEVICE");
    if (s->serial == NULL && (s->baud != 0 || s->channel != 0 || s->snap != 0))
        return larch_app_usage("sniff", "--baud, --channel and --snap are for --serial");
    return LARCH_EXIT_DONE;
}

static int sniff(sniffer *s)
{
    struct sigaction action = {.sa_handler = stop};
    s->engine.live = s->read == NULL;
    int result = s->serial != NULL ? open_tap(s) : open_capture(s);
    uint64_t dropped = 0;
    if (result == LARCH_EXIT_DONE) {
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        result = s->tap != NULL ? run_tap(s) : run_capture(s);
        dropped = s->tap != NULL ? larch_tap_missing(s->tap) : larch_sniff_capture_drops(s->capture);
        (void)fflush(stdout);
        larch_engine_print_summary(&s->engine, s->tap != NULL ? 0 : dropped);
        if (s->tap != NULL)
            larch_tap_print_summary(s->tap, stderr);
    }
    result = larch_engine_close(&s->engine, dropped, result);
    running = NULL;
    larch_sniff_capture_close(s->capture);
    larch_tap_close(s->tap);
    return result;
}

int larch_sniff_main(int argc, char **argv)
{
    int result = LARCH_EXIT_FAILED;
    sniffer s;
    memset(&s, 0, sizeof s);
    if (larch_engine_init(&s.engine)) {
        result = parse_options(argc, argv, &s);
        if (result == LARCH_EXIT_DONE)
            result = sniff(&s);
        else if (result < 0)
            result = LARCH_EXIT_DONE;
    }
    larch_engine_free(&s.engine);
    return result;
}
