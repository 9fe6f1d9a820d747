/* SPDX-License-Identifier: Apache-2.0 */
/* One Ethernet frame, heard as 802.11: it says what the frame said, and nothing else. */
#include <string.h>

#include "board/air.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[LARCH_AIR_MAX];
    larch_board_frame frame = {.time_us = 5, .channel = 77};
    uint16_t sequence = 0x0fff;
    if (larch_air_hear((larch_bytes){data, size}, &sequence, out, &frame) != LARCH_OK) {
        require(frame.channel == 77 && frame.bytes.len == 0 && sequence == 0x0fff);
        return 0;
    }
    require(frame.time_us == 5);
    require(frame.channel >= LARCH_BOARD_CHANNEL_MIN && frame.channel <= LARCH_BOARD_CHANNEL_MAX);
    if (data[12] == 0x88 && data[13] == 0xb5) {
        require(sequence == 0x0fff && frame.bytes.data == data + 16 && frame.bytes.len == size - 16 && size >= 26);
        return 0;
    }
    require(sequence == 0 && frame.bytes.data == out && frame.bytes.len >= 24);
    require(memcmp(out, "\x08\x02\0\0", 4) == 0 && memcmp(out + 4, data, 6) == 0 && memcmp(out + 16, data + 6, 6) == 0);
    require(out[22] == 0xf0 && out[23] == 0xff);
    size_t type = (size_t)data[12] << 8 | data[13];
    if (type <= 1500) {
        require(frame.bytes.len == 24 + type && memcmp(out + 24, data + 14, type) == 0);
    } else {
        require(frame.bytes.len == size - 14 + 32 && memcmp(out + 24, "\xaa\xaa\3\0\0\0", 6) == 0);
        require(memcmp(out + 30, data + 12, size - 12) == 0);
    }
    return 0;
}
