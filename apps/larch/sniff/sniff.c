/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/interrupt.h"
#include "sniff/capture/capture.h"
#include "sniff/engine.h"
#include "sniff/key_log.h"
#include "sniff/privilege.h"
#include "sniff/tap.h"
#include "text/text.h"

#define NAME "sniff"

typedef struct sniffer {
    const char *interface;
    const char *read;
    const char *serial;
    unsigned long baud; /* 0, of these three: not given */
    unsigned long channel;
    unsigned long snap;
    uint16_t ports[LARCH_SNIFF_PORTS];
    size_t port_count;
    unsigned fail_on; /* 0: never; else a severity and 1 */
    const char *key_log;
    larch_sniff_keys *keys; /* of it; NULL: none */
    const char *user;       /* NULL: as larch_privilege_choose does */
    larch_privilege privilege;
    larch_sniff_capture *capture; /* one of these two is open */
    larch_tap *tap;
    larch_engine engine;
    larch_loop loop;
} sniffer;

static larch_sniff_capture *volatile running;

/* Inside a signal's handler: libpcap waits by itself. */
static void stop_capture(void)
{
    if (running != NULL)
        larch_sniff_capture_stop(running);
}

/* ---- where frames come from -------------------------------------------- */

static larch_exit complain(const larch_sniff_trouble *trouble)
{
    fprintf(stderr, "larch sniff: %s\n%s%s", trouble->text, trouble->hint, trouble->hint[0] != 0 ? "\n" : "");
    return LARCH_EXIT_FAILED;
}

static larch_exit run_capture(sniffer *s)
{
    larch_sniff_trouble trouble;
    larch_sniff_frame frame;

    while (!larch_interrupt_came() && !larch_engine_enough(&s->engine)) {
        larch_error r = larch_sniff_capture_next(s->capture, &frame, &trouble);
        if (r == LARCH_SPENT || (r != LARCH_OK && larch_interrupt_came()))
            break;
        if (r != LARCH_OK && r != LARCH_AGAIN) {
            fprintf(stderr, "larch sniff: %s\n", trouble.text);
            return LARCH_EXIT_FAILED;
        }
        if (r == LARCH_OK && !larch_engine_take(&s->engine, &frame, 0))
            return LARCH_EXIT_FAILED;
        if (s->engine.live) /* who watches wants each line at once */
            (void)larch_engine_flush(&s->engine);
        if (s->engine.live && !larch_engine_has_readers(&s->engine))
            break;
    }
    return LARCH_EXIT_DONE;
}

/* What the board says in words is for who watches. */
static void show_talk(void *context, larch_bytes talk)
{
    (void)context;
    fprintf(stderr, "board: %.*s\n", (int)talk.len, (const char *)talk.data);
}

static void take_tap(larch_loop_watch *watch, unsigned events)
{
    sniffer *s = watch->context;
    larch_sniff_trouble trouble;
    (void)events;
    const larch_error r = larch_tap_step(s->tap, &s->engine, &trouble);
    if (r == LARCH_SPENT)
        larch_loop_stop(&s->loop, LARCH_EXIT_DONE);
    else if (r == LARCH_PLATFORM)
        larch_loop_stop(&s->loop, complain(&trouble));
    else if (r != LARCH_OK && r != LARCH_AGAIN)
        larch_loop_stop(&s->loop, LARCH_EXIT_FAILED); /* the frame was not written, as has been said */
}

/* Before each wait. */
static uint64_t settle(void *context)
{
    sniffer *s = context;
    (void)larch_engine_flush(&s->engine);
    if (larch_engine_enough(&s->engine))
        larch_loop_stop(&s->loop, LARCH_EXIT_DONE);
    return UINT64_MAX;
}

static larch_exit run_tap(sniffer *s)
{
    larch_loop_watch interrupt, board = {.fd = larch_tap_fd(s->tap), .ready = take_tap, .context = s};
    int code = LARCH_LOOP_FAILED;
    larch_loop_init(&s->loop, settle, s);
    if (larch_interrupt_watch(&s->loop, &interrupt) == LARCH_OK &&
        larch_loop_add_watch(&s->loop, &board, LARCH_LOOP_READ) == LARCH_OK &&
        larch_engine_watch_readers(&s->engine, &s->loop) == LARCH_OK)
        code = larch_loop_run(&s->loop);
    return code >= 0 ? code : larch_app_fail("sniff", "poll: %s", strerror(errno));
}

