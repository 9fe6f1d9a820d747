/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A larch_storage in a folder of a POSIX system, held by one process at a time.
 *
 * Files have mode 0600 in a folder of mode 0700. A file is replaced by writing
 * "<name>.tmp" beside it, which is renamed when it is whole on the medium.
 *
 * The folder itself is locked, and each sync checks that the file and the folder are
 * still in their places: files that were deleted under a running program keep nothing.
 */
#ifndef LARCH_POSIX_STORAGE_H
#define LARCH_POSIX_STORAGE_H

#include <sys/types.h>

#include "larch/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a completed call survives. */
typedef enum larch_posix_durability {
    LARCH_POSIX_DURABILITY_MEDIUM, /* a power cut: every call waits for the medium */
    LARCH_POSIX_DURABILITY_PROCESS /* the end of the process, not that of the system */
} larch_posix_durability;

#define LARCH_POSIX_STORAGE_FILES   16 /* descriptors kept open */
#define LARCH_POSIX_STORAGE_GUARDED 4
#define LARCH_POSIX_PATH_MAX        1024
#define LARCH_POSIX_ERROR_MAX       (2 * LARCH_POSIX_PATH_MAX + 224) /* a file, and the command that mends it */

typedef struct larch_posix_file {
    char name[LARCH_STORAGE_NAME_MAX + 1];
    int fd; /* -1: the entry is free */
    ino_t inode;
    uint32_t last_use;
} larch_posix_file;

/* A file of the folder that others hold open. */
typedef struct larch_posix_guarded {
    char name[LARCH_STORAGE_NAME_MAX + 1];
    ino_t inode;
} larch_posix_guarded;

typedef struct larch_posix_storage {
    int folder; /* private, all of it; -1: not open */
    ino_t inode;
    dev_t device;
    bool is_at_path; /* when it was opened, the path led to it */
    int lock;        /* -1: opened to look at */
    int watch;       /* inotify, of what happens to the names in the folder; -1: none */
    long holder;
    larch_posix_durability durability;
    bool sync_failed;
    uint32_t uses;
    larch_posix_file files[LARCH_POSIX_STORAGE_FILES];
    size_t guarded_count;
    larch_posix_guarded guarded[LARCH_POSIX_STORAGE_GUARDED];
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
/* Whether larch_posix_storage_view opened it. */
static inline bool larch_posix_storage_is_looked_at(const larch_posix_storage *storage) { return storage->lock < 0; }
/* The process that held the folder when open was refused with LARCH_STATE; 0 if that was not the reason. */
long larch_posix_storage_holder(const larch_posix_storage *storage);
void larch_posix_storage_close(larch_posix_storage *storage);
/* The descriptor of the folder while it is open, for what stands in it besides files of the library. */
int larch_posix_storage_folder(const larch_posix_storage *storage);

/* What the library takes; good while the storage is open and stays where it is. A file that
 * belongs to another user, or is open to others, is not read or written: LARCH_PLATFORM, and the
 * error holds the command that mends it. A sync fails if the folder, a file of it that is open, or
 * a guarded one was moved, replaced or deleted by others. After a sync has failed every write and sync fails: Linux reports lost writes
 * once, then forgets. */
larch_storage larch_posix_storage_interface(larch_posix_storage *storage);

/* From now on a sync also fails if this file, which another library holds open, is not in its place any more. LARCH_SPACE:
 * LARCH_POSIX_STORAGE_GUARDED are guarded. LARCH_PLATFORM: it is not there. */
LARCH_MUST_USE larch_error larch_posix_storage_guard(larch_posix_storage *storage, const char *name);

/* The regular files of the folder that can be the library's, by name. */
typedef struct larch_posix_names {
    char (*name)[LARCH_STORAGE_NAME_MAX + 1]; /* of the heap: larch_posix_names_free */
    size_t count;
} larch_posix_names;

/* LARCH_PLATFORM: the folder cannot be read, or memory is out; names is empty. */
LARCH_MUST_USE larch_error larch_posix_storage_list(larch_posix_storage *storage, larch_posix_names *names);
void larch_posix_names_free(larch_posix_names *names);

/* The last failure, as "state/direct-512.key: No space left on device"; "" if there was none. */
const char *larch_posix_storage_error(const larch_posix_storage *storage);

#ifdef __cplusplus
}
#endif

#endif
