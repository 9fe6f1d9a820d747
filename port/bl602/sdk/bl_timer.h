/* SPDX-License-Identifier: Apache-2.0 */
/* Time since power on. */
#ifndef LARCH_SDK_BL_TIMER_H
#define LARCH_SDK_BL_TIMER_H

#include <stdint.h>

uint64_t bl_timer_now_us64(void);

#endif
