/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of a console, for builds with LARCH_CONSOLE_LOCKED: it opens for a code, of which the image holds the SHA-256
 * alone, and stays open until the board restarts or somebody locks it. It keeps out who reaches the serial line, not who
 * reads the flash. Sans-I/O.
 *
 * Tries are paid for with time: the first is possible two seconds after the start, so that restarts do not make them
 * cheaper, and each wrong code doubles the time to the next one, up to about a minute.
 */
#ifndef LARCH_CONSOLE_LOCK_H
#define LARCH_CONSOLE_LOCK_H

#include "larch/base.h"

#define LARCH_CONSOLE_LOCK_DIGEST_LEN 32
#define LARCH_CONSOLE_LOCK_FIRST_MS   2000
#define LARCH_CONSOLE_LOCK_DOUBLINGS  5 /* 64 s */

typedef struct larch_console_lock {
    const uint8_t *digest; /* private, all of it */
    uint64_t next_ms;      /* before that no code is looked at */
    uint8_t wrong;         /* codes in a row; no more than are counted */
    bool open;
} larch_console_lock;

/* Locked. digest: SHA-256 of the code, LARCH_CONSOLE_LOCK_DIGEST_LEN bytes that stay where they are. */
void larch_console_lock_init(larch_console_lock *lock, const uint8_t *digest, uint64_t now_ms);

/* Takes an untrusted code; compares in constant time. LARCH_AUTH: it is wrong. LARCH_AGAIN: it was not looked at, since the
 * last try was too recent. LARCH_PLATFORM: SHA-256 failed; the lock stays as it is. */
LARCH_MUST_USE larch_error larch_console_lock_try(larch_console_lock *lock, uint64_t now_ms, larch_bytes code);

/* How long a try would be LARCH_AGAIN still; 0: it is looked at. */
uint32_t larch_console_lock_wait_ms(const larch_console_lock *lock, uint64_t now_ms);

/* Locks it again. The next try is possible as after the start. */
void larch_console_lock_close(larch_console_lock *lock, uint64_t now_ms);

#endif
