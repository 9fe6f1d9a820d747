/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pages/pages.h"
#include "text/text.h"

/* Words that a shell completes to: those in capitals stand for something, and are left out. */
static bool is_word(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((at[i] < 'a' || at[i] > 'z') && at[i] != '-')
            return false;
    return len > 1 && at[0] != '-';
}

/* The alternatives that a usage line begins with: "show|rotate|fingerprint". */
static void put_actions(larch_writer *w, const char *usage)
{
    while (*usage != '\0') {
        size_t len = strcspn(usage, "| \n");
        if (!is_word(usage, len))
            break;
        larch_text_put(w, " ");
        larch_writer_put(w, (larch_bytes){(const uint8_t *)usage, len});
        if (usage[len] != '|') { /* the next form of use */
            usage += strcspn(usage, "\n");
            usage += *usage == '\n';
        } else {
            usage += len + 1;
        }
    }
}

static void put_options(larch_writer *w, const larch_command *command)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].text != NULL)
            larch_text_put_format(w, " --%s", command->options[i].name);
    larch_text_put(w, " --help");
}

/* "--durability) words='medium process' ;;", and files where the value is one. */
static void put_value(larch_writer *w, const larch_option *row)
{
    static const char *const files[] = {"FILE", "DIR", "DEVICE", "FIFO"};
    if (row->text == NULL || row->value == NULL)
        return;
    if (row->choices != NULL) {
        larch_text_put_format(w, "        --%s) words='", row->name);
        for (size_t i = 0; row->choices[i] != NULL; i++)
            larch_text_put_format(w, "%s%s", i > 0 ? " " : "", row->choices[i]);
        larch_text_put(w, "' ;;\n");
        return;
    }
    larch_text_put_format(w, "        --%s%s%c) ", row->name, row->letter != 0 ? "|-" : "",
                          row->letter != 0 ? row->letter : ' ');
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strcmp(row->value, files[i]) == 0) {
            larch_text_put(w, "files=1 ;;\n");
            return;
        }
    larch_text_put(w, row->kind == LARCH_OPTION_KEM ? "words='512 768 1024 xwing' ;;\n" : "return ;;\n");
}

void page_put_completion(larch_writer *w, const larch_command *const *commands, size_t count)
{
    larch_text_put(w, "# SPDX-License-Identifier: Apache-2.0\n"
                      "# Completion of larch for bash; made from the commands' own options.\n"
                      "_larch()\n{\n"
                      "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                      "    local words='' files=''\n"
                      "    COMPREPLY=()\n"
                      "    if [ \"$COMP_CWORD\" -eq 1 ] || [ \"$before\" = help ]; then\n"
                      "        mapfile -t COMPREPLY < <(compgen -W '");
    for (size_t i = 0; i < count; i++)
        larch_text_put_format(w, "%s ", commands[i]->name);
    larch_text_put(w,
                   "help --help --version' -- \"$current\")\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < count; i++) {
        larch_text_put_format(w, "    %s)\n        case $before in\n", commands[i]->name);
        for (size_t k = 0; k < commands[i]->option_count; k++)
            put_value(w, &commands[i]->options[k]);
        larch_text_put(w, "        *) words='");
        put_actions(w, commands[i]->usage);
        put_options(w, commands[i]);
        larch_text_put(w, "' ;;\n        esac\n        ;;\n");
    }
    larch_text_put(w, "    esac\n"
                      "    if [ -n \"$files\" ]; then\n"
                      "        compopt -o filenames 2>/dev/null\n"
                      "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
                      "    else\n"
                      "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                      "    fi\n"
                      "}\n"
                      "complete -o default -F _larch larch\n");
}
