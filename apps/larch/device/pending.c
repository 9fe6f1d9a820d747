/* SPDX-License-Identifier: Apache-2.0 */
#include "device/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool sync_folder_of(const char *path)
{
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s", path);
    const int fd = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

larch_exit pending_open(pending_file *file, const char *command, const char *context_file, const uint8_t *keys,
                        pending_reading *reading)
{
    uint8_t bytes[PENDING_RECORD_MAX];
    struct stat st;
    memcpy(file->keys, keys, sizeof file->keys);
    if (snprintf(file->path, sizeof file->path, "%s.reading", context_file) >= (int)sizeof file->path)
        return larch_app_fail(command, "%s: the name is too long", context_file);
    file->fd = open(file->path, O_RDWR | O_CREAT | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file->fd < 0 || fstat(file->fd, &st) != 0)
        return larch_app_fail(command, "%s: %s", file->path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || (st.st_mode & 022) != 0)
        return larch_app_refuse(command, "%s is refused: it is no file that only this user can change; remove it",
                                file->path);
    const ssize_t n = pread(file->fd, bytes, sizeof bytes, 0);
    if (n < 0 || !sync_folder_of(file->path))
        return larch_app_fail(command, "%s: %s", file->path, strerror(errno));
    switch (pending_parse((larch_bytes){bytes, (size_t)n}, file->keys, reading)) {
    case LARCH_STATE:
        return larch_app_refuse(command, "%s holds a reading of another context; if it may be lost, remove the file",
                                file->path);
    default: /* none, or one that was never sent */
        return LARCH_EXIT_DONE;
    }
}

bool pending_write(const pending_file *file, const pending_reading *reading)
{
    uint8_t bytes[PENDING_RECORD_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    pending_put(&w, file->keys, reading);
    const ssize_t n = pwrite(file->fd, bytes, w.len, 0);
    if (n >= 0 && (size_t)n != w.len)
        errno = ENOSPC;
    return n == (ssize_t)w.len && fdatasync(file->fd) == 0;
}

void pending_clear(const pending_file *file)
{
    static const uint8_t nothing[1] = {0};
    (void)!pwrite(file->fd, nothing, sizeof nothing, 0);
}

void pending_close(pending_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd);
    file->fd = -1;
}
