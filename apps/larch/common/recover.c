/* SPDX-License-Identifier: Apache-2.0 */
#include "common/recover.h"

#include <stdio.h>

#include "common/folder.h"
#include "registry/outbox.h"
#include "registry/sessions.h"
#include "state.h"

/* Outbox and sessions are files of SQLite, which the storage does not know. The outbox keeps its rows; sessions go, since
 * numbers of theirs may have been used after the copy was made. */
static larch_exit recover_databases(const char *command, const char *state, uint32_t start)
{
    char outbox[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_OUTBOX_NAME];
    char sessions[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    larch_registry_reason why;
    size_t removed;
    snprintf(outbox, sizeof outbox, "%s/%s", state, LARCH_APP_OUTBOX_NAME);
    snprintf(sessions, sizeof sessions, "%s/%s", state, LARCH_APP_SESSIONS_NAME);
    if (larch_outbox_stamp(outbox, start, &why) != LARCH_OK ||
        larch_sessions_recover(sessions, start, &removed, &why) != LARCH_OK)
        return larch_app_fail(command, "%s", why.text);
    if (removed > 0)
        fprintf(stderr, "larch %s: %zu sessions were deleted; their devices need new ones\n", command, removed);
    return LARCH_EXIT_DONE;
}

larch_exit larch_app_recover(const char *command, larch_posix_storage *files, larch_storage *storage)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    larch_exit code;
    if (larch_posix_state_recover(files, storage, file, &fault) != LARCH_OK)
        return larch_app_complain_of_file(command, files, file, fault);
    if ((code = recover_databases(command, files->path, storage->start)) != LARCH_EXIT_DONE)
        return code;
    if (larch_posix_state_complete(files, storage, file, &fault) != LARCH_OK)
        return larch_app_complain_of_file(command, files, file, fault);
    return LARCH_EXIT_DONE;
}
