/* SPDX-License-Identifier: Apache-2.0 */
/* Files and devices, on which the event loop stands. */
#ifndef LARCH_SDK_VFS_H
#define LARCH_SDK_VFS_H

int vfs_init(void);
int vfs_device_init(void);

#endif
