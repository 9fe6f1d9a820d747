/* SPDX-License-Identifier: Apache-2.0 */
/* Wireshark's external capture: it runs a program of its extcap folder once for each question, then for the capture. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "extcap_ports.h"
#include "extcap_toolbar.h"
#include "tap.h"

static const char usage[] =
    "Usage: larch extcap --extcap-interfaces\n"
    "       larch extcap --extcap-interface NAME (--extcap-dlts | --extcap-config)\n"
    "       larch extcap --extcap-interface NAME --capture --fifo FIFO [OPTION]...\n"
    "Sniffer boards as interfaces of Wireshark and tshark, which run what is in their extcap folder (or\n"
    "WIRESHARK_EXTCAP_DIR). A link there makes them listed:\n"
    "\n"
    "  sudo ln -s \"$(command -v larch)\" \\\n"
    "      \"$(tshark -G folders | sed -n 's/^Extcap path:[[:space:]]*//p')/larch-extcap\"\n"
    "\n"
    "  --device DEVICE   the serial port, instead of the interface's\n"
    "  --baud N          its baud rate; 2000000 by default\n"
    "  --channel N       have the board listen on channel N, 1 to 14\n"
    "  --snap N          have it keep at most N bytes of a frame, 1 to 4096\n"
    "  --help            print this help\n"
    "\n"
    "Interfaces are the serial ports of this machine, and those named in LARCH_EXTCAP_PORTS, colon-separated.\n"
    "Exit status: 0 done, 1 failed, 2 usage.\n";

typedef struct extcap {
    const char *interface;
    const char *fifo;
    const char *device;
    const char *control_in;
    const char *control_out;
    unsigned long baud;
    unsigned long channel; /* 0: as it is */
    unsigned long snap;
    enum { NOTHING, INTERFACES, DLTS, CONFIG, CAPTURE } ask;
} extcap;

static larch_extcap_port ports[LARCH_EXTCAP_PORTS_MAX];
static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* ---- questions --------------------------------------------------------- */

static int say_interfaces(void)
{
    const size_t count = larch_extcap_ports_find(ports);
    printf("extcap {version=%s}{display=larch sniffer board}\n", LARCH_VERSION);
    for (size_t i = 0; i < count; i++)
        printf("interface {value=%s}{display=larch sniffer board on %s}\n", ports[i].name, ports[i].path);
    larch_toolbar_print(stdout);
    return larch_app_help("");
}

static int say_dlts(void)
{
    return larch_app_help("dlt {number=127}{name=IEEE802_11_RADIO}{display=802.11 with radiotap}\n");
}

static const char *path_of(const char *interface)
{
    const size_t count = larch_extcap_ports_find(ports);
    for (size_t i = 0; i < count; i++)
        if (strcmp(ports[i].name, interface) == 0)
            return ports[i].path;
    return NULL;
}

static int say_config(const extcap *x)
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
           path != NULL ? path : "", LARCH_SNIFF_PORT_BAUD, LARCH_RECORD_SNAP_MAX, LARCH_RECORD_SNAP_MAX);
    for (int i = LARCH_TAP_CHANNEL_MIN; i <= LARCH_TAP_CHANNEL_MAX; i++)
        printf("value {arg=2}{value=%d}{display=%d}\n", i, i);
    return larch_app_help("");
}

/* ---- the capture ------------------------------------------------------- */

static void take_talk(void *context, larch_bytes talk) { larch_toolbar_talk(context, talk); }

static void take_status(void *context, const larch_record_status *status) { larch_toolbar_status(context, status); }

static int complain(const larch_sniff_trouble *trouble)
{
    return larch_app_fail("extcap", "%s%s%s", trouble->text, trouble->hint[0] != 0 ? "; " : "", trouble->hint);
}

/* Until Wireshark stops it, closes the FIFO, or the board is gone. */
static int run(larch_tap *tap, larch_engine *engine, larch_toolbar *toolbar)
{
    larch_sniff_trouble trouble;
    while (stopped == 0) {
        const larch_error r = larch_tap_step(tap, engine, LARCH_TAP_WAIT_MS, &trouble);
        if (r == LARCH_SPENT || r == LARCH_STATE || !larch_engine_flush(engine))
            break;
        if (r == LARCH_PLATFORM)
            return complain(&trouble);
        larch_toolbar_poll(toolbar, tap);
    }
    return LARCH_EXIT_DONE;
}

static int capture_from(larch_tap *tap, const extcap *x, larch_engine *engine, larch_toolbar *toolbar)
{
    engine->command = "extcap";
    engine->write = x->fifo;
    engine->silent = engine->live = true;
    if (!larch_toolbar_open(toolbar, x->control_in, x->control_out))
        return larch_app_fail("extcap", "the toolbar's pipes: %s", strerror(errno));
    int result = larch_engine_open(engine, LARCH_SNIFF_SERIAL_SNAPLEN);
    if (result != LARCH_EXIT_DONE)
        return result;
    if (!larch_tap_tell_number(tap, "channel", x->channel) || !larch_tap_tell_number(tap, "snap", x->snap) ||
        (toolbar->in >= 0 && !larch_tap_tell(tap, "status")))
        result = larch_app_fail("extcap", "the board takes no commands there");
    else
        result = run(tap, engine, toolbar);
    return larch_engine_close(engine, larch_tap_missing(tap), result);
}

