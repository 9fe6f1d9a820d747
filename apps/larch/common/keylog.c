/* SPDX-License-Identifier: Apache-2.0 */
#include "common/keylog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 2048 /* two lines; a secret has 64 bytes at most, which is far more than any that larch makes */

/* Each write is one, so that lines of several programs do not mix. 0, or -1 with errno. */
static int append(const char *path, larch_bytes lines)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return -1;
    ssize_t written = -1;
    if (fchmod(fd, S_IRUSR | S_IWUSR) == 0) /* it may have stood there before */
        written = write(fd, lines.data, lines.len);
    const int reason = written < 0 ? errno : ENOSPC;
    (void)close(fd);
    if (written == (ssize_t)lines.len)
        return 0;
    errno = reason;
    return -1;
}

larch_exit larch_app_keylog(const char *command, const larch_oscore_parameters *parameters)
{
    const char *path = getenv(LARCH_APP_KEYLOG_VARIABLE);
    larch_oscore_parameters other = *parameters;
    uint8_t bytes[LINES_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_bytes lines;
    if (path == NULL || path[0] == '\0')
        return LARCH_EXIT_DONE;
    other.sender_id = parameters->recipient_id;
    other.recipient_id = parameters->sender_id;
    larch_exit result = LARCH_EXIT_DONE;
    if (larch_oscore_keylog_put(&w, parameters) != LARCH_OK || larch_oscore_keylog_put(&w, &other) != LARCH_OK ||
        larch_writer_finish(&w, &lines) != LARCH_OK)
        result = larch_app_fail(command, "%s: no line of a key log can hold this security context", path);
    else if (append(path, lines) != 0)
        result = larch_app_fail(command, "%s: %s", path, strerror(errno));
    larch_wipe(bytes, sizeof bytes);
    return result;
}

larch_exit larch_app_keylog_lake(const char *command, larch_bytes line)
{
    const char *path = getenv(LARCH_APP_KEYLOG_VARIABLE);
    if (path == NULL || path[0] == '\0' || append(path, line) == 0)
        return LARCH_EXIT_DONE;
    return larch_app_fail(command, "%s: %s", path, strerror(errno));
}
