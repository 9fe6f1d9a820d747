/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets as valgrind sees them: bytes that are marked undefined, and everything that is computed from them. */
#ifndef CT_SECRETS_H
#define CT_SECRETS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <valgrind/memcheck.h>

#define EXIT_SKIPPED 77

static inline void secret(void *bytes, size_t len) { (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, len); }
static inline void public(void *bytes, size_t len) { (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len); }

static inline void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

/* Whether the marks have come through to every byte: else the check sees nothing. */
static inline void expect_secret(const uint8_t *bytes, size_t len, const char *what)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t marks = 0;
        if (VALGRIND_GET_VBITS(bytes + i, &marks, 1) != 1 || marks == 0) {
            fprintf(stderr, "%s is not marked as secret at %zu\n", what, i);
            exit(1);
        }
    }
}

#endif
