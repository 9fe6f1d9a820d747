/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/key_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/harden.h"

#define FILE_MAX (1024 * 1024) /* of as many contexts and handshakes as the sniffer holds, and comments */

/* Without stdio, whose buffer nobody wipes. LARCH_SPACE: longer than cap; LARCH_PLATFORM: errno says why. */
static larch_error read_all(int fd, uint8_t *bytes, size_t cap, size_t *len)
{
    ssize_t got = 1;
    *len = 0;
    while (got > 0 && *len < cap) {
        got = read(fd, bytes + *len, cap - *len);
        if (got > 0)
            *len += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (got < 0)
        return LARCH_PLATFORM;
    return *len < cap ? LARCH_OK : LARCH_SPACE;
}

static larch_exit parse(const char *command, const char *path, larch_bytes text, larch_sniff_keys *keys)
{
    larch_sniff_keys_trouble trouble;
    const larch_error e = larch_sniff_keys_read(keys, text, &trouble);
    if (e == LARCH_OK)
        return LARCH_EXIT_DONE;
    if (e == LARCH_PLATFORM)
        return larch_app_fail(command, "%s: %s", path, trouble.why);
    return larch_app_usage(command, "%s: line %zu: %s", path, trouble.line, trouble.why);
}

larch_exit larch_key_log_read(const char *command, const char *path, larch_sniff_keys **keys)
{
    larch_app_harden();
    uint8_t *bytes = malloc(FILE_MAX);
    larch_exit result;
    size_t len = 0;
    *keys = calloc(1, sizeof **keys);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (bytes == NULL || *keys == NULL) {
        result = larch_app_fail(command, "no memory");
    } else {
        const larch_error e = fd >= 0 ? read_all(fd, bytes, FILE_MAX, &len) : LARCH_PLATFORM;
        if (e == LARCH_PLATFORM)
            result = larch_app_fail(command, "%s: %s", path, strerror(errno));
        else if (e == LARCH_SPACE)
            result = larch_app_usage(command, "%s: it is longer than any key log that fits, 1 MiB", path);
        else
            result = parse(command, path, (larch_bytes){bytes, len}, *keys);
        larch_wipe(bytes, FILE_MAX);
    }
    if (fd >= 0)
        (void)close(fd);
    free(bytes);
    return result;
}

void larch_key_log_free(larch_sniff_keys *keys)
{
    if (keys != NULL)
        larch_sniff_keys_wipe(keys);
    free(keys);
}
