/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler and the board, for lwIP. */
#ifndef LARCH_LWIP_CC_H
#define LARCH_LWIP_CC_H

#include <stdint.h>

#include "report.h"

/* With ETH_PAD_SIZE every header's fields are aligned by themselves: there is no VLAN tag and no other link layer. */
#define PACK_STRUCT_STRUCT

#define LWIP_NO_CTYPE_H    1
#define LWIP_NO_UNISTD_H   1
#define LWIP_NO_INTTYPES_H 1
#define X8_F               "02x"
#define U16_F              "u"
#define S16_F              "d"
#define X16_F              "x"
#define U32_F              "u"
#define S32_F              "d"
#define X32_F              "x"
#define SZT_F              "u"

#define LWIP_PLATFORM_DIAG(text)
#define LWIP_PLATFORM_ASSERT(text) larch_report_assertion()

/* Transaction numbers of DHCP, and the first port. A random source that fails ends in a report and a restart. */
uint32_t larch_network_random(void);
#define LWIP_RAND() larch_network_random()

#endif
