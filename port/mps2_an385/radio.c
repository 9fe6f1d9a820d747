/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated radio of board/air.h takes the Ethernet over. */
#include "board/air_radio.h"

#include "mps2.h"

/* Heard in one interrupt. */
#define FRAMES_MAX 8

static uint8_t ethernet[LARCH_BOARD_FRAME_MAX];

/* In the interrupt, whose handlers do not nest. A flood does not keep it there: the next tick goes on. */
static void hear(void)
{
    size_t len;
    for (unsigned i = 0; i < FRAMES_MAX && (len = larch_board_ethernet_receive(ethernet, sizeof ethernet)) > 0; i++)
        larch_air_radio_heard((larch_bytes){ethernet, len});
}

larch_error larch_board_radio_start(void (*on_frame)(void *context, const larch_board_frame *frame), void *context)
{
    uint8_t mac[6];
    larch_air_radio_start(on_frame, context);
    return larch_mps2_ethernet_start(true, mac, hear);
}
