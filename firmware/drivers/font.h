/* SPDX-License-Identifier: Apache-2.0 */
/* Printable ASCII, five pixels wide and seven high. */
#ifndef LARCH_FONT_H
#define LARCH_FONT_H

#include <stdint.h>

#define LARCH_FONT_FIRST 0x20
#define LARCH_FONT_LAST  0x7e
#define LARCH_FONT_COUNT (LARCH_FONT_LAST - LARCH_FONT_FIRST + 1)
#define LARCH_FONT_WIDTH 5

/* LARCH_FONT_WIDTH columns from the left, the upper pixel in the low bit; the eighth pixel is never lit. Never
 * NULL: what the font does not have is an empty box. */
const uint8_t *larch_font_glyph(uint8_t character);

#endif
