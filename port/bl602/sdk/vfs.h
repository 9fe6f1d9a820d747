/* SPDX-License-Identifier: Apache-2.0 */
/* Files and devices. */
#ifndef LARCH_SDK_VFS_H
#define LARCH_SDK_VFS_H

int vfs_init(void);

#endif
