/* SPDX-License-Identifier: Apache-2.0 */
/* The true random generator. */
#ifndef LARCH_SDK_BL_SEC_H
#define LARCH_SDK_BL_SEC_H

#include <stdint.h>

int bl_sec_init(void);
void bl_rand_stream(uint8_t *buf, int len);

#endif
