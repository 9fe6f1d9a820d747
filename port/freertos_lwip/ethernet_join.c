/* SPDX-License-Identifier: Apache-2.0 */
#include "join.h"

#include "lwip/dhcp.h"
#include "lwip/tcpip.h"

#include "board/board.h"
#include "core.h"
#include "ethernet_netif.h"
#include "neighbours.h"

static struct netif netif;
static struct dhcp dhcp;
static void (*on_change)(void);

static void on_status(struct netif *unused)
{
    (void)unused;
    on_change();
}

static void start(void *context)
{
    larch_error *r = context;
    *r = larch_ethernet_netif_start(&netif);
    if (*r != LARCH_OK)
        return;
    larch_neighbours_attach(&netif);
    netif_set_status_callback(&netif, on_status);
    dhcp_set_struct(&netif, &dhcp);
}

larch_error larch_join_start(const larch_storage *storage, void (*changed)(void))
{
    larch_error r = LARCH_PLATFORM;
    (void)storage;
    on_change = changed;
    tcpip_init(NULL, NULL);
    larch_core_call(start, &r);
    return r;
}

/* An address is asked for anew whenever the link comes back: it may be another network. */
larch_join_state larch_join_look(void)
{
    const bool link = larch_board_ethernet_link();
    if (link && !netif_is_link_up(&netif)) {
        netif_set_link_up(&netif);
        (void)dhcp_start(&netif);
    } else if (!link && netif_is_link_up(&netif)) {
        netif_set_link_down(&netif);
        dhcp_stop(&netif);
        netif_set_addr(&netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
    }
    larch_ethernet_netif_drain(&netif);
    return larch_join_state_of();
}

larch_join_state larch_join_state_of(void)
{
    if (!netif_is_link_up(&netif))
        return LARCH_JOIN_NO_LINK;
    return dhcp_supplied_address(&netif) ? LARCH_JOIN_ADDRESSED : LARCH_JOIN_ASKING;
}

struct netif *larch_join_netif(void) { return &netif; }

const bool larch_join_sends_at_once = true; /* larch_board_ethernet_send copies it */

const larch_join_command *larch_join_command_of(void) { return NULL; }
