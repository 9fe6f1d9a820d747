/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one program: a table of commands, each a file of its own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"

typedef struct command {
    const char *name;
    const char *text;
    const char *full_name; /* argv[0] of the command, so that getopt names it */
    int (*main)(int argc, char **argv);
} command;

#define ROW(name, text) {#name, text, "larch " #name, larch_##name##_main},
static const command commands[] = {LARCH_APP_COMMANDS(ROW)};
#undef ROW

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static int help(void)
{
    printf("Usage: larch COMMAND [OPTION]...\n"
           "Post-quantum secure CoAP for small devices: ML-KEM sealed messages over UDP.\n"
           "\n"
           "Commands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s  %s\n", commands[i].name, commands[i].text);
    return larch_app_help("\n"
                          "Options:\n"
                          "  --help      print this help; 'larch COMMAND --help' that of a command\n"
                          "  --version   print the version\n"
                          "\n"
                          "Data goes to stdout, talk to stderr; --json gives one JSON object a line.\n"
                          "Exit status: 0 done, 1 failed, 2 usage, 3 refused for security.\n"
                          "\n"
                          "See everything at work on this machine, attacks included: larch demo\n");
}

static const command *find(const char *name, size_t len)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strncmp(commands[i].name, name, len) == 0)
            return &commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const command *close = name[0] == '\0' ? NULL : find(name, 1);

    fprintf(stderr, "larch: there is no %s '%s'.", name[0] == '-' ? "option" : "command", name);
    if (close != NULL)
        fprintf(stderr, " Did you mean '%s'?", close->name);
    fputs("\nTry 'larch --help'.\n", stderr);
    return LARCH_EXIT_USAGE;
}

/* What a caller closed is taken, by a file that fails where it would have: else the next file or
 * socket gets the number, and what is printed ends up in a key file or on the network. */
static void hold_standard_files(void)
{
    static const int fails[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fails[fd]) != fd)
            abort();
}

/* Wireshark's extcap folder holds a link to the program, which is then asked without a command. */
static bool is_extcap(int argc, char **argv)
{
    const char *base = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = base != NULL ? base + 1 : argc > 0 ? argv[0] : "";
    return strcmp(name, "larch-extcap") == 0 ||
           (argc > 1 && (strncmp(argv[1], "--extcap-", 9) == 0 || strcmp(argv[1], "--capture") == 0));
}

int main(int argc, char **argv)
{
    const command *c;

    hold_standard_files();
    if (is_extcap(argc, argv))
        return larch_extcap_main(argc, argv);
    if (argc < 2) {
        fputs("Usage: larch COMMAND [OPTION]...\nTry 'larch --help'.\n", stderr);
        return LARCH_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return help();
    if (strcmp(argv[1], "--version") == 0)
        return larch_app_help(LARCH_APP_VERSION "\n");
    c = find(argv[1], strlen(argv[1]) + 1);
    if (c == NULL)
        return unknown(argv[1]);

    char full_name[32];
    snprintf(full_name, sizeof full_name, "%s", c->full_name);
    argv[1] = full_name;
    return c->main(argc - 1, argv + 1);
}
