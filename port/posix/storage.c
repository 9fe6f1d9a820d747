/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a folder, as the library uses them. Each is looked at when it is opened (regular, ours, closed to others)
 * and after each sync (still in its place), because what is written to a file that was deleted is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage_int.h"

#define TEMP_MAX (LARCH_STORAGE_NAME_MAX + sizeof STORAGE_TEMP_SUFFIX)

/* ---- descriptors ------------------------------------------------------- */

void larch_posix_storage_close_file(larch_posix_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static larch_posix_file *find_file(larch_posix_storage *s, const char *name)
{
    for (size_t i = 0; i < LARCH_POSIX_STORAGE_FILES; i++) {
        if (s->files[i].fd >= 0 && strcmp(s->files[i].name, name) == 0)
            return &s->files[i];
    }
    return NULL;
}

static void drop_file(larch_posix_storage *s, const char *name)
{
    larch_posix_file *file = find_file(s, name);
    if (file != NULL)
        larch_posix_storage_close_file(file);
}

/* Names come from the library; held to its promise all the same, since they become paths. */
bool larch_posix_storage_takes_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");
    return len > 0 && len <= LARCH_STORAGE_NAME_MAX && name[len] == '\0' && name[0] != '.' && strchr(name, '.') != NULL;
}

/* As ssh has it: whose file it was, or who could write to it, may have read the key or put another one there. */
static larch_error check_access(larch_posix_storage *s, const char *name, const struct stat *st)
{
    char text[LARCH_POSIX_PATH_MAX + 160];
    if (!S_ISREG(st->st_mode))
        return larch_posix_storage_fail(s, LARCH_PLATFORM, name, "is not a regular file");
    if (st->st_uid != geteuid())
        snprintf(text, sizeof text, "belongs to another user (%u), so it is not used; 'chown %u %s/%s' mends it",
                 (unsigned)st->st_uid, (unsigned)geteuid(), s->path, name);
    else if ((st->st_mode & 077) != 0)
        snprintf(text, sizeof text, "is open to other users (mode %04o), so it is not used; 'chmod 600 %s/%s' mends it",
                 (unsigned)st->st_mode & 07777, s->path, name);
    else
        return LARCH_OK;
    return larch_posix_storage_fail(s, LARCH_PLATFORM, name, text);
}

/* The open descriptor of a file, in place of the one unused for longest if need be: a sync
 * through a new descriptor covers what was written through the old one. */
static larch_error use_file(larch_posix_storage *s, const char *name, larch_posix_file **used)
{
    larch_posix_file *file = find_file(s, name);
    if (file == NULL) {
        struct stat st;
        if (!larch_posix_storage_takes_name(name))
            return larch_posix_storage_fail(s, LARCH_PLATFORM, name, "is not a name for a file of larch");
        int opened =
            openat(s->folder, name,
                   (larch_posix_storage_is_looked_at(s) ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (opened < 0)
            return larch_posix_storage_fail_system(s, name);
        larch_error e = fstat(opened, &st) == 0 ? check_access(s, name, &st) : larch_posix_storage_fail_system(s, name);
        if (e != LARCH_OK) {
            close(opened);
            return e;
        }
        file = &s->files[0];
        for (size_t i = 1; i < LARCH_POSIX_STORAGE_FILES && file->fd >= 0; i++) {
            if (s->files[i].fd < 0 || s->files[i].last_use < file->last_use)
                file = &s->files[i];
        }
        larch_posix_storage_close_file(file);
        file->fd = opened;
        file->inode = st.st_ino;
        snprintf(file->name, sizeof file->name, "%s", name);
    }
    file->last_use = ++s->uses;
    *used = file;
    return LARCH_OK;
}

bool larch_posix_pwrite_all(int fd, larch_bytes bytes, off_t offset)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.data, bytes.len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.data += n;
        bytes.len -= (size_t)n;
        offset += n;
    }
    return true;
}

/* ---- the interface ----------------------------------------------------- */

