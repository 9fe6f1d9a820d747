/* SPDX-License-Identifier: Apache-2.0 */
/* The partition table. */
#ifndef LARCH_SDK_HAL_BOOT2_H
#define LARCH_SDK_HAL_BOOT2_H

int hal_boot2_init(void);

#endif
