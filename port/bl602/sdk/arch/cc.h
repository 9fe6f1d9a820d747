/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler, for lwIP's headers. */
#ifndef LARCH_SDK_LWIP_CC_H
#define LARCH_SDK_LWIP_CC_H

#include <stdint.h>

#define LWIP_NO_UNISTD_H 1
#define LWIP_PLATFORM_DIAG(text)
#define LWIP_PLATFORM_ASSERT(text) vAssertCalled()
void vAssertCalled(void);

#endif
