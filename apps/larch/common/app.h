/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of the program share: their entry points, exit codes and
 * the way they complain. Data goes to stdout, talk to stderr.
 */
#ifndef LARCH_APP_H
#define LARCH_APP_H

#include <stdbool.h>
#include <stddef.h>

#define LARCH_APP_VERSION       "larch " LARCH_VERSION
#define LARCH_APP_OUTBOX_NAME   "outbox.db" /* in the state folder */
#define LARCH_APP_SESSIONS_NAME "sessions.db"

/*
 * Exit codes. A script can tell a fault from an attack.
 *
 * One convention holds for every function of the commands that may end the program: it returns a larch_exit.
 * LARCH_EXIT_DONE means that its step is done and the caller goes on; the caller returns anything else at once, after
 * giving back what it holds. Who returns another code has said why. Functions that only fail, and let their caller say
 * so, return a bool, a larch_error, or 0 and -1 where they fill in a larch_posix_reason as port/posix does.
 */
typedef enum larch_exit {
    LARCH_EXIT_SHOWN = -1, /* done, and nothing else is to be done: the help was printed. main() makes 0 of it */
    LARCH_EXIT_DONE = 0,
    LARCH_EXIT_FAILED = 1,
    LARCH_EXIT_USAGE = 2,
    LARCH_EXIT_REFUSED = 3 /* for security: a wrong key, a message that was not opened, an alert that was asked for */
} larch_exit;

/* X(name, holds_secrets): every command is larch_NAME_main and, as a row of options and help (common/command.h),
 * larch_NAME_command. One that holds secrets runs hardened (common/harden.h). */
#define LARCH_APP_COMMANDS(X) \
    X(gateway, true)          \
    X(send, true)             \
    X(device, true)           \
    X(ca, true)               \
    X(discover, false)        \
    X(sniff, false)           \
    X(extcap, false)          \
    X(oled, false)            \
    X(keys, true)             \
    X(store, true)            \
    X(backup, true)           \
    X(restore, true)          \
    X(bench, true)            \
    X(demo, true)

/* argv[0] is the command's name. Returns a larch_exit. */
#define LARCH_APP_DECLARE(name, holds_secrets) int larch_##name##_main(int argc, char **argv);
LARCH_APP_COMMANDS(LARCH_APP_DECLARE)
#undef LARCH_APP_DECLARE

#if defined(__GNUC__)
#define LARCH_APP_FORMAT __attribute__((format(printf, 2, 3)))
#else
#define LARCH_APP_FORMAT
#endif

/* One line on stderr, "larch COMMAND: ...", or "larch: ..." if command is empty: what is wrong and what to do next.
 * Returns LARCH_EXIT_FAILED. */
larch_exit larch_app_fail(const char *command, const char *format, ...) LARCH_APP_FORMAT;
/* As larch_app_fail, for a mistake on the command line: a second line points to --help. Returns LARCH_EXIT_USAGE. */
larch_exit larch_app_usage(const char *command, const char *format, ...) LARCH_APP_FORMAT;
/* As larch_app_fail, for what is refused for security. Returns LARCH_EXIT_REFUSED. */
larch_exit larch_app_refuse(const char *command, const char *format, ...) LARCH_APP_FORMAT;
/* Flushes what was printed on stdout. Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying that it could not be
 * written. */
larch_exit larch_app_end_output(const char *command);

/* Starts the cryptography and tests it; every command that makes or uses keys does so before its first.
 * Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying what is wrong. */
larch_exit larch_app_start_crypto(const char *command);

/* A whole decimal number from min to max; false, with *out unchanged, if text is anything else. */
bool larch_app_number(const char *text, unsigned long min, unsigned long max, unsigned long *out);

/* Copies a text that is not empty; false, with *out unchanged, if it is, or if it does not fit cap bytes with its end. */
bool larch_app_copy(const char *text, char *out, size_t cap);

#endif
