/* SPDX-License-Identifier: Apache-2.0 */
#include "air_radio.h"

#include "air.h"

static void (*hearer)(void *context, const larch_board_frame *frame);
static void *hearer_context;
static volatile uint8_t tuned = LARCH_AIR_AP_CHANNEL;
static uint16_t sequence;
static uint8_t air[LARCH_AIR_MAX];

void larch_air_radio_start(void (*on_frame)(void *context, const larch_board_frame *frame), void *context)
{
    hearer = on_frame;
    hearer_context = context;
}

void larch_air_radio_heard(larch_bytes ethernet)
{
    larch_board_frame frame = {.time_us = larch_board_now_us()};
    if (larch_air_hear(ethernet, &sequence, air, &frame) == LARCH_OK && frame.channel == tuned)
        hearer(hearer_context, &frame);
}

larch_error larch_board_radio_channel(uint8_t channel)
{
    if (channel < LARCH_BOARD_CHANNEL_MIN || channel > LARCH_BOARD_CHANNEL_MAX)
        return LARCH_SPACE;
    tuned = channel;
    return LARCH_OK;
}
