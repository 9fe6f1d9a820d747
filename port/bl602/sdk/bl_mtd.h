/* SPDX-License-Identifier: Apache-2.0 */
/* Flash partitions. write does not erase; open of a partition that is not there never returns. */
#ifndef LARCH_SDK_BL_MTD_H
#define LARCH_SDK_BL_MTD_H

#include <stdint.h>

#define BL_MTD_OPEN_FLAG_NONE 0

typedef void *bl_mtd_handle_t;
typedef struct {
    char name[16];
    unsigned int offset;
    unsigned int size;
    void *xip_addr;
} bl_mtd_info_t;

int bl_mtd_open(const char *name, bl_mtd_handle_t *handle, unsigned int flags);
int bl_mtd_info(bl_mtd_handle_t handle, bl_mtd_info_t *info);
int bl_mtd_erase(bl_mtd_handle_t handle, unsigned int addr, unsigned int size);
int bl_mtd_write(bl_mtd_handle_t handle, unsigned int addr, unsigned int size, const uint8_t *data);
int bl_mtd_read(bl_mtd_handle_t handle, unsigned int addr, unsigned int size, uint8_t *data);

#endif
