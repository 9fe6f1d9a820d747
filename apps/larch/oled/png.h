/* SPDX-License-Identifier: Apache-2.0 */
/* A picture of the display as an object: its pixels, its glass and the bezel around it. */
#ifndef LARCH_APP_OLED_PNG_H
#define LARCH_APP_OLED_PNG_H

#include "oled/view.h"

#define LARCH_OLED_SCALE_MAX 16

/* Writes a PNG file of scale x scale dots a pixel; path "-" is standard output. A file appears whole, or not at all and
 * the one before it stays. NULL, or why it was not written: a text good until the next call. */
const char *larch_oled_write_png(const larch_oled_picture *p, unsigned scale, const char *path);

#endif
