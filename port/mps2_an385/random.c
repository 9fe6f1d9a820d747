/* SPDX-License-Identifier: Apache-2.0 */
/* EMULATION, not hardware: the board has no random source, so the emulator's host lends its own. */
#include "board/board.h"

#include "mps2.h"
#include "semihosting.h"

static int source = LARCH_SEMIHOSTING_NONE;

void larch_mps2_random_start(void) { source = larch_semihosting_open("/dev/urandom", false); }

void larch_mps2_random_stop(void) { larch_semihosting_close(source); }

larch_error larch_board_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    if (len == 0)
        return LARCH_OK;
    if (source == LARCH_SEMIHOSTING_NONE || larch_semihosting_read(source, out, len) != LARCH_OK) {
        larch_wipe(out, len);
        return LARCH_PLATFORM;
    }
    return LARCH_OK;
}
