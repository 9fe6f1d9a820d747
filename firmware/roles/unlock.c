/* SPDX-License-Identifier: Apache-2.0 */
#include "unlock.h"

#include "board/board.h"
#include "say.h"

static larch_console_lock state;

static bool is_open(void) { return state.open; }

static void run_unlock(larch_bytes code)
{
    const uint64_t now_ms = larch_board_now_ms();
    const larch_error e = larch_console_lock_try(&state, now_ms, code);
    const uint32_t wait_s = (larch_console_lock_wait_ms(&state, now_ms) + 999) / 1000;
    if (e == LARCH_OK)
        larch_say("ok: unlocked, until 'lock' or a restart");
    else if (e == LARCH_AUTH)
        larch_say("error: wrong code; the next one is looked at in %u s", wait_s);
    else if (e == LARCH_AGAIN)
        larch_say("error: too early, and not looked at; wait %u s", wait_s);
    else
        larch_say("error: no code can be checked");
}

static void run_lock(larch_bytes rest)
{
    (void)rest;
    larch_console_lock_close(&state, larch_board_now_ms());
    larch_say("ok: locked");
}

const larch_console_gate *larch_unlock_start(const uint8_t *digest)
{
    static const larch_console_gate gate = {{{"unlock", "CODE", "allow the other commands", run_unlock},
                                             {"lock", "", "until the code is given again", run_lock}},
                                            is_open};
    larch_console_lock_init(&state, digest, larch_board_now_ms());
    return &gate;
}
