/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of the program share: their entry points, exit codes and
 * the way they complain. Data goes to stdout, talk to stderr.
 */
#ifndef LARCH_APP_H
#define LARCH_APP_H

#include <stdbool.h>
#include <stddef.h>

#define LARCH_APP_VERSION "larch " LARCH_VERSION

/* Exit codes. A script can tell a fault from an attack. */
enum {
    LARCH_EXIT_DONE = 0,
    LARCH_EXIT_FAILED = 1,
    LARCH_EXIT_USAGE = 2,
    LARCH_EXIT_REFUSED = 3 /* for security: a wrong key, a message that was not opened */
};

/* X(name, one line of help): every command is larch_NAME_main. */
#define LARCH_APP_COMMANDS(X)                                        \
    X(gateway, "serve keys, open sealed messages, refuse replays")   \
    X(send, "seal a message to a gateway and post it")               \
    X(discover, "find the gateways on this network")                 \
    X(sniff, "decode traffic live or from a file, and name attacks") \
    X(extcap, "show sniffer boards to Wireshark as interfaces")      \
    X(oled, "show what a board's display shows, from its I2C bus")   \
    X(keys, "show, rotate or fingerprint a gateway's keys")          \
    X(bench, "measure this machine")                                 \
    X(demo, "gateway, sender, sniffer and attacks, explained on screen")

#define LARCH_APP_DECLARE(name, text) int larch_##name##_main(int argc, char **argv);
LARCH_APP_COMMANDS(LARCH_APP_DECLARE)
#undef LARCH_APP_DECLARE

#if defined(__GNUC__)
#define LARCH_APP_FORMAT __attribute__((format(printf, 2, 3)))
#else
#define LARCH_APP_FORMAT
#endif

/* One line on stderr, "larch COMMAND: ...": what is wrong and what to do next.
 * Returns LARCH_EXIT_FAILED. */
int larch_app_fail(const char *command, const char *format, ...) LARCH_APP_FORMAT;
/* The same for a mistake on the command line, with a hint at --help. Returns LARCH_EXIT_USAGE. */
int larch_app_usage(const char *command, const char *format, ...) LARCH_APP_FORMAT;
/* The hint alone: getopt has complained. Returns LARCH_EXIT_USAGE. */
int larch_app_hint(const char *command);
/* Prints a command's help on stdout. Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED if nobody could read it. */
int larch_app_help(const char *text);

/* Starts the cryptography and tests it; every command that makes or uses keys does so before its first.
 * Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying what is wrong. */
int larch_app_start_crypto(const char *command);

/* A whole decimal number from min to max; false, with *out unchanged, if text is anything else. */
bool larch_app_number(const char *text, unsigned long min, unsigned long max, unsigned long *out);

/* Copies a text that is not empty; false, with *out unchanged, if it is, or if it does not fit cap bytes with its end. */
bool larch_app_copy(const char *text, char *out, size_t cap);

#endif
