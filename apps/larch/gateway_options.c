/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "gateway_options.h"
#include "storage.h"

#define NAME "gateway"

/* Long enough for a sender that reports once a week to follow an endorsed rotation. */
#define GRACE_SECONDS    (8u * 24 * 3600)
/* Marks before a rotation: 7/8 of 15/16 of it, 107,000 messages. */
#define REPLAY_SLOTS     (1u << 17)
#define REPLAY_SLOTS_MIN 16
#define REPLAY_SLOTS_MAX (1u << 24)

static const char help[] =
    "Usage: larch gateway [OPTION]...\n"
    "Serves this gateway's ML-KEM keys over CoAP, opens the messages sealed to them and\n"
    "refuses replays. Runs until SIGTERM or SIGINT; SIGUSR1 rotates all keys. Makes its\n"
    "keys on the first start and prints their fingerprints on stderr.\n"
    "\n"
    "Options:\n"
    "  --listen ADDR:PORT   where to listen, up to 4 times; default [::]:5683, both IPv6 and IPv4\n"
    "  --state DIR          keys and replay marks; default $STATE_DIRECTORY, else\n"
    "                       ${XDG_STATE_HOME:-~/.local/state}/larch\n"
    "  --config FILE        read options from an INI file first; see gateway.ini in the documentation\n"
    "  --json               one JSON object a line on stdout\n"
    "  --display            draw the board's display and LED; with --json on stderr\n"
    "  --durability WHAT    what an answered message's mark survives: 'medium', a power cut\n"
    "                       (default), or 'process', the end of the process alone: faster\n"
    "  --help               print this help\n"
    "\n"
    "Each accepted message is one line on stdout before it is answered. With --json:\n"
    "  {\"time\":\"2026-11-20T15:00:00.123Z\",\"peer\":\"127.0.0.1:40000\",\"via\":\"direct\",\n"
    "   \"kem\":\"ML-KEM-512\",\"text\":\"Hello\"}\n"
    "A text that is not UTF-8 has its foreign bytes as \\u0080 to \\u00ff and a member \"hex\" with\n"
    "all its bytes. Each refusal is one line on stderr with its reason: replays and failed\n"
    "authentication at most 10 lines a second, malformed, dropped and rate-limited datagrams one\n"
    "line a second each. What is more is counted, and its count told within a second.\n";

/* ---- configuration file ------------------------------------------------- */

/* Settings that are numbers. */
static const struct number_key {
    const char *section;
    const char *name;
    unsigned long min;
    unsigned long max;
    size_t offset; /* of a uint32_t in gateway_options */
} number_keys[] = {
    {"gateway", "replay_slots", REPLAY_SLOTS_MIN, REPLAY_SLOTS_MAX, offsetof(gateway_options, replay_slots)},
    {"gateway", "grace", 0, UINT32_MAX, offsetof(gateway_options, grace_seconds)},
    {"limits", "prefix_rate", 1, 1000000, offsetof(gateway_options, limits.prefix_rate)},
    {"limits", "prefix_burst", 1, 1000000, offsetof(gateway_options, limits.prefix_burst)},
    {"limits", "total_rate", 1, 1000000, offsetof(gateway_options, limits.total_rate)},
    {"limits", "total_burst", 1, 1000000, offsetof(gateway_options, limits.total_burst)},
    {"limits", "proven_rate", 0, 1000000, offsetof(gateway_options, limits.proven_rate)},
    {"limits", "proven_burst", 0, 1000000, offsetof(gateway_options, limits.proven_burst)},
};

typedef struct reading {
    gateway_options *options;
    bool listen_seen;
    char why[160]; /* the first mistake */
} reading;

static bool set_listen(gateway_options *options, bool *seen, const char *value)
{
    if (!*seen)
        options->listen_count = 0; /* the first one stands for the default */
    *seen = true;
    if (options->listen_count == GATEWAY_LISTEN_MAX ||
        !larch_app_copy(value, options->listen[options->listen_count], GATEWAY_ADDRESS_MAX))
        return false;
    options->listen_count++;
    return true;
}

static bool set_durability(gateway_options *options, const char *value)
{
    options->process_durability = strcmp(value, "process") == 0;
    return options->process_durability || strcmp(value, "medium") == 0;
}

