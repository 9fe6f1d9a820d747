/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/command.h"
#include "common/prose.h"
#include "text/text.h"

#define HELP_MAX    16384
#define COLUMNS     80 /* where no terminal says otherwise */
#define COLUMNS_MIN 60
#define COLUMNS_MAX 100 /* longer lines are hard to read */
#define NAMES_MAX   28  /* columns for an option and its value; a longer one has a line of its own */

/* ---- usage ------------------------------------------------------------------- */

static void put_usage(larch_writer *w, const larch_command *command)
{
    const char *form = command->usage;
    do {
        const size_t len = strcspn(form, "\n");
        larch_text_put(w, form == command->usage ? "Usage: larch" : "       larch");
        larch_text_put(w, command->name[0] != '\0' ? " " : "");
        larch_text_put(w, command->name);
        larch_text_put(w, len > 0 ? " " : "");
        larch_writer_put(w, (larch_bytes){(const uint8_t *)form, len});
        larch_text_put(w, "\n");
        form += len + (form[len] == '\n');
    } while (*form != '\0');
}

/* ---- options ----------------------------------------------------------------- */

/* "-i, --interface IFACE"; letters: other options have a letter. */
static void put_names(larch_writer *w, const larch_option *row)
{
    if (row->letter != 0) {
        larch_text_put(w, "-");
        larch_writer_put_u8(w, (uint8_t)row->letter);
        larch_text_put(w, ", ");
    } else {
        larch_text_put(w, "    ");
    }
    larch_text_put(w, "--");
    larch_text_put(w, row->name);
    if (row->value != NULL) {
        larch_text_put(w, " ");
        larch_text_put(w, row->value);
    }
}

static size_t names_len(const larch_option *row)
{
    larch_writer measure = larch_writer_to(NULL, 0);
    put_names(&measure, row);
    return measure.len;
}

static void put_spaces(larch_writer *w, size_t count)
{
    for (; count > 0; count--)
        larch_text_put(w, " ");
}

/* Writes the words of text from `column` on, where the writer stands. A line has at most `columns` columns, and '\n' ends
 * it early. */
static void put_wrapped(larch_writer *w, larch_bytes text, size_t column, size_t columns)
{
    const char *at_text = (const char *)text.data, *const end = at_text + text.len;
    size_t at = column;
    while (at_text < end) {
        size_t len = 0;
        while (at_text + len < end && at_text[len] != ' ' && at_text[len] != '\n')
            len++;
        const bool fits = at == column || at + 1 + len <= columns;
        if (!fits || *at_text == '\n') {
            larch_text_put(w, "\n");
            put_spaces(w, column);
            at = column;
        } else if (at > column) {
            larch_text_put(w, " ");
            at++;
        }
        if (*at_text == '\n') {
            at_text++;
            continue;
        }
        larch_writer_put(w, (larch_bytes){(const uint8_t *)at_text, len});
        at += len;
        at_text += len;
        at_text += at_text < end && *at_text == ' ';
    }
    larch_text_put(w, "\n");
}

/* Prose: a paragraph in place of its lines, and what is indented as it stands. */
static void put_prose(larch_writer *w, const char *text, size_t columns)
{
    larch_prose_piece piece;
    while (larch_prose_next(&text, &piece)) {
        if (piece.kind == LARCH_PROSE_PARAGRAPH)
            put_wrapped(w, larch_prose_join(&piece), 0, columns);
        else
            larch_writer_put(w, piece.text);
    }
}

static void put_option(larch_writer *w, const larch_option *row, size_t width, size_t columns)
{
    const size_t len = names_len(row), column = 2 + width + 2;
    if (row->text == NULL)
        return;
    put_spaces(w, 2);
    put_names(w, row);
    if (len > width)
        larch_text_put(w, "\n");
    put_spaces(w, len > width ? column : column - 2 - len);
    put_wrapped(w, larch_bytes_of_text(row->text), column, columns);
}

static void put_options(larch_writer *w, const larch_command *command, size_t columns)
{
    size_t width = names_len(&larch_command_help_option);
    for (size_t i = 0; i < command->option_count; i++) {
        const larch_option *row = &command->options[i];
        const size_t len = names_len(row);
        if (row->text != NULL && len > width && len <= NAMES_MAX)
            width = len;
    }
    larch_text_put(w, "\nOptions:\n");
    for (size_t i = 0; i < command->option_count; i++)
        put_option(w, &command->options[i], width, columns);
    put_option(w, &larch_command_help_option, width, columns);
}

/* ---- the whole ----------------------------------------------------------------- */

void larch_command_put_help(larch_writer *w, const larch_command *command, size_t columns)
{
    put_usage(w, command);
    put_prose(w, command->about, columns);
    if (command->put_about != NULL)
        command->put_about(w);
    put_options(w, command, columns);
    if (command->more != NULL) {
        larch_text_put(w, "\n");
        put_prose(w, command->more, columns);
    }
    if (command->put_more != NULL)
        command->put_more(w);
}

/* Of the terminal that reads the help. */
static size_t columns_of_stdout(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS;
    return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col > COLUMNS_MAX ? COLUMNS_MAX : size.ws_col;
}

larch_exit larch_command_show_help(const larch_command *command)
{
    static uint8_t help[HELP_MAX];
    larch_writer w = larch_writer_to(help, sizeof help);
    larch_bytes text;
    larch_command_put_help(&w, command, columns_of_stdout());
    if (larch_writer_finish(&w, &text) != LARCH_OK)
        return larch_app_fail(command->name, "the help is too long");
    (void)fwrite(text.data, 1, text.len, stdout);
    const larch_exit code = larch_app_end_output(command->name);
    return code == LARCH_EXIT_DONE ? LARCH_EXIT_SHOWN : code;
}
