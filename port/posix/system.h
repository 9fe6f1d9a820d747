/* SPDX-License-Identifier: Apache-2.0 */
/* Time and randomness of the system. */
#ifndef LARCH_POSIX_SYSTEM_H
#define LARCH_POSIX_SYSTEM_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Milliseconds since the system started. Never goes back, and does not jump when the
 * date is set: the now_ms of the library. */
uint64_t larch_posix_now_ms(void);

/* Nanoseconds since 1970: the date, which jumps when it is set. 0 before 1970. */
uint64_t larch_posix_unix_ns(void);

/* The kernel's random generator. Waits until it is seeded, once after a boot. Short draws come from a page that is
 * filled with one call for many of them: bytes leave it once and are wiped there, a forked child finds it empty, and it
 * stays out of core files. From one thread at a time. */
larch_random larch_posix_random(void);

/* Further entropy, beside the kernel's: from now on a stream that it keys is added to all that larch_posix_random gives,
 * by exclusive or, so that it can make nothing worse. A child of fork does without it. From the thread that draws. */
#define LARCH_POSIX_SEED_LEN 32
void larch_posix_random_add(const uint8_t seed[LARCH_POSIX_SEED_LEN]);

#ifdef __cplusplus
}
#endif

#endif
