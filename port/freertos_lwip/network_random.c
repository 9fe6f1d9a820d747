/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/cc.h"

#include "board/board.h"

/* lwIP cannot be told of a failure, and a transaction number that anybody can guess would let a stranger answer for the DHCP
 * server. */
uint32_t larch_network_random(void)
{
    uint32_t value;
    if (larch_board_random(NULL, (uint8_t *)&value, sizeof value) != LARCH_OK)
        larch_report_fatal("the random source failed", NULL, 0);
    return value;
}
