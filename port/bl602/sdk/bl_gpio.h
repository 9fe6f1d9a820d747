/* SPDX-License-Identifier: Apache-2.0 */
/* Pins. */
#ifndef LARCH_SDK_BL_GPIO_H
#define LARCH_SDK_BL_GPIO_H

#include <stdint.h>

int bl_gpio_enable_output(uint8_t pin, uint8_t pullup, uint8_t pulldown);
int bl_gpio_output_set(uint8_t pin, uint8_t value);

#endif
