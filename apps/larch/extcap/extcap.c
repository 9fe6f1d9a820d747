/* SPDX-License-Identifier: Apache-2.0 */
/* Wireshark's external capture: it runs a program of its extcap folder once for each question, then for the capture. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/interrupt.h"
#include "extcap/ports.h"
#include "extcap/toolbar.h"
#include "sniff/privilege.h"
#include "sniff/tap.h" /* extcap is another face of sniff: Wireshark shows what that reads */

#define NAME "extcap"

typedef struct extcap {
    const char *interface;
    const char *fifo;
    const char *device;
    const char *control_in;
    const char *control_out;
    unsigned long baud;
    unsigned long channel; /* 0: as it is */
    unsigned long snap;
    enum { NOTHING, INTERFACES, DLTS, CONFIG, CAPTURE } ask; /* the last question counts */
} extcap;

static larch_extcap_port ports[LARCH_EXTCAP_PORTS_MAX];

/* ---- questions --------------------------------------------------------- */

static larch_exit say_interfaces(void)
{
    const size_t count = larch_extcap_ports_find(ports);
    printf("extcap {version=%s}{display=larch sniffer board}\n", LARCH_VERSION);
    for (size_t i = 0; i < count; i++)
        printf("interface {value=%s}{display=larch sniffer board on %s}\n", ports[i].name, ports[i].path);
    larch_toolbar_print(stdout);
    return larch_app_end_output(NAME);
}

static larch_exit say_dlts(void)
{
    (void)puts("dlt {number=127}{name=IEEE802_11_RADIO}{display=802.11 with radiotap}");
    return larch_app_end_output(NAME);
}

static const char *path_of(const char *interface)
{
    const size_t count = larch_extcap_ports_find(ports);
    for (size_t i = 0; i < count; i++)
        if (strcmp(ports[i].name, interface) == 0)
            return ports[i].path;
    return NULL;
}

static larch_exit say_config(const extcap *x)
{
    const char *path = path_of(x->interface);
    printf("arg {number=0}{call=--device}{display=Serial port}{type=string}{default=%s}"
           "{tooltip=A device, FIFO or socket}\n"
           "arg {number=1}{call=--baud}{display=Baud rate}{type=unsigned}{default=%d}"
           "{tooltip=Boards use 2000000}\n"
           "arg {number=2}{call=--channel}{display=Channel}{type=selector}"
           "{tooltip=The channel that the board listens on}\n"
           "arg {number=3}{call=--snap}{display=Snap length}{type=unsigned}{range=1,%d}{default=%d}"
           "{tooltip=Bytes of a frame that the board keeps at most}\n"
           "value {arg=2}{value=0}{display=as it is}{default=true}\n",
           path != NULL ? path : "", LARCH_SNIFF_PORT_BAUD, LARCH_SERIAL_RECORD_SNAP_MAX, LARCH_SERIAL_RECORD_SNAP_MAX);
    for (int i = LARCH_TAP_CHANNEL_MIN; i <= LARCH_TAP_CHANNEL_MAX; i++)
        printf("value {arg=2}{value=%d}{display=%d}\n", i, i);
    return larch_app_end_output(NAME);
}

/* ---- the capture ------------------------------------------------------- */

static void take_talk(void *context, larch_bytes talk) { larch_toolbar_talk(context, talk); }

static void take_status(void *context, const larch_serial_record_status *status)
{
    larch_toolbar_status(context, status);
}

static larch_exit complain(const larch_sniff_trouble *trouble)
{
    return larch_app_fail(NAME, "%s%s%s", trouble->text, trouble->hint[0] != 0 ? "; " : "", trouble->hint);
}

typedef struct capturing {
    larch_loop loop;
    larch_tap *tap;
    larch_engine *engine;
    larch_toolbar *toolbar;
} capturing;

static void take_tap(larch_loop_watch *watch, unsigned events)
{
    capturing *c = watch->context;
    larch_sniff_trouble trouble;
    (void)events;
    const larch_error r = larch_tap_step(c->tap, c->engine, &trouble);
    if (r == LARCH_SPENT || r == LARCH_STATE || !larch_engine_flush(c->engine))
        larch_loop_stop(&c->loop, LARCH_EXIT_DONE);
    else if (r == LARCH_PLATFORM)
        larch_loop_stop(&c->loop, complain(&trouble));
}

static void take_orders(larch_loop_watch *watch, unsigned events)
{
    const capturing *c = watch->context;
    (void)events;
    larch_toolbar_obey(c->toolbar, c->tap);
}

