/* SPDX-License-Identifier: Apache-2.0 */
/* The system's start, and its reset. */
#ifndef LARCH_SDK_BL_SYS_H
#define LARCH_SDK_BL_SYS_H

int bl_sys_early_init(void);
int bl_sys_init(void);
int bl_sys_reset_por(void);

#endif
