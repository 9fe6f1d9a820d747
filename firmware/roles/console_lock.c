/* SPDX-License-Identifier: Apache-2.0 */
#include "console_lock.h"

#include "larch/crypto.h"

static void wait_for_next(larch_console_lock *lock, uint64_t now_ms)
{
    lock->next_ms = now_ms + ((uint64_t)LARCH_CONSOLE_LOCK_FIRST_MS << lock->wrong);
}

void larch_console_lock_init(larch_console_lock *lock, const uint8_t *digest, uint64_t now_ms)
{
    *lock = (larch_console_lock){.digest = digest};
    wait_for_next(lock, now_ms);
}

larch_error larch_console_lock_try(larch_console_lock *lock, uint64_t now_ms, larch_bytes code)
{
    uint8_t digest[LARCH_CONSOLE_LOCK_DIGEST_LEN];
    if (now_ms < lock->next_ms)
        return LARCH_AGAIN;
    larch_error e = larch_sha256(&code, 1, digest);
    if (e != LARCH_OK)
        return e;
    lock->open = larch_ct_equal(digest, lock->digest, sizeof digest);
    if (lock->open)
        lock->wrong = 0;
    else if (lock->wrong < LARCH_CONSOLE_LOCK_DOUBLINGS)
        lock->wrong++;
    if (!lock->open)
        wait_for_next(lock, now_ms);
    larch_wipe(digest, sizeof digest);
    return lock->open ? LARCH_OK : LARCH_AUTH;
}

uint32_t larch_console_lock_wait_ms(const larch_console_lock *lock, uint64_t now_ms)
{
    return now_ms < lock->next_ms ? (uint32_t)(lock->next_ms - now_ms) : 0;
}

void larch_console_lock_close(larch_console_lock *lock, uint64_t now_ms)
{
    lock->open = false;
    wait_for_next(lock, now_ms);
}
