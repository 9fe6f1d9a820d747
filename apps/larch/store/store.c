/* SPDX-License-Identifier: Apache-2.0 */
/* larch store: where the key that seals a gateway's secrets comes from. */
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/folder.h"
#include "common/value.h"
#include "store/store_int.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_BYTES 1024
#define ACTIONS    "show or rekey"

/* ---- show ------------------------------------------------------------------- */

static void print_json(const larch_store_head *head)
{
    uint8_t line[LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "source", larch_store_source_text(head->source));
    if (head->name[0] != '\0')
        larch_json_put_text(&j, "name", head->name);
    if (head->source == LARCH_STORE_SOURCE_PASSPHRASE) {
        larch_json_put_number(&j, "passes", head->cost.passes);
        larch_json_put_number(&j, "memory_kib", head->cost.memory_kib);
        larch_json_put_number(&j, "lanes", head->cost.lanes);
    }
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void print_plain(const larch_store_head *head)
{
    printf("%s%s%s", larch_store_source_text(head->source), head->name[0] != '\0' ? " " : "", head->name);
    if (head->source == LARCH_STORE_SOURCE_PASSPHRASE)
        printf(" (Argon2id: %lu passes, %lu KiB, %lu lanes)", (unsigned long)head->cost.passes,
               (unsigned long)head->cost.memory_kib, (unsigned long)head->cost.lanes);
    putchar('\n');
}

/* The head alone: no secret is needed for it. */
static larch_exit show(const store_options *options)
{
    larch_posix_storage files;
    larch_store_head head;
    larch_store_fault fault;
    uint32_t start;
    if (larch_posix_storage_view(&files, options->state) != LARCH_OK)
        return larch_app_fail(STORE_NAME, "%s", larch_posix_storage_error(&files));
    const larch_storage medium = larch_posix_storage_interface(&files);
    larch_exit code = LARCH_EXIT_DONE;
    if (larch_sealed_files_head(&medium, LARCH_SEAL_KEY_NAME, &head, &start, &fault) == LARCH_OK)
        (options->json ? print_json : print_plain)(&head);
    else
        code = fault == LARCH_STORE_MEDIUM
                   ? larch_app_fail(STORE_NAME, "%s", larch_posix_storage_error(&files))
                   : larch_app_fail(STORE_NAME, "%s/" LARCH_SEAL_KEY_NAME " %s", options->state,
                                    fault == LARCH_STORE_MISSING ? "is not there: a gateway makes it at its first start"
                                                                 : larch_store_fault_text(fault));
    larch_wipe(&head, sizeof head);
    larch_posix_storage_close(&files);
    return code == LARCH_EXIT_DONE ? larch_app_end_output(STORE_NAME) : code;
}

/* ---- command line --------------------------------------------------------------- */

static const larch_option rows[] = {
    {.name = "state",
     .kind = LARCH_OPTION_COPY,
     .value = "DIR",
     .wants = "a folder",
     LARCH_OPTION_AT(store_options, state),
     .text = "the gateway's state folder; default $STATE_DIRECTORY, else ${XDG_STATE_HOME:-~/.local/state}/larch"},
    {.name = "json", .kind = LARCH_OPTION_FLAG, LARCH_OPTION_AT(store_options, json), .text = "one JSON object"},
    {.name = "to",
     .kind = LARCH_OPTION_CHOICE,
     .value = "WHAT",
     .choices = larch_store_source_choices,
     LARCH_OPTION_AT(store_options, next.source),
     .text = "with rekey: the new source, 'file', 'credential', 'passphrase' or 'pkcs11'; default 'as-is', the present "
             "one with a new key"},
    {.name = "new-credential",
     .kind = LARCH_OPTION_COPY,
     .value = "NAME",
     .wants = "a name",
     LARCH_OPTION_AT(store_options, next.credential),
     .text = "the systemd credential, of 32 bytes or more; default larch-store-key"},
    {.name = "new-passphrase",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "a file or credential:NAME",
     LARCH_OPTION_AT(store_options, next.passphrase),
     .text = "where the new passphrase is: a file of mode 0600, or credential:NAME; default: it is asked for"},
    {.name = "new-token",
     .kind = LARCH_OPTION_COPY,
     .value = "URI",
     .wants = "a PKCS#11 URI",
     LARCH_OPTION_AT(store_options, next.token),
     .text = "the token and its key, 'pkcs11:token=NAME;object=LABEL'; the key is made if it is not there"},
    {.name = "new-pin",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "a file or credential:NAME",
     LARCH_OPTION_AT(store_options, next.pin),
     .text = "where the PIN of that token is; default: it is asked for"},
    LARCH_STORE_UNLOCK_ROWS(store_options, now, NULL),
};

const larch_command larch_store_command = {
    .name = STORE_NAME,
    .text = "show or change where the key that seals a gateway's secrets comes from",
    .usage = "show [OPTION]...\nrekey [--to WHAT] [OPTION]...",
    .about =
        "One key, the store key, seals every secret of a state folder. It comes from a file of mode 0600 in the\n"
        "folder, a systemd credential, a passphrase (by Argon2id), or a PKCS#11 token, whose key never leaves it.\n"
        "A gateway chooses at its first start, by --store-key, and refuses to start without that source.\n"
        "\n"
        "  show          prints the source\n"
        "  rekey         makes a new store key, from the source that --to names, and seals every secret\n"
        "                anew. Afterwards nothing in the folder opens under the old key. The gateway is\n"
        "                stopped meanwhile. A power cut leaves the old key or the new one, whole.\n"
        "\n"
        "Run by root, the command acts as the user who owns the folder.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 1,
};

int larch_store_main(int argc, char **argv)
{
    static store_options options; /* large for a stack */
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_store_command, &options, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count == 0)
        return larch_app_usage(STORE_NAME, "say what to do: " ACTIONS);
    const bool rekeys = strcmp(operands.words[0], "rekey") == 0;
    if (!rekeys && strcmp(operands.words[0], "show") != 0)
        return larch_app_usage(STORE_NAME, "there is no '%s': " ACTIONS, operands.words[0]);
    if ((code = larch_app_default_state(STORE_NAME, options.state, sizeof options.state)) != LARCH_EXIT_DONE ||
        (code = larch_app_enter_folder(STORE_NAME, options.state, &options.folder)) != LARCH_EXIT_DONE ||
        (code = larch_app_start_crypto(STORE_NAME)) != LARCH_EXIT_DONE)
        return code;
    return rekeys ? store_rekey(&options) : show(&options);
}
