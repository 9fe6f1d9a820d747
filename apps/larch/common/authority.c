/* SPDX-License-Identifier: Apache-2.0 */
#include "common/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

larch_exit larch_app_file_read(const char *command, const char *path, uint8_t *bytes, size_t cap, size_t *len)
{
    struct stat st;
    ssize_t n = 1;
    *len = 0;
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        const larch_exit code = larch_app_fail(command, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return code;
    }
    if (S_ISREG(st.st_mode))
        while (*len < cap && ((n = read(fd, bytes + *len, cap - *len)) > 0 || (n < 0 && errno == EINTR)))
            *len += n > 0 ? (size_t)n : 0;
    (void)close(fd);
    if (!S_ISREG(st.st_mode) || n != 0)
        return larch_app_refuse(command, "%s is refused: it is not a regular file of less than %zu bytes", path, cap);
    return LARCH_EXIT_DONE;
}

static bool write_all(int fd, larch_bytes bytes)
{
    while (bytes.len > 0) {
        const ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes.data += n > 0 ? n : 0;
        bytes.len -= n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

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

larch_exit larch_app_file_write(const char *command, const char *path, larch_bytes bytes, unsigned mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
    if (fd < 0 && errno == EEXIST)
        return larch_app_refuse(command, "%s is there already, and is not written over: choose another name", path);
    if (fd < 0)
        return larch_app_fail(command, "%s: %s", path, strerror(errno));
    const bool ok = write_all(fd, bytes) && sync_folder_of(path);
    const larch_exit code = ok ? LARCH_EXIT_DONE : larch_app_fail(command, "%s: %s", path, strerror(errno));
    (void)close(fd);
    if (!ok)
        (void)unlink(path);
    return code;
}

larch_exit larch_app_authority_read(const char *command, const char *path, uint8_t *bytes, size_t cap,
                                    larch_cose_key *key)
{
    size_t len;
    const larch_exit code = larch_app_file_read(command, path, bytes, cap, &len);
    if (code != LARCH_EXIT_DONE)
        return code;
    const larch_error e = larch_cose_parse_key((larch_bytes){bytes, len}, key);
    if (e == LARCH_OK && key->kty == LARCH_COSE_AKP && key->priv.len == 0 &&
        (key->alg == LARCH_COSE_ML_DSA_44 || key->alg == LARCH_COSE_ML_DSA_87))
        return LARCH_EXIT_DONE;
    if (e == LARCH_OK && key->priv.len > 0)
        return larch_app_refuse(command,
                                "%s holds the authority's private key, which belongs nowhere but with the "
                                "authority: give ca.pub",
                                path);
    return larch_app_refuse(command, "%s is no public key of an authority; 'larch ca init' makes one, ca.pub", path);
}
