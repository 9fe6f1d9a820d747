/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated radio of radio_frame.h: takes the virtual Ethernet over, and hears one channel at a time. */
#include "drivers.h"
#include "radio_frame.h"

/* Heard in one interrupt. */
#define FRAMES_MAX 8

static void (*on_frame)(void *context, const larch_board_frame *frame);
static void *on_frame_context;
static volatile uint8_t channel = LARCH_VIRT_AP_CHANNEL;
static uint16_t sequence;
static uint8_t air[LARCH_VIRT_AIR_MAX];

/* In the interrupt, whose handlers do not nest. A flood does not keep it there: the next tick goes on. */
static void hear(void)
{
    uint16_t slot;
    larch_bytes ethernet;
    for (unsigned i = 0; i < FRAMES_MAX && larch_virt_net_take(&slot, &ethernet) == LARCH_OK; i++) {
        larch_board_frame frame = {.time_us = larch_board_now_us()};
        if (larch_virt_radio_hear(ethernet, &sequence, air, &frame) == LARCH_OK && frame.channel == channel)
            on_frame(on_frame_context, &frame);
        larch_virt_net_release(slot);
    }
}

larch_error larch_board_radio_start(void (*call)(void *context, const larch_board_frame *frame), void *context)
{
    uint8_t mac[6];
    on_frame = call;
    on_frame_context = context;
    return larch_virt_net_start(true, mac, hear);
}

larch_error larch_board_radio_channel(uint8_t wanted)
{
    if (wanted < LARCH_BOARD_CHANNEL_MIN || wanted > LARCH_BOARD_CHANNEL_MAX)
        return LARCH_SPACE;
    channel = wanted;
    return LARCH_OK;
}
