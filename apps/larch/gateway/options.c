/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/command.h"
#include "common/suite_name.h"
#include "common/value.h"
#include "gateway/options.h"
#include "larch/store.h"
#include "registry/sessions.h"

#define NAME        "gateway"
#define CONFIG_NAME "gateway.ini"

/* Long enough for a sender that reports once a week to follow an endorsed rotation. */
#define GRACE_SECONDS  (8u * 24 * 3600)
/* Marks before a rotation: 7/8 of 15/16 of it, 107,000 messages. */
#define REPLAY_SLOTS   (1u << 17)
#define ADDRESSES      (1u << 18)
#define PLACES_MIN     16
#define PLACES_MAX     (1u << 24)
#define A_POWER_OF_TWO "a power of two from 16 to 16777216, such as 131072"
/* Messages that wait for a reader: 64 MiB take some 400,000 short ones. */
#define OUTBOX_BYTES   (UINT64_C(64) << 20)
#define OUTBOX_MIN     4096
#define OUTBOX_MAX     (UINT64_C(1) << 40)
#define MARKS_UNSET    UINT32_MAX
#define MARKS_MIN      3600u

/* ---- the rows ------------------------------------------------------------ */

static const char *const durabilities[] = {
    [LARCH_POSIX_DURABILITY_MEDIUM] = "medium", [LARCH_POSIX_DURABILITY_PROCESS] = "process", NULL};

static const char *const requirements[] = {
    [GATEWAY_REQUIRE_NOTHING] = "nothing", [GATEWAY_REQUIRE_LAKE] = "lake", NULL};

/* Names with commas between them. */
static bool set_suites(void *target, const char *value)
{
    gateway_options *options = target;
    int8_t suites[GATEWAY_SUITES_MAX];
    size_t count = 0;
    while (count < GATEWAY_SUITES_MAX) {
        char name[32] = "";
        const size_t len = strcspn(value, ",");
        const larch_lake_suite *suite = NULL;
        if (len < sizeof name) {
            memcpy(name, value, len);
            suite = larch_app_suite_find(name);
        }
        for (size_t i = 0; suite != NULL && i < count; i++)
            if (suites[i] == suite->number)
                suite = NULL;
        if (suite == NULL)
            return false;
        suites[count++] = suite->number;
        if (value[len] == '\0') {
            memset(options->suites, 0, sizeof options->suites);
            memcpy(options->suites, suites, count);
            options->suite_count = count;
            return true;
        }
        value += len + 1;
    }
    return false;
}

static const larch_option options_rows[] = {
    {.name = "listen",
     .kind = LARCH_OPTION_COPY,
     .value = "ADDR:PORT",
     .section = "gateway",
     LARCH_OPTION_LIST(gateway_options, listen, listen_count),
     .text = "where to listen, up to 4 times; default [::]:5683, both IPv6 and IPv4"},
    {.name = "state",
     .kind = LARCH_OPTION_COPY,
     .value = "DIR",
     .wants = "a folder",
     .section = "gateway",
     LARCH_OPTION_AT(gateway_options, state),
     .text = "the folder for keys, replay marks and outbox; default $STATE_DIRECTORY, else "
             "${XDG_STATE_HOME:-~/.local/state}/larch"},
    {.name = "config",
     .kind = LARCH_OPTION_TEXT,
     .value = "FILE",
     LARCH_OPTION_AT(gateway_options, config),
     .text =
         "read options from an INI file first, see gateway.ini(5); default $CONFIGURATION_DIRECTORY/gateway.ini, if "
         "it is there"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(gateway_options, json),
     .text = "one JSON object a line on stdout"},
    {.name = "display",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(gateway_options, display),
     .text = "draw the board's display and LED; with --json on stderr"},
    {.name = "durability",
     .kind = LARCH_OPTION_CHOICE,
     .value = "WHAT",
     .choices = durabilities,
     .section = "gateway",
     LARCH_OPTION_AT(gateway_options, durability),
     .text = "what an answered message survives: 'medium' (default), a power cut, or 'process', the end of the "
             "process alone, which is faster"},
    {.name = "require",
     .kind = LARCH_OPTION_CHOICE,
     .value = "WHAT",
     .choices = requirements,
     .section = "gateway",
     LARCH_OPTION_AT(gateway_options, require),
     .text =
         "what messages have to come by: 'nothing' (default), or 'lake', which refuses the direct exchange: messages "
         "come in sessions of devices that 'larch device add' added"},
    LARCH_STORE_CHOICE_ROWS(gateway_options, store, "gateway"),
    LARCH_STORE_UNLOCK_ROWS(gateway_options, store, "gateway"),
    {.name = "entropy",
     .kind = LARCH_OPTION_COPY,
     .value = "DEVICE",
     .wants = "a device",
     .section = "gateway",
     LARCH_OPTION_AT(gateway_options, entropy),
     .text = "a hardware source, such as /dev/hwrng, whose bytes are added to the kernel's; default none"},
    {.name = "suites",
     .kind = LARCH_OPTION_SETTER,
     .value = "NAME,...",
     .wants = "different cipher suites of this larch with commas between them, such as ml-kem-512,ml-kem-1024",
     .section = "gateway",
     LARCH_OPTION_AT(gateway_options, suites),
     .set = set_suites,
     .text = "the cipher suites that handshakes may have, the most preferred first: ml-kem-512, ml-kem-512-gcm, "
             "ml-kem-1024, x-wing (default: these), p-256 and p-256-mac16, which a quantum computer breaks"},
    {.name = "ca",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     .section = "gateway",
     LARCH_OPTION_AT(gateway_options, authority),
     .text = "the public key of the fleet's authority (ca.pub of 'larch ca init'): a device with a credential that it "
             "signed needs not be added"},
};

