/* SPDX-License-Identifier: Apache-2.0 */
/* The SDK's Wi-Fi up to where it takes orders: the radio's firmware, then the manager, which tells by an event. */
#include "bl602.h"

#include "FreeRTOS.h"
#include "semphr.h"

#include "aos/yloop.h"
#include "hal_wifi.h"
#include "wifi_mgmr_ext.h"

#define START_MS 10000

static SemaphoreHandle_t ready;

/* In the event loop's task. */
static void on_event(input_event_t *event, void *unused)
{
    static wifi_conf_t conf = {.country_code = LARCH_BL602_COUNTRY};
    (void)unused;
    if (event->code == CODE_WIFI_ON_INIT_DONE)
        wifi_mgmr_start_background(&conf);
    else if (event->code == CODE_WIFI_ON_MGMR_DONE)
        (void)xSemaphoreGive(ready);
}

larch_error larch_bl602_wifi_start(void)
{
    static StaticSemaphore_t memory;
    ready = xSemaphoreCreateBinaryStatic(&memory);
    if (aos_register_event_filter(EV_WIFI, on_event, NULL) < 0 || hal_wifi_start_firmware_task() < 0 ||
        aos_post_event(EV_WIFI, CODE_WIFI_ON_INIT_DONE, 0) < 0)
        return LARCH_PLATFORM;
    return xSemaphoreTake(ready, pdMS_TO_TICKS(START_MS)) == pdTRUE ? LARCH_OK : LARCH_PLATFORM;
}
