/* SPDX-License-Identifier: Apache-2.0 */
/* The CMSDK watchdog [DDI0479 4.6]: when it has waited too long it raises the NMI, whose handler reports and restarts; should
 * that not happen, it resets the chip after as long again. */
#include "board/board.h"
#include "board/mmio.h"

#include "mps2.h"

#define LOAD       (LARCH_MPS2_WATCHDOG + 0x000)
#define CONTROL    (LARCH_MPS2_WATCHDOG + 0x008)
#define INTCLR     (LARCH_MPS2_WATCHDOG + 0x00c) /* and begins again */
#define LOCK       (LARCH_MPS2_WATCHDOG + 0xc00)
#define CONTROL_ON 3u          /* NMI and reset */
#define LOCK_OPEN  0x1acce551u /* any other value closes it: a wild pointer cannot stop the watchdog */

void larch_board_watchdog_feed(void)
{
    larch_mmio_write32(LOCK, LOCK_OPEN);
    if (larch_mmio_read32(CONTROL) != CONTROL_ON) {
        larch_mmio_write32(LOAD, LARCH_BOARD_WATCHDOG_MS * (LARCH_MPS2_CLOCK_HZ / 1000));
        larch_mmio_write32(CONTROL, CONTROL_ON);
    }
    larch_mmio_write32(INTCLR, 1);
    larch_mmio_write32(LOCK, 0);
}
