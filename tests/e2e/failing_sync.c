/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a gateway: while the file named by LARCH_TEST_FAILING is there, no replay journal can be synced. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): RTLD_NEXT */
#endif
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_journal(int fd)
{
    char link[32], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return strstr(path, "/replay-") != NULL;
}

int fdatasync(int fd)
{
    const char *failing = getenv("LARCH_TEST_FAILING");
    if (failing != NULL && access(failing, F_OK) == 0 && is_journal(fd)) {
        errno = EIO;
        return -1;
    }
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync"); /* as POSIX has it */
    return real(fd);
}
