/* SPDX-License-Identifier: Apache-2.0 */
#include "common/program.h"

#include "text/text.h"

#define ROW(name, holds_secrets) &larch_##name##_command,
const larch_command *const larch_program_commands[] = {LARCH_APP_COMMANDS(ROW)};
#undef ROW

const size_t larch_program_command_count = sizeof larch_program_commands / sizeof larch_program_commands[0];

static void put_commands(larch_writer *w)
{
    larch_text_put(w, "\nCommands:\n");
    for (size_t i = 0; i < larch_program_command_count; i++)
        larch_text_put_format(w, "  %-10s  %s\n", larch_program_commands[i]->name, larch_program_commands[i]->text);
}

static const larch_option options[] = {
    {.name = "version",
     .letter = 'V',
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(larch_program_options, version),
     .text = "print the version"},
};

const larch_command larch_program = {
    .name = "",
    .usage = "COMMAND [OPTION]...\nhelp [COMMAND]",
    .about = "Post-quantum secure CoAP for small devices: ML-KEM sealed messages over UDP.\n",
    .put_about = put_commands,
    LARCH_COMMAND_OPTIONS(options),
    .more = "'larch help COMMAND' and 'larch COMMAND --help' print the help of a command. Data goes to stdout, "
            "messages to\n"
            "stderr; --json gives one JSON object a line.\n"
            "\n"
            "Exit status: 0 done, 1 failed, 2 usage, 3 refused for security.\n"
            "\n"
            "See everything at work on this machine, attacks included: larch demo\n",
    .stops_at_operand = true,
};
