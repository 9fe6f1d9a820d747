/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EMULATION, not radio: QEMU has no radio, so the air of an emulated board is its virtual Ethernet. Two kinds of frames
 * stand for what a monitor interface would hear:
 *
 * a) An ordinary frame is heard as the data frame that an open access point would send for it: from the distribution
 *    system, LLC/SNAP [802.11 9.2.4, 802.2], its BSSID LARCH_AIR_BSSID, on channel LARCH_AIR_AP_CHANNEL with
 *    LARCH_AIR_AP_DBM. At most 1532 bytes of 802.11.
 * b) A frame of EtherType 0x88b5 (local experimental [802 9.2.3]) carries any 802.11 frame, for instance of a capture:
 *
 *     0                14        15          16
 *     +----------------+---------+-----------+----------------------------+
 *     | Ethernet, 88b5 | channel | dBm, int8 | 802.11, 10 to 1498 bytes   |
 *     +----------------+---------+-----------+----------------------------+
 *
 *    from the frame control field to the body, without the check sequence. A wire that pads short frames to 60 bytes
 *    would lengthen it; QEMU's dgram and socket networks do not.
 */
#ifndef LARCH_BOARD_AIR_H
#define LARCH_BOARD_AIR_H

#include "board.h"

#define LARCH_AIR_ETHERTYPE  0x88b5
#define LARCH_AIR_AP_CHANNEL 6
#define LARCH_AIR_AP_DBM     (-40)
/* Locally administered. */
#define LARCH_AIR_BSSID                    \
    {                                      \
        0x02, 0x6c, 0x61, 0x72, 0x63, 0x68 \
    }

/* 802.11 header, LLC and SNAP before a payload of Ethernet. */
#define LARCH_AIR_MAX (24 + 8 + 1500)

/* Fills frame but for its time. bytes points into out, or into ethernet for a carried frame. Each data frame takes the
 * next number of *sequence. LARCH_MALFORMED: neither kind; frame and *sequence stay as they are. */
LARCH_MUST_USE larch_error larch_air_hear(larch_bytes ethernet, uint16_t *sequence, uint8_t out[LARCH_AIR_MAX],
                                          larch_board_frame *frame);

#endif