/* Until Wireshark stops it, closes the FIFO, or the board is gone. */
static larch_exit run(larch_tap *tap, larch_engine *engine, larch_toolbar *toolbar)
{
    capturing c = {.tap = tap, .engine = engine, .toolbar = toolbar};
    larch_loop_watch interrupt, board = {.fd = larch_tap_fd(tap), .ready = take_tap, .context = &c};
    larch_loop_watch orders = {.fd = toolbar->in, .ready = take_orders, .context = &c};
    int code = LARCH_LOOP_FAILED;
    larch_loop_init(&c.loop, NULL, NULL);
    if (!larch_engine_flush(engine))
        return LARCH_EXIT_DONE;
    if (larch_interrupt_watch(&c.loop, &interrupt) == LARCH_OK &&
        larch_loop_add_watch(&c.loop, &board, LARCH_LOOP_READ) == LARCH_OK &&
        larch_loop_add_watch(&c.loop, &orders, toolbar->in >= 0 ? LARCH_LOOP_READ : 0) == LARCH_OK &&
        larch_engine_watch_readers(engine, &c.loop) == LARCH_OK)
        code = larch_loop_run(&c.loop);
    return code >= 0 ? code : larch_app_fail(NAME, "poll: %s", strerror(errno));
}

static larch_exit capture_from(larch_tap *tap, const extcap *x, larch_engine *engine, larch_toolbar *toolbar)
{
    engine->command = NAME;
    engine->write = x->fifo;
    engine->silent = engine->live = true;
    engine->input = larch_tap_fd(tap);
    if (!larch_toolbar_open(toolbar, x->control_in, x->control_out))
        return larch_app_fail(NAME, "the toolbar's pipes: %s", strerror(errno));
    larch_privilege privilege;
    larch_exit result = larch_privilege_choose(NAME, NULL, &privilege);
    if (result == LARCH_EXIT_DONE)
        result = larch_engine_open(engine, LARCH_SNIFF_SERIAL_SNAPLEN);
    if (result == LARCH_EXIT_DONE)
        result = larch_privilege_drop(NAME, &privilege);
    if (result != LARCH_EXIT_DONE)
        return result;
    if (!larch_tap_set(tap, x->channel, x->snap)) {
        result = larch_app_fail(NAME, "the board takes no commands there; leave channel and snap length as they are");
    } else {
        if (toolbar->in >= 0)
            (void)larch_tap_tell(tap,
                                 "status"); /* for the toolbar; a board that takes no commands shows nothing in it */
        result = run(tap, engine, toolbar);
    }
    return larch_engine_close(engine, larch_tap_missing(tap), result);
}

static larch_exit capture(const extcap *x)
{
    const char *path = x->device != NULL && x->device[0] != '\0' ? x->device : path_of(x->interface);
    larch_sniff_trouble trouble;
    larch_toolbar toolbar;
    larch_engine engine = {0};
    if (path == NULL)
        return larch_app_fail(NAME, "there is no port for %s; is the board plugged in?", x->interface);
    const larch_tap_listener listener = {take_talk, take_status, &toolbar};
    larch_tap *tap = larch_tap_open(path, x->baud, &listener, &trouble);
    if (tap == NULL)
        return complain(&trouble);
    larch_exit result = LARCH_EXIT_FAILED;
    (void)signal(SIGPIPE, SIG_IGN); /* Wireshark ends a capture by closing the FIFO */
    memset(&toolbar, 0, sizeof toolbar);
    toolbar.in = toolbar.out = -1;
    if (larch_interrupt_catch(NULL) != 0)
        result = larch_app_fail(NAME, "signals: %s", strerror(errno));
    else if (larch_engine_init(&engine))
        result = capture_from(tap, x, &engine, &toolbar);
    larch_toolbar_close(&toolbar);
    larch_engine_free(&engine);
    larch_tap_close(tap);
    return result;
}

/* ---- the start --------------------------------------------------------- */

