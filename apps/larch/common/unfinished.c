/* SPDX-License-Identifier: Apache-2.0 */
#include "common/unfinished.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/unpacked.h"
#include "registry/reseal.h"
#include "secrets/rekey.h"

static larch_exit fail(const char *command, larch_posix_storage *files)
{
    return larch_app_fail(command, "%s", larch_posix_storage_error(files));
}

static larch_exit finish_rekey(const char *command, larch_posix_storage *files, const larch_storage *medium,
                               larch_posix_names *names)
{
    char path[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    uint8_t check[LARCH_RESEAL_CHECK_LEN];
    larch_registry_reason why;
    bool is_done;
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_SESSIONS_NAME, files->path);
    const larch_error e = larch_sessions_sealed_by(path, check, &why);
    if (e != LARCH_OK && e != LARCH_AGAIN)
        return larch_app_fail(command, "%s", why.text);
    if (larch_rekey_finish(medium, names->name, names->count, e == LARCH_OK ? check : NULL, &is_done) != LARCH_OK)
        return fail(command, files);
    fprintf(stderr, "larch %s: a change of the store key that was cut short is %s\n", command,
            is_done ? "finished: the new key is in force" : "undone: the old key stays");
    return LARCH_EXIT_DONE;
}

larch_exit larch_app_finish_unfinished(const char *command, larch_posix_storage *files, const larch_storage *medium)
{
    larch_posix_names names;
    larch_exit code = LARCH_EXIT_DONE;
    bool is_done;
    if (larch_posix_storage_is_looked_at(files))
        return LARCH_EXIT_DONE;
    if (!larch_app_unpacked_finish(larch_posix_storage_folder(files), &is_done))
        return larch_app_fail(command, "%s: a restore that was cut short cannot be finished: %s", files->path,
                              strerror(errno));
    if (is_done)
        fprintf(stderr, "larch %s: a restore that was cut short is finished\n", command);
    if (larch_posix_storage_list(files, &names) != LARCH_OK)
        return fail(command, files);
    if (larch_rekey_is_under_way(names.name, names.count))
        code = finish_rekey(command, files, medium, &names);
    larch_posix_names_free(&names);
    return code;
}
