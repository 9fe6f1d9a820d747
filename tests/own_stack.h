/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a function on a stack of its own, which is then searched for what it left there. The includer defines
 * _XOPEN_SOURCE before its first include. */
#ifndef TESTS_OWN_STACK_H
#define TESTS_OWN_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

/* Instrumented code keeps copies and red zones of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_STACK_IS_TRUE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_STACK_IS_TRUE 0
#endif
#endif
#ifndef OWN_STACK_IS_TRUE
#define OWN_STACK_IS_TRUE 1
#endif

/* To valgrind, what a function left behind is out of bounds: that is what the search is for. */
#ifdef __has_include
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define OWN_STACK_OPEN() (void)VALGRIND_MAKE_MEM_DEFINED(own_stack, sizeof own_stack)
#endif
#endif
#ifndef OWN_STACK_OPEN
#define OWN_STACK_OPEN() (void)0
#endif

enum { OWN_STACK_WINDOW = 8 };

static uint8_t own_stack[512 * 1024];
static ucontext_t own_stack_here, own_stack_there;

/* False: the platform has no such contexts. */
static inline bool own_stack_run(void (*function)(void))
{
    memset(own_stack, 0, sizeof own_stack);
    if (getcontext(&own_stack_there) != 0)
        return false;
    own_stack_there.uc_stack.ss_sp = own_stack;
    own_stack_there.uc_stack.ss_size = sizeof own_stack;
    own_stack_there.uc_link = &own_stack_here;
    makecontext(&own_stack_there, function, 0);
    const bool ran = swapcontext(&own_stack_here, &own_stack_there) == 0;
    OWN_STACK_OPEN();
    return ran;
}

/* Whether eight bytes in a row of the secret are on the stack, at any place; rows of zeros are anywhere. */
static inline bool own_stack_holds(const void *secret, size_t len)
{
    static const uint8_t zeros[OWN_STACK_WINDOW];
    const uint8_t *const end = own_stack + sizeof own_stack - OWN_STACK_WINDOW;
    for (size_t i = 0; i + OWN_STACK_WINDOW <= len; i += OWN_STACK_WINDOW) {
        const uint8_t *row = (const uint8_t *)secret + i;
        if (memcmp(row, zeros, sizeof zeros) == 0)
            continue;
        for (const uint8_t *at = own_stack; at <= end; at++)
            if (*at == *row && memcmp(at, row, sizeof zeros) == 0)
                return true;
    }
    return false;
}

#endif