static bool take_power_of_two(const char *value, uint32_t *out)
{
    unsigned long number;
    if (!larch_app_number(value, PLACES_MIN, PLACES_MAX, &number) || (number & (number - 1)) != 0)
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool set_replay_slots(void *target, const char *value)
{
    return take_power_of_two(value, &((gateway_options *)target)->replay_slots);
}

static bool set_addresses(void *target, const char *value)
{
    return take_power_of_two(value, &((gateway_options *)target)->addresses);
}

#define NUMBER(where, key, least, most, field)                                                         \
    {                                                                                                  \
        .section = (where), .name = (key), .kind = LARCH_OPTION_NUMBER, .min = (least), .max = (most), \
        LARCH_OPTION_AT(gateway_options, field)                                                        \
    }

/* What the configuration file alone sets. */
static const larch_option settings_rows[] = {
    NUMBER("gateway", "outbox_bytes", OUTBOX_MIN, OUTBOX_MAX, outbox_bytes),
    {.section = "gateway",
     .name = "replay_slots",
     .kind = LARCH_OPTION_SETTER,
     .wants = A_POWER_OF_TWO,
     LARCH_OPTION_AT(gateway_options, replay_slots),
     .set = set_replay_slots},
    NUMBER("gateway", "grace", 0, UINT32_MAX, grace_seconds),
    NUMBER("gateway", "contexts", 1, 10000000, contexts),
    {.section = "limits",
     .name = "addresses",
     .kind = LARCH_OPTION_SETTER,
     .wants = A_POWER_OF_TWO,
     LARCH_OPTION_AT(gateway_options, addresses),
     .set = set_addresses},
    NUMBER("limits", "prefix_rate", 1, 1000000, limits.prefix_rate),
    NUMBER("limits", "prefix_burst", 1, 1000000, limits.prefix_burst),
    NUMBER("limits", "total_rate", 1, 1000000, limits.total_rate),
    NUMBER("limits", "total_burst", 1, 1000000, limits.total_burst),
    NUMBER("limits", "proven_rate", 0, 1000000, limits.proven_rate),
    NUMBER("limits", "proven_burst", 0, 1000000, limits.proven_burst),
    NUMBER("limits", "marks", 0, 1000000000, limits.marks),
    NUMBER("limits", "excess_prefix_rate", 0, 1000000, limits.excess_prefix_rate),
    NUMBER("limits", "excess_prefix_burst", 0, 1000000, limits.excess_prefix_burst),
    NUMBER("limits", "excess_total_rate", 0, 1000000, limits.excess_total_rate),
    NUMBER("limits", "excess_total_burst", 0, 1000000, limits.excess_total_burst),
};

const larch_command larch_gateway_command = {
    .name = NAME,
    .text = "serve keys, open sealed messages, refuse replays",
    .usage = "[OPTION]...",
    .about = "Serves this gateway's ML-KEM keys over CoAP, opens the messages sealed to them and\n"
             "refuses replays. At its first start the gateway makes its identity and keys; at every\n"
             "start it prints their fingerprints on stderr. 'larch keys rotate' makes it replace its\n"
             "keys. It runs until SIGTERM or SIGINT.\n",
    LARCH_COMMAND_OPTIONS(options_rows),
    .more = "The gateway stores each accepted message in the state folder before it answers it, and then\n"
            "prints it as one line on stdout. Lines that nobody reads wait, also over restarts. With --json:\n"
            "  {\"time\":\"2026-11-20T15:00:00.123Z\",\"peer\":\"127.0.0.1:40000\",\"via\":\"direct\",\n"
            "   \"kem\":\"ML-KEM-512\",\"text\":\"Hello\",\"id\":\"D0200000000016b0c2f4d9be01a77\"}\n"
            "Each message has its own \"id\". After a crash the gateway prints a line again if it may have\n"
            "printed it before, with \"repeat\":true, and without --json with \" (repeat)\" at its end.\n"
            "If a text is not UTF-8, its foreign bytes are \\u0080 to \\u00ff, and a member \"hex\" has all its\n"
            "bytes. Each refusal is one line on stderr with its reason: at most 10 lines a second for\n"
            "replays and for failed authentication, one line a second for malformed, for dropped and for\n"
            "rate-limited datagrams. Further refusals are counted and summarised once a second. With --json\n"
            "refusals, rotations and, at the end, totals are objects on stderr, beside lines of text:\n"
            "  {\"time\":\"2026-11-20T15:00:00.123Z\",\"event\":\"replay\",\"count\":1,\n"
            "   \"peer\":\"192.0.2.7:40000\",\"kem\":\"ML-KEM-512\",\"reason\":\"these bytes were accepted before\"}\n"
            "\n"
            "On SIGHUP the gateway reads its configuration file again. It takes over what can change while it\n"
            "runs, which is [limits] except addresses, and names in a line what needs a restart.\n",
};

/* ---- configuration file ------------------------------------------------- */

typedef struct reading {
    gateway_options *options;
    const larch_option *seen;         /* the list that this file has begun to fill */
    char why[LARCH_OPTION_FAULT_MAX]; /* the first mistake */
} reading;

/* A setting is written with underscores, and its option with dashes. */
static bool is_setting(const char *row, const char *name)
{
    while (*row != '\0' && (*row == *name || (*row == '-' && *name == '_'))) {
        row++;
        name++;
    }
    return *row == '\0' && *name == '\0';
}

static const larch_option *find_among(const larch_option *rows, size_t count, const char *section, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].section != NULL && strcmp(section, rows[i].section) == 0 && is_setting(rows[i].name, name))
            return &rows[i];
    return NULL;
}

