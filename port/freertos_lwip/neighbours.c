/* SPDX-License-Identifier: Apache-2.0 */
#include "neighbours.h"

#include <string.h>

#include "lwip/etharp.h"
#include "lwip/ip.h"
#include "lwip/prot/ip4.h"
#include "netif/ethernet.h"

#include "board/board.h"

/* More than the datagrams that can wait for the role, so that each is answered to where it came from, even if all of them
 * came from different neighbours. */
#define SLOTS            8u
#define GENERATIONS      31u /* a mark is a byte: slot, and how often the slot was given out */
#define MARK(slot, once) ((uint8_t)((once)*SLOTS + (slot)))

/* Pings that are answered: so many a second, and so many at once. */
#define PINGS_A_SECOND 10u
#define PINGS_AT_ONCE  10u

static struct {
    netif_output_fn ask; /* of the interface itself: broadcast, multicast, or whom ARP knows or is asked for */
    struct {
        struct eth_addr address;
        uint8_t mark; /* 0: free */
    } slots[SLOTS];
    unsigned next; /* the slot to be given out next: the oldest */
    uint8_t aim;
    bool aimed, waits;
    uint64_t pings_ms; /* when the next ping would be answered, had none been saved up */
} neighbours;

/* ---- whose frames came ----------------------------------------------------- */

/* lwIP has only moved its pointer past the Ethernet header, which stands before the IP header as it came. False: it came from
 * a group of stations, which no frame does; its answer would go to all of them. */
static bool sender_of_frame(struct eth_addr *sender)
{
    struct eth_hdr header;
    memcpy(&header, (const uint8_t *)ip4_current_header() - sizeof header, sizeof header);
    *sender = header.src;
    return (header.src.addr[0] & 1) == 0;
}

uint8_t larch_neighbours_heard(void)
{
    struct eth_addr sender;
    if (!sender_of_frame(&sender))
        return 0;
    for (unsigned i = 0; i < SLOTS; i++)
        if (neighbours.slots[i].mark != 0 && memcmp(&neighbours.slots[i].address, &sender, sizeof sender) == 0)
            return neighbours.slots[i].mark;
    const unsigned slot = neighbours.next;
    const unsigned once = neighbours.slots[slot].mark / SLOTS % GENERATIONS + 1;
    neighbours.next = (slot + 1) % SLOTS;
    neighbours.slots[slot].address = sender;
    return neighbours.slots[slot].mark = MARK(slot, once);
}

static const struct eth_addr *neighbour_of(uint8_t mark)
{
    return mark != 0 && neighbours.slots[mark % SLOTS].mark == mark ? &neighbours.slots[mark % SLOTS].address : NULL;
}

/* ---- what is sent ---------------------------------------------------------- */

static err_t send_to(struct netif *netif, struct pbuf *packet, const struct eth_addr *address)
{
    return ethernet_output(netif, packet, (const struct eth_addr *)netif->hwaddr, address, ETHTYPE_IP);
}

static bool is_ping_due(void)
{
    const uint64_t now_ms = larch_board_now_ms(), saved_ms = PINGS_AT_ONCE * 1000u / PINGS_A_SECOND;
    if (neighbours.pings_ms + saved_ms < now_ms)
        neighbours.pings_ms = now_ms - saved_ms;
    if (neighbours.pings_ms > now_ms)
        return false;
    neighbours.pings_ms += 1000 / PINGS_A_SECOND;
    return true;
}

/* lwIP sends ICMP while it works on the frame that it answers, and never else. */
static err_t answer_ping(struct netif *netif, struct pbuf *packet)
{
    struct eth_addr sender; /* a copy: the answer takes the place of the question */
    if (ip4_current_header() == NULL || !sender_of_frame(&sender) || !is_ping_due())
        return ERR_RTE;
    return send_to(netif, packet, &sender);
}

static bool is_known(struct netif *netif, const ip4_addr_t *hop)
{
    struct eth_addr *address;
    const ip4_addr_t *found;
    return etharp_find_addr(netif, hop, &address, &found) >= 0;
}

static err_t output(struct netif *netif, struct pbuf *packet, const ip4_addr_t *to)
{
    const struct eth_addr *neighbour = neighbours.aimed ? neighbour_of(neighbours.aim) : NULL;
    const bool to_one = !ip4_addr_isbroadcast(to, netif) && !ip4_addr_ismulticast(to);
    const bool on_link = ip4_addr_netcmp(to, netif_ip4_addr(netif), netif_ip4_netmask(netif));
    const ip4_addr_t *hop = on_link ? to : netif_ip4_gw(netif);
    if (IPH_PROTO((const struct ip_hdr *)packet->payload) == IP_PROTO_ICMP)
        return answer_ping(netif, packet);
    if (to_one && neighbour != NULL)
        return send_to(netif, packet, neighbour);
    if (to_one && neighbours.aimed && !neighbours.waits && !ip4_addr_isany(hop) && !is_known(netif, hop)) {
        (void)etharp_request(netif, hop);
        return ERR_RTE;
    }
    return neighbours.ask(netif, packet, to);
}

void larch_neighbours_attach(struct netif *netif)
{
    if (netif->output == output)
        return;
    neighbours.ask = netif->output;
    netif->output = output;
}

void larch_neighbours_aim(uint8_t mark, bool waits)
{
    neighbours.aim = mark;
    neighbours.aimed = true;
    neighbours.waits = waits;
}

void larch_neighbours_aim_nowhere(void) { neighbours.aimed = false; }
