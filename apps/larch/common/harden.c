/* SPDX-License-Identifier: Apache-2.0 */
#include "common/harden.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* More than a command uses: a locked stack that grew past the limit would be its end. */
#define STACK_LEN ((size_t)256 << 10)

extern char data_start[], end[]; /* of the program's own initialised and zeroed data; libc's and the linker's */

static struct {
    bool locked;
    char fault[128];
} memory;

static bool lock(const void *start, size_t len) { return mlock2(start, len, MLOCK_ONFAULT) == 0; }

/* The kernel has given the stack all of it when this returns. */
__attribute__((noinline)) static bool lock_stack(void)
{
    volatile char touched[STACK_LEN];
    for (size_t i = 0; i < sizeof touched; i += 1024)
        touched[i] = 0;
    return lock((const void *)touched, sizeof touched);
}

static bool lock_own(size_t limit)
{
    const size_t data = (size_t)((uintptr_t)end - (uintptr_t)data_start);
    struct rlimit stack;
    return getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur > 2 * STACK_LEN && limit > data + 2 * STACK_LEN &&
           lock(data_start, data) && lock_stack();
}

static void lock_memory(void)
{
    struct rlimit limit;
    (void)setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}); /* root may */
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        limit.rlim_cur = limit.rlim_max = 0;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_MEMLOCK, &limit);
    }
    memory.locked = limit.rlim_cur == RLIM_INFINITY ? mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0
                                                    : lock_own((size_t)limit.rlim_cur);
    if (!memory.locked)
        snprintf(memory.fault, sizeof memory.fault,
                 "%lu kB of memory can be locked, which is too little (RLIMIT_MEMLOCK)",
                 (unsigned long)(limit.rlim_cur / 1024));
}

void larch_app_harden(void)
{
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef LARCH_APP_DEBUGGABLE
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    (void)signal(SIGXFSZ, SIG_IGN);
    lock_memory();
}

bool larch_app_memory_is_locked(void) { return memory.locked; }

const char *larch_app_memory_fault(void) { return memory.fault; }
