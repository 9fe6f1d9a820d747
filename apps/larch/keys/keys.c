/* SPDX-License-Identifier: Apache-2.0 */
/* larch keys: what a gateway's state holds, its rotation, its recovery, and contexts that are given to it. */
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/folder.h"
#include "common/value.h"
#include "keys/context.h"
#include "keys/recover.h"
#include "keys/rotate.h"
#include "keys/view.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_BYTES  512
#define ADD_CONTEXT "add-context"
#define ACTIONS     "show, rotate, fingerprint, recover or " ADD_CONTEXT

/* ---- show, fingerprint ----------------------------------------------------- */

static void put_key(larch_json *j, const key_view *key)
{
    larch_json_put_number(j, "generation", key->generation);
    larch_json_put_text(j, "fingerprint", key->fingerprint);
}

static void put_marks(larch_json *j, const key_view *key)
{
    larch_json_put_number(j, "marks", key->marks);
    larch_json_put_number(j, "capacity", key->capacity);
}

static void show_json(const larch_kem *kem, const set_view *view)
{
    uint8_t line[LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "kem", kem->name);
    put_key(&j, &view->present);
    put_marks(&j, &view->present);
    if (view->previous.generation == 0) {
        larch_json_put_null(&j, "old");
    } else {
        larch_json_begin_object(&j, "old");
        put_key(&j, &view->previous);
        put_marks(&j, &view->previous);
        larch_json_end_object(&j);
    }
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void show_plain(const larch_kem *kem, const set_view *view)
{
    printf("%-11s  generation %lu  %s  %lu of %lu marks\n", kem->name, (unsigned long)view->present.generation,
           view->present.fingerprint, (unsigned long)view->present.marks, (unsigned long)view->present.capacity);
    if (view->previous.generation != 0)
        printf("%-11s  generation %lu  %s  %lu of %lu marks  (old: still opens messages)\n", "",
               (unsigned long)view->previous.generation, view->previous.fingerprint,
               (unsigned long)view->previous.marks, (unsigned long)view->previous.capacity);
}

static void print_identity(const keys_options *options, const char *identity)
{
    uint8_t line[LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    if (identity[0] == '\0')
        return;
    if (!options->json) {
        printf("%s\n", identity);
        return;
    }
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "identity", identity);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

/* The identity first, then the keys of all sets; with --kem that set's keys alone. */
static larch_exit print_all(const keys_options *options, bool with_marks,
                            void (*print)(const keys_options *options, const larch_kem *kem, const set_view *view))
{
    char identity[LARCH_FINGERPRINT_TEXT_LEN + 1];
    set_view views[LARCH_DIRECT_SETS];
    larch_exit code;
    if ((code = keys_view_state(options, with_marks, views)) != LARCH_EXIT_DONE ||
        (code = keys_view_identity(options, identity)) != LARCH_EXIT_DONE)
        return code;
    if (options->kem == NULL)
        print_identity(options, identity);
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++)
        if (views[i].present.generation != 0)
            print(options, larch_direct_kem_at(i), &views[i]);
    return larch_app_end_output(KEYS_NAME);
}

static void show_set(const keys_options *options, const larch_kem *kem, const set_view *view)
{
    (options->json ? show_json : show_plain)(kem, view);
}

static larch_exit show(keys_options *options) { return print_all(options, true, show_set); }

static void print_fingerprint_json(const larch_kem *kem, const key_view *key)
{
    uint8_t line[LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "kem", kem->name);
    larch_json_put_text(&j, "fingerprint", key->fingerprint);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void print_fingerprint(const keys_options *options, const larch_kem *kem, const set_view *view)
{
    if (options->json)
        print_fingerprint_json(kem, &view->present);
    else if (options->kem != NULL)
        printf("%s\n", view->present.fingerprint); /* a pin alone, for scripts */
    else
        printf("%s  %s\n", view->present.fingerprint, kem->name);
}

static larch_exit fingerprint(keys_options *options) { return print_all(options, false, print_fingerprint); }

/* ---- rotate ---------------------------------------------------------------- */

static void print_rotated_json(const larch_kem *kem, const key_view *key)
{
    uint8_t line[LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "kem", kem->name);
    put_key(&j, key);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static larch_exit rotate(keys_options *options)
{
    set_view views[LARCH_DIRECT_SETS];
    const larch_exit code = keys_rotate(options, views);
    if (code != LARCH_EXIT_DONE)
        return code;
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        if (views[i].present.generation == 0)
            continue;
        if (options->json)
            print_rotated_json(larch_direct_kem_at(i), &views[i].present);
        else
            printf("%-11s  generation %lu  %s\n", larch_direct_kem_at(i)->name,
                   (unsigned long)views[i].present.generation, views[i].present.fingerprint);
    }
    return larch_app_end_output(KEYS_NAME);
}

/* ---- recover --------------------------------------------------------------- */

static larch_exit recover(keys_options *options) { return keys_recover(options); }

/* ---- add-context ----------------------------------------------------------- */

static larch_exit add_context(keys_options *options, const larch_operands *operands)
{
    if (operands->count != 3)
        return larch_app_usage(KEYS_NAME, ADD_CONTEXT " takes a name for the device and a context file");
    return keys_add_context(options, operands->words[1], operands->words[2]);
}

/* ---- command line ------------------------------------------------------------ */

static const larch_option rows[] = {
    {.name = "state",
     .kind = LARCH_OPTION_COPY,
     .value = "DIR",
     .wants = "a folder",
     LARCH_OPTION_AT(keys_options, state),
     .text = "the gateway's state folder; default $STATE_DIRECTORY, else ${XDG_STATE_HOME:-~/.local/state}/larch"},
    {.name = "kem",
     .kind = LARCH_OPTION_KEM,
     .value = "SET",
     LARCH_OPTION_POINTER(keys_options, kem),
     .text = "one set alone: 512, 768, 1024 or xwing"},
    {.name = "json", .kind = LARCH_OPTION_FLAG, LARCH_OPTION_AT(keys_options, json), .text = "one JSON object a set"},
    {.name = "yes",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(keys_options, is_sure),
     .text = "recover without asking for confirmation"},
    LARCH_STORE_UNLOCK_ROWS(keys_options, store, NULL),
};

const larch_command larch_keys_command = {
    .name = KEYS_NAME,
    .text = "show, rotate, fingerprint or recover a gateway's keys, or add a context",
    .usage = "show|rotate|fingerprint|recover [OPTION]...\nadd-context [OPTION]... NAME FILE",
    .about = "Looks at a gateway's keys, or replaces them. The gateway may be running.\n"
             "\n"
             "  show          prints the identity, and each set's generation, fingerprint, replay marks and\n"
             "                old key\n"
             "  fingerprint   prints what senders give to 'larch send --pin': first the identity (larch2:),\n"
             "                which stays and is the text for a QR code, then the present keys (larch1:)\n"
             "  rotate        makes new keys for all sets. Each old key still opens messages, and endorses\n"
             "                the new one, until its grace is over. A running gateway does this itself.\n"
             "  recover       makes a folder usable that the gateway refuses after a restore from a backup or\n"
             "                a copy. It wipes all direct keys, so that no message of the past is accepted\n"
             "                again, and takes the folder over for this machine. The identity stays. The\n"
             "                command asks for confirmation first.\n"
             "  add-context   gives the gateway a fixed OSCORE context with a device, which it knows by NAME\n"
             "                from then on. FILE is in the format of libcoap's coap-oscore-conf(5), and\n"
             "                readable by its owner alone. Its sender_id is the gateway's, its recipient_id\n"
             "                the device's.\n"
             "\n"
             "Run by root, the command acts as the user who owns the folder.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 3,
};

typedef struct keys_action {
    const char *name;
    const char *why_no_kem;                   /* why it takes no --kem; NULL: it takes one */
    larch_exit (*run)(keys_options *options); /* NULL: add-context, which takes operands */
} keys_action;

static const keys_action *find_action(const char *name)
{
    static const keys_action actions[] = {{"show", NULL, show},
                                          {"rotate", "all sets get new keys", rotate},
                                          {"fingerprint", NULL, fingerprint},
                                          {"recover", "the keys of all sets are wiped", recover},
                                          {ADD_CONTEXT, "a context has none", NULL}};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(name, actions[i].name) == 0)
            return &actions[i];
    return NULL;
}

int larch_keys_main(int argc, char **argv)
{
    keys_options options = {.json = false};
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_keys_command, &options, argc, argv, &operands);

    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count == 0)
        return larch_app_usage(KEYS_NAME, "say what to do: " ACTIONS);
    const keys_action *action = find_action(operands.words[0]);
    if (action == NULL)
        return larch_app_usage(KEYS_NAME, "there is no '%s': " ACTIONS, operands.words[0]);
    if (options.kem != NULL && action->why_no_kem != NULL)
        return larch_app_usage(KEYS_NAME, "%s takes no --kem: %s", action->name, action->why_no_kem);
    if (action->run != NULL && operands.count > 1)
        return larch_app_usage(KEYS_NAME, "'%s' is one argument too many", operands.words[1]);
    if ((code = larch_app_default_state(KEYS_NAME, options.state, sizeof options.state)) != LARCH_EXIT_DONE)
        return code;
    if (action->run == NULL)
        return add_context(&options, &operands);
    if ((code = larch_app_enter_folder(KEYS_NAME, options.state, &options.folder)) != LARCH_EXIT_DONE ||
        (code = larch_app_start_crypto(KEYS_NAME)) != LARCH_EXIT_DONE)
        return code;
    return action->run(&options);
}