#define FIND_AMONG(rows, section, name) find_among(rows, sizeof(rows) / sizeof(rows)[0], section, name)

/* libinih calls it for each setting; 0 makes the line a mistake. */
static int take_setting(void *context, const char *section, const char *name, const char *value)
{
    reading *r = context;
    larch_option_fault fault;

    if (r->why[0] != '\0')
        return 0; /* only the first mistake is reported */
    const larch_option *row = FIND_AMONG(options_rows, section, name);
    if (row == NULL)
        row = FIND_AMONG(settings_rows, section, name);
    if (row == NULL) {
        snprintf(r->why, sizeof r->why, "there is no setting '%.40s' in section [%.40s]", name, section);
        return 0;
    }
    if (!larch_option_store(row, r->options, r->seen != row, name, value, &fault)) {
        memcpy(r->why, fault.text, sizeof r->why);
        return 0;
    }
    if (row->times > 0)
        r->seen = row;
    return 1;
}

/* Opens what can be read as a file; a folder can be opened too, and would read as an empty one. NULL: errno. */
static FILE *open_file(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &status) != 0 || !S_ISDIR(status.st_mode))
        return file;
    fclose(file);
    errno = EISDIR;
    return NULL;
}

bool gateway_options_read(gateway_options *options, const char *path, char *why, size_t cap)
{
    reading r = {.options = options};
    FILE *file = open_file(path);
    if (file == NULL) {
        snprintf(why, cap, "%s: %s", path, strerror(errno));
        return false;
    }
    errno = 0;
    const int line = ini_parse_file(file, take_setting, &r);
    const bool unread = ferror(file) != 0;
    if (unread)
        snprintf(why, cap, "%s: %s", path, errno != 0 ? strerror(errno) : "it could not be read to its end");
    else if (line < 0)
        snprintf(why, cap, "%s: out of memory", path);
    else if (line > 0)
        snprintf(why, cap, "%s:%d: %s", path, line, r.why[0] != '\0' ? r.why : "is neither a [section] nor a setting");
    fclose(file);
    return line == 0 && !unread;
}

/* ---- command line -------------------------------------------------------- */

static gateway_options defaults(void)
{
    gateway_options options = (gateway_options){
        .listen = {"[::]:5683"},
        .listen_count = 1,
        .replay_slots = REPLAY_SLOTS,
        .addresses = ADDRESSES,
        .grace_seconds = GRACE_SECONDS,
        .suites = {LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_SUITE_PQ_2, LARCH_LAKE_SUITE_PQ_3, LARCH_LAKE_SUITE_X_WING},
        .suite_count = 4,
        .contexts = LARCH_SESSIONS_MAX,
        .outbox_bytes = OUTBOX_BYTES,
        .limits = larch_reach_default_limits()};
    options.limits.marks = MARKS_UNSET;
    return options;
}

