/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board/board.h"
#include "console.h"
#include "restart.h"
#include "say.h"
#include "stacks.h"

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

static larch_bytes trimmed(larch_bytes text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

static larch_bytes bytes_of(const char *text) { return (larch_bytes){(const uint8_t *)text, strlen(text)}; }

static void restart(larch_bytes rest)
{
    (void)rest;
    larch_restart("asked for on the console");
}

static void say_stacks(larch_bytes rest)
{
    (void)rest;
    larch_stacks_say();
}

/* Of every console, behind those of the role. help is no row: it says all of them. */
static const larch_command always[] = {
    {"stack", "", "how deep each task's stack has been", say_stacks},
    {"restart", "", "start the board anew", restart},
};

/* The one of that index; NULL: there are no more. */
static const larch_command *command_at(const larch_console *console, size_t index)
{
    if (index < console->command_count)
        return &console->commands[index];
    index -= console->command_count;
    if (console->more != NULL && index-- == 0)
        return console->more;
    if (console->gate != NULL && index < LARCH_CONSOLE_GATE_COMMANDS)
        return &console->gate->commands[index];
    index -= console->gate != NULL ? LARCH_CONSOLE_GATE_COMMANDS : 0;
    return index < sizeof always / sizeof always[0] ? &always[index] : NULL;
}

/* Behind a closed gate there are the gate's own commands and those of every console. */
static bool may_run(const larch_console *console, size_t index)
{
    return console->gate == NULL || console->gate->is_open() ||
           index >= console->command_count + (console->more != NULL ? 1 : 0);
}

static void say_help(const larch_console *console)
{
    const larch_command *c;
    for (size_t i = 0; (c = command_at(console, i)) != NULL; i++)
        if (may_run(console, i))
            larch_say("  %s%s%s: %s", c->name, c->arguments[0] != '\0' ? " " : "", c->arguments, c->help);
    larch_say("  help: this list");
}

static void run(const larch_console *console, larch_bytes line)
{
    larch_bytes word = line = trimmed(line);
    word.len = 0;
    while (word.len < line.len && !is_blank(line.data[word.len]))
        word.len++;
    const larch_bytes rest = trimmed((larch_bytes){line.data + word.len, line.len - word.len});
    const larch_command *c;
    if (word.len == 0)
        return;
    for (size_t i = 0; (c = command_at(console, i)) != NULL; i++) {
        if (!larch_bytes_equal(word, bytes_of(c->name)))
            continue;
        if (!may_run(console, i))
            larch_say("error: locked; 'unlock CODE' first");
        else if (rest.len > 0 && c->arguments[0] == '\0')
            larch_say("error: %s takes nothing", c->name);
        else
            c->run(rest);
        return;
    }
    if (larch_bytes_equal(word, LARCH_TEXT("help")))
        say_help(console);
    else
        larch_say("error: no command '%q'; help lists them", &word);
}

void larch_console_init(larch_console *console, const larch_command *commands, size_t count)
{
    *console = (larch_console){.commands = commands, .command_count = count};
}

void larch_console_add(larch_console *console, const larch_command *command) { console->more = command; }

void larch_console_add_gate(larch_console *console, const larch_console_gate *gate) { console->gate = gate; }

void larch_console_take(larch_console *console, larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];
        if (c == '\r' || c == '\n') {
            if (console->too_long)
                larch_say("error: a command has at most %u characters; this one was dropped",
                          (uint32_t)LARCH_CONSOLE_LINE_MAX);
            else
                run(console, (larch_bytes){console->line, console->len});
            larch_wipe(console->line, sizeof console->line);
            console->len = 0;
            console->too_long = false;
        } else if ((c == 8 || c == 127) && console->len > 0) {
            console->len--;
        } else if (console->len == sizeof console->line) {
            console->too_long = true;
        } else if (c >= 0x20 || c == '\t') {
            console->line[console->len++] = c;
        }
    }
}

void larch_console_poll(larch_console *console)
{
    uint8_t bytes[32];
    size_t len;
    while ((len = larch_board_line_read(bytes, sizeof bytes)) > 0)
        larch_console_take(console, (larch_bytes){bytes, len});
    larch_wipe(bytes, sizeof bytes);
}
