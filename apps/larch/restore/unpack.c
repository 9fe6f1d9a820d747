/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/unpacked.h"
#include "restore/restore_int.h"

#define STORE_KEY "store-key"

/* What a backup may hold, and so what it may write. */
static const char *const names[] = {LARCH_STATE_HEAD_NAME, LARCH_STORED_IDENTITY_NAME, LARCH_APP_SESSIONS_NAME,
                                    LARCH_APP_OUTBOX_NAME};
#define NAMES      (sizeof names / sizeof names[0])
#define NAMES_MUST 2 /* the first ones are there in each */

static larch_error read_all(void *context, uint8_t *bytes, size_t len)
{
    const restoring *r = context;
    while (len > 0) {
        const ssize_t n = read(r->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return LARCH_PLATFORM;
        bytes += n;
        len -= (size_t)n;
    }
    return LARCH_OK;
}

static larch_exit complain(const restoring *r, larch_error e)
{
    const char *secret = r->head.kind == LARCH_BACKUP_KEY ? "key" : "passphrase";
    if (e == LARCH_AUTH)
        return larch_app_refuse(
            RESTORE_NAME,
            "%s does not open: the recovery %s is wrong, or the file was damaged or altered. Nothing "
            "was changed",
            r->path, secret);
    if (e == LARCH_MALFORMED)
        return larch_app_refuse(RESTORE_NAME,
                                "%s is damaged: it is cut short, or holds what no backup does. Nothing was "
                                "changed",
                                r->path);
    return larch_app_fail(RESTORE_NAME, "%s: %s. Nothing was changed", r->path,
                          errno != 0 ? strerror(errno) : "it could not be read");
}

static bool write_bytes(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static larch_exit fail_write(const restoring *r, const char *name)
{
    return larch_app_fail(RESTORE_NAME, "%s/" LARCH_APP_UNPACKED "/%s: %s. Nothing was changed", r->files.path, name,
                          strerror(errno));
}

static larch_exit take_file(restoring *r, int below, const char *name, uint64_t size)
{
    static uint8_t bytes[LARCH_BACKUP_CHUNK];
    larch_exit code = LARCH_EXIT_DONE;
    const int fd = openat(below, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? complain(r, LARCH_MALFORMED) : fail_write(r, name);
    while (code == LARCH_EXIT_DONE && size > 0) {
        const size_t len = size < sizeof bytes ? (size_t)size : sizeof bytes;
        const larch_error e = larch_backup_take(&r->backup, bytes, len);
        if (e != LARCH_OK)
            code = complain(r, e);
        else if (!write_bytes(fd, bytes, len))
            code = fail_write(r, name);
        size -= len;
    }
    if (code == LARCH_EXIT_DONE && fsync(fd) != 0)
        code = fail_write(r, name);
    (void)close(fd);
    return code;
}

static size_t find_name(const char *name)
{
    size_t i = 0;
    while (i < NAMES && strcmp(name, names[i]) != 0)
        i++;
    return i;
}

/* The items, of which the first has to be the store key. */
static larch_exit take_all(restoring *r, int below)
{
    char name[LARCH_BACKUP_NAME_MAX + 1];
    bool has[NAMES] = {false};
    uint64_t size;
    larch_exit code;
    larch_error e = larch_backup_take_item(&r->backup, name, &size);
    if (e == LARCH_OK && (strcmp(name, STORE_KEY) != 0 || size != sizeof r->key.bytes))
        e = LARCH_MALFORMED;
    if (e == LARCH_OK)
        e = larch_backup_take(&r->backup, r->key.bytes, sizeof r->key.bytes);
    while (e == LARCH_OK && (e = larch_backup_take_item(&r->backup, name, &size)) == LARCH_OK) {
        const size_t i = find_name(name);
        if (i == NAMES)
            return complain(r, LARCH_MALFORMED);
        if ((code = take_file(r, below, name, size)) != LARCH_EXIT_DONE)
            return code;
        has[i] = true;
    }
    for (size_t i = 0; e == LARCH_AGAIN && i < NAMES_MUST; i++)
        if (!has[i])
            e = LARCH_MALFORMED;
    return e == LARCH_AGAIN ? LARCH_EXIT_DONE : complain(r, e);
}

larch_exit restore_unpack(restoring *r)
{
    const off_t at = lseek(r->fd, 0, SEEK_CUR), end = lseek(r->fd, 0, SEEK_END);
    if (at < 0 || end < at || lseek(r->fd, at, SEEK_SET) != at)
        return complain(r, LARCH_PLATFORM);
    r->backup.move = read_all;
    r->backup.context = r;
    errno = 0;
    const larch_error e =
        larch_backup_open(&r->backup, &r->head, larch_app_secret_bytes(&r->secret), (uint64_t)(end - at));
    if (e != LARCH_OK)
        return larch_app_fail(RESTORE_NAME, "the key of the backup cannot be computed: is there enough memory?");
    if (!larch_app_unpacked_begin(larch_posix_storage_folder(&r->files)))
        return fail_write(r, "");
    const int below = openat(larch_posix_storage_folder(&r->files), LARCH_APP_UNPACKED,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)
        return fail_write(r, "");
    const larch_exit code = take_all(r, below);
    (void)close(below);
    return code;
}
