/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an emulated board puts on its second channel in place of the I2C bus and the LED, so that a program on the
 * host can show both. One frame a transfer, back to back, from the board to the host only:
 *
 *     0            1           3
 *     +------------+-----------+---------------------+
 *     | address    | length    | length bytes        |
 *     | 1 byte     | 2, big-e. | 1 to 1025           |
 *     +------------+-----------+---------------------+
 *
 * An even first byte is what opens an I2C write on the wire: the 7-bit address shifted left, write bit 0 [UM10204 3.1.10];
 * the bytes are those that follow it up to the stop condition. An odd one would open a read, which this stream never
 * carries; of those, LARCH_I2C_STREAM_LED is the LED: one byte, 1 lit or 0 dark, sent when it changes.
 * QEMU drops bytes of a virtconsole without a word while nobody takes them: read from start to end, or give it a file.
 *
 * A reader drops frames of other odd first bytes, and takes a length of 0 or above the maximum for a broken stream.
 */
#ifndef LARCH_BOARD_I2C_STREAM_H
#define LARCH_BOARD_I2C_STREAM_H

#define LARCH_I2C_STREAM_HEADER 3
/* A control byte and the 1024 bytes of a whole picture of 128 by 64 dots. */
#define LARCH_I2C_STREAM_MAX    1025
/* Address 0 with the read bit, the "START byte" [UM10204 3.1.15]: no device ever answers it. */
#define LARCH_I2C_STREAM_LED    0x01

#endif
