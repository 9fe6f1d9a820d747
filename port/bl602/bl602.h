/* SPDX-License-Identifier: Apache-2.0 */
/* The board: PineCone with a BL602, over its maker's SDK. Pins as the prototype is wired; what the files call of each other. */
#ifndef LARCH_BL602_H
#define LARCH_BL602_H

#include "larch/base.h"

#define LARCH_BL602_UART    0
#define LARCH_BL602_PIN_TX  16
#define LARCH_BL602_PIN_RX  7
#define LARCH_BL602_NO_PIN  255
/* Of I2C, by the SDK: clock on pin 4, data on pin 3. */
#define LARCH_BL602_I2C     0
#define LARCH_BL602_I2C_KHZ 400

/* The LED, and the level at which it is lit. */
#ifndef LARCH_BL602_PIN_LED
#define LARCH_BL602_PIN_LED 5
#endif
#ifndef LARCH_BL602_LED_LIT
#define LARCH_BL602_LED_LIT 1
#endif

/* The partition for keys. It must be in the partition table: the SDK looks for it for ever. */
#ifndef LARCH_BL602_PARTITION
#define LARCH_BL602_PARTITION "PSM"
#endif
/* Whose rules for the radio hold. */
#ifndef LARCH_BL602_COUNTRY
#define LARCH_BL602_COUNTRY "EU"
#endif

void larch_bl602_line_start(void);
void larch_bl602_flash_start(void);

/* Starts the SDK's Wi-Fi and waits until it can be told what to do. Once, from a task. LARCH_PLATFORM: it does not come up. */
LARCH_MUST_USE larch_error larch_bl602_wifi_start(void);

#endif
