/* SPDX-License-Identifier: Apache-2.0 */
/* DMA. */
#ifndef LARCH_SDK_BL_DMA_H
#define LARCH_SDK_BL_DMA_H

void bl_dma_init(void);

#endif