static int capture(const extcap *x)
{
    const char *path = x->device != NULL && x->device[0] != '\0' ? x->device : path_of(x->interface);
    larch_sniff_trouble trouble;
    larch_toolbar toolbar;
    larch_engine engine;
    if (path == NULL)
        return larch_app_fail("extcap", "there is no port for %s; is the board plugged in?", x->interface);
    const larch_tap_listener listener = {take_talk, take_status, &toolbar};
    larch_tap *tap = larch_tap_open(path, x->baud, &listener, &trouble);
    if (tap == NULL)
        return complain(&trouble);
    struct sigaction action = {.sa_handler = stop};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* Wireshark ends a capture by closing the FIFO */
    int result = LARCH_EXIT_FAILED;
    memset(&toolbar, 0, sizeof toolbar);
    toolbar.in = toolbar.out = -1;
    if (larch_engine_init(&engine))
        result = capture_from(tap, x, &engine, &toolbar);
    larch_toolbar_close(&toolbar);
    larch_engine_free(&engine);
    larch_tap_close(tap);
    return result;
}

/* ---- the start --------------------------------------------------------- */

/* LARCH_EXIT_DONE: go on; -1: help was shown. Options of later versions of Wireshark are no reason to fail. */
static int parse_options(int argc, char **argv, extcap *x)
{
    enum {
        ASK_INTERFACES = 256,
        ASK_DLTS,
        ASK_CONFIG,
        DO_CAPTURE,
        INTERFACE,
        FIFO,
        CONTROL_IN,
        CONTROL_OUT,
        IGNORED,
        DEVICE,
        BAUD,
        CHANNEL_OPTION,
        SNAP_OPTION,
        HELP
    };
    static const struct option known[] = {{"extcap-interfaces", no_argument, NULL, ASK_INTERFACES},
                                          {"extcap-dlts", no_argument, NULL, ASK_DLTS},
                                          {"extcap-config", no_argument, NULL, ASK_CONFIG},
                                          {"capture", no_argument, NULL, DO_CAPTURE},
                                          {"extcap-interface", required_argument, NULL, INTERFACE},
                                          {"fifo", required_argument, NULL, FIFO},
                                          {"extcap-control-in", required_argument, NULL, CONTROL_IN},
                                          {"extcap-control-out", required_argument, NULL, CONTROL_OUT},
                                          {"extcap-version", optional_argument, NULL, IGNORED},
                                          {"extcap-capture-filter", required_argument, NULL, IGNORED},
                                          {"extcap-reload-option", required_argument, NULL, IGNORED},
                                          {"device", required_argument, NULL, DEVICE},
                                          {"baud", required_argument, NULL, BAUD},
                                          {"channel", required_argument, NULL, CHANNEL_OPTION},
                                          {"snap", required_argument, NULL, SNAP_OPTION},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":", known, NULL)) != -1;) {
        switch (c) {
        case ASK_INTERFACES:
            x->ask = INTERFACES;
            break;
        case ASK_DLTS:
            x->ask = DLTS;
            break;
        case ASK_CONFIG:
            x->ask = CONFIG;
            break;
        case DO_CAPTURE:
            x->ask = CAPTURE;
            break;
        case INTERFACE:
            x->interface = optarg;
            break;
        case FIFO:
            x->fifo = optarg;
            break;
        case CONTROL_IN:
            x->control_in = optarg;
            break;
        case CONTROL_OUT:
            x->control_out = optarg;
            break;
        case DEVICE:
            x->device = optarg;
            break;
        case BAUD:
            if (!larch_app_number(optarg, 1, 100000000, &x->baud))
                return larch_app_usage("extcap", "a baud rate is a number, not %s", optarg);
            break;
        case CHANNEL_OPTION:
            if (!larch_app_number(optarg, 0, LARCH_TAP_CHANNEL_MAX, &x->channel))
                return larch_app_usage("extcap", "a channel is a number from 1 to 14, not %s", optarg);
            break;
        case SNAP_OPTION:
            if (!larch_app_number(optarg, 1, LARCH_RECORD_SNAP_MAX, &x->snap))
                return larch_app_usage("extcap", "a snap length is a number from 1 to 4096, not %s", optarg);
            break;
        case IGNORED:
            break;
        case HELP:
            (void)larch_app_help(usage);
            return -1;
        case ':':
            return larch_app_usage("extcap", "an argument is missing after %s", argv[optind - 1]);
        default:
            return larch_app_usage("extcap", "unknown option %s", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return larch_app_usage("extcap", "unexpected argument %s", argv[optind]);
    if (x->ask == NOTHING)
        return larch_app_usage("extcap", "Wireshark asks this command; a person may try --extcap-interfaces");
    if (x->ask != INTERFACES && x->interface[0] == '\0')
        return larch_app_usage("extcap", "--extcap-interface is missing");
    if (x->ask == CAPTURE && x->fifo == NULL)
        return larch_app_usage("extcap", "--fifo is missing");
    return LARCH_EXIT_DONE;
}

int larch_extcap_main(int argc, char **argv)
{
    extcap x = {.interface = "", .baud = LARCH_SNIFF_PORT_BAUD};
    const int result = parse_options(argc, argv, &x);
    if (result != LARCH_EXIT_DONE)
        return result < 0 ? LARCH_EXIT_DONE : result;
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
