/* SPDX-License-Identifier: Apache-2.0 */
/* larch_crc32, eight bytes at a time: a batch takes longer to sum than to write. It needs 8 KiB of tables. */
#ifndef LARCH_REGISTRY_CRC_H
#define LARCH_REGISTRY_CRC_H

#include "larch/base.h"

typedef struct larch_crc {
    uint32_t tables[8][256]; /* private */
} larch_crc;

void larch_crc_init(larch_crc *crc);
/* What larch_crc32(0, bytes) gives. */
uint32_t larch_crc_sum(const larch_crc *crc, larch_bytes bytes);

#endif