static larch_error storage_size(void *context, const char *name, uint32_t *size)
{
    larch_posix_storage *s = context;
    struct stat st;
    *size = LARCH_STORAGE_NONE;
    if (fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? LARCH_OK : larch_posix_storage_fail_system(s, name);
    if (!S_ISREG(st.st_mode))
        return larch_posix_storage_fail(s, LARCH_PLATFORM, name, "is not a regular file");
    if (st.st_size >= (off_t)LARCH_STORAGE_NONE)
        return larch_posix_storage_fail(s, LARCH_PLATFORM, name, strerror(EFBIG));
    *size = (uint32_t)st.st_size;
    return LARCH_OK;
}

static larch_error storage_read(void *context, const char *name, uint32_t offset, uint8_t *out, size_t len)
{
    larch_posix_storage *s = context;
    larch_posix_file *file;
    larch_error e = use_file(s, name, &file);
    if (e != LARCH_OK)
        return e;
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(file->fd, out + done, len - done, (off_t)offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return larch_posix_storage_fail_system(s, name);
        if (n == 0)
            return larch_posix_storage_fail(s, LARCH_MALFORMED, name, "ends too early");
        done += (size_t)n;
    }
    return LARCH_OK;
}

static larch_error storage_write(void *context, const char *name, uint32_t offset, larch_bytes bytes)
{
    larch_posix_storage *s = context;
    larch_posix_file *file;
    if (larch_posix_storage_is_looked_at(s))
        return LARCH_OK;
    if (s->sync_failed)
        return LARCH_PLATFORM;
    larch_error e = use_file(s, name, &file);
    if (e != LARCH_OK)
        return e;
    return larch_posix_pwrite_all(file->fd, bytes, (off_t)offset) ? LARCH_OK : larch_posix_storage_fail_system(s, name);
}

static larch_error storage_sync(void *context, const char *name)
{
    larch_posix_storage *s = context;
    larch_posix_file *file;
    if (larch_posix_storage_is_looked_at(s))
        return LARCH_OK;
    if (s->sync_failed)
        return LARCH_PLATFORM;
    larch_error e = use_file(s, name, &file);
    if (e != LARCH_OK)
        return e;
    if (s->durability == LARCH_POSIX_DURABILITY_MEDIUM && fdatasync(file->fd) != 0)
        e = larch_posix_storage_fail_system(s, name);
    else
        e = larch_posix_storage_check_places(s);
    s->sync_failed = e != LARCH_OK;
    return e;
}

/* A rename or removal is durable when its folder is. */
static larch_error sync_folder(larch_posix_storage *s)
{
    if (s->durability == LARCH_POSIX_DURABILITY_MEDIUM && fsync(s->folder) != 0)
        return larch_posix_storage_fail_system(s, "");
    return larch_posix_storage_check_folder(s);
}

/* Content and tail. Space is taken first, so that a full medium is known before anything
 * is written; the tail is really written, because blocks that are only reserved would
 * make every later sync wait for the file system's journal as well. */
static bool fill_file(int fd, larch_bytes content, uint32_t tail, bool durable)
{
    uint8_t erased[16384];
    memset(erased, LARCH_STORAGE_ERASED, sizeof erased);
    off_t end = (off_t)content.len + (off_t)tail;
    if (end > 0 && (errno = posix_fallocate(fd, 0, end)) != 0)
        return false;
    if (!larch_posix_pwrite_all(fd, content, 0))
        return false;
    for (off_t at = (off_t)content.len; at < end;) {
        size_t n = end - at < (off_t)sizeof erased ? (size_t)(end - at) : sizeof erased;
        if (!larch_posix_pwrite_all(fd, (larch_bytes){erased, n}, at))
            return false;
        at += (off_t)n;
    }
    return !durable || fsync(fd) == 0;
}

static larch_error storage_replace(void *context, const char *name, larch_bytes content, uint32_t tail)
{
    larch_posix_storage *s = context;
    char temp[TEMP_MAX];
    if (larch_posix_storage_is_looked_at(s))
        return LARCH_OK;
    if (!larch_posix_storage_takes_name(name))
        return larch_posix_storage_fail(s, LARCH_PLATFORM, name, "is not a name for a file of larch");
    snprintf(temp, sizeof temp, "%s" STORAGE_TEMP_SUFFIX, name);

    if (unlinkat(s->folder, temp, 0) != 0 && errno != ENOENT)
        return larch_posix_storage_fail_system(s, name);
    int fd = openat(s->folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return larch_posix_storage_fail_system(s, name);
    larch_error e = LARCH_OK;
    if (!fill_file(fd, content, tail, s->durability == LARCH_POSIX_DURABILITY_MEDIUM))
        e = larch_posix_storage_fail_system(s, name);
    if (close(fd) != 0 && e == LARCH_OK)
        e = larch_posix_storage_fail_system(s, name);
    if (e == LARCH_OK && renameat(s->folder, temp, s->folder, name) != 0)
        e = larch_posix_storage_fail_system(s, name);
    if (e != LARCH_OK) {
        unlinkat(s->folder, temp, 0);
        return e;
    }
    drop_file(s, name); /* its descriptor leads to the old file */
    return sync_folder(s);
}

static larch_error storage_remove(void *context, const char *name)
{
    larch_posix_storage *s = context;
    if (larch_posix_storage_is_looked_at(s))
        return LARCH_OK;
    drop_file(s, name);
    if (!larch_posix_storage_takes_name(name))
        return larch_posix_storage_fail(s, LARCH_PLATFORM, name, "is not a name for a file of larch");
    if (unlinkat(s->folder, name, 0) != 0 && errno != ENOENT)
        return larch_posix_storage_fail_system(s, name);
    return sync_folder(s);
}

larch_storage larch_posix_storage_interface(larch_posix_storage *storage)
{
    return (larch_storage){
        .context = storage,
        .size = storage_size,
        .read = storage_read,
        .replace = storage_replace,
        .write = storage_write,
        .sync = storage_sync,
        .remove = storage_remove,
    };
}
