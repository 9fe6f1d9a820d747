/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/nearest.h"

typedef struct parsing {
    const larch_command *command;
    void *target;
    int argc;
    char **argv;
    int next;      /* the word to read */
    int operands;  /* where those that were read stand, up to the option that is read */
    uint64_t seen; /* rows, as bits */
} parsing;

const larch_option larch_command_help_option = {
    .name = "help", .letter = 'h', .kind = LARCH_OPTION_HELP, .text = "print this help"};

/* The command's rows, then that of --help, then NULL. */
static const larch_option *row_at(const larch_command *command, size_t i)
{
    if (i < command->option_count)
        return &command->options[i];
    return i == command->option_count ? &larch_command_help_option : NULL;
}

/* ---- one option ------------------------------------------------------------ */

/* Takes the option of row i with its value, if it has one. label: as it is to be named in complaints. */
static larch_exit take(parsing *p, size_t i, const char *label, const char *value)
{
    const larch_option *row = row_at(p->command, i);
    const char *name = p->command->name;
    larch_option_fault fault;
    if (row->kind == LARCH_OPTION_HELP)
        return larch_command_show_help(p->command);
    if (value == NULL && larch_option_takes_value(row) && !row->value_optional) {
        if (p->next == p->argc)
            return larch_app_usage(name, "an argument is missing after %s", label);
        value = p->argv[p->next++];
    }
    const bool first = (p->seen >> i & 1) == 0;
    p->seen |= (uint64_t)1 << i;
    if (larch_option_store(row, p->target, first, label, value, &fault))
        return LARCH_EXIT_DONE;
    return fault.unresolved ? larch_app_fail(name, "%s", fault.text) : larch_app_usage(name, "%s", fault.text);
}

/* ---- long ------------------------------------------------------------------ */

static larch_exit complain_of_unknown(const parsing *p, const char *name, size_t len)
{
    larch_nearest nearest = larch_nearest_to(name, len);
    for (size_t i = 0; row_at(p->command, i) != NULL; i++)
        if (row_at(p->command, i)->text != NULL)
            larch_nearest_offer(&nearest, row_at(p->command, i)->name);
    const char *close = larch_nearest_name(&nearest);
    if (close == NULL)
        return larch_app_usage(p->command->name, "unknown option '--%.*s'", (int)len, name);
    return larch_app_usage(p->command->name, "unknown option '--%.*s'; did you mean '--%s'?", (int)len, name, close);
}

/* Which of the rows that begin with it the cut name means. */
static larch_exit complain_of_ambiguity(const parsing *p, const char *name, size_t len)
{
    char list[200] = "";
    size_t used = 0;
    for (size_t i = 0; row_at(p->command, i) != NULL; i++) {
        const larch_option *row = row_at(p->command, i);
        if (strncmp(row->name, name, len) == 0 && used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s--%s", used > 0 ? ", " : "", row->name);
    }
    return larch_app_usage(p->command->name, "'--%.*s' may be any of %s", (int)len, name, list);
}

/* "--name" or "--name=value"; word: behind the dashes. */
static larch_exit take_long(parsing *p, const char *word)
{
    const size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    size_t found = 0, candidates = 0;
    char label[64];
    for (size_t i = 0; len > 0 && row_at(p->command, i) != NULL; i++) {
        const larch_option *row = row_at(p->command, i);
        if (strncmp(row->name, word, len) != 0)
            continue;
        found = i;
        candidates++;
        if (row->name[len] == '\0') { /* whole: others that begin with it do not count */
            candidates = 1;
            break;
        }
    }
    if (candidates == 0)
        return complain_of_unknown(p, word, len);
    if (candidates > 1)
        return complain_of_ambiguity(p, word, len);
    const larch_option *row = row_at(p->command, found);
    (void)snprintf(label, sizeof label, "--%s", row->name);
    if (value != NULL && !larch_option_takes_value(row))
        return larch_app_usage(p->command->name, "%s takes no value", label);
    return take(p, found, label, value);
}

/* ---- short ----------------------------------------------------------------- */

/* Flags together, the last of which may take what is left as its value: "-vi", "-ieth0". */
static larch_exit take_letters(parsing *p, const char *letters)
{
    larch_exit code = LARCH_EXIT_DONE;
    while (code == LARCH_EXIT_DONE && *letters != '\0') {
        const char label[] = {'-', *letters++, '\0'};
        const larch_option *row;
        size_t i = 0;
        while ((row = row_at(p->command, i)) != NULL && row->letter != label[1])
            i++;
        if (row == NULL)
            return larch_app_usage(p->command->name, "unknown option '%s'", label);
        const bool takes = larch_option_takes_value(row) && *letters != '\0';
        code = take(p, i, label, takes ? letters : NULL);
        if (takes)
            break;
    }
    return code;
}

/* ---- the line -------------------------------------------------------------- */

static larch_exit take_operand(const parsing *p, char *word, larch_operands *operands)
{
    const larch_command *c = p->command;
    if (operands->count == c->operand_max)
        return larch_app_usage(c->name, "'%s' is one argument too many%s%s", word, c->surplus != NULL ? "; " : "",
                               c->surplus != NULL ? c->surplus : "");
    operands->words[operands->count++] = word;
    return LARCH_EXIT_DONE;
}

/* Moves the words of an option, from the first on, in front of the operands before it. */
static void put_before_operands(parsing *p, int first)
{
    for (; first < p->next; first++, p->operands++) {
        char *word = p->argv[first];
        memmove(&p->argv[p->operands + 1], &p->argv[p->operands], (size_t)(first - p->operands) * sizeof word);
        p->argv[p->operands] = word;
    }
}

larch_exit larch_command_parse(const larch_command *command, void *target, int argc, char **argv,
                               larch_operands *operands)
{
    parsing p = {.command = command, .target = target, .argc = argc, .argv = argv, .next = 1, .operands = 1};
    larch_exit code = LARCH_EXIT_DONE;
    bool ended = false;
    *operands = (larch_operands){.count = 0};
    while (code == LARCH_EXIT_DONE && p.next < argc) {
        char *word = argv[p.next];
        const bool operand = ended || word[0] != '-' || word[1] == '\0'; /* "-" is standard input */
        if (operand && command->stops_at_operand)
            break;
        const int first = p.next++;
        if (operand) {
            code = take_operand(&p, word, operands);
            continue;
        }
        if (strcmp(word, "--") == 0)
            ended = true;
        else
            code = word[1] == '-' ? take_long(&p, word + 2) : take_letters(&p, word + 1);
        put_before_operands(&p, first);
    }
    operands->end = p.next < argc ? p.next : argc;
    return code;
}
