/* SPDX-License-Identifier: Apache-2.0 */
/* A crypto provider whose n-th call fails: failing_psa.c and failing_libcrypto.c put their functions between the
 * provider and its library. */
#ifndef LARCH_TESTS_FAILING_H
#define LARCH_TESTS_FAILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lets the n-th call from now on fail, counted from 1; 0: none. */
void failing_at(unsigned n);
/* Whether that call came. */
bool failing_happened(void);

/* Counts what the library lends: blocks of memory, or keys. begin comes before all else. */
bool failing_begin(void);
long failing_held(void);
unsigned long failing_made(void);

/* Whether a block that is lent now, or was given back since the last such question, holds the bytes. The library's own
 * keys cannot be seen in PSA, which always says no. */
bool failing_keeps(const uint8_t *secret, size_t len);

/* Whether AEADs, and hashes with what builds on them, must work with what the start made. */
bool failing_aead_is_static(void);
bool failing_hash_is_static(void);

/* ---- for the two files: CMakeLists.txt finds there which functions to wrap - */

/* Whether the present call is the one to fail. */
bool failing_now(void);

#define FAILS(type, failure, name, parameters, arguments) \
    type __real_##name parameters;                        \
    type __wrap_##name parameters;                        \
    type __wrap_##name parameters { return failing_now() ? (type)(failure) : __real_##name arguments; }

#endif