static bool set_number(reading *r, const struct number_key *key, const char *value)
{
    unsigned long number;

    if (!larch_app_number(value, key->min, key->max, &number)) {
        snprintf(r->why, sizeof r->why, "%s is a number from %lu to %lu", key->name, key->min, key->max);
        return false;
    }
    if (strcmp(key->name, "replay_slots") == 0 && (number & (number - 1)) != 0) {
        snprintf(r->why, sizeof r->why, "replay_slots is a power of two, such as %u", REPLAY_SLOTS);
        return false;
    }
    memcpy((char *)r->options + key->offset, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
    return true;
}

/* libinih calls it for each setting; 0 makes the line a mistake. */
static int take_setting(void *context, const char *section, const char *name, const char *value)
{
    reading *r = context;

    if (r->why[0] != '\0')
        return 0; /* only the first mistake is told */
    for (size_t i = 0; i < sizeof number_keys / sizeof number_keys[0]; i++)
        if (strcmp(section, number_keys[i].section) == 0 && strcmp(name, number_keys[i].name) == 0)
            return set_number(r, &number_keys[i], value);
    if (strcmp(section, "gateway") != 0) {
        snprintf(r->why, sizeof r->why, "there is no setting '%.40s' in section [%.40s]", name, section);
    } else if (strcmp(name, "listen") == 0) {
        if (!set_listen(r->options, &r->listen_seen, value))
            snprintf(r->why, sizeof r->why, "listen is ADDR:PORT, at most %d times", GATEWAY_LISTEN_MAX);
    } else if (strcmp(name, "state") == 0) {
        if (!larch_app_copy(value, r->options->state, sizeof r->options->state))
            snprintf(r->why, sizeof r->why, "state is a folder");
    } else if (strcmp(name, "durability") == 0) {
        if (!set_durability(r->options, value))
            snprintf(r->why, sizeof r->why, "durability is medium or process");
    } else {
        snprintf(r->why, sizeof r->why, "there is no setting '%.40s' in section [gateway]", name);
    }
    return r->why[0] == '\0';
}

bool gateway_options_read(gateway_options *options, const char *path, char *why, size_t cap)
{
    reading r = {.options = options};
    int line = ini_parse(path, take_setting, &r);

    if (line < 0)
        snprintf(why, cap, "%s: %s", path, line == -1 ? strerror(errno) : "out of memory");
    else if (line > 0)
        snprintf(why, cap, "%s:%d: %s", path, line, r.why[0] != '\0' ? r.why : "is neither a [section] nor a setting");
    return line == 0;
}

/* ---- command line -------------------------------------------------------- */

enum { OPTION_LISTEN = 1, OPTION_STATE, OPTION_CONFIG, OPTION_JSON, OPTION_DISPLAY, OPTION_DURABILITY, OPTION_HELP };

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPTION_LISTEN}, {"state", required_argument, NULL, OPTION_STATE},
    {"config", required_argument, NULL, OPTION_CONFIG}, {"json", no_argument, NULL, OPTION_JSON},
    {"display", no_argument, NULL, OPTION_DISPLAY},     {"durability", required_argument, NULL, OPTION_DURABILITY},
    {"help", no_argument, NULL, OPTION_HELP},           {NULL, 0, NULL, 0},
};

static int take_option(gateway_options *options, int option, const char *value, bool *listen_seen)
{
    switch (option) {
    case OPTION_LISTEN:
        if (!set_listen(options, listen_seen, value))
            return larch_app_usage(NAME, "--listen takes ADDR:PORT, at most %d times", GATEWAY_LISTEN_MAX);
        break;
    case OPTION_STATE:
        if (!larch_app_copy(value, options->state, sizeof options->state))
            return larch_app_usage(NAME, "--state takes a folder");
        break;
    case OPTION_DURABILITY:
        if (!set_durability(options, value))
            return larch_app_usage(NAME, "--durability takes 'medium' or 'process', not '%s'", value);
        break;
    case OPTION_JSON:
        options->json = true;
        break;
    case OPTION_DISPLAY:
        options->display = true;
        break;
    default:
        break;
    }
    return -1;
}

/* The command line is read twice: first for the file, then over what the file says. */
int gateway_options_take(gateway_options *options, int argc, char **argv)
{
    const char *config = NULL;
    char why[GATEWAY_STATE_MAX + 200];
    bool listen_seen = false;
    int option;

    *options = (gateway_options){.listen = {"[::]:5683"},
                                 .listen_count = 1,
                                 .replay_slots = REPLAY_SLOTS,
                                 .grace_seconds = GRACE_SECONDS,
                                 .limits = larch_reach_default_limits()};
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == '?')
            return larch_app_hint(NAME);
        if (option == OPTION_HELP)
            return larch_app_help(help);
        if (option == OPTION_CONFIG)
            config = optarg;
    }
    if (optind < argc)
        return larch_app_usage(NAME, "'%s' is not an option", argv[optind]);
    if (config != NULL && !gateway_options_read(options, config, why, sizeof why)) {
        (void)larch_app_fail(NAME, "%s", why);
        return LARCH_EXIT_USAGE;
    }

    optind = 1;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int code = take_option(options, option, optarg != NULL ? optarg : "", &listen_seen);
        if (code >= 0)
            return code;
    }
    if (options->state[0] == '\0' && larch_posix_state_path(options->state, sizeof options->state) != LARCH_OK)
        return larch_app_fail(NAME, "%s", GATEWAY_NO_FOLDER);
    return -1;
}
