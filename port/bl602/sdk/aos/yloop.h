/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop, and the events of Wi-Fi. */
#ifndef LARCH_SDK_AOS_YLOOP_H
#define LARCH_SDK_AOS_YLOOP_H

#include <stdint.h>

#define EV_WIFI                0x0002
#define CODE_WIFI_ON_INIT_DONE 1
#define CODE_WIFI_ON_MGMR_DONE 2

typedef struct {
    uint32_t time;
    uint16_t type;
    uint16_t code;
    unsigned long value;
    unsigned long extra;
} input_event_t;

typedef void *aos_loop_t;
typedef void (*aos_event_cb)(input_event_t *event, void *private_data);

aos_loop_t aos_loop_init(void);
void aos_loop_run(void);
int aos_register_event_filter(uint16_t type, aos_event_cb cb, void *priv);
int aos_post_event(uint16_t type, uint16_t code, unsigned long value);

#endif
