/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The radio of board.h on boards whose air is their Ethernet (air.h): hears one channel at a time. The board's
 * larch_board_radio_start hands its arguments on, and each frame of its Ethernet, of whomever to whomever.
 */
#ifndef LARCH_BOARD_AIR_RADIO_H
#define LARCH_BOARD_AIR_RADIO_H

#include "board.h"

void larch_air_radio_start(void (*on_frame)(void *context, const larch_board_frame *frame), void *context);
/* From one interrupt, or one task. */
void larch_air_radio_heard(larch_bytes ethernet);

#endif
