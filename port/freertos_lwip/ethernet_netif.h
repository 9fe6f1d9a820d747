/* SPDX-License-Identifier: Apache-2.0 */
/* The board's Ethernet as an interface of lwIP. */
#ifndef LARCH_ETHERNET_NETIF_H
#define LARCH_ETHERNET_NETIF_H

#include "larch/base.h"
#include "lwip/netif.h"

/* Once, with the core locked: starts the device and adds its interface, which hands what arrives to lwIP from then on.
 * LARCH_PLATFORM: there is none, or it does not work. */
larch_error larch_ethernet_netif_start(struct netif *netif);

/* Hands over what lies in the device, should an interrupt have been missed. In the TCP/IP task. */
void larch_ethernet_netif_drain(struct netif *netif);

#endif
