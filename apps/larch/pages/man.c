/* SPDX-License-Identifier: Apache-2.0 */
/* The man page of a command, from its help, its options and its notes. */
#include <string.h>

#include "pages/notes.h"
#include "pages/pages.h"
#include "pages/roff.h"
#include "text/text.h"

#define NAME_MAX_LEN 32

static void put_usage(larch_writer *w, const larch_command *command)
{
    const char *form = command->usage;
    char name[NAME_MAX_LEN] = "larch";
    if (command->name[0] != '\0') {
        larch_writer all = larch_writer_to((uint8_t *)name, sizeof name - 1);
        larch_text_put_format(&all, "larch %s", command->name);
        name[all.len] = '\0';
    }
    roff_put_section(w, "SYNOPSIS");
    do {
        const size_t len = strcspn(form, "\n");
        roff_put_command_line(w, name, (larch_bytes){(const uint8_t *)form, len});
        form += len + (form[len] == '\n');
    } while (*form != '\0');
}

static void put_description(larch_writer *w, const larch_command *command)
{
    static uint8_t text[16384];
    larch_writer all = larch_writer_to(text, sizeof text - 1);
    roff_put_section(w, "DESCRIPTION");
    larch_text_put(&all, command->about);
    if (command->put_about != NULL)
        command->put_about(&all);
    if (command->more != NULL) {
        larch_text_put(&all, "\n");
        larch_text_put(&all, command->more);
    }
    if (command->put_more != NULL)
        command->put_more(&all);
    if (all.len >= sizeof text)
        all.len = sizeof text - 1;
    text[all.len] = '\0';
    roff_put_prose(w, (const char *)text);
}

static void put_option(larch_writer *w, const larch_option *row)
{
    if (row->text == NULL)
        return;
    larch_text_put(w, ".TP\n");
    if (row->letter != 0)
        larch_text_put_format(w, "\\fB\\-%c\\fR, ", row->letter);
    larch_text_put(w, "\\fB\\-\\-");
    roff_put(w, row->name);
    larch_text_put(w, "\\fR");
    if (row->value != NULL) {
        larch_text_put(w, " \\fI");
        roff_put(w, row->value);
        larch_text_put(w, "\\fR");
    }
    larch_text_put(w, "\n");
    roff_put(w, row->text);
    larch_text_put(w, "\n");
}

static void put_notes(larch_writer *w, const char *section, const page_note *notes)
{
    if (notes == NULL)
        return;
    roff_put_section(w, section);
    for (; notes->term != NULL; notes++)
        roff_put_term(w, notes->term, notes->meaning);
}

bool page_put_man(larch_writer *w, const larch_command *command)
{
    char name[NAME_MAX_LEN];
    const bool is_program = command->name[0] == '\0';
    const page_notes *notes = page_notes_of(command->name);
    larch_writer all = larch_writer_to((uint8_t *)name, sizeof name - 1);
    larch_text_put_format(&all, is_program ? "larch" : "larch-%s", command->name);
    name[all.len] = '\0';
    if (notes == NULL)
        return false;
    roff_put_title(w, name, 1, is_program ? "post-quantum secure CoAP for small devices" : command->text);
    put_usage(w, command);
    put_description(w, command);
    roff_put_section(w, "OPTIONS");
    for (size_t i = 0; i < command->option_count; i++)
        put_option(w, &command->options[i]);
    put_option(w, &larch_command_help_option);
    put_notes(w, "EXAMPLES", notes->examples);
    put_notes(w, "FILES", notes->files);
    put_notes(w, "ENVIRONMENT", notes->environment);
    put_notes(w, "SIGNALS", notes->signals);
    put_notes(w, "\"EXIT STATUS\"", notes->exit_status);
    roff_put_section(w, "\"SEE ALSO\"");
    if (!is_program)
        larch_text_put(w, notes->see_also != NULL ? "larch(1), " : "larch(1)");
    roff_put(w, notes->see_also != NULL ? notes->see_also : "");
    larch_text_put(w, "\n");
    return true;
}
