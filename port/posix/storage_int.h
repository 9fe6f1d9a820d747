/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the storage share. */
#ifndef LARCH_POSIX_STORAGE_INT_H
#define LARCH_POSIX_STORAGE_INT_H

#include "storage.h"

#define STORAGE_TEMP_SUFFIX ".tmp"

/* Keep "FOLDER/NAME: REASON" as the last failure, and return e, or LARCH_PLATFORM for the system call that failed last. */
larch_error larch_posix_storage_fail(larch_posix_storage *s, larch_error e, const char *name, const char *reason);
larch_error larch_posix_storage_fail_system(larch_posix_storage *s, const char *name);

bool larch_posix_storage_takes_name(const char *name);
void larch_posix_storage_close_file(larch_posix_file *file);

/* Whether the path leads to the folder that is open. check: and whether that has changed. */
bool larch_posix_storage_is_at_path(const larch_posix_storage *s);
larch_error larch_posix_storage_check_folder(larch_posix_storage *s);
/* From here on what happens to the folder's names is noted. Without it each check looks at all files. */
void larch_posix_storage_watch(larch_posix_storage *s);
/* LARCH_PLATFORM: a file that is open or guarded, or the folder, is not in its place any more. */
larch_error larch_posix_storage_check_places(larch_posix_storage *s);

/* false: errno says why. */
bool larch_posix_pwrite_all(int fd, larch_bytes bytes, off_t offset);

#endif
