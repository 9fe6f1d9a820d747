/* SPDX-License-Identifier: Apache-2.0 */
/* A command as data: its name, its help, its options. */
#ifndef LARCH_APP_COMMAND_H
#define LARCH_APP_COMMAND_H

#include "common/app.h"
#include "common/option.h"
#include "larch/base.h"

typedef struct larch_command {
    const char *name;  /* "gateway"; "": the program itself */
    const char *text;  /* one line for the list of commands */
    const char *usage; /* what follows "larch NAME", a line for each form: "kem|kex [OPTION]...\ngateway ..." */
    const char *about; /* stands above the options: prose (common/prose.h) */
    void (*put_about)(larch_writer *w); /* writes what stands below that; NULL: nothing */
    const larch_option *options;        /* all but --help, which every command has */
    size_t option_count;                /* 63 at most */
    const char *more;                   /* stands below the options: prose; NULL: nothing */
    void (*put_more)(larch_writer *w);  /* writes what stands below that; NULL: nothing */
    size_t operand_max;                 /* words that are no options, LARCH_OPERANDS_MAX at most */
    const char *surplus;                /* what to do if there are more: "quote the text"; NULL: nothing to say */
    bool stops_at_operand;              /* the first word that is no option ends them */
} larch_command;

#define LARCH_COMMAND_OPTIONS(rows) .options = (rows), .option_count = sizeof(rows) / sizeof(rows)[0]

#define LARCH_COMMAND_DECLARE(name, holds_secrets) extern const larch_command larch_##name##_command;
LARCH_APP_COMMANDS(LARCH_COMMAND_DECLARE)
#undef LARCH_COMMAND_DECLARE

#define LARCH_OPERANDS_MAX 4

typedef struct larch_operands {
    size_t count;
    char *words[LARCH_OPERANDS_MAX];
    int end; /* index in argv of the first word that was not read: argc, unless stops_at_operand */
} larch_operands;

/* Reads a command line as GNU programs do: --name=VALUE, --name VALUE, names cut short while they stay unambiguous,
 * -xVALUE, flags together (-xy), operands anywhere, and "--" as the end of options. Stores values in target by the
 * command's rows, and reorders argv: options first, then operands. LARCH_EXIT_SHOWN: --help was printed; LARCH_EXIT_USAGE, or LARCH_EXIT_FAILED for a host name that is not
 * found: it has said why. */
larch_exit larch_command_parse(const larch_command *command, void *target, int argc, char **argv,
                               larch_operands *operands);

/* The row that every command has besides its own. */
extern const larch_option larch_command_help_option;

/* Writes the help in lines of so many columns. */
void larch_command_put_help(larch_writer *w, const larch_command *command, size_t columns);
/* Prints it on stdout. LARCH_EXIT_SHOWN; LARCH_EXIT_FAILED if it could not be written, which it has said. */
larch_exit larch_command_show_help(const larch_command *command);

#endif
