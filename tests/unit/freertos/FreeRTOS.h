/* SPDX-License-Identifier: Apache-2.0 */
/* The little of FreeRTOS that the roles' console uses, for tests in which one thread is the only task. */
#ifndef LARCH_TEST_FREERTOS_H
#define LARCH_TEST_FREERTOS_H

#define portMAX_DELAY        0xffffffffu
#define portENTER_CRITICAL() ((void)0)
#define portEXIT_CRITICAL()  ((void)0)

#endif
