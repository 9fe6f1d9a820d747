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

/* The kernel's random generator. Waits until it is seeded, once after a boot. */
larch_random larch_posix_random(void);

#ifdef __cplusplus
}
#endif

#endif
