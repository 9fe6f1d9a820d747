/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the files that are open are still where they were opened: what is written to a deleted file is lost, and what
 * stands in its place may be an older one. Looking at each of them costs as much as a message, so the kernel is asked for
 * what happened to the names in the folder (inotify); mostly that is nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage_int.h"

void larch_posix_storage_watch(larch_posix_storage *s)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->folder);
    s->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (s->watch >= 0 &&
        inotify_add_watch(s->watch, path,
                          IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) < 0) {
        close(s->watch);
        s->watch = -1;
    }
}

/* Also true if nobody can tell. What happened before a call is seen by it. */
static bool has_changed(const larch_posix_storage *s)
{
    char events[1024];
    ssize_t n = s->watch >= 0 ? read(s->watch, events, sizeof events) : 0;
    if (n < 0 && errno == EAGAIN)
        return false;
    while (n > 0)
        n = read(s->watch, events, sizeof events);
    return true;
}

bool larch_posix_storage_is_at_path(const larch_posix_storage *s)
{
    struct stat st;
    return stat(s->path, &st) == 0 && st.st_ino == s->inode && st.st_dev == s->device;
}

/* Another folder in the place of the one that is locked is another gateway's. */
larch_error larch_posix_storage_check_folder(larch_posix_storage *s)
{
    if (!s->is_at_path || larch_posix_storage_is_at_path(s))
        return LARCH_OK;
    return larch_posix_storage_fail(s, LARCH_PLATFORM, "", "was moved or deleted while it was in use");
}

static larch_error check_place(larch_posix_storage *s, const char *name, ino_t inode)
{
    struct stat st;
    if (fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == inode && st.st_dev == s->device)
        return LARCH_OK;
    return larch_posix_storage_fail(s, LARCH_PLATFORM, name, "was moved, replaced or deleted while it was in use");
}

larch_error larch_posix_storage_check_places(larch_posix_storage *s)
{
    larch_error e = LARCH_OK;
    if (!has_changed(s))
        return LARCH_OK;
    for (size_t i = 0; i < LARCH_POSIX_STORAGE_FILES && e == LARCH_OK; i++)
        if (s->files[i].fd >= 0)
            e = check_place(s, s->files[i].name, s->files[i].inode);
    for (size_t i = 0; i < s->guarded_count && e == LARCH_OK; i++)
        e = check_place(s, s->guarded[i].name, s->guarded[i].inode);
    return e == LARCH_OK ? larch_posix_storage_check_folder(s) : e;
}

larch_error larch_posix_storage_guard(larch_posix_storage *storage, const char *name)
{
    struct stat st;
    if (storage->guarded_count == LARCH_POSIX_STORAGE_GUARDED)
        return LARCH_SPACE;
    larch_posix_guarded *guarded = &storage->guarded[storage->guarded_count];
    if (fstatat(storage->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return larch_posix_storage_fail_system(storage, name);
    snprintf(guarded->name, sizeof guarded->name, "%s", name);
    guarded->inode = st.st_ino;
    storage->guarded_count++;
    return LARCH_OK;
}
