/* SPDX-License-Identifier: Apache-2.0 */
#include "common/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static larch_exit check_file(const char *command, const char *path, int fd, size_t max)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return larch_app_fail(command, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return larch_app_refuse(command, "%s is refused: it is not a regular file", path);
    if (geteuid() != 0 && st.st_uid != geteuid() && st.st_uid != 0)
        return larch_app_refuse(command, "%s is refused: it belongs to another user, who can read its keys", path);
    if ((st.st_mode & 077) != 0)
        return larch_app_refuse(command, "%s is refused: others can read its keys; if nobody has, run: chmod 600 '%s'",
                                path, path);
    if (st.st_nlink > 1)
        return larch_app_refuse(command,
                                "%s is refused: the file has a second name, under which its sequence numbers would be "
                                "used again; give each device a context of its own",
                                path);
    if (st.st_size > (off_t)max)
        return larch_app_refuse(command, "%s is refused: it is longer than %zu bytes", path, max);
    return LARCH_EXIT_DONE;
}

/* All of it into bytes, which have one place more than a file may fill; *len. */
static bool read_all(int fd, uint8_t *bytes, size_t cap, size_t *len)
{
    ssize_t n = 0;
    *len = 0;
    while (*len < cap && ((n = read(fd, bytes + *len, cap - *len)) > 0 || (n < 0 && errno == EINTR)))
        *len += n > 0 ? (size_t)n : 0;
    return *len == cap || n == 0;
}

larch_exit larch_app_secret_read(const char *command, const char *path, uint8_t *bytes, size_t max, size_t *len)
{
    /* Not waiting for a writer, should it be a pipe. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    *len = 0;
    if (fd < 0 && errno == ELOOP)
        return larch_app_refuse(command, "%s is refused: it is a symbolic link; name the file itself", path);
    if (fd < 0)
        return larch_app_fail(command, "%s: %s", path, strerror(errno));
    larch_exit code = check_file(command, path, fd, max);
    if (code == LARCH_EXIT_DONE && !read_all(fd, bytes, max + 1, len))
        code = larch_app_fail(command, "%s: %s", path, strerror(errno));
    (void)close(fd);
    return code;
}
