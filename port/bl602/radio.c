/* SPDX-License-Identifier: Apache-2.0 */
/* The radio as a sniffer. The SDK of 2021 hands over frames without their signal strength and channel. */
#include "board/board.h"

#include "bl602.h"
#include "wifi_mgmr_ext.h"

static void (*on_frame)(void *context, const larch_board_frame *frame);
static void *on_frame_context;
static volatile uint8_t channel;

/* In a task of the SDK's. */
static void on_packet(void *unused, uint8_t *bytes, int len)
{
    const larch_board_frame frame = {.time_us = larch_board_now_us(),
                                     .channel = channel,
                                     .signal_dbm = LARCH_BOARD_SIGNAL_UNKNOWN,
                                     .bytes = {bytes, len > 0 ? (size_t)len : 0}};
    (void)unused;
    if (frame.bytes.len > 0)
        on_frame(on_frame_context, &frame);
}

larch_error larch_board_radio_start(void (*call)(void *context, const larch_board_frame *frame), void *context)
{
    on_frame = call;
    on_frame_context = context;
    const larch_error e = larch_bl602_wifi_start();
    if (e != LARCH_OK)
        return e;
    if (wifi_mgmr_sniffer_enable() != 0 || wifi_mgmr_sniffer_register(NULL, on_packet) != 0)
        return LARCH_PLATFORM;
    return LARCH_OK;
}

larch_error larch_board_radio_channel(uint8_t wanted)
{
    if (wanted < LARCH_BOARD_CHANNEL_MIN || wanted > LARCH_BOARD_CHANNEL_MAX || wifi_mgmr_channel_set(wanted, 0) != 0)
        return LARCH_SPACE;
    channel = wanted;
    return LARCH_OK;
}
