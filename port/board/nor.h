/* SPDX-License-Identifier: Apache-2.0 */
/* NOR flash, as chips have it: sectors are erased to ones, programming turns ones into zeros. */
#ifndef LARCH_BOARD_NOR_H
#define LARCH_BOARD_NOR_H

#include "larch/base.h"

/* All calls block until done. LARCH_PLATFORM: the chip reports a failure, or the range is outside. */
typedef struct larch_nor {
    void *context;
    uint32_t sector_size; /* bytes that are erased together; a power of two */
    uint32_t sector_count;

    larch_error (*read)(void *context, uint32_t at, uint8_t *out, size_t len);

    /* Turns ones into zeros; at and length may be anything inside. A bit that would have to turn into a one is
     * LARCH_PLATFORM. A power cut meanwhile leaves any of the zeros written and the others not. */
    larch_error (*program)(void *context, uint32_t at, larch_bytes bytes);

    /* A power cut meanwhile leaves any bits of the sector. */
    larch_error (*erase)(void *context, uint32_t sector);
} larch_nor;

#endif