/* An hour's marks fit into one key's set, unless the file says otherwise; no more ever come at once. A small set takes
 * one a second nevertheless, and its key is rotated the more often. */
static void fit_marks(gateway_options *options, uint32_t replay_slots)
{
    uint32_t room = larch_replay_set_capacity(replay_slots) / 8 * 7;
    room = room > MARKS_MIN ? room : MARKS_MIN;
    if (options->limits.marks == MARKS_UNSET)
        options->limits.marks = room;
    options->limits.mark_burst = room;
}

/* As systemd names it; the first of several folders. */
static void find_config(gateway_options *options)
{
    const char *folder = getenv("CONFIGURATION_DIRECTORY");
    if (options->config != NULL || folder == NULL || folder[0] == '\0')
        return;
    const int len = snprintf(options->config_found, sizeof options->config_found, "%.*s/" CONFIG_NAME,
                             (int)strcspn(folder, ":"), folder);
    if (len > 0 && (size_t)len < sizeof options->config_found && access(options->config_found, F_OK) == 0)
        options->config = options->config_found;
}

/* The command line is read twice: first for the file, then over what the file says. A mistake in the file is in why; of
 * all others it has said what is wrong. */
static larch_exit read_all(gateway_options *options, int argc, char **argv, char *why, size_t cap)
{
    larch_operands operands;
    larch_exit code;

    *options = defaults();
    if ((code = larch_command_parse(&larch_gateway_command, options, argc, argv, &operands)) != LARCH_EXIT_DONE)
        return code;
    find_config(options);
    if (options->config != NULL) {
        const gateway_options first = *options;
        *options = defaults();
        memcpy(options->config_found, first.config_found, sizeof first.config_found);
        options->config = first.config == first.config_found ? options->config_found : first.config;
        if (!gateway_options_read(options, options->config, why, cap))
            return LARCH_EXIT_USAGE;
        if ((code = larch_command_parse(&larch_gateway_command, options, argc, argv, &operands)) != LARCH_EXIT_DONE)
            return code;
    }
    return larch_app_default_state(NAME, options->state, sizeof options->state);
}

larch_exit gateway_options_take(gateway_options *options, int argc, char **argv)
{
    char why[GATEWAY_STATE_MAX + LARCH_OPTION_FAULT_MAX] = "";
    const larch_exit code = read_all(options, argc, argv, why, sizeof why);
    if (why[0] != '\0')
        (void)larch_app_fail(NAME, "%s", why);
    fit_marks(options, options->replay_slots);
    return code;
}

/* ---- while it runs ------------------------------------------------------- */

static bool is_changed(const larch_option *row, const gateway_options *a, const gateway_options *b)
{
    const size_t len = row->size * (row->times > 0 ? row->times : 1);
    return (row->times > 0 &&
            memcmp((const char *)a + row->count_offset, (const char *)b + row->count_offset, sizeof(size_t)) != 0) ||
           memcmp((const char *)a + row->offset, (const char *)b + row->offset, len) != 0;
}

static void add_name(char names[GATEWAY_NAMES_MAX], const char *name)
{
    const size_t len = strlen(names);
    snprintf(names + len, GATEWAY_NAMES_MAX - len, "%s%s", len > 0 ? ", " : "", name);
}

static void compare(const larch_option *rows, size_t count, const gateway_options *options,
                    const gateway_options *fresh, char taken[GATEWAY_NAMES_MAX], char left[GATEWAY_NAMES_MAX])
{
    for (size_t i = 0; i < count; i++) {
        const larch_option *row = &rows[i];
        const size_t limits = offsetof(gateway_options, limits);
        const bool is_limit = row->offset >= limits && row->offset < limits + sizeof options->limits;
        if (row->section != NULL && is_changed(row, options, fresh))
            add_name(is_limit ? taken : left, row->name);
    }
}

bool gateway_options_reload(gateway_options *options, int argc, char **argv, char taken[GATEWAY_NAMES_MAX],
                            char left[GATEWAY_NAMES_MAX], char *why, size_t cap)
{
    static gateway_options fresh; /* too large for a stack, with its texts */
    taken[0] = left[0] = why[0] = '\0';
    if (read_all(&fresh, argc, argv, why, cap) != LARCH_EXIT_DONE) {
        if (why[0] == '\0')
            snprintf(why, cap, "the command line cannot be read again");
        return false;
    }
    fit_marks(&fresh, options->replay_slots); /* those in use */
    compare(options_rows, sizeof options_rows / sizeof options_rows[0], options, &fresh, taken, left);
    compare(settings_rows, sizeof settings_rows / sizeof settings_rows[0], options, &fresh, taken, left);
    options->limits = fresh.limits;
    return true;
}
