/* SPDX-License-Identifier: Apache-2.0 */
#include "sleep.h"

#include "FreeRTOS.h"
#include "task.h"

void larch_sleep_ms(uint32_t ms) { vTaskDelay(pdMS_TO_TICKS(ms) + 1); }
