/* SPDX-License-Identifier: Apache-2.0 */
/* Commands typed on the serial line: a word and the rest of its line. The line is open to whoever holds the board, so
 * it may do all that such a person may, and no more: it never shows a secret. */
#ifndef LARCH_CONSOLE_H
#define LARCH_CONSOLE_H

#include "larch/base.h"

#define LARCH_CONSOLE_LINE_MAX 160

typedef struct larch_command {
    const char *name;
    const char *arguments; /* as help shows them; "" takes none */
    const char *help;
    void (*run)(larch_bytes rest); /* without blanks around it */
} larch_command;

/* What stands before the commands of the role and the board. */
#define LARCH_CONSOLE_GATE_COMMANDS 2
typedef struct larch_console_gate {
    larch_command commands[LARCH_CONSOLE_GATE_COMMANDS]; /* they run always: unlock, lock */
    bool (*is_open)(void);
} larch_console_gate;

typedef struct larch_console {
    const larch_command *commands; /* private, all of it */
    size_t command_count;
    const larch_command *more;      /* of the board; NULL: none */
    const larch_console_gate *gate; /* NULL: none */
    size_t len;
    bool too_long;
    uint8_t line[LARCH_CONSOLE_LINE_MAX];
} larch_console;

void larch_console_init(larch_console *console, const larch_command *commands, size_t count);
/* One more, which stays where it is. */
void larch_console_add(larch_console *console, const larch_command *command);

/* The role's commands and the board's run while the gate, which stays where it is, is open. */
void larch_console_add_gate(larch_console *console, const larch_console_gate *gate);

/* Takes untrusted bytes as they came; each end of line, CR or LF, runs a command, and nothing of the line stays in memory: it
 * may have been a secret. help, stack and restart are there always. */
void larch_console_take(larch_console *console, larch_bytes bytes);

/* The same for what has arrived on the line. */
void larch_console_poll(larch_console *console);

#endif
