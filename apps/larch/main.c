/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one program: a table of commands, each with a file or a folder of its own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/harden.h"
#include "common/nearest.h"
#include "common/program.h"

/* A command is data and a function apart, so that its options need not know what runs. */
typedef struct program_command {
    const larch_command *about;
    int (*main)(int argc, char **argv);
    bool holds_secrets;
} program_command;

#define ROW(name, holds_secrets) {&larch_##name##_command, larch_##name##_main, holds_secrets},
static const program_command commands[] = {LARCH_APP_COMMANDS(ROW)};
#undef ROW

#define HELP          "help"
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* Not among the others: it is a page of theirs. */
static const larch_command help_command = {
    .name = HELP,
    .usage = "[COMMAND]",
    .about = "Prints the help of a command, or of the program.\n",
    .operand_max = 1,
};

static const program_command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].about->name, name) == 0)
            return &commands[i];
    return NULL;
}

static larch_exit complain_of_unknown(const char *name)
{
    larch_nearest nearest = larch_nearest_to(name, strlen(name));
    larch_nearest_offer(&nearest, HELP);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        larch_nearest_offer(&nearest, commands[i].about->name);
    const char *close = larch_nearest_name(&nearest);
    if (close == NULL)
        return larch_app_usage("", "there is no command '%s'", name);
    return larch_app_usage("", "there is no command '%s'; did you mean '%s'?", name, close);
}

/* larch help [COMMAND] */
static larch_exit help(int argc, char **argv)
{
    larch_operands operands;
    const larch_exit code = larch_command_parse(&help_command, NULL, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count == 0)
        return larch_command_show_help(&larch_program);
    if (strcmp(operands.words[0], HELP) == 0)
        return larch_command_show_help(&help_command);
    const program_command *command = find(operands.words[0]);
    return command != NULL ? larch_command_show_help(command->about) : complain_of_unknown(operands.words[0]);
}

static larch_exit show_version(void)
{
    (void)puts(LARCH_APP_VERSION);
    return larch_app_end_output("");
}

static int run(int argc, char **argv)
{
    larch_program_options given = {.version = false};
    larch_operands operands;
    const larch_exit code = larch_command_parse(&larch_program, &given, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (given.version)
        return show_version();
    argc -= operands.end;
    argv += operands.end;
    if (argc == 0)
        return larch_app_usage("", "which command?");
    if (strcmp(argv[0], HELP) == 0)
        return help(argc, argv);
    const program_command *command = find(argv[0]);
    if (command == NULL)
        return complain_of_unknown(argv[0]);
    if (command->holds_secrets)
        larch_app_harden();
    return command->main(argc, argv);
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
    hold_standard_files();
    const int code = is_extcap(argc, argv) ? larch_extcap_main(argc, argv) : run(argc, argv);
    return code == LARCH_EXIT_SHOWN ? LARCH_EXIT_DONE : code;
}
