/* SPDX-License-Identifier: Apache-2.0 */
#include "common/unpacked.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READY   "restore.ready"
#define GO      "restore.go"
#define LOCK    "lock"
#define CONTROL "control"

static bool is_there(int folder, const char *name)
{
    struct stat st;
    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool sync_folder(int folder)
{
    const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_durable = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_durable;
}

/* Hands each entry but folders, lock and socket of the folder `from` to take, up to its first false. */
static bool each_file(int from, bool (*take)(int from, int folder, const char *name), int folder)
{
    const int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    bool is_done = entries != NULL;
    const struct dirent *entry;
    struct stat st;
    if (entries == NULL && fd >= 0)
        (void)close(fd);
    while (is_done && (errno = 0, entry = readdir(entries)) != NULL)
        if (strcmp(entry->d_name, LOCK) != 0 && strcmp(entry->d_name, CONTROL) != 0 &&
            fstatat(from, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
            is_done = take(from, folder, entry->d_name);
    if (entries != NULL)
        (void)closedir(entries);
    return is_done;
}

static bool remove_file(int from, int folder, const char *name)
{
    (void)folder;
    return unlinkat(from, name, 0) == 0 || errno == ENOENT;
}

static bool move_up(int from, int folder, const char *name) { return renameat(from, name, folder, name) == 0; }

static int open_below(int folder, const char *name)
{
    return openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The lock of the process that made it is all that may be left. */
static bool remove_folder(int folder, int below, const char *name)
{
    return (unlinkat(below, LOCK, 0) == 0 || errno == ENOENT) && unlinkat(folder, name, AT_REMOVEDIR) == 0 &&
           sync_folder(folder);
}

bool larch_app_unpacked_drop(int folder)
{
    const int below = open_below(folder, LARCH_APP_UNPACKED);
    if (below < 0)
        return errno == ENOENT;
    const bool is_done = each_file(below, remove_file, folder) && remove_folder(folder, below, LARCH_APP_UNPACKED);
    (void)close(below);
    return is_done;
}

bool larch_app_unpacked_begin(int folder)
{
    return larch_app_unpacked_drop(folder) && mkdirat(folder, LARCH_APP_UNPACKED, 0700) == 0 && sync_folder(folder);
}

bool larch_app_unpacked_commit(int folder)
{
    const int below = open_below(folder, LARCH_APP_UNPACKED);
    const bool is_whole = below >= 0 && fsync(below) == 0;
    if (below >= 0)
        (void)close(below);
    return is_whole && renameat(folder, LARCH_APP_UNPACKED, folder, READY) == 0 && sync_folder(folder);
}

static bool clear(int folder)
{
    return each_file(folder, remove_file, folder) && sync_folder(folder) && renameat(folder, READY, folder, GO) == 0 &&
           sync_folder(folder);
}

static bool move_all(int folder)
{
    const int below = open_below(folder, GO);
    const bool is_done =
        below >= 0 && each_file(below, move_up, folder) && sync_folder(folder) && remove_folder(folder, below, GO);
    if (below >= 0)
        (void)close(below);
    return is_done;
}

bool larch_app_unpacked_finish(int folder, bool *is_done)
{
    *is_done = is_there(folder, READY) || is_there(folder, GO);
    if (is_there(folder, READY) && !clear(folder))
        return false;
    if (is_there(folder, GO) && !move_all(folder))
        return false;
    return larch_app_unpacked_drop(folder);
}
