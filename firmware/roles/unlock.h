/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of a locked console: the commands unlock and lock, and what they say. */
#ifndef LARCH_UNLOCK_H
#define LARCH_UNLOCK_H

#include "console.h"
#include "console_lock.h"

/* Once: the gate, closed. digest: of the code, LARCH_CONSOLE_LOCK_DIGEST_LEN bytes that stay where they are. */
const larch_console_gate *larch_unlock_start(const uint8_t *digest);

#endif
