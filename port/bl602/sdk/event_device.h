/* SPDX-License-Identifier: Apache-2.0 */
/* The device of events, on which the event loop stands. */
#ifndef LARCH_SDK_EVENT_DEVICE_H
#define LARCH_SDK_EVENT_DEVICE_H

int vfs_device_init(void);

#endif
