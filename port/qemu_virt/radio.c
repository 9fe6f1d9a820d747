/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated radio of board/air.h takes the virtual Ethernet over. */
#include "board/air_radio.h"

#include "drivers.h"

/* Heard in one interrupt. */
#define FRAMES_MAX 8

/* In the interrupt, whose handlers do not nest. A flood does not keep it there: the next tick goes on. */
static void hear(void)
{
    uint16_t slot;
    larch_bytes ethernet;
    for (unsigned i = 0; i < FRAMES_MAX && larch_virt_net_take(&slot, &ethernet) == LARCH_OK; i++) {
        larch_air_radio_heard(ethernet);
        larch_virt_net_release(slot);
    }
}

larch_error larch_board_radio_start(void (*on_frame)(void *context, const larch_board_frame *frame), void *context)
{
    uint8_t mac[6];
    larch_air_radio_start(on_frame, context);
    return larch_virt_net_start(true, mac, hear);
}
