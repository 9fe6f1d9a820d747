/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

uint64_t larch_posix_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* fails only for a clock that does not exist */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    while (len > 0) {
        const ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return LARCH_PLATFORM;
        out += got;
        len -= (size_t)got;
    }
    return LARCH_OK;
}

larch_random larch_posix_random(void) { return (larch_random){fill, NULL}; }
