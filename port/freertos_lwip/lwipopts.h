/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP for one Ethernet interface, IPv4, DHCP and one UDP port; its raw interface under the core lock; fixed pools. */
#ifndef LARCH_LWIPOPTS_H
#define LARCH_LWIPOPTS_H

/* ---- what there is ------------------------------------------------------- */

#define LWIP_IPV4                  1
#define LWIP_IPV6                  0
#define LWIP_ARP                   1
#define LWIP_ICMP                  1
#define LWIP_UDP                   1
#define LWIP_DHCP                  1
#define LWIP_TCP                   0
#define LWIP_RAW                   0
#define LWIP_DNS                   0
#define LWIP_IGMP                  0
#define LWIP_SOCKET                0
#define LWIP_NETCONN               0
#define LWIP_STATS                 0
#define LWIP_SINGLE_NETIF          1
#define LWIP_HAVE_LOOPIF           0
#define LWIP_NETIF_LOOPBACK        0
#define LWIP_NETIF_API             0
#define LWIP_NETIF_STATUS_CALLBACK 1
/* A datagram of LARCH_COAP_DATAGRAM_MAX fits into one frame. */
#define IP_REASSEMBLY              0
#define IP_FRAG                    0

/* The address is used at once: probing for its other users would take seconds at each start. */
#define LWIP_DHCP_DOES_ACD_CHECK      0
#define LWIP_ACD                      0
#define LWIP_DHCP_PROVIDE_DNS_SERVERS 0
#define LWIP_DHCP_MAX_NTP_SERVERS     0

/* ---- tasks --------------------------------------------------------------- */

#define NO_SYS                  0
#define LWIP_TCPIP_CORE_LOCKING 1
#define LWIP_TCPIP_TIMEOUT      0
/* Everything, pbuf_free too, is called with the core locked. */
#define SYS_LIGHTWEIGHT_PROT    0
#define TCPIP_THREAD_NAME       "tcpip"
#define TCPIP_THREAD_STACKSIZE  1280 /* bytes */
#define TCPIP_THREAD_PRIO       3
#define TCPIP_MBOX_SIZE         2 /* frames arrived, twice: what is posted while the first is being served */

/* ---- memory -------------------------------------------------------------- */

#define MEM_ALIGNMENT 4
/* The IP header of a received frame is aligned so. */
#define ETH_PAD_SIZE  2
/* So its structures are not packed (arch/cc.h), and lwIP's check that they are, is left out. */
#define LWIP_SKIP_PACKING_CHECK

/* Frames: those that wait for the role (LARCH_NETWORK_WAITING), and one in work. */
#define LARCH_NETWORK_WAITING 3
#define PBUF_POOL_SIZE        (LARCH_NETWORK_WAITING + 1)
#define PBUF_POOL_BUFSIZE     1516

/* Instead of a heap: the pools of lwippools.h. */
#define MEM_USE_POOLS                 1
#define MEM_USE_POOLS_TRY_BIGGER_POOL 1
#define MEMP_USE_CUSTOM_POOLS         1

#define MEMP_NUM_PBUF            2 /* what a datagram to send is wrapped in */
#define MEMP_NUM_UDP_PCB         2 /* DHCP's and the role's */
#define MEMP_NUM_SYS_TIMEOUT     (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 1)
#define MEMP_NUM_TCPIP_MSG_API   1
#define MEMP_NUM_TCPIP_MSG_INPKT 1
#define ARP_TABLE_SIZE           10
#define ARP_QUEUEING             0 /* one datagram a neighbour waits for its address */

#endif