/* What Wireshark asks with has no help. */
static const larch_option rows[] = {
    {.name = "extcap-interfaces", .kind = LARCH_OPTION_CONSTANT, .min = INTERFACES, LARCH_OPTION_AT(extcap, ask)},
    {.name = "extcap-dlts", .kind = LARCH_OPTION_CONSTANT, .min = DLTS, LARCH_OPTION_AT(extcap, ask)},
    {.name = "extcap-config", .kind = LARCH_OPTION_CONSTANT, .min = CONFIG, LARCH_OPTION_AT(extcap, ask)},
    {.name = "capture", .kind = LARCH_OPTION_CONSTANT, .min = CAPTURE, LARCH_OPTION_AT(extcap, ask)},
    {.name = "extcap-interface", .kind = LARCH_OPTION_TEXT, .value = "TEXT", LARCH_OPTION_AT(extcap, interface)},
    {.name = "fifo", .kind = LARCH_OPTION_TEXT, .value = "TEXT", LARCH_OPTION_AT(extcap, fifo)},
    {.name = "extcap-control-in", .kind = LARCH_OPTION_TEXT, .value = "TEXT", LARCH_OPTION_AT(extcap, control_in)},
    {.name = "extcap-control-out", .kind = LARCH_OPTION_TEXT, .value = "TEXT", LARCH_OPTION_AT(extcap, control_out)},
    {.name = "extcap-version", .kind = LARCH_OPTION_IGNORED, .value_optional = true},
    {.name = "extcap-capture-filter", .kind = LARCH_OPTION_IGNORED},
    {.name = "extcap-reload-option", .kind = LARCH_OPTION_IGNORED},
    {.name = "device",
     .kind = LARCH_OPTION_TEXT,
     .value = "DEVICE",
     LARCH_OPTION_AT(extcap, device),
     .text = "the serial port, instead of the interface's"},
    {.name = "baud",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = 100000000,
     LARCH_OPTION_AT(extcap, baud),
     .text = "its baud rate; 2000000 by default"},
    {.name = "channel",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .wants = "a channel from 1 to 14, or 0 to leave it as it is",
     .max = LARCH_TAP_CHANNEL_MAX,
     LARCH_OPTION_AT(extcap, channel),
     .text = "have the board listen on channel N, 1 to 14"},
    {.name = "snap",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = LARCH_SERIAL_RECORD_SNAP_MAX,
     LARCH_OPTION_AT(extcap, snap),
     .text = "have it keep at most N bytes of a frame, 1 to 4096"},
};

const larch_command larch_extcap_command = {
    .name = NAME,
    .text = "show sniffer boards to Wireshark as interfaces",
    .usage = "--extcap-interfaces\n"
             "--extcap-interface NAME (--extcap-dlts | --extcap-config)\n"
             "--extcap-interface NAME --capture --fifo FIFO [OPTION]...",
    .about = "Sniffer boards as interfaces of Wireshark and tshark, which run what is in their extcap folder (or\n"
             "WIRESHARK_EXTCAP_DIR). A link there makes them listed:\n"
             "\n"
             "  sudo ln -s \"$(command -v larch)\" \\\n"
             "      \"$(tshark -G folders | sed -n 's/^Extcap path:[[:space:]]*//p')/larch-extcap\"\n"
             "\n"
             "The list then has lines such as: larch sniffer board on /dev/ttyUSB0: larch-ttyUSB0. When\n"
             "Wireshark runs as root it looks into its own folder alone, so that the link above works and\n"
             "WIRESHARK_EXTCAP_DIR does not. One program at a time can read a serial port.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .more = "Interfaces are the serial ports of this machine, and those named in LARCH_EXTCAP_PORTS,\n"
            "colon-separated.\n"
            "Exit status: 0 done, 1 failed, 2 usage.\n",
};

static bool is_known(const char *word)
{
    const size_t len = strcspn(word, "=");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strncmp(rows[i].name, word, len) == 0)
            return true;
    return false;
}

/* Later versions of Wireshark may ask with more: what begins as its own options do, and is none of ours, is left out with
 * its value. Returns how many words stay. */
static int leave_out_unknown(int argc, char **argv)
{
    static const char own[] = "--extcap-";
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], own, sizeof own - 1) != 0 || is_known(argv[i] + 2)) {
            argv[kept++] = argv[i];
            continue;
        }
        const bool has_value = strchr(argv[i], '=') == NULL && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0;
        i += has_value ? 1 : 0;
    }
    return kept;
}

static larch_exit parse_options(int argc, char **argv, extcap *x)
{
    larch_operands operands;
    const larch_exit code =
        larch_command_parse(&larch_extcap_command, x, leave_out_unknown(argc, argv), argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (x->ask == NOTHING)
        return larch_app_usage(NAME, "Wireshark asks this command; a person may try --extcap-interfaces");
    if (x->ask != INTERFACES && x->interface[0] == '\0')
        return larch_app_usage(NAME, "--extcap-interface is missing");
    if (x->ask == CAPTURE && x->fifo == NULL)
        return larch_app_usage(NAME, "--fifo is missing");
    return LARCH_EXIT_DONE;
}

int larch_extcap_main(int argc, char **argv)
{
    extcap x = {.interface = "", .baud = LARCH_SNIFF_PORT_BAUD};
    const larch_exit result = parse_options(argc, argv, &x);
    if (result != LARCH_EXIT_DONE)
        return result;
    switch (x.ask) {
    case INTERFACES:
        return say_interfaces();
    case DLTS:
        return say_dlts();
    case CONFIG:
        return say_config(&x);
    default:
        return capture(&x);
    }
}