static larch_exit open_tap(sniffer *s)
{
    static const larch_tap_listener listener = {show_talk, NULL, NULL};
    larch_sniff_trouble trouble;
    s->tap = larch_tap_open(s->serial, s->baud != 0 ? s->baud : LARCH_SNIFF_PORT_BAUD, &listener, &trouble);
    if (s->tap == NULL)
        return complain(&trouble);
    if (!larch_tap_set(s->tap, s->channel, s->snap)) {
        fprintf(stderr, "larch sniff: %s: the board takes no commands there\n", s->serial);
        return LARCH_EXIT_FAILED;
    }
    fprintf(stderr, "listening to the board on %s; Ctrl-C ends\n", s->serial);
    s->engine.input = larch_tap_fd(s->tap);
    return larch_engine_open(&s->engine, LARCH_SNIFF_SERIAL_SNAPLEN);
}

static larch_exit open_capture(sniffer *s)
{
    larch_sniff_trouble trouble;
    s->capture = s->read != NULL ? larch_sniff_capture_open_file(s->read, &trouble)
                                 : larch_sniff_capture_open_live(s->interface, &trouble);
    if (s->capture == NULL)
        return complain(&trouble);
    running = s->capture;
    s->engine.input = larch_sniff_capture_fd(s->capture);
    if (s->interface != NULL)
        fprintf(stderr, "listening on %s (%s); Ctrl-C ends\n", s->interface,
                larch_sniff_link_text(larch_sniff_capture_linktype(s->capture)));
    return larch_engine_open(&s->engine, larch_sniff_capture_snaplen(s->capture));
}

/* ---- the whole --------------------------------------------------------- */

#define CHOICE(name, text) (text),
static const char *const fail_on[] = {"never", LARCH_SNIFF_SEVERITIES(CHOICE) NULL};
#undef CHOICE

static const larch_option rows[] = {
    {.name = "interface",
     .letter = 'i',
     .kind = LARCH_OPTION_TEXT,
     .value = "IFACE",
     LARCH_OPTION_AT(sniffer, interface),
     .text = "capture live from IFACE; \"any\" for all"},
    {.name = "read",
     .letter = 'r',
     .kind = LARCH_OPTION_TEXT,
     .value = "FILE",
     LARCH_OPTION_AT(sniffer, read),
     .text = "read a pcap or pcapng file; - for standard input"},
    {.name = "serial",
     .kind = LARCH_OPTION_TEXT,
     .value = "DEVICE",
     LARCH_OPTION_AT(sniffer, serial),
     .text =
         "read a sniffer board, ours or a prototype's: a serial port, or a FIFO, file or Unix socket that stands for "
         "one"},
    {.name = "baud",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = ULONG_MAX,
     LARCH_OPTION_AT(sniffer, baud),
     .text = "speed of the serial port; 2000000 by default"},
    {.name = "channel",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = LARCH_TAP_CHANNEL_MIN,
     .max = LARCH_TAP_CHANNEL_MAX,
     LARCH_OPTION_AT(sniffer, channel),
     .text = "have the board listen on channel N, 1 to 14"},
    {.name = "snap",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = LARCH_SERIAL_RECORD_SNAP_MAX,
     LARCH_OPTION_AT(sniffer, snap),
     .text = "have the board keep at most N bytes of a frame, 1 to 4096"},
    {.name = "write",
     .letter = 'w',
     .kind = LARCH_OPTION_TEXT,
     .value = "FILE",
     LARCH_OPTION_AT(sniffer, engine.write),
     .text = "write all frames as pcapng, with alerts as packet comments; - for standard output, which then carries "
             "nothing else"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sniffer, engine.json),
     .text = "one JSON object a line"},
    {.name = "alerts",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sniffer, engine.alerts_only),
     .text = "print alerts alone, not every packet"},
    {.name = "port",
     .kind = LARCH_OPTION_NUMBER,
     .value = "PORT",
     .min = 1,
     .max = UINT16_MAX,
     LARCH_OPTION_LIST(sniffer, ports, port_count),
     .text = "one more port that speaks CoAP, besides 5683; repeatable"},
    {.name = "keylog",
     .kind = LARCH_OPTION_TEXT,
     .value = "FILE",
     LARCH_OPTION_AT(sniffer, key_log),
     .text =
         "open OSCORE messages and handshakes with the secrets in FILE: security contexts, one a line as in "
         "Wireshark's "
         "file oscore_contexts: "
         "\"sender ID\",\"recipient ID\",\"master secret\",\"master salt\",\"ID context\",\"algorithm\", all but the "
         "last "
         "in hexadecimal; and lines of handshakes, which begin with #LAKE_, as builds with LARCH_KEYLOG write them"},
    {.name = "count",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = ULONG_MAX,
     LARCH_OPTION_AT(sniffer, engine.count),
     .text = "stop after N CoAP messages"},
    {.name = "fail-on",
     .kind = LARCH_OPTION_CHOICE,
     .value = "SEVERITY",
     .choices = fail_on,
     LARCH_OPTION_AT(sniffer, fail_on),
     .text = "exit with 3 if there was an alert of this severity or above: notice, warning or alarm"},
    {.name = "user",
     .letter = 'Z',
     .kind = LARCH_OPTION_TEXT,
     .value = "USER",
     LARCH_OPTION_AT(sniffer, user),
     .text = "as root, continue as USER once all files are open; by default the user who called sudo, or nobody"},
};

