/* SPDX-License-Identifier: Apache-2.0 */
/* Why the storage failed, and what it is asked about itself. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage_int.h"

larch_error larch_posix_storage_fail(larch_posix_storage *s, larch_error e, const char *name, const char *reason)
{
    const char *slash = name[0] != '\0' ? "/" : "";
    snprintf(s->error, sizeof s->error, "%s%s%s: %s", s->path, slash, name, reason);
    return e;
}

larch_error larch_posix_storage_fail_system(larch_posix_storage *s, const char *name)
{
    return larch_posix_storage_fail(s, LARCH_PLATFORM, name, strerror(errno));
}

long larch_posix_storage_holder(const larch_posix_storage *storage) { return storage->holder; }

int larch_posix_storage_folder(const larch_posix_storage *storage) { return storage->folder; }

const char *larch_posix_storage_error(const larch_posix_storage *storage) { return storage->error; }
