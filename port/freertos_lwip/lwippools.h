/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's "heap". Included several times, so without a guard. */
LWIP_MALLOC_MEMPOOL_START
LWIP_MALLOC_MEMPOOL(6, 96)   /* headers of datagrams to send; ARP */
LWIP_MALLOC_MEMPOOL(2, 384)  /* DHCP's messages */
LWIP_MALLOC_MEMPOOL(1, 1104) /* a datagram that waits for its receiver's hardware address */
LWIP_MALLOC_MEMPOOL_END
