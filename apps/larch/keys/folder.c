/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/folder.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/folder.h"

larch_exit keys_make_folder(const keys_options *options)
{
    larch_posix_storage files;
    struct stat st;
    if (stat(options->state, &st) == 0 || errno != ENOENT)
        return LARCH_EXIT_DONE;
    if (larch_posix_storage_open(&files, options->state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s", larch_posix_storage_error(&files));
    larch_posix_storage_close(&files);
    return LARCH_EXIT_DONE;
}

larch_exit keys_enter_folder(keys_options *options)
{
    return larch_app_enter_folder(KEYS_NAME, options->state, &options->folder);
}
