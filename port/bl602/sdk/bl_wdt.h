/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog: resets the chip when it was not fed for so many milliseconds, of which there are less than 4095. */
#ifndef LARCH_SDK_BL_WDT_H
#define LARCH_SDK_BL_WDT_H

int bl_wdt_init(int ms);
void bl_wdt_feed(void);

#endif
