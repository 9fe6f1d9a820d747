/* SPDX-License-Identifier: Apache-2.0 */
#include "restart.h"

#include "board/board.h"
#include "say.h"
#include "sleep.h"

#define DRAIN_MS 50

void larch_restart(const char *why)
{
    larch_say("restart: %s", why);
    larch_sleep_ms(DRAIN_MS);
    larch_board_restart();
}
