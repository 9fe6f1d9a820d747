/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/recover.h"

#include <stdio.h>

#include "common/confirm.h"
#include "registry/outbox.h"
#include "registry/sessions.h"
#include "state.h"

#define QUESTION                                                                                         \
    "Every direct key in %s will be wiped, and the gateway makes new ones\n"                             \
    "at its next start. Senders that trust its identity (larch2:) follow; those with the pin of a key\n" \
    "(larch1:) need the new one. Messages sealed to the old keys can be opened no more.\n"

/* Outbox and sessions are files of SQLite, which the storage does not know. The outbox keeps its rows; sessions go, since
 * numbers of theirs may have been used after the copy was made. */
static larch_exit recover_databases(const keys_options *options, uint32_t start)
{
    char outbox[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_OUTBOX_NAME];
    char sessions[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    larch_registry_reason why;
    size_t removed;
    snprintf(outbox, sizeof outbox, "%s/%s", options->state, LARCH_APP_OUTBOX_NAME);
    snprintf(sessions, sizeof sessions, "%s/%s", options->state, LARCH_APP_SESSIONS_NAME);
    if (larch_outbox_stamp(outbox, start, &why) != LARCH_OK ||
        larch_sessions_recover(sessions, start, &removed, &why) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s", why.text);
    if (removed > 0)
        fprintf(stderr, "larch keys: %zu sessions were deleted; their devices need new ones\n", removed);
    return LARCH_EXIT_DONE;
}

static larch_exit recover(const keys_options *options, larch_posix_storage *files)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    larch_storage storage = larch_posix_storage_interface(files);
    larch_exit code;
    if (larch_posix_state_recover(files, &storage, file, &fault) != LARCH_OK)
        return keys_complain_of_file(files, file, fault);
    if ((code = recover_databases(options, storage.start)) != LARCH_EXIT_DONE)
        return code;
    if (larch_posix_state_complete(files, &storage, file, &fault) != LARCH_OK)
        return keys_complain_of_file(files, file, fault);
    return LARCH_EXIT_DONE;
}

larch_exit keys_recover(const keys_options *options)
{
    char question[sizeof QUESTION + LARCH_POSIX_PATH_MAX];
    larch_posix_storage files;
    larch_exit code;
    if (larch_posix_storage_open(&files, options->state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s%s", larch_posix_storage_error(&files),
                              larch_posix_storage_holder(&files) != 0 ? "; stop the gateway first" : "");
    snprintf(question, sizeof question, QUESTION, options->state);
    if ((code = larch_app_confirm(KEYS_NAME, question, options->is_sure)) == LARCH_EXIT_DONE)
        code = recover(options, &files);
    larch_posix_storage_close(&files);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr,
                "larch keys: recovered %s: every direct key was wiped, the root keys stay, and the folder belongs to "
                "this machine; 'larch gateway' makes new keys at its next start\n",
                options->state);
    return code;
}