static void put_alerts(larch_writer *w)
{
    for (int kind = 0; kind < LARCH_SNIFF_ALERT_COUNT; kind++)
        larch_text_put_format(w, "  %-19s %s\n", larch_sniff_alert_name((larch_sniff_alert_kind)kind),
                              larch_sniff_alert_meaning((larch_sniff_alert_kind)kind));
}

const larch_command larch_sniff_command = {
    .name = NAME,
    .text = "decode traffic live or from a file, and name attacks",
    .usage = "(-i IFACE | -r FILE | --serial DEVICE) [OPTION]...",
    .about = "Decodes CoAP, OSCORE, handshakes (LAKE, EDHOC) and the post-quantum exchange, and names attacks as\n"
             "they happen. Of each session it says whether a post-quantum handshake made its keys.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .more = "Exit status: 0 done, 1 failed, 2 usage, 3 an alert as severe as --fail-on says.\n"
            "\n"
            "Live capture needs a privilege: sudo, or sudo setcap cap_net_raw,cap_net_admin=ep on the\n"
            "program. The sniffer gives it up once input and output are open, so a file that root made\n"
            "with -w stays root's.\n"
            "\n"
            "Wireshark shows the direct exchange with larch.lua, which is installed in\n"
            "PREFIX/share/larch/wireshark; its first lines explain how to load it.\n"
            "\n"
            "Alerts:\n",
    .put_more = put_alerts,
};

static larch_exit parse_options(int argc, char **argv, sniffer *s)
{
    larch_operands operands;
    const larch_exit code = larch_command_parse(&larch_sniff_command, s, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if ((s->interface != NULL) + (s->read != NULL) + (s->serial != NULL) != 1)
        return larch_app_usage(NAME, "give either -i IFACE, -r FILE or --serial DEVICE");
    if (larch_privilege_choose(NAME, s->user, &s->privilege) != LARCH_EXIT_DONE)
        return LARCH_EXIT_USAGE;
    if (s->serial == NULL && (s->baud != 0 || s->channel != 0 || s->snap != 0))
        return larch_app_usage(NAME, "--baud, --channel and --snap are for --serial");
    for (size_t i = 0; i < s->port_count; i++)
        if (larch_sniff_flow_add_port(s->engine.flow, s->ports[i]) != LARCH_OK)
            return larch_app_usage(NAME, "too many ports; the last was %u", (unsigned)s->ports[i]);
    if (s->key_log == NULL)
        return LARCH_EXIT_DONE;
    const larch_exit read = larch_key_log_read(NAME, s->key_log, &s->keys);
    if (read == LARCH_EXIT_DONE)
        larch_sniff_flow_use_keys(s->engine.flow, s->keys);
    return read;
}

static bool is_alarming(const sniffer *s)
{
    for (int kind = 0; s->fail_on != 0 && kind < LARCH_SNIFF_ALERT_COUNT; kind++)
        if (s->engine.alerts->tallies[kind].alerts > 0 &&
            (unsigned)larch_sniff_alert_severity((larch_sniff_alert_kind)kind) + 1 >= s->fail_on)
            return true;
    return false;
}

static larch_exit sniff(sniffer *s)
{
    s->engine.live = s->read == NULL;
    larch_exit result = s->serial != NULL ? open_tap(s) : open_capture(s);
    uint64_t dropped = 0;
    if (result == LARCH_EXIT_DONE)
        result = larch_privilege_drop(NAME, &s->privilege);
    if (result == LARCH_EXIT_DONE && larch_interrupt_catch(stop_capture) != 0)
        result = larch_app_fail("sniff", "signals: %s", strerror(errno));
    if (result == LARCH_EXIT_DONE) {
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
    return result == LARCH_EXIT_DONE && is_alarming(s) ? LARCH_EXIT_REFUSED : result;
}

int larch_sniff_main(int argc, char **argv)
{
    larch_exit result = LARCH_EXIT_FAILED;
    sniffer s;
    memset(&s, 0, sizeof s);
    if (larch_engine_init(&s.engine)) {
        result = parse_options(argc, argv, &s);
        if (result == LARCH_EXIT_DONE)
            result = sniff(&s);
    }
    larch_engine_free(&s.engine);
    larch_key_log_free(s.keys);
    return result;
}
