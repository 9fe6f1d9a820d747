/* SPDX-License-Identifier: Apache-2.0 */
/* What decides how lwIP's core may be called in the SDK; its own options say more. */
#ifndef LARCH_SDK_LWIPOPTS_H
#define LARCH_SDK_LWIPOPTS_H

#define NO_SYS                     0
#define SYS_LIGHTWEIGHT_PROT       1
#define LWIP_TCPIP_CORE_LOCKING    0
#define LWIP_NETIF_API             1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LINK_CALLBACK   1
#define LWIP_NETIF_HOSTNAME        1
#define LWIP_DHCP                  1
#define LWIP_SOCKET                1
#define LWIP_NETCONN               1
#define LWIP_TIMEVAL_PRIVATE       0
#define IP_REASSEMBLY              0
#define MEM_ALIGNMENT              4

#endif
