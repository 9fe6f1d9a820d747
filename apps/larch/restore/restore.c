/* SPDX-License-Identifier: Apache-2.0 */
/* larch restore: a gateway's state out of a backup. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/command.h"
#include "common/confirm.h"
#include "common/folder.h"
#include "common/recover.h"
#include "common/unpacked.h"
#include "common/value.h"
#include "registry/sessions_db.h"
#include "restore/restore_int.h"
#include "state.h"
#include "system.h"

#define QUESTION                                                                                         \
    "Everything in %s will be replaced by the backup of %s. Sessions end, and every direct key\n"        \
    "is replaced: senders that trust the identity (larch2:) follow. Messages that were accepted since\n" \
    "are not in it.\n"

/* ---- the file ------------------------------------------------------------------ */

static larch_exit open_file(restoring *r)
{
    uint8_t bytes[LARCH_BACKUP_HEAD_LEN];
    struct stat st;
    r->fd = open(r->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (r->fd < 0 || fstat(r->fd, &st) != 0)
        return larch_app_fail(RESTORE_NAME, "%s: %s", r->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return larch_app_fail(RESTORE_NAME, "%s is not a regular file", r->path);
    const ssize_t n = read(r->fd, bytes, sizeof bytes);
    const larch_error e =
        n == (ssize_t)sizeof bytes ? larch_backup_head_take(LARCH_BYTES(bytes), &r->head) : LARCH_MALFORMED;
    if (e == LARCH_MALFORMED)
        return larch_app_refuse(RESTORE_NAME, "%s is not a backup of larch, or its front is damaged", r->path);
    if (e == LARCH_STATE || r->head.format > LARCH_STATE_FORMAT || r->head.schema > LARCH_SESSIONS_SCHEMA)
        return larch_app_fail(RESTORE_NAME,
                              "%s was written by a newer version of larch; use that version, or a later one", r->path);
    return LARCH_EXIT_DONE;
}

static larch_exit check_machine(const restoring *r)
{
    static const uint8_t none[LARCH_STATE_MACHINE_LEN];
    uint8_t here[LARCH_STATE_MACHINE_LEN];
    if (r->options->is_other_machine || memcmp(r->head.machine, none, sizeof none) == 0 ||
        !larch_posix_machine_hash(LARCH_POSIX_MACHINE_ID, here) || memcmp(r->head.machine, here, sizeof here) == 0)
        return LARCH_EXIT_DONE;
    return larch_app_refuse(
        RESTORE_NAME,
        "%s was made on another machine; two gateways of one identity accept messages twice. If that "
        "one is gone for good, --other-machine restores it here",
        r->path);
}

/* ---- the folder ------------------------------------------------------------------ */

/* Its store key is wrapped by the source that is chosen now; the folder is recovered, as a copy has to be. */
static larch_exit make_usable(restoring *r)
{
    static larch_posix_storage files; /* large for a stack */
    static larch_sealed_files sealed;
    char path[LARCH_POSIX_PATH_MAX + 16];
    uint8_t payload[1 + LARCH_SEAL_KEY_LEN] = {1};
    larch_store_head head;
    larch_exit code = larch_app_store_wrap(RESTORE_NAME, &r->options->store, "store", &r->key, &r->random, &head);
    if (code != LARCH_EXIT_DONE)
        return code;
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_UNPACKED, r->files.path);
    if (larch_posix_storage_open(&files, path, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(RESTORE_NAME, "%s", larch_posix_storage_error(&files));
    const larch_storage medium = larch_posix_storage_interface(&files);
    larch_sealed_files_init(&sealed, &medium, &r->random, NULL, NULL);
    larch_sealed_files_open(&sealed, &head, 0, &r->key);
    larch_storage view = larch_sealed_files_interface(&sealed);
    memcpy(payload + 1, r->key.bytes, sizeof r->key.bytes);
    if (larch_record_write(&view, LARCH_SEAL_KEY_NAME, LARCH_RECORD_SEAL, LARCH_BYTES(payload), 0) != LARCH_OK)
        code = larch_app_fail(RESTORE_NAME, "%s", larch_posix_storage_error(&files));
    if (code == LARCH_EXIT_DONE)
        code = larch_app_recover(RESTORE_NAME, &files, &view);
    larch_wipe(payload, sizeof payload);
    larch_wipe(&head, sizeof head);
    larch_sealed_files_wipe(&sealed);
    larch_posix_storage_close(&files);
    return code;
}

static larch_exit fail_change(const restoring *r)
{
    return larch_app_fail(RESTORE_NAME, "%s: %s; the next command on the folder finishes this", r->files.path,
                          strerror(errno));
}

/* Up to the commit the folder is as it was; after it, it is the backup's. */
static larch_exit replace_folder(restoring *r)
{
    const int folder = larch_posix_storage_folder(&r->files);
    bool is_done;
    larch_exit code;
    if (!larch_app_unpacked_finish(folder, &is_done))
        return fail_change(r);
    if ((code = restore_unpack(r)) == LARCH_EXIT_DONE && (code = make_usable(r)) == LARCH_EXIT_DONE)
        code = restore_compare(r);
    if (code != LARCH_EXIT_DONE) {
        if (!larch_app_unpacked_drop(folder))
            fprintf(stderr, "larch restore: %s/" LARCH_APP_UNPACKED " could not be removed: %s\n", r->files.path,
                    strerror(errno));
        return code;
    }
    return larch_app_unpacked_commit(folder) && larch_app_unpacked_finish(folder, &is_done) ? LARCH_EXIT_DONE
                                                                                            : fail_change(r);
}

static void format_time(uint64_t time_s, char text[32])
{
    const time_t t = (time_t)time_s;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL || strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(text, 32, "an unknown time");
}

static larch_exit restore(restoring *r)
{
    if (larch_posix_storage_open(&r->files, r->options->state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(RESTORE_NAME, "%s%s", larch_posix_storage_error(&r->files),
                              larch_posix_storage_holder(&r->files) != 0 ? "; stop the gateway first" : "");
    const larch_exit code = replace_folder(r);
    larch_posix_storage_close(&r->files);
    return code;
}

/* ---- command line -------------------------------------------------------------------- */

static const larch_option rows[] = {
    {.name = "state",
     .kind = LARCH_OPTION_COPY,
     .value = "DIR",
     .wants = "a folder",
     LARCH_OPTION_AT(restore_options, state),
     .text = "the folder to fill; default $STATE_DIRECTORY, else ${XDG_STATE_HOME:-~/.local/state}/larch"},
    {.name = "passphrase",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "a file or credential:NAME",
     LARCH_OPTION_AT(restore_options, passphrase),
     .text = "where the recovery passphrase is: a file of mode 0600, or credential:NAME; default the credential "
             "larch-recovery-passphrase, else it is asked for"},
    {.name = "key",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "a file",
     LARCH_OPTION_AT(restore_options, key),
     .text = "the file with the key, of a backup that has one"},
    {.name = "other-machine",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(restore_options, is_other_machine),
     .text = "restore a backup of another machine, which is gone for good"},
    {.name = "yes",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(restore_options, is_sure),
     .text = "replace what is there without asking for confirmation"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(restore_options, json),
     .text = "one JSON object a device"},
    LARCH_STORE_CHOICE_ROWS(restore_options, store, NULL),
    LARCH_STORE_UNLOCK_ROWS(restore_options, store, NULL),
};

const larch_command larch_restore_command = {
    .name = RESTORE_NAME,
    .text = "fill a gateway's state folder from a backup",
    .usage = "[OPTION]... FILE",
    .about = "Replaces what is in the state folder by what 'larch backup' wrote to FILE: identity, devices with\n"
             "their keys, messages that waited. Sessions end, and the gateway makes new direct keys at its next\n"
             "start; senders follow its identity. Devices and credentials that were revoked after the backup stay\n"
             "revoked, if the folder that is replaced says so. The devices are listed on stdout: look through them.\n"
             "The store key's source is chosen anew, by --store-key. Whatever fails, and whenever, the folder is as\n"
             "it was, or the backup's.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 1,
};

/* As whoever runs the command, who can read the file. */
static larch_exit begin(restoring *r, restore_options *options)
{
    char question[sizeof QUESTION + LARCH_POSIX_PATH_MAX + 32], when[32];
    larch_exit code;
    if ((code = larch_app_default_state(RESTORE_NAME, options->state, sizeof options->state)) != LARCH_EXIT_DONE ||
        (code = larch_app_start_crypto(RESTORE_NAME)) != LARCH_EXIT_DONE || (code = open_file(r)) != LARCH_EXIT_DONE ||
        (code = check_machine(r)) != LARCH_EXIT_DONE)
        return code;
    format_time(r->head.time_s, when);
    snprintf(question, sizeof question, QUESTION, options->state, when);
    if (access(options->state, F_OK) == 0 &&
        (code = larch_app_confirm(RESTORE_NAME, question, options->is_sure)) != LARCH_EXIT_DONE)
        return code;
    return larch_app_read_recovery(RESTORE_NAME, r->head.kind, options->passphrase, options->key, false, &r->secret);
}

int larch_restore_main(int argc, char **argv)
{
    static restore_options options; /* large for a stack */
    static restoring r;
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_restore_command, &options, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count == 0)
        return larch_app_usage(RESTORE_NAME, "which backup?");
    r = (restoring){.options = &options, .path = operands.words[0], .fd = -1, .random = larch_posix_random()};
    if ((code = begin(&r, &options)) == LARCH_EXIT_DONE &&
        (code = larch_app_make_folder(RESTORE_NAME, options.state)) == LARCH_EXIT_DONE &&
        (code = larch_app_enter_folder(RESTORE_NAME, options.state, &options.folder)) == LARCH_EXIT_DONE)
        code = restore(&r);
    if (r.fd >= 0)
        (void)close(r.fd);
    if (code == LARCH_EXIT_DONE)
        fprintf(
            stderr,
            "larch restore: %s has the identity, the devices and the waiting messages of the backup. Its sessions and "
            "direct keys are gone; 'larch gateway' makes new keys at its next start\n",
            options.state);
    larch_wipe(&r, sizeof r);
    return code;
}
