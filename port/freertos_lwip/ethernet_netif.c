/* SPDX-License-Identifier: Apache-2.0 */
#include "ethernet_netif.h"

#include "lwip/etharp.h"
#include "lwip/icmp.h"
#include "lwip/pbuf.h"
#include "lwip/prot/dhcp.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/udp.h"
#include "lwip/tcpip.h"
#include "netif/ethernet.h"

#include "board/board.h"
#include "larch/config.h"

enum { PIECES_MAX = 4, FRAMES_A_TURN = 8, MTU = 1500 };

/* Not packed, the structures that lwIP lays over bytes still have no gaps. */
_Static_assert(sizeof(struct eth_hdr) == ETH_PAD_SIZE + 14 && sizeof(struct etharp_hdr) == 28, "no gaps");
_Static_assert(sizeof(struct ip_hdr) == 20 && sizeof(struct udp_hdr) == 8, "no gaps");
_Static_assert(sizeof(struct icmp_echo_hdr) == 8 && sizeof(struct dhcp_msg) == 240 + DHCP_OPTIONS_LEN, "no gaps");

_Static_assert(PBUF_POOL_BUFSIZE >= ETH_PAD_SIZE + LARCH_BOARD_FRAME_MAX, "a frame fits into one buffer");

/* lwippools.h: a datagram that waits for a hardware address, behind its headers and lwIP's own. */
_Static_assert(LARCH_COAP_DATAGRAM_MAX + 80 <= 1104, "the largest pool is too small");

static struct tcpip_callback_msg *arrived;

/* ---- out ----------------------------------------------------------------- */

static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    (void)netif;
    larch_bytes pieces[PIECES_MAX];
    size_t count = 0, skip = ETH_PAD_SIZE;
    for (const struct pbuf *p = frame; p != NULL; p = p->next, skip = 0) {
        if (count == PIECES_MAX)
            return ERR_BUF;
        pieces[count++] = (larch_bytes){(const uint8_t *)p->payload + skip, (size_t)p->len - skip};
    }
    return larch_board_ethernet_send(pieces, count) == LARCH_OK ? ERR_OK : ERR_IF;
}

/* ---- in ------------------------------------------------------------------ */

/* No more than a few at a time, so that a flood leaves lwIP's timers their turn. */
void larch_ethernet_netif_drain(struct netif *netif)
{
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        struct pbuf *frame = pbuf_alloc(PBUF_RAW, ETH_PAD_SIZE + LARCH_BOARD_FRAME_MAX, PBUF_POOL);
        if (frame == NULL)
            return;
        const size_t len =
            larch_board_ethernet_receive((uint8_t *)frame->payload + ETH_PAD_SIZE, LARCH_BOARD_FRAME_MAX);
        if (len == 0) {
            pbuf_free(frame);
            return;
        }
        pbuf_realloc(frame, (u16_t)(ETH_PAD_SIZE + len));
        if (netif->input(frame, netif) != ERR_OK)
            pbuf_free(frame);
    }
    (void)tcpip_callbackmsg_trycallback(arrived);
}

static void on_arrived(void *netif) { larch_ethernet_netif_drain(netif); }

/* From an interrupt. A full mailbox holds the same message already. */
static void wake(void) { (void)tcpip_callbackmsg_trycallback_fromisr(arrived); }

/* ---- start --------------------------------------------------------------- */

static err_t init(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    netif->mtu = MTU;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return larch_board_ethernet_start(netif->hwaddr, wake) == LARCH_OK ? ERR_OK : ERR_IF;
}

larch_error larch_ethernet_netif_start(struct netif *netif)
{
    arrived = tcpip_callbackmsg_new(on_arrived, netif);
    if (arrived == NULL || netif_add(netif, NULL, NULL, NULL, NULL, init, ethernet_input) == NULL)
        return LARCH_PLATFORM;
    netif_set_default(netif);
    netif_set_up(netif);
    return LARCH_OK;
}
