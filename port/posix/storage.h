/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A larch_storage in a folder of a POSIX system, held by one process at a time.
 *
 * Files have mode 0600 in a folder of mode 0700. A file is replaced by writing
 * "<name>.tmp" beside it, which is renamed when it is whole on the medium.
 */
#ifndef LARCH_POSIX_STORAGE_H
#define LARCH_POSIX_STORAGE_H

#include "larch/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a completed call survives. */
typedef enum larch_posix_durability {
    LARCH_POSIX_DURABILITY_MEDIUM, /* a power cut: every call waits for the medium */
    LARCH_POSIX_DURABILITY_PROCESS /* the end of the process, not that of the system */
} larch_posix_durability;

#define LARCH_POSIX_STORAGE_FILES 8 /* descriptors kept open */
#define LARCH_POSIX_PATH_MAX      1024
#define LARCH_POSIX_ERROR_MAX     (LARCH_POSIX_PATH_MAX + 160)

typedef struct larch_posix_file {
    char name[LARCH_STORAGE_NAME_MAX + 1];
    int fd; /* -1: the entry is free */
    uint32_t last_use;
} larch_posix_file;

typedef struct larch_posix_storage {
    int folder; /* private, all of it; -1: not open */
    int lock;   /* -1: opened to look at */
    long holder;
    larch_posix_durability durability;
    bool sync_failed;
    uint32_t uses;
    larch_posix_file files[LARCH_POSIX_STORAGE_FILES];
    char path[LARCH_POSIX_PATH_MAX];
    char error[LARCH_POSIX_ERROR_MAX];
} larch_posix_storage;

/* Where the state is kept if nobody says: $STATE_DIRECTORY (systemd; its unit must set
 * StateDirectoryMode=0700), else $XDG_STATE_HOME/larch, else $HOME/.local/state/larch.
 * LARCH_STATE: none of them is set to an absolute path. LARCH_SPACE: longer than cap. */
LARCH_MUST_USE larch_error larch_posix_state_path(char *path, size_t cap);

/* Opens a folder and locks it; makes it, and the folders above it, if it is not there.
 * Leftovers of replacements that a power cut interrupted are removed.
 * LARCH_STATE: the folder is refused (not a folder, of another owner, open to others) or
 * in use by another process. LARCH_PLATFORM: a call failed. Either way the reason is in
 * larch_posix_storage_error, and closing is allowed but not needed. */
LARCH_MUST_USE larch_error larch_posix_storage_open(larch_posix_storage *storage, const char *path,
                                                    larch_posix_durability durability);
/* Opens a folder to look at while another process may hold it: makes and locks nothing, and what is
 * written is discarded. Errors as open; LARCH_PLATFORM: also if there is no such folder. */
LARCH_MUST_USE larch_error larch_posix_storage_view(larch_posix_storage *storage, const char *path);
/* The process that held the folder when open was refused with LARCH_STATE; 0 if that was not the reason. */
long larch_posix_storage_holder(const larch_posix_storage *storage);
void larch_posix_storage_close(larch_posix_storage *storage);

/* What the library takes; good while the storage is open and stays where it is. After a
 * sync has failed every write and sync fails: Linux reports lost writes once, then forgets. */
larch_storage larch_posix_storage_interface(larch_posix_storage *storage);

/* The last failure, as "state/direct-512.key: No space left on device"; "" if there was none. */
const char *larch_posix_storage_error(const larch_posix_storage *storage);

#ifdef __cplusplus
}
#endif

#endif
