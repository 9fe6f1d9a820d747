/* SPDX-License-Identifier: Apache-2.0 */
/* What the device's files share: the functions that its server calls. */
#ifndef LARCH_DEVICE_INT_H
#define LARCH_DEVICE_INT_H

#include "larch/device.h"

#if LARCH_SERVER_SESSIONS

void larch_device_take_event(void *context, larch_server *srv, uint64_t now_ms, const larch_coap_event *event);
void larch_device_maintain(void *context, larch_server *srv, uint64_t now_ms);
uint64_t larch_device_due_ms(const void *context);

#endif
#endif
