/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/crc.h"

/* Table n: a byte, and n bytes of zeros behind it. */
void larch_crc_init(larch_crc *crc)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (unsigned bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
        crc->tables[0][i] = value;
    }
    for (unsigned n = 1; n < 8; n++)
        for (unsigned i = 0; i < 256; i++) {
            const uint32_t before = crc->tables[n - 1][i];
            crc->tables[n][i] = before >> 8 ^ crc->tables[0][before & 0xff];
        }
}

uint32_t larch_crc_sum(const larch_crc *crc, larch_bytes bytes)
{
    const uint32_t(*t)[256] = crc->tables;
    const uint8_t *at = bytes.data;
    size_t left = bytes.len;
    uint32_t sum = ~UINT32_C(0);
    for (; left >= 8; left -= 8, at += 8) {
        sum ^= at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        sum = t[7][sum & 0xff] ^ t[6][sum >> 8 & 0xff] ^ t[5][sum >> 16 & 0xff] ^ t[4][sum >> 24] ^ t[3][at[4]] ^
              t[2][at[5]] ^ t[1][at[6]] ^ t[0][at[7]];
    }
    for (; left > 0; left--, at++)
        sum = sum >> 8 ^ t[0][(sum ^ *at) & 0xff];
    return ~sum;
}
